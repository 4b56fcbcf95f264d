"""Lesions that the model outlined where a reader pointed: kept, measured, exported, replayed."""

import json

import numpy as np
import pytest

from inference.findings import Heatmap, Impression, Mask, ModelStamp, Outline
from inference.geometry import kji_to_lps_mm
from tests.annotate_cases import READER, findings, open_case, paint, state, volume
from viewer.annotate import edits, makers, pointing
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.lesion import Decision
from viewer.annotate.names import edit_text
from viewer.annotate.rerun import add_findings_edit
from viewer.tools.brush import Brush
from viewer.worklist_case import mark_of

UTC = "2026-11-21T07:31:05.123Z"
STAMP = ModelStamp("outliner", "1.2", "ab" * 32)
POINT = (1.5, 2.5, -3.5)


def outline(origin=(1, 14, 20), shape=(3, 4, 5), **changes):
    nothing = Heatmap((0, 0, 0), np.zeros((1, 1, 1), np.uint8), "share")
    values = {
        "mask": Mask(origin, np.ones(shape, bool)),
        "share": nothing,
        "spread": nothing,
        "score": 0.31,
        "uncertainty": 0.12,
        "impression": Impression(3.4, 4.2),
        "reason": "",
        "device": "CPU",
        **changes,
    }
    return Outline(**values)


@pytest.fixture
def document():
    vol = volume()
    out = AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels)
    out.apply(add_findings_edit(out, findings(vol), UTC))
    return out


def laid_in(document, made=None):
    edit = pointing.outlined_edit(document, volume(), made or outline(), STAMP, POINT)
    document.apply(edit)
    return edit


def test_it_is_the_models_not_reviewed_and_stays_in_the_list(document):
    edit = laid_in(document)
    lesion = document.lesion("p1")
    assert (lesion.origin, lesion.run, lesion.number) == ("ai-pointed", 0, 4)
    assert lesion.touched and not lesion.reviewed and lesion.missed_by_ai
    assert lesion in document.shown(1.0)
    assert document.ai_mask("p1") is edit.outlined.mask
    assert document.outlined("p1") is edit
    assert document.outlined("d1") is None
    assert edit_text(document, edit) == "Outline nodule 4"


def test_before_any_run_the_ai_has_missed_nothing():
    vol = volume()
    document = AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels)
    laid_in(document)
    assert not document.lesion("p1").missed_by_ai


def test_its_journal_form_is_exact(document):
    edit = laid_in(document)
    for each in (edit, edit.inverse()):
        body = json.loads(json.dumps(each.body(), allow_nan=False))
        back = edits.decode(each.kind, body, each.blob())
        back = back.added if isinstance(back, edits.RemoveOutlined) else back
        assert back.body() == edit.body()
        assert back.outlined.mask.origin_kji == edit.outlined.mask.origin_kji
        np.testing.assert_array_equal(back.outlined.mask.voxels, edit.outlined.mask.voxels)
        assert (back.model, back.point_lps_mm) == (STAMP, POINT)


@pytest.mark.parametrize(
    "changes",
    [{"shape_kji": [3, 4, 4]}, {"score": None}, {"model": ["a", "b"]}, {"impression": [1.0]}],
)
def test_a_damaged_journal_form_is_refused(document, changes):
    edit = laid_in(document)
    with pytest.raises(ValueError):
        edits.decode(edit.kind, {**edit.body(), **changes}, edit.blob())
    with pytest.raises(ValueError):
        edits.decode(edit.kind, edit.body(), None)


@pytest.mark.parametrize(
    "made",
    [
        outline(origin=(1, 14, 40)),
        outline(score=float("nan")),
        outline(impression=Impression(float("inf"), 1.0)),
    ],
)
def test_what_leaves_the_volume_or_is_no_number_is_refused(document, made):
    before = state(document)
    with pytest.raises((ValueError, IndexError)):
        laid_in(document, made)
    assert state(document) == before


def test_it_cannot_be_taken_back_once_something_was_done_to_it(document):
    edit = laid_in(document)
    document.apply(makers.verdict_edit(document, "p1", "accepted", READER, UTC))
    with pytest.raises(ValueError):
        document.apply(edit.inverse())


