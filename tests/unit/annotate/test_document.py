"""What each edit does to a document, and that the model's own result never changes."""

from dataclasses import replace

import numpy as np
import pytest

from inference.findings import Detection, Findings, Mask, ModelStamp
from inference.measure import measure
from tests.annotate_cases import SHAPE, affine, findings, findings_sha, state, volume
from viewer.annotate import edits
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.lesion import Decision
from viewer.annotate.mask import Delta
from viewer.annotate.rerun import add_findings_edit

UTC = "2026-11-21T07:31:05.123Z"


@pytest.fixture
def vol():
    return volume()


@pytest.fixture
def found(vol):
    return findings(vol)


@pytest.fixture
def document(vol, found):
    out = AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels)
    out.apply(add_findings_edit(out, found, UTC))
    return out


def _stroke(target, box, mode="add"):
    array = np.zeros(SHAPE, dtype=bool)
    array[box] = True
    return edits.PaintStroke(target, Delta.from_array(array, (0, 0, 0)), mode, "disc", 5.0)


def test_an_untouched_lesion_is_the_models_own(document, found):
    for lesion, detection in zip(document.record, found.detections, strict=True):
        assert lesion.mask is detection.mask
        assert (lesion.origin, lesion.run, lesion.score) == ("ai", 1, detection.score)
        assert lesion.diameter_mm == detection.diameter_mm
        assert lesion.mean_value == detection.mean_value
        assert not lesion.touched
        assert not lesion.reviewed
    assert [lesion.number for lesion in document.record] == [1, 2, 3]
    assert [lesion.id for lesion in document.record] == ["d1", "d2", "d3"]


def test_the_list_shows_what_reaches_the_threshold_or_was_touched(document):
    assert [x.id for x in document.shown(0.5)] == ["d1", "d2"]
    assert [x.id for x in document.shown(0.0)] == ["d1", "d2", "d3"]
    document.apply(edits.SetVerdict("d3", Decision(), Decision("unsure", "R", UTC)))
    assert [x.id for x in document.shown(0.95)] == ["d3"]


def test_painting_measures_the_lesion_anew(document, vol, found):
    sha = findings_sha(found)
    change = document.apply(_stroke("d1", np.s_[5:7, 6:12, 10:14]))
    lesion = document.lesion("d1")
    assert (change.kind, change.lesion_ids) == ("paint", ("d1",))
    assert change.boxes[0] == np.s_[5:7, 6:12, 10:14]
    assert lesion.origin == "ai-edited"
    expected = measure(lesion.mask, vol.affine, vol.voxels)
    assert lesion.volume_ml == expected.volume_ml != found.detections[0].volume_ml
    assert lesion.centre_lps_mm == pytest.approx(expected.centre_lps_mm)
    assert lesion.diameter_mm == expected.diameter_mm
    assert lesion.mean_value == expected.mean_value
    assert findings_sha(found) == sha
    assert document.ai_mask("d1") is found.detections[0].mask


def test_a_stroke_taken_back_gives_the_models_own_mask_object(document, found):
    before = state(document)
    stroke = _stroke("d1", np.s_[5:7, 6:12, 10:14])
    document.apply(stroke)
    document.apply(stroke.inverse())
    assert document.lesion("d1").mask is found.detections[0].mask
    assert state(document) == before


def test_the_verdict_stays_when_the_drawing_goes_back(document):
    decision = Decision("accepted", "R", UTC)
    document.apply(edits.SetVerdict("d1", Decision(), decision))
    document.apply(edits.SetLabel("d1", "nodule", "lung_left"))
    stroke = _stroke("d1", np.s_[5:7, 6:12, 10:14])
    document.apply(stroke)
    document.apply(stroke.inverse())
    lesion = document.lesion("d1")
    assert (lesion.decision, lesion.label, lesion.origin) == (decision, "lung_left", "ai")
    assert (lesion.verdict, lesion.reader, lesion.decided_utc) == ("accepted", "R", UTC)


def test_a_lesion_can_be_rubbed_out_wholly_and_come_back(document, found):
    before = state(document)
    mask = found.detections[1].mask
    rub = edits.PaintStroke(
        "d2", Delta.from_array(mask.voxels, mask.origin_kji), "erase", "ball", 9.0
    )
    document.apply(rub)
    lesion = document.lesion("d2")
    assert lesion.empty
    assert lesion.origin == "ai-edited"
    assert (lesion.diameter_mm, lesion.volume_ml, lesion.mean_value) == (0.0, 0.0, None)
    assert lesion.centre_lps_mm == found.detections[1].centre_lps_mm
    document.apply(rub.inverse())
    assert state(document) == before


def test_a_human_lesion_is_a_point_until_it_is_drawn(document, vol):
    before = state(document)
    add = edits.AddLesion("h1", 4, "nodule", (1.0, 2.0, 3.0), True)
    assert document.apply(add).lesion_ids == ("h1",)
    lesion = document.lesion("h1")
    assert lesion.empty
    assert lesion.reviewed
    assert lesion.missed_by_ai
    assert lesion.centre_lps_mm == (1.0, 2.0, 3.0)
    stroke = _stroke("h1", np.s_[2:4, 2:5, 3:8])
    document.apply(stroke)
    drawn = document.lesion("h1")
    assert drawn.origin == "human"
    assert drawn.volume_ml == pytest.approx(2 * 3 * 5 * 2.0 * 0.7 * 0.8 / 1000)
    assert drawn.mean_value == pytest.approx(vol.voxels[2:4, 2:5, 3:8].mean())
    document.apply(stroke.inverse())
    assert document.lesion("h1").centre_lps_mm == (1.0, 2.0, 3.0)
    document.apply(add.inverse())
    assert state(document) == before


