"""Notes on cases that are for looking only: made, undone, and never written anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from inference.volume import Volume
from resources.problem import Problem
from tests.annotate_cases import open_case, volume


def irregular() -> Volume:
    whole = volume()
    return Volume(whole.voxels, whole.affine, "CT", places=np.stack([whole.affine] * 12))


NOTE = {"mm": 3.0}


def test_notes_on_images_without_a_journal_can_be_made_and_undone_and_are_not_kept(tmp_path):
    case = open_case(of=irregular(), folder=tmp_path)
    assert case.viewing_only is not None
    assert case.keeps_no_notes
    assert not case.can_undo
    case.set_note("measurement", "m1", NOTE)
    case.set_note("measurement", "m1", {"mm": 4.0})
    assert case.can_undo
    assert not case.can_redo
    case.undo()
    assert case.document.notes("measurement") == {"m1": NOTE}
    assert case.can_redo
    case.redo()
    case.undo()
    case.undo()
    assert not case.document.notes("measurement")
    assert not case.can_undo
    with pytest.raises(Problem):
        case.undo()
    with pytest.raises(Problem):
        case.add_missed((0.0, 0.0, 0.0))
    assert case.unsaved == 0
    assert case.close() == 0
    assert not list(tmp_path.rglob("*"))


def test_notes_on_a_case_that_another_holds_leave_its_journal_alone(tmp_path):
    holder = open_case(folder=tmp_path)
    holder.add_missed((1.0, 2.0, 3.0))
    assert holder.flush() == 0
    looker = open_case(folder=tmp_path)
    assert looker.keeps_no_notes
    assert not looker.can_undo  # what the journal holds is not the looker's to take back
    looker.set_note("measurement", "m1", NOTE)
    looker.undo()
    looker.redo()
    looker.undo()
    with pytest.raises(Problem):
        looker.undo()
    assert len(looker.document.lesions) == 1
    assert looker.close() == holder.close() == 0
    again = open_case(folder=tmp_path)
    assert not again.document.notes("measurement")
    assert len(again.document.lesions) == 1
    assert again.close() == 0
