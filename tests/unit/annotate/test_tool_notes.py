"""Points that refine, boxes and copies: edits that are one step, written down and taken back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.findings import Mask, ModelStamp
from tests.annotate_cases import SHAPE, ball, findings, state, volume
from viewer.annotate import boxes, edits, refined
from viewer.annotate.boxes import NEW, Bounds
from viewer.annotate.copied import Copied, copy_edit, is_copied, known_as
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.history import History
from viewer.annotate.mask import equal
from viewer.annotate.refined import Pointed, refine_edit
from viewer.annotate.rerun import add_findings_edit

UTC = "2026-11-22T03:31:05.123Z"
VOLUME = volume(seed=3)
MODEL = ModelStamp("net", "1", "0" * 64)


@pytest.fixture
def history():
    document = AnnotationDocument(VOLUME.shape_kji, VOLUME.affine, VOLUME.voxels)
    made = History(document)
    made.apply(add_findings_edit(document, findings(VOLUME), UTC))
    return made


def again(edit):
    return edits.decode(edit.kind, json.loads(json.dumps(edit.body())), edit.blob())


def lps(kji):
    from inference.geometry import kji_to_lps_mm

    return tuple(float(v) for v in kji_to_lps_mm(VOLUME.affine, kji))


def larger(document, voxel):
    mask = document.lesion("d1").mask.to_array(SHAPE)
    mask[voxel] = True
    return Mask.from_array(mask)


def off(document, n=0):
    """Return a voxel that the first finding has not."""
    return tuple(int(v) for v in np.argwhere(~document.lesion("d1").mask.to_array(SHAPE))[n])


def test_a_point_is_one_step_with_its_outline_and_comes_back_from_the_journal(history):
    document = history.document
    before, voxel = state(document), off(document)
    edit = refine_edit(document, "d1", larger(document, voxel), Pointed(lps(voxel), True), MODEL)
    change = history.apply(again(edit))
    assert change.kind == "paint" and change.lesion_ids == ("d1",)
    assert refined.holds(document.lesion("d1").mask, voxel)
    assert refined.clicks(document, "d1")[0].at_kji == voxel
    assert history.undo_name == "Take a point into nodule 1"
    history.undo()
    assert state(document) == before
    assert refined.points(document, "d1") == ()
    history.redo()
    assert len(refined.points(document, "d1")) == 1


def test_a_point_that_was_drawn_over_says_nothing_any_more(history):
    document = history.document
    first, second = off(document), off(document, 5)
    mask = document.lesion("d1").mask
    history.apply(
        refine_edit(document, "d1", larger(document, first), Pointed(lps(first), True), MODEL)
    )
    rubbed = edits.Reshape("d1", refine_edit(
        document, "d1", mask, Pointed(lps(first), False), MODEL
    ).parts[1].delta, "median")  # fmt: skip
    history.apply(rubbed)
    assert refined.points(document, "d1") == ()
    history.apply(
        refine_edit(document, "d1", larger(document, second), Pointed(lps(second), True), MODEL)
    )
    assert [one.at_kji for one in refined.clicks(document, "d1")] == [second]


def test_the_same_outline_is_no_step(history):
    document = history.document
    mask = document.lesion("d1").mask
    assert refine_edit(document, "d1", mask, Pointed(lps(off(document)), True), MODEL) is None


corner = st.tuples(*(st.integers(0, n - 1) for n in SHAPE))
extent = st.tuples(*(st.integers(1, n) for n in SHAPE))


def bounds_of(low, size):
    high = tuple(min(a + n, m) for a, n, m in zip(low, size, SHAPE, strict=True))
    return Bounds(low, high)


@given(corner, extent, st.integers(0, 2), st.booleans(), st.integers(-40, 60))
def test_a_face_stays_in_the_volume_and_leaves_a_voxel(low, size, axis, far, at):
    before = bounds_of(low, size)
    after = before.with_face(axis, far=far, at=at, shape_kji=SHAPE)
    assert all(
        0 <= a < b <= n for a, b, n in zip(after.low_kji, after.high_kji, SHAPE, strict=True)
    )
    for other in range(3):
        if other != axis:
            assert after.low_kji[other] == before.low_kji[other]
            assert after.high_kji[other] == before.high_kji[other]
    kept = after.low_kji[axis] if far else after.high_kji[axis]
    assert kept == (before.low_kji if far else before.high_kji)[axis]


@given(corner, extent, st.tuples(*[st.integers(-60, 60)] * 3))
def test_a_box_that_is_moved_keeps_its_size_and_stays_in_the_volume(low, size, by):
    before = bounds_of(low, size)
    after = before.moved(by, SHAPE)
    assert after.size_mm(VOLUME.affine) == before.size_mm(VOLUME.affine)
    assert all(
        0 <= a < b <= n for a, b, n in zip(after.low_kji, after.high_kji, SHAPE, strict=True)
    )


def test_a_box_is_a_note_of_its_finding(history):
    document = history.document
    made = boxes.round_of(document.lesion("d1").mask, 2.0, VOLUME.affine, SHAPE)
    assert boxes.standing(document, "d1") is None
    history.apply(again(edits.SetNote(boxes.TOPIC, "d1", None, made.note())))
    assert boxes.standing(document, "d1") == made
    assert history.undo_name == "Box"
    history.undo()
    assert boxes.standing(document, "d1") is None
    inner = document.lesion("d1").mask.box
    assert all(
        o.start <= i.start and o.stop >= i.stop for o, i in zip(made.box, inner, strict=True)
    )


def test_a_drawn_rectangle_is_as_deep_as_it_is_wide():
    first, last = (6.0, 4.2, 5.8), (6.0, 15.9, 14.1)
    made = boxes.spanned(first, last, 0, VOLUME.affine, SHAPE)
    assert (made.low_kji[1:], made.high_kji[1:]) == ((5, 6), (16, 15))
    k, j, i = made.size_mm(VOLUME.affine)
    assert abs(k - (j + i) / 2) <= 2 * 2.0
    assert boxes.spanned((6, -9, -9), (6, -2, -2), 0, VOLUME.affine, SHAPE) is None
    assert boxes.spanned((6, 4.2, 4.2), (6, 4.4, 4.4), 0, VOLUME.affine, SHAPE) is None


def test_a_box_without_voxels_is_none():
    with pytest.raises(ValueError, match="voxels"):
        Bounds((1, 1, 1), (1, 2, 2))


def copied(at, radius=3.0, **more):
    mask = Mask.from_array(ball(at, radius))
    return Copied("nodule", mask, False, {"from_case": "abc", "from_finding": "d7"} | more)


def test_copies_are_new_findings_of_a_person_in_one_step(history):
    document = history.document
    before = state(document)
    taken = {x.id for x in document.record}
    places = [at for at in ((9, 4, 4), (9, 20, 24)) if not known_as(document, copied(at))]
    edit = again(copy_edit(document, [copied(at) for at in places]))
    history.apply(edit)
    new = [x for x in document.lesions if x.id not in taken]
    assert len(new) == len(places) > 0
    for lesion, at in zip(new, places, strict=True):
        assert lesion.origin == "human" and not lesion.missed_by_ai
        assert equal(lesion.mask, Mask.from_array(ball(at, 3.0)))
    assert len({x.number for x in document.record}) == len(document.record)
    assert all(is_copied(document, lesion.id) for lesion in new)
    assert not is_copied(document, "d1")
    shapes = [part for part in edit.parts if isinstance(part, edits.Reshape)]
    assert shapes[0].settings["from_finding"] == "d7"
    history.undo()
    assert state(document) == before


def test_what_lies_there_already_is_not_copied_twice(history):
    document = history.document
    lesion = document.lesion("d1")
    twin = Copied("nodule", lesion.mask, False, {})
    assert known_as(document, twin) == "d1"
    assert copy_edit(document, [twin]) is None


def test_a_structure_takes_the_place_of_the_one_of_its_name(history):
    document = history.document
    segment = document.segments[0]
    smaller = Mask.from_array(ball((6, 12, 14), 4.0))
    edit = copy_edit(document, [Copied(segment.label, smaller, True, {"from_segment": "s1"})])
    history.apply(again(edit))
    assert equal(document.segment(segment.id).mask, smaller)
    assert copy_edit(document, [Copied("spleen", smaller, True, {})]) is None


def test_new_is_no_id_of_a_finding(history):
    assert NEW not in {x.id for x in history.document.record}
