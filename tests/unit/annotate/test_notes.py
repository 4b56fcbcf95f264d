"""Notes beside the lesions: put, changed, taken away, undone, and kept by the journal."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.annotate.document import AnnotationDocument
from viewer.annotate.edits import SetNote, decode
from viewer.annotate.history import History


@pytest.fixture
def history() -> History:
    return History(AnnotationDocument((4, 4, 4), np.eye(4)))


def test_a_note_is_put_changed_taken_away_and_brought_back(history: History) -> None:
    notes = history.document.notes
    change = history.apply(SetNote("measurement", "m1", None, {"mm": 3.0}))
    assert change.kind == "note"
    assert change.note == ("measurement", "m1")
    assert notes("measurement") == {"m1": {"mm": 3.0}}
    history.apply(SetNote("measurement", "m1", {"mm": 3.0}, {"mm": 4.0}))
    history.apply(SetNote("measurement", "m1", {"mm": 4.0}, None))
    assert notes("measurement") == {}
    history.undo()
    assert notes("measurement") == {"m1": {"mm": 4.0}}
    history.undo()
    history.undo()
    assert notes("measurement") == {}
    assert notes("key-image") == {}


def test_a_note_that_stands_otherwise_is_refused(history: History) -> None:
    with pytest.raises(ValueError, match="another note"):
        history.apply(SetNote("measurement", "m1", {"mm": 1.0}, None))
    assert history.undo_name is None


def test_what_was_read_before_does_not_change(history: History) -> None:
    history.apply(SetNote("measurement", "m1", None, {"mm": 3.0}))
    before = history.document.notes("measurement")
    history.apply(SetNote("measurement", "m2", None, {"mm": 5.0}))
    assert list(before) == ["m1"]


def test_the_journal_form_leads_back() -> None:
    edit = SetNote("key-image", "k7", None, {"k": 7})
    assert decode(edit.kind, edit.body(), edit.blob()) == edit
    assert edit.inverse().inverse() == edit


def test_a_note_that_is_no_object_is_a_damaged_record() -> None:
    with pytest.raises(ValueError, match="object"):
        decode("set-note", {"topic": "t", "note": "n", "before": None, "after": 3}, None)
