"""The open case goes into a training set: what is truth is said before, what was written after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viewer.export.sets.formats import USUAL
from viewer.ui import set_dialog, training_sets
from viewer.ui.set_dialog import SETTING, SetDialog


@pytest.fixture
def shown(monkeypatch):
    """Have each dialog driven by the functions of a list instead of a person, in turn."""
    drivers = []
    monkeypatch.setattr(SetDialog, "exec", lambda dialog: int(drivers.pop(0)(dialog)))
    monkeypatch.setattr(training_sets, "first_folder", lambda: Path("nowhere"))
    return drivers


@pytest.fixture
def judged(reviewed):
    """The window with its findings judged: the first is true, the others are not."""
    case = reviewed.reading.case
    for number, lesion in enumerate(case.shown):
        case.set_verdict(lesion.id, "rejected" if number else "accepted")
    return reviewed


def _into(folder, monkeypatch):
    monkeypatch.setattr(set_dialog, "ask_folder", lambda *_: folder)


def _manifest(folder, version):
    return json.loads((folder / f"v{version:04d}" / "manifest.json").read_text(encoding="utf-8"))


def _add(window, qtbot):
    with qtbot.waitSignal(window.training_sets.ended, timeout=30_000) as ended:
        window.actions_by_id["training_set"].trigger()
    report, problem = ended.args
    assert problem is None
    return report


def test_a_set_is_begun_grows_and_keeps_its_formats(judged, qtbot, tmp_path, shown, monkeypatch):
    folder = tmp_path / "set"
    folder.mkdir()
    _into(folder, monkeypatch)

    def begin(dialog):
        assert dialog.folder == Path("nowhere") / "overread-training-set"
        assert dialog.formats == USUAL and dialog.test_percent == 20
        dialog._ask()
        assert dialog.folder == folder
        assert "new training set" in dialog._state.text()
        for one, tick in dialog.ticks.items():
            if tick.isChecked() != (one == "table"):
                tick.click()
        assert dialog.go.isEnabled()
        dialog.share.setCurrentIndex(dialog.share.findData(0))
        return True

    shown.append(begin)
    report = _add(judged, qtbot)
    assert report.version == 1
    manifest = _manifest(folder, 1)
    counts = manifest["counts"]
    assert counts["cases"] == 1 and counts["truth"] + counts["rejected"] > 0
    assert manifest["set"]["test_percent"] == 0
    assert "Version 1 of the training set" in judged.message.text
    assert judged.settings.text(SETTING) == "table"

    def go_on(dialog):
        assert dialog.folder == folder  # kept until the program ends
        assert "Version 1" in dialog._state.text()
        assert not any(tick.isEnabled() for tick in dialog.ticks.values())
        assert "begun with" in dialog.ticks["coco"].toolTip()
        assert dialog.formats == ("table",) and dialog.test_percent == 0
        assert not dialog.share.isEnabled()
        return True

    shown.append(go_on)
    again = _add(judged, qtbot)
    assert again.version is None
    assert "stands in the set as it is now" in judged.message.text


def test_monai_brings_the_pairs_and_no_box_is_no_set(judged, tmp_path, shown):
    def look(dialog):
        for tick in dialog.ticks.values():
            tick.setChecked(False)
        assert not dialog.go.isEnabled() and "Tick" in dialog.go.toolTip()
        dialog.ticks["monai"].click()
        assert dialog.formats == ("pairs", "monai")
        dialog.ticks["pairs"].click()
        assert dialog.formats == ()
        return False

    shown.append(look)
    judged.actions_by_id["training_set"].trigger()
    assert not shown


def test_a_folder_of_others_gets_a_set_of_its_own_in_it(judged, tmp_path, shown, monkeypatch):
    (tmp_path / "thesis.txt").write_text("mine")
    _into(tmp_path, monkeypatch)

    def look(dialog):
        dialog._ask()
        assert dialog.folder == tmp_path / "overread-training-set"
        return False

    shown.append(look)
    judged.actions_by_id["training_set"].trigger()
    assert not shown


def test_a_damaged_set_is_said_and_not_added_to(judged, tmp_path, shown, monkeypatch):
    (tmp_path / "overread-set.json").write_text("{")
    _into(tmp_path, monkeypatch)

    def look(dialog):
        dialog._ask()
        assert "damaged" in dialog._state.text()
        assert not dialog.go.isEnabled() and "damaged" in dialog.go.toolTip()
        return False

    shown.append(look)
    judged.actions_by_id["training_set"].trigger()
    assert not shown


def test_a_case_without_a_verdict_says_why_it_cannot_go(reviewed, shown):
    def look(dialog):
        assert not dialog.go.isEnabled()
        assert "No finding of it has a verdict" in dialog.go.toolTip()
        return False

    shown.append(look)
    reviewed.actions_by_id["training_set"].trigger()
    assert not shown


def test_without_a_case_the_command_says_why(window):
    action = window.actions_by_id["training_set"]
    assert not action.isEnabled()
    assert "Open a series first" in action.toolTip()


def test_the_dialog_of_exports_leads_there(judged, shown, monkeypatch):
    from viewer.ui.export_dialog import ExportDialog

    asked = []

    def leave(dialog):
        dialog._on_set()
        return 0

    monkeypatch.setattr(ExportDialog, "exec", leave)
    monkeypatch.setattr(SetDialog, "exec", lambda dialog: asked.append(dialog.folder) or 0)
    judged.actions_by_id["export"].trigger()
    assert asked == [Path("nowhere") / "overread-training-set"]
