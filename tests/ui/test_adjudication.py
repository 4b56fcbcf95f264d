"""Adjudication in the window: opened by a key, settled by keys, undone, and kept."""

import csv

import pytest

from viewer.annotate import adjudication
from viewer.annotate.audit import KnownNames, read_audit
from viewer.export.snapshot import CaseSnapshot
from viewer.ui.panel.adjudication import AdjudicationSection

from .conftest import settle
from .test_readers import wait_open


def _judge(window, verdicts):
    for lesion, verdict in zip(window.reading.case.shown, verdicts, strict=True):
        window.corrections.change(lambda c, i=lesion.id, v=verdict: c.set_verdict(i, v))


def _commit(window):
    window.actions_by_id["commit_reading"].trigger()
    settle(window)
    assert window.reading.case.committed


def _open(window, qtbot, which="adjudicated"):
    window.actions_by_id["adjudicate"].trigger()
    wait_open(window, qtbot, which=which)
    if which == "adjudicated":
        qtbot.waitUntil(lambda: bool(window.record.adjudicating.pairs))
    settle(window)


@pytest.fixture
def both_read(full, qtbot):
    """Two committed readings of twelve findings; the first three are judged differently."""
    full.set_reader("First Reader", "Resident")
    _judge(full, ["rejected", "unsure", "accepted"] + ["accepted"] * 9)
    _commit(full)
    full.set_reader("Second Reader")
    full.actions_by_id["second_reading"].trigger()
    wait_open(full, qtbot, which="second")
    _judge(full, ["accepted", "accepted", "rejected"] + ["accepted"] * 9)
    _commit(full)
    full.set_reader("Third Reader", "Radiologist")
    return full


@pytest.fixture
def adjudicated(both_read, qtbot):
    """The same with the adjudication open."""
    _open(both_read, qtbot)
    return both_read


def test_it_waits_for_both_readings(full, qtbot):
    action = full.actions_by_id["adjudicate"]
    assert "no second reading" in action.toolTip()
    for name in ("choose_first", "choose_second", "choose_own", "next_difference"):
        assert not full.actions_by_id[name].isEnabled()
        assert "adjudication first" in full.actions_by_id[name].toolTip()
    full.set_reader("")
    full.actions_by_id["adjudicate"].trigger()
    assert full.reading.case.which == "first"


def test_its_adjudicator_has_a_name(both_read):
    both_read.set_reader("")
    assert not both_read.actions_by_id["adjudicate"].isEnabled()
    assert "Name the reader" in both_read.actions_by_id["adjudicate"].toolTip()


def test_what_both_agree_on_is_there_and_the_rest_is_open(adjudicated):
    room, case = adjudicated.record.adjudicating, adjudicated.reading.case
    assert len(room.pairs) == 12
    assert len(room.open_pairs) == 3
    assert adjudicated.reading.selected == "d1"
    assert case.document.lesion("d5").verdict == "accepted"
    assert case.document.lesion("d1").verdict is None
    assert adjudicated.actions_by_id["adjudicate"].isChecked()
    assert not adjudicated.actions_by_id["run"].isEnabled()
    assert _section(adjudicated).isVisible()
    assert "adjudication" in adjudicated.record.readers.line()


def _section(window):
    return window.findChild(AdjudicationSection)


def test_three_keys_settle_three_differences(adjudicated):
    actions, room = adjudicated.actions_by_id, adjudicated.record.adjudicating
    case = adjudicated.reading.case
    actions["choose_second"].trigger()
    assert adjudicated.reading.selected == "d2"
    actions["choose_first"].trigger()
    assert adjudicated.reading.selected == "d3"
    actions["choose_own"].trigger()
    assert room.open_pairs
    actions["unsure"].trigger()
    assert not room.open_pairs
    lesions = [case.document.lesion(name) for name in ("d1", "d2", "d3")]
    assert [x.verdict for x in lesions] == ["accepted", "unsure", "unsure"]
    assert {x.reader for x in lesions} == {"Third Reader"}
    assert "settled" in actions["next_difference"].toolTip()
    found = adjudication.choices_by_lesion(case.document)
    assert [found[name] for name in ("d1", "d2", "d3", "d4")] == ["second", "first", "own", "both"]
    snapshot = case.snapshot()
    assert isinstance(snapshot, CaseSnapshot)
    told = {lesion.id: lesion.adjudicated for lesion in snapshot.lesions}
    assert (told["d1"], told["d4"]) == ("second", "both")