def test_deleting_keeps_the_record(document):
    document.apply(edits.DeleteLesion("d1"))
    assert [x.id for x in document.lesions] == ["d2", "d3"]
    assert document.record[0].deleted
    document.apply(edits.DeleteLesion("d1").inverse())
    assert [x.id for x in document.lesions] == ["d1", "d2", "d3"]


def test_moving_moves_voxels_and_centre(document, found):
    before = state(document)
    anchor = document.lesion("d1").anchor_lps_mm
    # One slice up, two rows back: +2 mm along z, +1.4 mm along y.
    move = edits.MoveLesion("d1", (1, 2, 0), anchor, (anchor[0], anchor[1] + 1.4, anchor[2] + 2))
    change = document.apply(move)
    lesion = document.lesion("d1")
    assert len(change.boxes) == 2
    expected = np.add(found.detections[0].centre_lps_mm, (0, 1.4, 2.0))
    assert lesion.centre_lps_mm == pytest.approx(tuple(expected))
    assert lesion.origin == "ai-edited"
    assert lesion.volume_ml == pytest.approx(found.detections[0].volume_ml)
    document.apply(move.inverse())
    assert state(document) == before


def test_segments_are_painted_by_count(document, found):
    before = state(document)
    stroke = _stroke("lung_right", np.s_[0:2, 0:24, 0:14])
    change = document.apply(stroke)
    segment = document.segment("lung_right")
    assert change.segment_ids == ("lung_right",)
    assert segment.origin == "ai-edited"
    assert segment.count == segment.mask.count
    assert segment.volume_ml == pytest.approx(segment.mask.count * 2.0 * 0.7 * 0.8 / 1000)
    document.apply(stroke.inverse())
    assert document.segment("lung_right").mask is found.segments[0].mask
    assert state(document) == before


def test_a_loose_mask_of_a_model_counts_as_its_own_again(vol):
    array = np.zeros(SHAPE, dtype=bool)
    array[4:6, 8:11, 9:12] = True
    size = measure(Mask.from_array(array), vol.affine, vol.voxels)
    loose = Detection("d1", "nodule", 0.8, size.centre_lps_mm, size.diameter_mm,
                      size.short_axis_mm, size.volume_ml, size.mean_value,
                      Mask((0, 0, 0), array))  # fmt: skip
    document = AnnotationDocument(SHAPE, vol.affine, vol.voxels)
    found = Findings(ModelStamp("m", "1", "0"), "CPU", (loose,), (), None, 0.5)
    document.apply(add_findings_edit(document, found, UTC))
    stroke = _stroke("d1", np.s_[5:7, 8:9, 9:10])
    document.apply(stroke)
    document.apply(stroke.inverse())
    assert document.lesion("d1").origin == "ai"
    assert document.lesion("d1").mask is loose.mask


@pytest.mark.parametrize(
    "edit",
    [
        edits.SetVerdict("d1", Decision("accepted", "R", UTC), Decision()),
        edits.SetVerdict("d9", Decision(), Decision("accepted", "R", UTC)),
        edits.SetLabel("d1", "lung_left", "nodule"),
        edits.AddLesion("d1", 4, "nodule", (0, 0, 0), True),
        edits.AddLesion("lung_right", 4, "nodule", (0, 0, 0), True),
        edits.RemoveLesion(edits.AddLesion("d1", 1, "nodule", (0, 0, 0), True)),
        edits.DeleteLesion("d1", deleted=False),
        edits.DeleteLesion("d9"),
        edits.MoveLesion("d1", (0, 0, 1), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)),
        _stroke("d9", np.s_[0:1, 0:1, 0:1]),
        edits.PaintStroke(
            "d1", Delta.from_array(np.ones((1, 1, 1), dtype=bool), (12, 0, 0)), "add", "disc", 1.0
        ),
    ],
)
def test_an_edit_that_does_not_fit_changes_nothing(document, edit):
    before = state(document)
    with pytest.raises(ValueError, match=r"."):
        document.apply(edit)
    assert state(document) == before


def test_a_lesion_cannot_leave_the_volume(document):
    before = state(document)
    anchor = document.lesion("d1").anchor_lps_mm
    with pytest.raises(ValueError, match="leave the volume"):
        document.apply(edits.MoveLesion("d1", (0, 0, -20), anchor, (0.0, 0.0, 0.0)))
    assert state(document) == before


def test_findings_of_another_volume_are_refused(found):
    small = AnnotationDocument((4, 5, 6), affine())
    with pytest.raises(ValueError, match="leaves the volume"):
        small.apply(add_findings_edit(small, found, UTC))
    assert small.findings is None
    assert small.record == ()


def test_a_run_cannot_be_taken_back_from_under_an_edit(document, found):
    run = edits.RemoveFindings(edits.AddFindings(1, found, UTC, 1))
    document.apply(_stroke("d1", np.s_[5:7, 6:12, 10:14]))
    before = state(document)
    with pytest.raises(ValueError, match="no longer"):
        document.apply(run)
    assert state(document) == before


def test_without_voxels_there_is_no_mean(vol):
    document = AnnotationDocument(vol.shape_kji, vol.affine)
    document.apply(edits.AddLesion("h1", 1, "nodule", (0.0, 0.0, 0.0), False))
    document.apply(_stroke("h1", np.s_[2:4, 2:5, 3:8]))
    assert document.lesion("h1").mean_value is None
    assert document.lesion("h1").diameter_mm > 0


def test_findings_with_a_figure_that_is_no_number_are_refused(vol, found):
    broken = replace(found, detections=(replace(found.detections[0], mean_value=float("nan")),))
    document = AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels)
    with pytest.raises(ValueError, match="no number"):
        document.apply(add_findings_edit(document, broken, UTC))
    assert document.runs == ()
