"""A journal of the first schema: read by this program, raised before its next record, then
refused by a program that knows the first step only."""

import contextlib
import shutil
import sqlite3
import struct

import pytest

from resources.problem import Problem
from tests.annotate_cases import open_case, state
from viewer.annotate import journal as journal_module
from viewer.annotate import schema
from viewer.annotate.journal import FILE, connect, open_journal
from viewer.session import Case

STEP_1 = schema.MIGRATIONS[:1]
NOTE = {"mm": 3.0}


def version_of(file) -> int:
    return struct.unpack(">I", file.read_bytes()[60:64])[0]


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A case folder whose journal a program of step 1 wrote, with one edit in it."""
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", STEP_1)
        patch.setattr(schema, "VERSION", 1)
        case = open_case(folder=tmp_path)
        case.add_missed((1.0, 2.0, 3.0))
        assert case.close() == 0
    (file,) = tmp_path.rglob(FILE)
    assert version_of(file) == 1
    return tmp_path, file


def as_of_step_1(monkeypatch):
    monkeypatch.setattr(schema, "VERSION", 1)
    monkeypatch.setattr(schema, "MIGRATIONS", STEP_1)


def test_looking_at_a_case_leaves_its_file_as_it_is(old):
    folder, file = old
    before = file.read_bytes()
    case = open_case(folder=folder)
    assert len(case.document.lesions) == 1
    assert case.close() == 0
    assert file.read_bytes() == before


def test_read_only_it_is_read_and_left_as_it_is(old):
    folder, file = old
    holder = open_case(folder=folder)  # takes the lock, so that the next one may only read
    before = file.read_bytes()
    case = open_case(folder=folder)
    assert case.read_only
    assert len(case.document.lesions) == 1
    assert file.read_bytes() == before
    assert case.close() == holder.close() == 0


def test_a_file_with_a_note_is_refused_by_the_older_program(old, monkeypatch):
    folder, file = old
    case = open_case(folder=folder)
    case.set_note("measurement", "m1", NOTE)
    assert case.flush() == 0
    # While it is open, as after a kill: the note is in the log, the step in the file itself.
    killed = folder / "killed"
    killed.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{file}{suffix}", killed / f"{FILE}{suffix}")
    assert (killed / f"{FILE}-wal").stat().st_size > 0
    assert version_of(killed / FILE) == schema.VERSION
    wanted = state(case.document)
    assert case.close() == 0
    again = open_case(folder=folder)
    assert state(again.document) == wanted
    assert again.document.notes("measurement") == {"m1": NOTE}
    assert again.close() == 0
    as_of_step_1(monkeypatch)
    before = file.read_bytes()
    with pytest.raises(Problem, match="newer Overread"):
        open_case(folder=folder)
    head = fingerprint_of(case)
    for read_only in (True, False):
        with pytest.raises(Problem, match="newer Overread"):
            open_journal(killed, head, read_only=read_only)
    assert file.read_bytes() == before


def fingerprint_of(case: Case):
    return journal_module.Fingerprint.of(
        case.series.series_uid,
        len(case.series.instances),
        case.volume.shape_kji,
        case.volume.affine,
    )


def test_no_record_is_written_while_the_file_still_says_the_older_step(old):
    _, file = old
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM record").fetchone()
        with (
            pytest.MonkeyPatch.context() as patch,
            pytest.raises(sqlite3.OperationalError, match="reads the journal"),
        ):
            real = sqlite3.connect
            patch.setattr(
                journal_module.sqlite3,
                "connect",
                lambda *args, **more: real(*args, **{**more, "timeout": 0.1}),
            )
            connect(file)
        reader.execute("COMMIT")
    with contextlib.closing(connect(file)) as connection:
        assert version_of(file) == schema.VERSION
        assert connection.execute("SELECT count(*) FROM record").fetchone() == (1,)


def test_a_new_journal_goes_through_every_step(tmp_path):
    case = open_case(folder=tmp_path)
    assert case.close() == 0
    (file,) = tmp_path.rglob(FILE)
    assert version_of(file) == schema.VERSION == len(schema.MIGRATIONS) == 5
