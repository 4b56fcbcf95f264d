"""The audit log as a window: opened by its key, filtered, proven, saved as CSV."""

import contextlib
import csv
import sqlite3

import pytest
from PySide6.QtCore import Qt

from viewer.annotate.journal import FILE

from .conftest import settle


@pytest.fixture
def logged(reviewed, qtbot):
    """The window with three verdicts and its log open."""
    case = reviewed.reading.case
    for n, verdict in enumerate(("accepted", "rejected", "unsure")):
        lesion = case.document.lesions[n]
        reviewed.corrections.change(lambda c, i=lesion.id, v=verdict: c.set_verdict(i, v))
    assert case.flush() == 0
    with qtbot.waitSignal(reviewed.record.auditing.read, timeout=20_000):
        reviewed.actions_by_id["audit"].trigger()
    yield reviewed
    reviewed.record.auditing.close()


def _steps(window):
    # How long the reader was at a finding is told too, and depends on the machine.
    shown = window.record.auditing.dialog.model.shown
    return [row.step for row in shown if " s at " not in row.step]


@pytest.fixture(autouse=True)
def nobody_looks(monkeypatch):
    monkeypatch.setattr("viewer.ui.attending.IDLE_S", -1.0)


def test_the_log_shows_who_did_what_the_latest_first(logged):
    dialog = logged.record.auditing.dialog
    assert dialog.isVisible()
    assert not dialog.isModal()
    steps = _steps(logged)
    assert steps[0].startswith("Mark")
    assert steps[2].startswith("Accept")
    assert steps[-1] == "AI run 1"
    model = dialog.model
    texts = [
        model.data(model.index(0, column), Qt.ItemDataRole.DisplayRole)
        for column in range(model.columnCount())
    ]
    assert texts[0] == str(len(steps))
    assert texts[3] == steps[0]
    assert "as it was written" in dialog.verdict.text()


def test_the_filter_leaves_what_holds_every_word(logged):
    dialog = logged.record.auditing.dialog
    dialog.filter.setText("reject nodule")
    assert len(_steps(logged)) == 1
    dialog.filter.setText("")
    assert len(_steps(logged)) == 4


def test_it_follows_what_is_done(logged, qtbot):
    logged.corrections.undo()
    qtbot.waitUntil(lambda: _steps(logged)[0].startswith("Undo: Mark"), timeout=20_000)


def test_it_is_saved_as_csv_and_that_is_logged(logged, qtbot, tmp_path):
    auditing = logged.record.auditing
    auditing.dialog.filter.setText("nodule")
    file = tmp_path / "log.csv"
    auditing.save_to(file)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["number"] for row in rows] == ["2", "3", "4"]
    assert {row["proven"] for row in rows} == {"yes"}
    assert not list(tmp_path.glob("*.part"))
    auditing.dialog.filter.setText("")
    qtbot.waitUntil(lambda: _steps(logged)[0] == "This log saved as a file", timeout=20_000)


def test_a_file_that_cannot_be_written_is_said(logged, tmp_path):
    auditing = logged.record.auditing
    auditing.save_to(tmp_path / "not there" / "log.csv")
    assert "could not be saved" in auditing.dialog.verdict.text()


def test_tampering_is_shown(logged, qtbot):
    auditing = logged.record.auditing
    file = logged.reading.case.folder / FILE
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TRIGGER record_no_update")
        connection.execute("UPDATE record SET reader = 'Somebody else' WHERE seq = 2")
        connection.commit()
    with qtbot.waitSignal(auditing.read, timeout=20_000):
        auditing.reload()
    assert "Entry 2" in auditing.dialog.verdict.text()
    assert [row.proven for row in auditing.dialog.model.shown] == [False, False, False, True]


def test_it_closes_with_the_case_and_opens_again(logged, qtbot):
    auditing = logged.record.auditing
    auditing.dialog.close()
    settle(logged)
    assert auditing.dialog is None
    for _ in range(2):
        with qtbot.waitSignal(auditing.read, timeout=20_000):
            logged.actions_by_id["audit"].trigger()
    case = logged.reading.case
    logged.reading.set_case(None)
    assert auditing.dialog is None
    assert not logged.actions_by_id["audit"].isEnabled()
    assert case.close() == 0


def test_an_export_is_logged(reviewed, qtbot, tmp_path):
    with qtbot.waitSignal(reviewed.exporter.ended, timeout=60_000):
        reviewed.export_to(tmp_path, None)
    assert reviewed.reading.case.events == 1


def test_without_a_case_it_says_why(window):
    action = window.actions_by_id["audit"]
    assert not action.isEnabled()
    assert "Open a series" in action.toolTip()
