"""The store thread: nobody waits for it, nothing is lost when the disk is full."""

import sqlite3
import threading
import time

import pytest

from tests.annotate_cases import affine
from viewer.annotate import store as store_module
from viewer.annotate.journal import Fingerprint, connect, open_journal
from viewer.annotate.store import Entry, Store

MINE = Fingerprint.of("1.2.3", 12, (12, 24, 28), affine())


def _entry(n, blob=b"x" * 2000):
    return Entry("R", "", "brush", "paint", f'{{"n": {n}}}', lambda: blob, "2026-11-21T07:31:05Z")


def _bodies(folder):
    return [record.body for record in open_journal(folder, MINE).records]


@pytest.fixture
def told():
    return {"saved": [], "problems": [], "threads": set()}


@pytest.fixture
def make(tmp_path, told):
    made = []

    def _make():
        def saved(seq, utc):
            told["saved"].append(seq)
            told["threads"].add(threading.current_thread().name)

        out = Store(open_journal(tmp_path, MINE), saved, told["problems"].append)
        made.append(out)
        return out

    yield _make
    for each in made:
        each.close(2.0)


def test_all_is_saved_in_order_and_said(make, told, tmp_path):
    store = make()
    assert [store.append(_entry(n)) for n in range(500)] == list(range(1, 501))
    assert store.close() == 0
    assert store.stopped
    assert _bodies(tmp_path) == [f'{{"n": {n}}}' for n in range(500)]
    assert told["saved"] == sorted(told["saved"])
    assert told["saved"][-1] == 500
    assert told["threads"] == {"overread-store"}
    assert told["problems"] == []


def test_a_second_store_goes_on_where_the_first_ended(make, tmp_path):
    for start in (0, 3):
        store = make()
        for n in range(start, start + 3):
            store.append(_entry(n))
        assert store.close() == 0
    journal = open_journal(tmp_path, MINE)
    assert [record.seq for record in journal.records] == [1, 2, 3, 4, 5, 6]
    assert not journal.damaged


def test_append_does_not_wait_for_the_disk(make, monkeypatch):
    let_go = threading.Event()

    def slow(*args):
        assert let_go.wait(30)
        return _insert(*args)

    _insert = store_module.insert
    monkeypatch.setattr(store_module, "insert", slow)
    store = make()
    started = time.monotonic()
    for n in range(100):
        store.append(_entry(n))
    assert time.monotonic() - started < 20  # with the disk it would be 30
    assert store.unsaved == 100
    assert store.flush(0.2) == 100
    let_go.set()
    assert store.flush() == 0


def _small_disk(monkeypatch, pages):
    """Let SQLite run out of space after so many pages; ``pages[0]`` can be raised later."""

    def limited(file):
        connection = connect(file)
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")
        return connection

    monkeypatch.setattr(store_module, "connect", limited)


def test_a_full_disk_is_told_once_and_tried_again(make, told, tmp_path, monkeypatch):
    pages = [40]
    _small_disk(monkeypatch, pages)
    monkeypatch.setattr(store_module, "_RETRY_S", 0.01)
    store = make()
    for n in range(100):
        store.append(_entry(n))
        if n == 5:
            assert store.flush() == 0
    assert store.flush() > 0
    end = time.monotonic() + 60
    while store._attempts < 8 and time.monotonic() < end:
        time.sleep(0.01)
    (problem,) = told["problems"]
    assert "disk is full" in problem.sentence
    assert problem.remedy
    assert "SQLITE_FULL" in problem.detail or "full" in problem.detail
    assert 0 < store.unsaved <= 94
    pages[0] = 1_000_000
    assert store.flush() == 0
    assert store.close() == 0
    assert _bodies(tmp_path) == [f'{{"n": {n}}}' for n in range(100)]
    assert told["saved"][-1] == 100
    assert len(told["problems"]) == 1


def test_what_a_full_disk_leaves_over_at_the_end_is_told_and_comes_back(
    make, told, tmp_path, monkeypatch
):
    pages = [30]
    _small_disk(monkeypatch, pages)
    store = make()
    store.append(_entry(0))
    assert store.flush() == 0
    for n in range(1, 100):
        store.append(_entry(n))
    started = time.monotonic()
    left = store.close(60.0)
    assert time.monotonic() - started < 40
    assert store.stopped
    assert left > 0
    # The second copy, which waits for no disk, has it.
    journal = open_journal(tmp_path, MINE)
    assert [record.body for record in journal.records] == [f'{{"n": {n}}}' for n in range(100)]
    assert journal.waiting == left
    assert not journal.damaged
    monkeypatch.undo()
    again = make()
    assert again.flush() == 0
    assert again.close() == 0
    journal = open_journal(tmp_path, MINE)
    assert (len(journal.records), journal.waiting, journal.damaged) == (100, 0, False)


def test_a_record_that_cannot_be_made_stops_nothing_before_it(make, told, tmp_path):
    def broken():
        raise ValueError("a defect")

    store = make()
    store.append(_entry(0))
    assert store.flush() == 0
    store.append(Entry("R", "", "", "paint", "{}", broken, ""))
    assert store.flush(3.0) == 1
    assert "cannot be saved" in told["problems"][0].sentence
    assert "a defect" in told["problems"][0].detail
    assert _bodies(tmp_path) == ['{"n": 0}']


def test_a_listener_that_fails_does_not_stop_the_saving(tmp_path, caplog):
    def broken(seq, utc):
        raise RuntimeError("the window is gone")

    store = Store(open_journal(tmp_path, MINE), broken)
    store.append(_entry(0))
    assert store.flush() == 0
    store.append(_entry(1))
    assert store.close() == 0
    assert len(_bodies(tmp_path)) == 2
    assert "the window is gone" in caplog.text


def test_nothing_is_taken_in_after_closing(make):
    store = make()
    store.close()
    assert store.close() == 0
    with pytest.raises(RuntimeError):
        store.append(_entry(0))


def test_a_connection_that_breaks_is_made_anew(make, told, tmp_path, monkeypatch):
    calls = []

    def flaky(connection, records):
        calls.append(1)
        if len(calls) == 1:
            raise sqlite3.OperationalError("disk I/O error")
        _insert(connection, records)

    _insert = store_module.insert
    monkeypatch.setattr(store_module, "insert", flaky)
    monkeypatch.setattr(store_module, "_RETRY_S", 0.01)
    store = make()
    store.append(_entry(0))
    assert store.flush() == 0
    assert len(told["problems"]) == 1
    assert _bodies(tmp_path) == ['{"n": 0}']
