"""A second AI run: what readers touched stays, what they did not gives way."""

import numpy as np
import pytest

from inference.findings import Mask
from tests.annotate_cases import findings, findings_sha, state, volume
from viewer.annotate import edits, makers
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.lesion import Decision, Reader
from viewer.annotate.mask import Delta
from viewer.annotate.rerun import add_findings_edit, dice

UTC = "2026-11-21T07:31:05.123Z"


@pytest.fixture
def document():
    vol = volume()
    out = AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels)
    out.apply(add_findings_edit(out, findings(vol), UTC))
    return out


def _second(document, shift=0.0):
    edit = add_findings_edit(document, findings(volume(), "2.0", shift), UTC)
    document.apply(edit)
    return edit


def test_untouched_lesions_give_way(document):
    before = state(document)
    edit = _second(document)
    assert [x.id for x in document.lesions] == ["r2d1", "r2d2", "r2d3"]
    assert [x.number for x in document.lesions] == [4, 5, 6]
    assert [x.id for x in document.record] == ["d1", "d2", "d3", "r2d1", "r2d2", "r2d3"]
    assert [s.id for s in document.segments] == ["r2lung_right", "r2lung_left"]
    assert document.findings.model.version == "2.0"
    assert document.detection_id("r2d1") == "d1"
    assert document.detection_id("d1") is None
    document.apply(edit.inverse())
    assert state(document) == before


def test_what_a_reader_touched_stays_and_is_not_listed_twice(document):
    document.apply(makers.verdict_edit(document, "d1", "rejected", Reader("R"), UTC))
    document.apply(edits.DeleteLesion("d2"))
    array = np.zeros(document.shape_kji, dtype=bool)
    array[0, 0:3, 0:3] = True
    delta = Delta.from_array(array, (0, 0, 0))
    document.apply(edits.PaintStroke("lung_left", delta, "add", "disc", 3.0))
    before = state(document)
    edit = _second(document)
    assert set(edit.known) == {("d1", "d1"), ("d2", "d2"), ("lung_left", "lung_left")}
    assert [x.id for x in document.lesions] == ["d1", "r2d3"]
    assert [s.id for s in document.segments] == ["lung_left", "r2lung_right"]
    assert document.lesion("d1").verdict == "rejected"
    assert document.detection_id("d1") == "d1"
    document.apply(edit.inverse())
    assert state(document) == before


def test_a_lesion_that_lies_elsewhere_is_listed_beside_the_kept_one(document):
    document.apply(edits.SetVerdict("d1", Decision(), Decision("accepted", "R", UTC)))
    _second(document, shift=3.0)
    assert [x.id for x in document.lesions] == ["d1", "r2d1", "r2d2", "r2d3"]


def test_the_first_run_stays_as_it_was(document):
    sha = findings_sha(document.runs[0].findings)
    _second(document)
    assert findings_sha(document.runs[0].findings) == sha
    assert [run.number for run in document.runs] == [1, 2]


def test_dice_is_that_of_whole_arrays():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.random((2, 6, 7, 8)) < 0.3
        wanted = 2 * (a & b).sum() / (a.sum() + b.sum())
        assert dice(Mask.from_array(a), Mask.from_array(b)) == pytest.approx(wanted)
    nothing = Mask.from_array(np.zeros((2, 2, 2), dtype=bool))
    assert dice(nothing, nothing) == 0.0
