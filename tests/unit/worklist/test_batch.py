"""The queue in the background: order, what became of each, and what is forgotten."""

import sqlite3

import pytest

from viewer import worklist_file
from viewer.batch import Batch, Item
from viewer.worklist import Study, Worklist


@pytest.fixture
def worklist(tmp_path):
    return Worklist(tmp_path)


@pytest.fixture
def batch(worklist):
    return Batch(worklist)


def keys(items):
    return [item.case_key for item in items]


def test_studies_wait_in_the_order_in_which_they_came(batch):
    assert batch.items() == ()
    assert keys(batch.add(["b", "a"])) == ["b", "a"]
    assert keys(batch.add(["a", "c"])) == ["b", "a", "c"]
    assert {item.state for item in batch.items()} == {"waiting"}


def test_what_became_of_them_is_kept_by_the_next_start(batch, tmp_path):
    batch.add(["a", "b", "c"])
    batch.mark("a", "done")
    batch.mark("b", "refused", "needs slices of 0.5 to 3 mm")
    again = Batch(Worklist(tmp_path))
    assert again.items() == (
        Item("a", "done"),
        Item("b", "refused", "needs slices of 0.5 to 3 mm"),
        Item("c", "waiting"),
    )


def test_one_that_has_ended_waits_again_when_it_is_asked_again(batch):
    batch.add(["a", "b"])
    batch.mark("a", "failed", "memory ran out")
    assert batch.add(["a"]) == (Item("b"), Item("a"))


def test_the_order_of_those_that_wait_can_be_changed(batch):
    batch.add(["a", "b", "c", "d"])
    batch.mark("b", "done")
    assert keys(batch.move("c", -1)) == ["c", "b", "a", "d"]
    assert keys(batch.move("c", -1)) == ["c", "b", "a", "d"]  # the first stays the first
    assert keys(batch.move("a", 1)) == ["c", "b", "d", "a"]
    assert keys(batch.move("b", 1)) == ["c", "b", "d", "a"]  # it does not wait


def test_one_that_was_taken_out_is_not_brought_back_by_its_result(batch):
    batch.add(["a", "b"])
    batch.remove(["a"])
    assert batch.mark("a", "done") == (Item("b"),)


def test_what_the_worklist_forgets_the_queue_forgets(worklist, batch, tmp_path):
    worklist.listed(Study("a", paths=("/x",)))
    worklist.listed(Study("b"))
    batch.add(["a", "b"])
    worklist.forget("a")
    assert keys(batch.items()) == ["b"]
    worklist.clear()
    assert batch.items() == ()
    assert worklist.studies() == ()


def test_a_study_that_nobody_opened_is_listed_and_one_that_is_there_stays(worklist):
    worklist.opened(Study("a", patient_name="Known", state="review"))
    worklist.listed(Study("b", patient_name="New"))
    worklist.listed(Study("a", patient_name="Other"))
    assert [(s.case_key, s.patient_name, s.state) for s in worklist.studies()] == [
        ("b", "New", "new"),
        ("a", "Known", "review"),
    ]


def test_a_worklist_of_the_version_before_gets_its_queue(tmp_path, monkeypatch):
    monkeypatch.setattr(worklist_file, "MIGRATIONS", worklist_file.MIGRATIONS[:1])
    old = worklist_file._make
    old(tmp_path, None)
    with sqlite3.connect(tmp_path / worklist_file.FILE) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
    monkeypatch.undo()
    batch = Batch(Worklist(tmp_path))
    assert keys(batch.add(["a"])) == ["a"]


def test_a_file_of_a_strange_state_is_read_as_waiting(worklist, batch):
    batch.add(["a"])
    worklist.transact(lambda c: c.execute("UPDATE batch SET state = 'new kind'").close())
    assert batch.items() == (Item("a", "waiting"),)
