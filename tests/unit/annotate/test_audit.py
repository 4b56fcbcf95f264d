"""The audit log: every record in words, proven; tampering said; CSV that runs no formula."""

import contextlib
import csv
import io
import json
import sqlite3

import pytest

from resources.problem import Problem
from tests.annotate_cases import findings, open_case, paint, volume
from viewer.annotate import audit
from viewer.annotate.journal import FILE
from viewer.session import Reader
from viewer.tools.brush import Brush


@pytest.fixture
def worked_on(tmp_path):
    case = open_case(folder=tmp_path)
    case.add_findings(findings(volume()))
    paint(case, "d1", [(5, 8, 6)], Brush(3.0, "ball", 0, "erase"))
    case.set_verdict("d1", "accepted")
    case.set_reader(Reader("=cmd|'/c calc'!A1", "fellow"))
    case.set_verdict("d2", "rejected", "vessel")
    case.undo()
    case.redo()
    case.set_note("comment", "d1", {"text": "unclear"})
    case.note_event("exported")
    assert case.close() == 0
    return case


def _read(case):
    return audit.read_audit(case.folder, audit.KnownNames(case.document))


def _tamper(case, statement):
    with contextlib.closing(sqlite3.connect(case.folder / FILE)) as connection:
        for trigger in ("record_no_update", "record_no_delete", "record_in_order"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(statement)
        connection.commit()


def test_every_record_is_told_in_words(worked_on):
    log = _read(worked_on)
    assert [row.step for row in log.rows] == [
        "AI run 1",
        "3-D eraser on nodule 1",
        "Accept nodule 1",
        "Reject nodule 2",
        "Undo: Reject nodule 2",
        "Redo: Reject nodule 2",
        "Comment",
        "Exported and checked",
    ]
    assert [row.seq for row in log.rows] == list(range(1, 9))
    assert log.rows[2].reader == "Reader One"
    assert log.rows[3].role == "fellow"
    assert log.broken_at is None
    assert all(row.proven for row in log.rows)
    assert "8 entries" in log.verdict
    assert log.set_aside == 0


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE record SET reader = 'Somebody else' WHERE seq = 3", 3),
        ("UPDATE record SET utc = '2020-01-01T00:00:00.000Z' WHERE seq = 8", 8),
        ("UPDATE record SET body = replace(body, 'rejected', 'accepted') WHERE seq = 4", 4),
        ("DELETE FROM record WHERE seq = 5", 5),
        (
            "INSERT INTO record SELECT 9, utc, reader, role, tool, kind, body, blob, chain"
            " FROM record WHERE seq = 8",
            9,
        ),
    ],
)
def test_tampering_is_said(worked_on, statement, broken):
    _tamper(worked_on, statement)
    log = _read(worked_on)
    assert log.broken_at == broken
    assert f"Entry {broken}" in log.verdict
    assert all(row.proven == (n < broken) for n, row in enumerate(log.rows, 1))


def test_opening_after_tampering_mends_it_and_the_log_says_so(worked_on, tmp_path):
    _tamper(worked_on, "UPDATE record SET reader = 'Somebody else' WHERE seq = 3")
    case = open_case(folder=tmp_path)
    assert "restored" in case.recovered
    assert case.close() == 0
    log = _read(case)
    assert log.broken_at is None
    assert log.rows[2].reader == "Reader One"
    assert "mended" in log.rows[-1].step
    assert log.set_aside == 1


def test_the_last_records_cannot_be_taken_off_unseen(worked_on, tmp_path):
    _tamper(worked_on, "DELETE FROM record WHERE seq >= 7")
    case = open_case(folder=tmp_path)
    assert case.recovered
    assert case.document.notes("comment")
    assert case.close() == 0


def test_a_filter_takes_every_word(worked_on):
    log = _read(worked_on)

    def found(wanted):
        return [row.seq for row in log.rows if audit.matches(row, wanted)]

    assert found("") == list(range(1, 9))
    assert found("REJECT nodule") == [4, 5, 6]
    assert found("fellow undo") == [5]
    assert found("nothing of the kind") == []


def test_no_cell_of_the_csv_is_a_formula(worked_on):
    text = audit.as_csv(_read(worked_on).rows)
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 9
    assert rows[0][:3] == ["number", "utc", "reader"]
    assert rows[4][2] == "'=cmd|'/c calc'!A1"
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1"])
def test_what_begins_a_formula_is_quoted(text):
    assert audit.safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Dr. A. Reader", "1", "a=b", "x-y", "Undo: x"])
def test_other_cells_are_as_they_are(text):
    assert audit.safe_cell(text) == text


def test_a_record_of_a_kind_that_is_not_known_is_listed(worked_on):
    log = _read(worked_on)
    names = audit.KnownNames(worked_on.document)
    assert audit.step_text("something-new", {}, names) == "something-new"
    with pytest.raises(ValueError, match="damaged"):
        audit.step_text("set-verdict", {}, names)
    assert log.rows


def test_a_log_that_cannot_be_read_is_a_problem(worked_on):
    (worked_on.folder / FILE).write_bytes(b"rubbish" * 1000)
    with pytest.raises(Problem, match="cannot be read"):
        _read(worked_on)


def test_events_are_no_steps_and_change_nothing(worked_on, tmp_path):
    case = open_case(folder=tmp_path)
    assert case.events == 1
    assert case.undo_name == "Comment"
    assert case.close() == 0


def test_a_case_whose_program_died_is_told_as_taken_over(worked_on, tmp_path):
    text = json.dumps({"host": "there", "pid": 4711, "utc": "2026-11-21T07:31:05.123Z"})
    (worked_on.folder / "lock").write_text(text)
    case = open_case(folder=tmp_path)
    assert "4711" in case.taken_over
    assert case.close() == 0
    assert "Taken over" in _read(case).rows[-1].step
    again = open_case(folder=tmp_path)
    assert again.taken_over is None
    assert again.close() == 0
