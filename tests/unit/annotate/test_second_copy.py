"""The second copy of a journal: ahead of it, in line with it, believed for its links only."""

import contextlib
import shutil
import sqlite3
import threading
import time

import pytest

from resources.problem import Problem
from tests.annotate_cases import affine, open_case
from viewer.annotate import second_copy
from viewer.annotate import store as store_module
from viewer.annotate.journal import FILE, Fingerprint, open_journal
from viewer.annotate.store import Entry, Store

MINE = Fingerprint.of("1.2.3", 12, (12, 24, 28), affine())


def _entry(n):
    blob = bytes([n % 251]) * (n * 37 % 900) if n % 3 else None
    return Entry("Ångström", "", "brush", "paint", f'{{"n": {n}}}', lambda: blob, "2026-11-21")


def _add(store, first, end):
    for n in range(first, end):
        store.append(_entry(n))


def _numbers(records):
    return [int(record.body.split()[-1][:-1]) for record in records]


def _until(holds):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def _copied(folder):
    found = second_copy.read(folder / second_copy.FILE)
    return [] if found is None else found.records


@pytest.fixture
def hanging(monkeypatch):
    """A disk that does not answer: commits wait, and what is only written does not."""
    let_go = threading.Event()
    real = store_module.insert

    def insert(*arguments):
        assert let_go.wait(60)
        real(*arguments)

    def hang():
        monkeypatch.setattr(store_module, "insert", insert)
        return let_go

    yield hang
    let_go.set()


@pytest.fixture
def killed(tmp_path, hanging):
    """Seven records in the journal, eleven in the copy: a program was killed on a slow disk."""
    live, dead = tmp_path / "live", tmp_path / "dead"
    live.mkdir()
    store = Store(open_journal(live, MINE))
    _add(store, 0, 7)
    assert store.flush() == 0
    _until(lambda: store._marked == store._written)
    let_go = hanging()
    _add(store, 7, 11)
    _until(lambda: len(_copied(live)) == 11)
    assert store.unsaved == 4
    shutil.copytree(live, dead)
    let_go.set()
    assert store.close() == 0
    return dead


def test_what_no_commit_came_to_is_there_after_a_kill(killed):
    journal = open_journal(killed, MINE)
    assert _numbers(journal.records) == list(range(11))
    assert journal.waiting == 4
    assert not journal.damaged
    assert journal.written == (7, journal.records[6].chain)
    said = []
    store = Store(journal, lambda seq, _utc: said.append(seq))
    _add(store, 11, 12)
    assert store.flush() == 0
    assert said[-1] == 12
    assert store.close() == 0
    (killed / second_copy.FILE).unlink()
    journal = open_journal(killed, MINE)
    assert _numbers(journal.records) == list(range(12))
    assert not journal.damaged


def test_another_program_reads_what_waits_and_changes_nothing(killed):
    before = {path.name: path.read_bytes() for path in killed.iterdir() if "shm" not in path.name}
    journal = open_journal(killed, MINE, read_only=True)
    assert _numbers(journal.records) == list(range(11))
    assert not journal.damaged
    after = {path.name: path.read_bytes() for path in killed.iterdir() if "shm" not in path.name}
    assert after == before


def test_a_case_is_given_free_when_a_slow_disk_has_all(tmp_path, hanging):
    case = open_case(folder=tmp_path)
    let_go = hanging()
    case.add_missed((1.0, 2.0, 3.0))
    assert case.close(0.1) == 1
    second = open_case(folder=tmp_path)
    assert second.read_only
    assert len(second.document.lesions) == 1
    assert second.close() == 0
    let_go.set()
    _until(lambda: case._store.stopped)
    third = open_case(folder=tmp_path)
    assert not third.read_only
    assert third.taken_over is None
    assert len(third.document.lesions) == 1
    assert third.close() == 0


@pytest.fixture
def locked(tmp_path):
    """A journal of five records that a program closes: SQLite lets nobody read until it is done."""
    store = Store(open_journal(tmp_path, MINE))
    _add(store, 0, 5)
    assert store.close() == 0
    with contextlib.closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as closing:
        closing.execute("PRAGMA locking_mode = EXCLUSIVE")
        closing.execute("BEGIN EXCLUSIVE")
        yield tmp_path


def test_while_another_program_closes_the_journal_it_is_read_from_its_copy(locked):
    journal = open_journal(locked, MINE, read_only=True)
    assert _numbers(journal.records) == list(range(5))
    assert not journal.damaged
    assert not list(locked.glob("journal.damaged*"))