def test_a_choice_is_undone_and_done_again(adjudicated):
    actions, case = adjudicated.actions_by_id, adjudicated.reading.case
    room = adjudicated.record.adjudicating
    actions["choose_second"].trigger()
    assert len(room.open_pairs) == 2
    actions["undo"].trigger()
    assert len(room.open_pairs) == 3
    assert case.document.lesion("d1").verdict is None
    actions["redo"].trigger()
    assert case.document.lesion("d1").verdict == "accepted"
    # Another choice of the same takes the place of the first.
    room.show(0)
    actions["choose_first"].trigger()
    assert case.document.lesion("d1").verdict == "rejected"


def test_rows_show_both_and_what_is_chosen(adjudicated):
    section, room = _section(adjudicated), adjudicated.record.adjudicating
    rows = section.rows
    assert "First Reader: rejected" in rows["first"].accessibleName()
    assert "Second Reader: accepted" in rows["second"].accessibleName()
    assert not any(row.isChecked() for row in rows.values())
    rows["second"].click()
    room.show(0)
    assert rows["second"].isChecked()
    assert not rows["first"].isChecked()
    rows["second"].click()  # again: as it is
    room.show(0)
    assert rows["second"].isChecked()
    room.step(-1)
    assert room.at == len(room.pairs) - 1
    room.step(1)
    assert room.at == 0
    adjudicated.reading.select("d2")
    assert room.lesion_of(room.pair) == "d2"


def test_it_goes_back_to_the_first_and_comes_again_as_it_was(adjudicated, qtbot):
    adjudicated.actions_by_id["choose_second"].trigger()
    _open(adjudicated, qtbot, which="first")
    assert not _section(adjudicated).isVisible()
    assert adjudicated.reading.case.read_only
    _open(adjudicated, qtbot)
    assert len(adjudicated.record.adjudicating.open_pairs) == 2
    assert adjudicated.reading.case.document.lesion("d1").verdict == "accepted"
    assert adjudicated.reading.case.events == 1


def test_the_agreement_leads_there_and_tells_the_result(adjudicated, qtbot):
    window, readers = adjudicated, adjudicated.record.readers
    window.actions_by_id["choose_second"].trigger()
    with qtbot.waitSignal(readers.compared):
        window.actions_by_id["agreement"].trigger()
    table = readers.dialog.table
    results = [table.item(row, 6).text() for row in range(3)]
    assert results == ["accepted", "open", "open"]
    assert "found" in readers.dialog.froc.text()
    table.cellClicked.emit(1, 0)
    assert window.reading.selected == "d2"
    readers.dialog.close()
    settle(window)


def test_the_report_is_saved_as_a_table(both_read, qtbot, tmp_path):
    readers = both_read.record.readers
    with qtbot.waitSignal(readers.compared):
        both_read.actions_by_id["agreement"].trigger()
    events = both_read.reading.case.events
    file = tmp_path / "table.csv"
    readers.save(file)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert sum(row["row"] == "finding" for row in rows) == 12
    assert any(row["name"] == "second" and row["sensitivity"] for row in rows)
    assert both_read.reading.case.events == events + 1
    readers.save(tmp_path / "nowhere" / "table.csv")
    assert "could not be saved" in both_read.message.text
    readers.dialog.close()
    settle(both_read)


def test_a_reader_may_adjudicate_and_the_log_says_so(both_read, qtbot):
    both_read.set_reader("First Reader")
    _open(both_read, qtbot)
    case = both_read.reading.case
    case.flush()
    steps = [row.step for row in read_audit(case.folder, KnownNames(case.document)).rows]
    assert "Adjudication begun, by one of the two readers" in steps
