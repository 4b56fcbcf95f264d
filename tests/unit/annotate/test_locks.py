"""What is locked is not changed: by no edit, no tool, no run of a model, in 10,000 tries."""

import random

import numpy as np
import pytest

from inference.findings import Mask
from resources.problem import Problem
from tests.annotate_cases import SHAPE, findings, open_case, paint, state, volume
from viewer.annotate import edits, locks, makers
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.history import History
from viewer.annotate.rerun import add_findings_edit
from viewer.annotate.reshaping import merge_edit, reshape_edit, split_edit
from viewer.tools.brush import Brush

UTC = "2026-11-21T07:31:05.123Z"
VOLUME = volume(seed=3)


@pytest.fixture
def history():
    document = AnnotationDocument(VOLUME.shape_kji, VOLUME.affine, VOLUME.voxels)
    made = History(document)
    made.apply(add_findings_edit(document, findings(VOLUME), UTC))
    return made


def some_mask(dice):
    corner = [dice.randrange(n - 3) for n in SHAPE]
    return Mask((corner[0], corner[1], corner[2]), np.ones((2, 3, 2), dtype=bool))


def attempt(document, dice):
    """Return some edit of something, or None."""
    lesions = [lesion.id for lesion in document.lesions]
    targets = [*lesions, *(s.id for s in document.segments)]
    if not lesions:
        return add_findings_edit(document, findings(VOLUME), UTC)
    lesion, target = dice.choice(lesions), dice.choice(targets)
    match dice.randrange(9):
        case 0 | 1 | 2:
            return reshape_edit(document, target, some_mask(dice), "smooth")
        case 3:
            way = [dice.uniform(-9, 9) for _ in range(3)]
            return makers.move_edit(document, lesion, tuple(way))
        case 4:
            return makers.delete_edit(document, lesion)
        case 5:
            return makers.label_edit(document, lesion, dice.choice(["nodule", "lung_left"]))
        case 6:
            return merge_edit(document, lesion, dice.choice(lesions))
        case 7:
            mask = document.lesion(lesion).mask
            if mask.voxels.shape[0] < 2:
                return None
            k, j, i = mask.origin_kji
            parts = [
                Mask.from_array(mask.voxels[:1], (k, j, i)),
                Mask.from_array(mask.voxels[1:], (k + 1, j, i)),
            ]
            return split_edit(document, lesion, [part for part in parts if part.count])
        case _:
            if len(document.runs) < 3:
                shift = dice.uniform(-2, 3)
                return add_findings_edit(document, findings(VOLUME, shift=shift), UTC)
            return None


def test_ten_thousand_edits_never_touch_what_is_locked(history):
    document, dice = history.document, random.Random(7)
    history.apply(locks.lock_edit(document, "d1", True))
    history.apply(locks.lock_edit(document, "lung_right", True))
    lesion, segment = document.lesion("d1"), document.segment("lung_right")
    refused = done = 0
    while refused + done < 10_000:
        # Else the list runs empty, or full. The first three steps are the run and the locks.
        while len(history.done) > 3 and len(history.done) > dice.randrange(20, 60):
            history.undo()
        edit = attempt(document, dice)
        if edit is None:
            continue
        try:
            history.apply(edit)
            done += 1
        except ValueError as error:
            assert "locked" in str(error)
            refused += 1
        assert document.lesion("d1") is lesion
        assert document.segment("lung_right") is segment
    assert refused > 500
    assert done > 3000
    assert segment in document.segments
    assert lesion in document.lesions


def test_a_run_of_the_model_leaves_a_locked_lesion_in_the_list_once(history):
    document = history.document
    history.apply(locks.lock_edit(document, "d1", True))
    before = document.lesion("d1")
    history.apply(add_findings_edit(document, findings(VOLUME), UTC))
    assert document.lesion("d1") is before
    assert before in document.lesions
    assert "r2d1" not in {lesion.id for lesion in document.lesions}
    assert document.lesion("d2").superseded
    forged = edits.AddFindings(3, findings(VOLUME), UTC, 9, supersedes=("d1",))
    with pytest.raises(ValueError, match="locked"):
        document.apply(forged)


def test_a_lock_is_one_step_and_a_verdict_may_still_be_given(history):
    document = history.document
    before = state(document)
    history.apply(locks.lock_edit(document, "d1", True))
    assert locks.lock_edit(document, "d1", True) is None
    assert history.undo_name == "Lock an outline"
    assert locks.is_locked(document, "d1")
    from tests.annotate_cases import READER

    history.apply(makers.verdict_edit(document, "d1", "accepted", READER, UTC))
    assert document.lesion("d1").verdict == "accepted"
    history.undo()
    history.undo()
    assert state(document) == before
    history.redo()
    assert locks.is_locked(document, "d1")
    history.apply(locks.lock_edit(document, "d1", False))
    assert not locks.is_locked(document, "d1")
    assert history.undo_name == "Unlock an outline"


def test_the_case_says_why_and_keeps_the_lock(tmp_path):
    with_ai = open_case(folder=tmp_path)
    with_ai.add_findings(findings(with_ai.volume))
    with_ai.set_lock("d1", True)
    mask = with_ai.document.lesion("d1").mask
    for act in (
        lambda: with_ai.start_stroke("d1", Brush(5.0)),
        lambda: with_ai.start_lasso("d1", "add", 0, 3, None),
        lambda: with_ai.delete("d1"),
        lambda: with_ai.move("d1", (5.0, 0.0, 0.0)),
        lambda: with_ai.set_label("d1", "lung_left"),
        lambda: with_ai.merge("d2", "d1"),
        lambda: with_ai.reshape("d1", mask, some_mask(random.Random(1)), "smooth", {}),
    ):
        with pytest.raises(Problem, match="locked"):
            act()
    stroke = with_ai.start_stroke("d2", Brush(5.0, "ball"))
    stroke.move_to((7, 12, 20))
    with_ai.set_lock("d2", True)
    with pytest.raises(Problem, match="locked"):
        with_ai.commit_stroke(stroke)
    assert with_ai.close() == 0
    again = open_case(folder=tmp_path)
    assert locks.is_locked(again.document, "d1")
    with pytest.raises(Problem, match="locked"):
        paint(again, "d1", [(5, 8, 6)], Brush(5.0))
    assert again.set_lock("d1", False) is not None
    assert paint(again, "d1", [(5, 8, 12)], Brush(5.0)) is not None
    again.close()
