"""The card of the model: which versions there are, and using another one."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtWidgets import QDialog

from inference import registry, versions
from tests.unit.inference.test_versions import another
from viewer.ui.card_dialog import CardDialog

from .conftest import settle
from .test_review import key

COMPARISON = {
    "old": {"model": {"version": "0.5.0"}},
    "data": {"patients": 40},
    "new_minus_old": {
        "dice": {"mean": 0.0123, "ci95": [0.001, 0.02]},
        "auc": {"mean": None, "ci95": [None, None]},
    },
}


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    monkeypatch.setenv(versions.FOLDER, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def bundled():
    return registry.bundled()[0]


@pytest.fixture
def newer(tmp_path, bundled):
    return versions.put_in(another(tmp_path / "new", bundled, "9.0.0"), COMPARISON)


@pytest.fixture
def card(monkeypatch):
    """Press the key of the card and return the dialog, which is not waited for."""
    shown: list[CardDialog] = []

    def open_card(window) -> CardDialog:
        monkeypatch.setattr(QDialog, "exec", lambda self: shown.append(self) or 0)
        monkeypatch.setattr(QDialog, "deleteLater", lambda self: None)
        window.actions_by_id["card"].trigger()
        shown[-1].show()
        return shown[-1]

    yield open_card
    for dialog in shown:
        dialog.close()


def test_one_version_has_nothing_to_choose(window, card, bundled):
    dialog = card(window)
    assert dialog.windowTitle() == f"{bundled.id} {bundled.version}"
    assert not dialog.button.isVisible()
    assert not dialog.choice.isVisible()


def test_another_version_is_used_from_the_next_run_on_and_back(
    opened, qtbot, card, bundled, newer, process
):
    dialog = card(opened)
    assert dialog.choice.currentIndex() == 0
    assert not dialog.button.isEnabled()  # it is in use
    dialog.choice.setCurrentIndex(1)
    assert "9.0.0" in dialog.windowTitle()
    assert "Compared with 0.5.0, on 40 patients new to both" in dialog._text.toPlainText()
    assert "+0.012" in dialog._text.toPlainText()
    dialog.button.click()
    assert opened.ai.pack.weights.sha256 == newer.weights.sha256
    assert "in use" in dialog.choice.itemText(1)
    assert "in use" not in dialog.choice.itemText(0)
    assert registry.find(None).weights.sha256 == newer.weights.sha256
    dialog.choice.setCurrentIndex(0)
    dialog.button.click()
    dialog.button.click()  # disabled by now: nothing happens twice
    assert opened.ai.pack == bundled
    assert registry.find(None).weights.sha256 == bundled.weights.sha256
    assert [step["version"] for step in versions.history(bundled.id)] == [
        "9.0.0", bundled.version,
    ]  # fmt: skip


def test_the_version_that_leads_is_that_of_the_next_window(newer, qapp, process, qtbot):
    from viewer.ui.main_window import MainWindow

    versions.lead(newer)
    window = MainWindow()
    qtbot.addWidget(window)
    assert window.ai.pack.version == "9.0.0"
    window.close()


def test_changed_weights_are_not_used_and_said(opened, card, bundled, newer):
    (newer.folder / newer.weights.file).write_bytes(b"other")
    dialog = card(opened)
    dialog.choice.setCurrentIndex(1)
    dialog.button.click()
    assert "changed or damaged" in dialog._said.text()
    assert opened.ai.pack == bundled


def test_while_the_model_runs_no_other_can_be_chosen(opened, card, newer, monkeypatch):
    monkeypatch.setattr(type(opened.ai.engine), "running", property(lambda self: True))
    dialog = card(opened)
    dialog.choice.setCurrentIndex(1)
    assert not dialog.button.isEnabled()
    assert dialog.button.toolTip() == "The model is running."


def test_a_leader_that_is_gone_runs_nothing_and_the_card_brings_one_back(
    newer, bundled, qapp, process, qtbot, card, phantom_folder
):
    from viewer.ui.main_window import MainWindow

    versions.lead(newer)
    shutil.rmtree(newer.folder)
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    try:
        with qtbot.waitSignal(window.opener.opened, timeout=60_000):
            window.open_paths([phantom_folder])
        settle(window)
        assert "not there any more" in window.ai.why_not()
        assert window.actions_by_id["card"].isEnabled()
        dialog = card(window)
        assert dialog.button.isEnabled()
        dialog.button.click()
        assert window.ai.pack == bundled
        assert window.ai.why_not() == ""
    finally:
        window.close()


def test_a_card_that_cannot_be_read_is_said(window, card, bundled, newer):
    (newer.folder / "MODEL_CARD.md").unlink()
    dialog = card(window)
    dialog.choice.setCurrentIndex(1)
    assert "cannot be read" in dialog._text.toPlainText()
    key(window, "Escape")
