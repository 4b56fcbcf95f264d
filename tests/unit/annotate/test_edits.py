"""The journal form of each edit, its inverse, and the names of undo steps."""

import json

import numpy as np
import pytest

from resources import text
from tests.annotate_cases import findings, findings_sha, volume
from viewer.annotate import edits
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.lesion import Decision
from viewer.annotate.mask import Delta
from viewer.annotate.names import edit_text
from viewer.annotate.rerun import add_findings_edit

UTC = "2026-11-21T07:31:05.123Z"
ADD = edits.AddLesion("h1", 4, "nodule", (0.1, 1 / 3, -3e-9), True)
DELTA = Delta.from_array(np.random.default_rng(0).random((3, 4, 5)) < 0.5, (1, 2, 3))
SMALL = [
    edits.SetVerdict("d1", Decision(), Decision("accepted", "Reader Ångström", UTC)),
    edits.SetVerdict("d1", Decision("unsure", "R", UTC), Decision()),
    edits.SetVerdict("d1", Decision(), Decision("rejected", "R", UTC, "vessel")),
    edits.CallUp("d1"),
    ADD,
    edits.RemoveLesion(ADD),
    edits.DeleteLesion("d1"),
    edits.DeleteLesion("d1", deleted=False),
    edits.SetLabel("d1", "nodule", "lung_left"),
    edits.MoveLesion("d1", (1, -2, 0), (0.1, 0.2, 0.3), (1 / 3, 0.2, 0.3)),
    edits.PaintStroke("d1", DELTA, "erase", "ball", 7.5),
]


def _there_and_back(edit):
    body = json.loads(json.dumps(edit.body(), allow_nan=False))
    return edits.decode(edit.kind, body, edit.blob())


@pytest.mark.parametrize("edit", SMALL, ids=lambda e: e.kind)
def test_the_journal_form_is_exact(edit):
    assert _there_and_back(edit) == edit


@pytest.mark.parametrize("edit", SMALL, ids=lambda e: e.kind)
def test_the_inverse_of_the_inverse_is_the_edit(edit):
    assert edit.inverse().inverse() == edit
    assert edit.inverse() != edit


def test_findings_travel_whole():
    found = findings(volume())
    edit = edits.AddFindings(2, found, UTC, 4, ("d1", "lung_left"), (("d2", "d3"),))
    for each in (edit, edit.inverse()):
        back = _there_and_back(each)
        back = back.added if isinstance(back, edits.RemoveFindings) else back
        assert (back.run, back.utc, back.first_number) == (2, UTC, 4)
        assert (back.supersedes, back.known) == (edit.supersedes, edit.known)
        assert findings_sha(back.findings) == findings_sha(found)


@pytest.mark.parametrize(
    ("kind", "body", "blob"),
    [
        ("fly", {}, None),
        ("paint", {"target": "d1"}, b""),
        ("paint", edits.PaintStroke("d1", DELTA, "add", "disc", 1.0).body(), None),
        ("set-verdict", {"lesion": "d1", "before": [None], "after": ["maybe", "R", UTC]}, None),
        ("set-verdict", [], None),
        ("add-findings", {"run": 1, "utc": UTC, "first_number": 1}, b"rubbish"),
        ("move-lesion", {"lesion": "d1", "offset_kji": [1, 2], "before_lps_mm": [0, 0, 0],
                         "after_lps_mm": [0, 0, 0]}, None),
    ],
)  # fmt: skip
def test_what_is_no_edit_is_refused(kind, body, blob):
    with pytest.raises(ValueError, match=r"."):
        edits.decode(kind, body, blob)


def _document():
    vol = volume()
    document = AnnotationDocument(vol.shape_kji, vol.affine, vol.voxels)
    document.apply(add_findings_edit(document, findings(vol), UTC))
    return document


def _verdict(verdict):
    return edits.SetVerdict("d1", Decision(), Decision(verdict, "R", UTC))


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (_verdict("accepted"), "Accept nodule 1"),
        (_verdict("rejected"), "Reject nodule 1"),
        (_verdict("unsure"), "Mark nodule 1 unsure"),
        (_verdict("unsure").inverse(), "Clear the verdict on nodule 1"),
        (ADD, "Add nodule 4"),
        (edits.DeleteLesion("d2"), "Delete nodule 2"),
        (edits.DeleteLesion("d2", deleted=False), "Restore nodule 2"),
        (edits.MoveLesion("d3", (1, 0, 0), (0, 0, 0), (0, 0, 0)), "Move nodule 3"),
        (edits.SetLabel("d1", "nodule", "x"), "Relabel nodule 1"),
        (edits.PaintStroke("d3", DELTA, "add", "disc", 7.5), "Brush on nodule 3"),
        (edits.PaintStroke("d3", DELTA, "erase", "disc", 7.5), "Eraser on nodule 3"),
        (edits.PaintStroke("d3", DELTA, "add", "ball", 7.5), "3-D brush on nodule 3"),
        (edits.PaintStroke("lung_left", DELTA, "erase", "ball", 7), "3-D eraser on left lung"),
    ],
)
def test_steps_have_names(edit, name):
    assert edit_text(_document(), edit) == name


def test_an_ai_run_has_a_name():
    document = _document()
    edit = add_findings_edit(document, findings(volume(), "2"), UTC)
    assert edit_text(document, edit) == "AI run"


def test_names_go_through_the_translator():
    document = _document()
    text.install_translator(lambda context, source, n: f"<{source}>")
    try:
        name = edit_text(document, edits.PaintStroke("d3", DELTA, "add", "disc", 7.5))
    finally:
        text.install_translator(None)
    assert name == "<Brush on <<nodule> 3>>"
