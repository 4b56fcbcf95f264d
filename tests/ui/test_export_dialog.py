"""The dialog of an export: what is ticked is written, remembered, and told when it is done."""

from pathlib import Path

import pytest

from viewer.export.formats import USUAL
from viewer.ui import export_dialog
from viewer.ui.export_dialog import SETTING, ExportDialog, remembered


@pytest.fixture
def shown(monkeypatch):
    """Have each dialog driven by the functions of a list instead of a person, in turn."""
    drivers, seen = [], []

    def drive(dialog):
        seen.append(dialog)
        return int(drivers.pop(0)(dialog))

    monkeypatch.setattr(ExportDialog, "exec", drive)
    monkeypatch.setattr(export_dialog, "first_folder", lambda: Path("nowhere"))
    monkeypatch.setattr("viewer.ui.asking.first_folder", lambda: Path("nowhere"))
    return drivers


def _to(folder, monkeypatch):
    monkeypatch.setattr(export_dialog, "ask_folder", lambda *_: folder)


def _tick(dialog, *names):
    for one, tick in dialog.ticks.items():
        if tick.isEnabled() and tick.isChecked() != (one in names):
            tick.click()


def test_the_ticked_formats_are_written_and_told(reviewed, qtbot, tmp_path, shown, monkeypatch):
    _to(tmp_path, monkeypatch)

    def choose(dialog):
        dialog.identity.with_it.click()  # without it is in test_identity
        assert dialog.formats == USUAL
        assert not dialog.ticks["kos"].isEnabled()
        assert "key image" in dialog.ticks["kos"].toolTip()
        _tick(dialog, "rtstruct", "pm")
        dialog._ask()
        return True

    shown.append(choose)
    with qtbot.waitSignal(reviewed.exporter.ended) as ended:
        reviewed.actions_by_id["export"].trigger()
    folder, problem = ended.args
    assert problem is None
    assert folder.parent == tmp_path
    assert {path.name for path in folder.iterdir()} == {
        "rtstruct.dcm", "heatmap.dcm", "findings.json", "manifest.json",
    }  # fmt: skip
    assert reviewed.message.isVisible()
    assert "2 files, each read back by pydicom" in reviewed.message.text
    assert str(folder) in reviewed.message.text


def test_what_was_chosen_is_there_the_second_time(reviewed, qtbot, tmp_path, shown, monkeypatch):
    _to(tmp_path, monkeypatch)
    reviewed.settings.put(SETTING, "nifti,kos")

    def choose(dialog):
        dialog.identity.with_it.click()
        assert dialog.formats == ("nifti",)
        _tick(dialog, "rtstruct")
        dialog._ask()
        return True

    def again(dialog):
        assert dialog.formats == ("rtstruct",)
        assert dialog.folder == tmp_path
        return False

    shown += [choose, again]
    with qtbot.waitSignal(reviewed.exporter.ended):
        reviewed.actions_by_id["export"].trigger()
    assert reviewed.settings.text(SETTING) == "kos,rtstruct", "and what only this case has not"
    reviewed.actions_by_id["export"].trigger()
    assert not reviewed.exporter._job
    assert len(list(tmp_path.iterdir())) == 1, "given up, nothing is written"


def test_the_report_and_the_segmentation_that_it_names_go_together(reviewed, tmp_path, shown):
    def choose(dialog):
        seg, report = dialog.ticks["seg"], dialog.ticks["sr"]
        seg.setChecked(False)
        assert not report.isChecked()
        report.setChecked(True)
        assert seg.isChecked()
        return False

    shown.append(choose)
    reviewed.actions_by_id["export"].trigger()
    assert not shown


def test_without_a_tick_there_is_nothing_to_export(reviewed, shown):
    def choose(dialog):
        _tick(dialog)
        assert not dialog.go.isEnabled()
        assert "at least one" in dialog.go.toolTip()
        dialog.ticks["nifti"].setChecked(True)
        assert dialog.go.isEnabled()
        return False

    shown.append(choose)
    reviewed.actions_by_id["export"].trigger()
    assert not shown


def test_the_dialog_says_what_the_files_will_say(reviewed, opened, shown):
    from PySide6.QtWidgets import QLabel

    def choose(dialog):
        said = " ".join(label.text() for label in dialog.findChildren(QLabel))
        assert "AI, not reviewed" in said
        assert "name the patient" in said
        return False

    shown.append(choose)
    reviewed.actions_by_id["export"].trigger()
    assert not shown


@pytest.mark.parametrize(
    ("text", "meant"), [("", USUAL), ("pdf", USUAL), ("kos,seg", ("seg", "kos"))]
)
def test_a_setting_of_elsewhere_is_no_trouble(text, meant):
    assert remembered(text) == meant