def test_a_point_finds_the_lesion_that_holds_it(document):
    laid_in(document)
    affine = document.affine
    assert pointing.lesion_at(document, tuple(kji_to_lps_mm(affine, (2, 15, 22)))).id == "p1"
    assert pointing.lesion_at(document, tuple(kji_to_lps_mm(affine, (2.4, 15, 22)))).id == "p1"
    assert pointing.lesion_at(document, tuple(kji_to_lps_mm(affine, (5, 15, 22)))) is None
    assert pointing.lesion_at(document, (1e6, 0.0, 0.0)) is None
    document.apply(edits.DeleteLesion("p1"))
    assert pointing.lesion_at(document, tuple(kji_to_lps_mm(affine, (2, 15, 22)))).deleted


def test_an_outline_of_a_known_lesion_is_that_lesion(document):
    laid_in(document)
    assert pointing.same_lesion(document, outline()).id == "p1"
    assert pointing.same_lesion(document, outline(shape=(3, 4, 4))).id == "p1"
    assert pointing.same_lesion(document, outline(origin=(6, 14, 20), shape=(1, 1, 1))) is None


def test_what_the_threshold_hid_is_called_up_and_no_run_takes_it_away(document):
    weakest = min(document.lesions, key=lambda lesion: lesion.score)
    assert weakest not in document.shown(1.0)
    edit = pointing.back_in_list_edit(weakest)
    before = state(document)
    document.apply(edit)
    called = document.lesion(weakest.id)
    assert called in document.shown(1.0)
    assert not called.reviewed and called.origin == "ai"
    assert pointing.back_in_list_edit(called) is None
    with pytest.raises(ValueError):
        document.apply(edit)
    again = add_findings_edit(document, findings(volume(), "2.0"), UTC)
    assert weakest.id not in again.supersedes
    document.apply(edit.inverse())
    assert state(document) == before


def test_a_case_keeps_exports_and_replays_it():
    case = open_case()
    case.add_findings(findings(volume()))
    case.add_outlined(outline(), STAMP, POINT)
    plain = mark_of(case.document)
    (pointed,) = [x for x in case.snapshot().lesions if x.id == "p1"]
    assert (pointed.origin, pointed.model, pointed.pointed_lps_mm) == ("ai-pointed", STAMP, POINT)
    assert (pointed.score, pointed.uncertainty) == (0.31, 0.12)
    assert not case.snapshot().reviewed
    paint(case, "p1", [(2, 16, 27)], Brush(3.0, "ball"))
    (edited,) = [x for x in case.snapshot().lesions if x.id == "p1"]
    assert (edited.origin, edited.model) == ("ai-edited", STAMP)
    case.undo()
    assert case.document.lesion("p1").missed_by_ai
    case.set_verdict("p1", "rejected", "scar")
    assert case.document.lesion("p1").decision.reason == "scar"
    assert mark_of(case.document) != plain
    before = state(case.document)
    assert case.close() == 0
    case = open_case()
    try:
        assert case.recovered is None
        assert state(case.document) == before
        assert case.document.outlined("p1").device == "CPU"
        case.undo()
        case.undo()
        assert "p1" not in {x.id for x in case.document.record}
    finally:
        case.close()


def test_a_deleted_lesion_is_brought_back():
    case = open_case()
    try:
        case.add_findings(findings(volume()))
        case.delete("d1")
        assert case.bring_back("d1").kind == "delete"
        assert not case.document.lesion("d1").deleted
        case.set_verdict("d1", "accepted")
        assert case.bring_back("d1") is None
    finally:
        case.close()


def test_only_a_rejection_has_a_reason_and_only_one_of_the_table(document):
    with pytest.raises(ValueError):
        Decision("accepted", "R", UTC, "vessel")
    with pytest.raises(ValueError):
        makers.verdict_edit(document, "d1", "rejected", READER, UTC, "a whim")
    edit = makers.verdict_edit(document, "d1", "rejected", READER, UTC)
    assert len(edit.body()["after"]) == 3  # as before there were reasons
    document.apply(edit)
    given = makers.verdict_edit(document, "d1", "rejected", READER, UTC, "vessel")
    assert given.body()["after"] == ["rejected", READER.name, UTC, "vessel"]
    document.apply(given)
    assert makers.verdict_edit(document, "d1", "rejected", READER, UTC, "vessel") is None


def test_the_document_knows_whose_results_it_shows(document):
    vol = volume()
    empty = AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels)
    assert empty.model is None
    edit = laid_in(empty)
    assert empty.model == STAMP
    empty.apply(edit.inverse())
    assert empty.model is None
    laid_in(document)
    assert document.model == document.findings.model
