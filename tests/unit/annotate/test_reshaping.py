"""Edits of tools that change outlines: taken back exactly, written down whole, all or nothing."""

import json

import numpy as np
import pytest

from inference.findings import Mask
from tests.annotate_cases import ball, findings, state, volume
from viewer.annotate import edits
from viewer.annotate.change import Change, together
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.history import History
from viewer.annotate.mask import cut, difference, empty_mask, equal, xor
from viewer.annotate.rerun import add_findings_edit
from viewer.annotate.reshaping import merge_edit, reshape_edit, split_edit, union

UTC = "2026-11-21T07:31:05.123Z"
VOLUME = volume(seed=3)


@pytest.fixture
def history():
    document = AnnotationDocument(VOLUME.shape_kji, VOLUME.affine, VOLUME.voxels)
    made = History(document)
    made.apply(add_findings_edit(document, findings(VOLUME), UTC))
    return made


def halves(mask):
    middle = mask.voxels.shape[2] // 2
    k, j, i = mask.origin_kji
    return (
        Mask.from_array(mask.voxels[:, :, :middle], (k, j, i)),
        Mask.from_array(mask.voxels[:, :, middle:], (k, j, i + middle)),
    )


def again(edit):
    """Read an edit from its journal form."""
    return edits.decode(edit.kind, json.loads(json.dumps(edit.body())), edit.blob())


def test_a_reshaped_lesion_has_the_mask_it_was_given_and_its_size(history):
    document = history.document
    before = state(document)
    wanted = Mask.from_array(ball((6, 9, 9), 5.0))
    change = history.apply(reshape_edit(document, "d1", wanted, "margin", {"margin_mm": 2.0}))
    assert change.lesion_ids == ("d1",)
    lesion = document.lesion("d1")
    assert equal(lesion.mask, wanted)
    assert lesion.origin == "ai-edited"
    assert lesion.volume_ml == pytest.approx(wanted.count * 2.0 * 0.7 * 0.8 / 1000)
    assert history.undo_name == "Margin of nodule 1"
    assert reshape_edit(document, "d1", wanted, "margin") is None
    history.undo()
    assert state(document) == before


def test_anatomy_is_reshaped_too(history):
    document = history.document
    wanted = Mask.from_array(ball((6, 9, 9), 5.0))
    change = history.apply(reshape_edit(document, "lung_left", wanted, "fill-holes"))
    assert change.segment_ids == ("lung_left",)
    assert document.segment("lung_left").count == wanted.count
    assert history.undo_name == "Fill holes in left lung"


def test_a_split_lesion_is_two_in_one_step(history):
    document = history.document
    before, whole = state(document), document.lesion("d1").mask
    pieces = halves(whole)
    history.apply(split_edit(document, "d1", pieces))
    new = document.lesion("h1")
    assert equal(document.lesion("d1").mask, pieces[0])
    assert equal(new.mask, pieces[1])
    assert (new.origin, new.label, new.missed_by_ai) == ("human", "nodule", False)
    assert new.number == 4
    after = state(document)
    assert history.undo_name == "Split nodule 1"
    history.undo()
    assert state(document) == before
    history.redo()
    assert state(document) == after
    assert equal(union(document.lesion("d1").mask, new.mask), whole)


def test_a_blind_reader_learns_nothing_from_the_numbers_of_pieces(history):
    edit = split_edit(history.document, "d1", halves(history.document.lesion("d1").mask),
                      blind=True)  # fmt: skip
    assert [part.number for part in edit.parts if part.kind == "add-lesion"] == [101]


def test_merged_lesions_are_one_and_the_other_leaves_the_list(history):
    document = history.document
    before = state(document)
    masks = [document.lesion(name).mask for name in ("d1", "d2")]
    history.apply(merge_edit(document, "d1", "d2"))
    assert equal(document.lesion("d1").mask, union(*masks))
    assert document.lesion("d2").deleted
    assert history.undo_name == "Merge into nodule 1"
    history.undo()
    assert state(document) == before
    assert merge_edit(document, "d1", "d1") is None


def test_edits_that_are_one_step_stand_together_or_not_at_all(history):
    document = history.document
    before = state(document)
    good = split_edit(document, "d1", halves(document.lesion("d1").mask))
    bad = edits.Together("split", (*good.parts, edits.DeleteLesion("nobody")))
    with pytest.raises(ValueError, match="no lesion"):
        document.apply(bad)
    assert state(document) == before


def test_the_journal_form_is_the_edit(history):
    document = history.document
    made = [
        reshape_edit(document, "d1", empty_mask(), "lasso-subtract", {"axis": 0}),
        split_edit(document, "d1", halves(document.lesion("d1").mask)),
        merge_edit(document, "d1", "d2"),
    ]
    start = state(document)
    for edit in made:
        read = again(edit)
        assert (read.kind, read.tool) == (edit.kind, edit.tool)
        assert json.dumps(read.body()) == json.dumps(edit.body())
        assert read.blob() == edit.blob()
        document.apply(edit)
        after = state(document)
        document.apply(edit.inverse())
        assert state(document) == start
        document.apply(read)
        assert state(document) == after
        document.apply(read.inverse())


def test_damaged_forms_are_refused(history):
    document = history.document
    split = split_edit(document, "d1", halves(document.lesion("d1").mask))
    body = json.loads(json.dumps(split.body()))
    for damaged, blob in (
        (body, split.blob()[:-1]),
        (body, None),
        ({**body, "parts": []}, b""),
        ({**body, "parts": [{"kind": "nothing", "body": {}, "bytes": 0}]}, b""),
        ({**body, "parts": [{"kind": "together", "body": body, "bytes": len(split.blob())}]},
         split.blob()),
        ({"made_by": "split"}, b""),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"damaged|bytes|one step|unknown"):
            edits.decode("together", damaged, blob)
    with pytest.raises(ValueError, match="without bytes"):
        edits.decode("reshape", {}, None)


def test_the_difference_of_masks_leads_from_one_to_the_other():
    dice = np.random.default_rng(1)
    masks = [Mask.from_array(dice.random((4, 5, 6)) < 0.1, (k, k, 1)) for k in range(4)]
    for before in (*masks, empty_mask()):
        for after in (*masks, empty_mask()):
            delta = difference(before, after)
            if delta is None:
                assert equal(before, after)
            else:
                assert equal(xor(before, delta)[0], after)
        box = (slice(0, 9), slice(1, 7), slice(2, 4))
        assert np.array_equal(cut(before, box), before.to_array((12, 12, 12))[box])


def test_several_changes_are_of_voxels_alone_only_when_each_of_them_is():
    paint = Change("paint", lesion_ids=("a",))
    gone = Change("delete", lesion_ids=("b",))
    assert together((paint, paint)).kind == "paint"
    for changes in ((paint, gone), (gone, paint)):
        one = together(changes)
        assert one.kind == "delete"
        assert set(one.lesion_ids) == {"a", "b"}
