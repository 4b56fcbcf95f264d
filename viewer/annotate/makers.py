"""Edits for what a reader means to do, made from how the document stands. None: no change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import resources
from inference import geometry
from resources import labels
from viewer.annotate import attributes
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.edits import (
    AddLesion,
    DeleteLesion,
    MoveLesion,
    SetLabel,
    SetNote,
    SetVerdict,
    Together,
)
from viewer.annotate.lesion import Decision, Lesion, Point, Reader, Verdict
from viewer.annotate.mask import Triple


def verdict_edit(
    document: AnnotationDocument,
    lesion_id: str,
    verdict: Verdict | None,
    reader: Reader,
    utc: str,
    reason: str = "",
) -> SetVerdict | None:
    """Let a reader decide on a lesion; verdict None takes the decision back.

    Parameters
    ----------
    reason
        Why it is rejected: key of ``resources/tables/rejection_reasons.json``, or empty.
    """
    if reason and reason not in resources.table("rejection_reasons"):
        raise ValueError("not a reason")
    lesion = document.lesion(lesion_id)
    if (lesion.verdict, lesion.decision.reason) == (verdict, reason):
        return None
    after = Decision() if verdict is None else Decision(verdict, reader.name, utc, reason)
    return SetVerdict(lesion_id, lesion.decision, after)


def missed_edit(
    document: AnnotationDocument, centre_lps_mm: Point, label: str, *, blind: bool = False
) -> AddLesion:
    """Put a new lesion at a point in LPS mm; it counts as missed when a model has run.

    Parameters
    ----------
    blind
        Whether the reader may not see the AI yet: then he cannot say that it missed anything.
    """
    taken = {lesion.id for lesion in document.record}
    number = 1
    while f"h{number}" in taken:
        number += 1
    x, y, z = (float(value) for value in centre_lps_mm)
    missed = bool(document.runs) and not blind
    shown_number = document.next_blind_number if blind else document.next_number
    return AddLesion(f"h{number}", shown_number, label, (x, y, z), missed)


def delete_edit(document: AnnotationDocument, lesion_id: str) -> DeleteLesion | None:
    """Take a lesion off the list."""
    return None if document.lesion(lesion_id).deleted else DeleteLesion(lesion_id)


def label_edit(
    document: AnnotationDocument, lesion_id: str, label: str
) -> SetLabel | Together | None:
    """Call a lesion something else; the case keeps the term of a label that a site made."""
    if label not in resources.table("labels"):
        raise ValueError("not a label")
    before = document.lesion(lesion_id).label
    if before == label:
        return None
    named = SetLabel(lesion_id, before, label)
    stood = document.notes(attributes.TERMS).get(label)
    term = dict(resources.table("labels")[label])
    if labels.is_bundled(label) or stood == term:
        return named
    return Together("relabel", (SetNote(attributes.TERMS, label, stood, term), named))


def move_edit(
    document: AnnotationDocument, lesion_id: str, delta_lps_mm: Point
) -> MoveLesion | None:
    """Move a lesion by whole voxels, no farther than the volume's edge.

    Parameters
    ----------
    delta_lps_mm
        Way in patient space, LPS mm.
    """
    lesion = document.lesion(lesion_id)
    steps = document.affine[:3, :3]
    wanted = np.rint(np.linalg.inv(steps) @ np.asarray(delta_lps_mm, dtype=np.float64))
    offset = _kept_inside(document, lesion, wanted)
    if offset == (0, 0, 0):
        return None
    x, y, z = (float(v) for v in lesion.anchor_lps_mm + steps @ offset)
    return MoveLesion(lesion_id, offset, lesion.anchor_lps_mm, (x, y, z))


def _kept_inside(
    document: AnnotationDocument, lesion: Lesion, wanted: npt.NDArray[np.float64]
) -> Triple:
    if lesion.empty:
        low = np.floor(geometry.lps_mm_to_kji(document.affine, lesion.anchor_lps_mm) + 0.5)
        high = low + 1
    else:
        low = np.array([float(b.start) for b in lesion.mask.box])
        high = np.array([float(b.stop) for b in lesion.mask.box])
    room = np.minimum(-low, 0.0), np.maximum(np.array(document.shape_kji) - high, 0.0)
    k, j, i = (int(n) for n in np.clip(wanted, *room))
    return k, j, i