def test_a_journal_that_is_locked_is_not_called_unreadable(locked):
    (locked / second_copy.FILE).unlink()
    with pytest.raises(Problem, match="writing the saved work") as told:
        open_journal(locked, MINE, read_only=True)
    assert "in a moment" in told.value.remedy


@pytest.mark.parametrize("cut", [1, 20, 70, 100])
def test_a_frame_that_was_being_written_is_passed_over(killed, cut):
    file = killed / second_copy.FILE
    file.write_bytes(file.read_bytes()[:-cut])
    journal = open_journal(killed, MINE)
    n = len(journal.records)
    assert 7 <= n < 11
    assert _numbers(journal.records) == list(range(n))
    assert not journal.damaged
    store = Store(journal)
    _add(store, n, n + 2)
    assert store.close() == 0
    assert _numbers(_copied(killed)) == list(range(n + 2))
    assert second_copy.read(file).whole


def test_a_changed_byte_ends_what_is_believed(killed):
    file = killed / second_copy.FILE
    data = bytearray(file.read_bytes())
    at = data.rindex(b'{\\"n\\": 9}')
    data[at + 7] = ord("8")
    file.write_bytes(data)
    journal = open_journal(killed, MINE)
    assert _numbers(journal.records) == list(range(9))
    assert not journal.damaged


def test_commits_that_the_journal_lost_are_damage_and_come_back(tmp_path):
    store = Store(open_journal(tmp_path, MINE))
    _add(store, 0, 3)
    assert store.close() == 0
    earlier = (tmp_path / FILE).read_bytes()
    store = Store(open_journal(tmp_path, MINE))
    _add(store, 3, 6)
    assert store.close() == 0
    (tmp_path / FILE).write_bytes(earlier)
    journal = open_journal(tmp_path, MINE)
    assert _numbers(journal.records) == list(range(6))
    assert journal.damaged
    assert journal.restored
    assert journal.waiting == 0
    assert not open_journal(tmp_path, MINE).damaged


def test_a_copy_of_another_history_is_made_anew(tmp_path):
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
        store = Store(open_journal(tmp_path / name, MINE))
        _add(store, 0 if name == "mine" else 50, 4 if name == "mine" else 60)
        assert store.close() == 0
    mine = tmp_path / "mine"
    shutil.copy(tmp_path / "other" / second_copy.FILE, mine / second_copy.FILE)
    journal = open_journal(mine, MINE)
    assert _numbers(journal.records) == list(range(4))
    assert not journal.damaged
    assert Store(journal).close() == 0
    assert _numbers(_copied(mine)) == list(range(4))


def test_a_copy_that_cannot_be_written_holds_nothing_up(tmp_path, monkeypatch, caplog):
    told = []

    def refusing(stream, data):
        told.append(stream.write(data[:20]))
        raise OSError(28, "no space")

    store = Store(open_journal(tmp_path, MINE))
    _add(store, 0, 3)
    assert store.flush() == 0
    with monkeypatch.context() as patch:
        patch.setattr(second_copy, "_write", refusing)
        _add(store, 3, 9)
        assert store.flush() == 0
        _until(lambda: store._marked == store._written)
    assert told
    assert sum("second copy" in record.message for record in caplog.records) == 1
    _add(store, 9, 12)
    assert store.close() == 0
    found = second_copy.read(tmp_path / second_copy.FILE)
    assert _numbers(found.records) == list(range(12))
    assert found.whole
    assert found.committed == 12


def test_a_journal_that_another_program_wrote_to_is_not_overruled(tmp_path, hanging, monkeypatch):
    monkeypatch.setattr(store_module, "_RETRY_S", 0.01)
    problems = []
    store = Store(open_journal(tmp_path, MINE), None, problems.append)
    _add(store, 0, 3)
    assert store.flush() == 0
    let_go = hanging()
    _add(store, 3, 5)
    with sqlite3.connect(tmp_path / FILE) as other:
        row = other.execute("SELECT * FROM record WHERE seq = 3").fetchone()
        other.execute("INSERT INTO record VALUES (4, ?, ?, ?, ?, ?, ?, ?, ?)", row[1:])
    other.close()
    let_go.set()
    assert store.close() == 2
    assert problems
    assert _numbers(_copied(tmp_path)) == list(range(5))
