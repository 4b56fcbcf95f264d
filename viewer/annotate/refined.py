"""An outline corrected by points: the points that a reader gave stay with it, as a note.

A later point must not undo an earlier one, also after the case was closed and opened again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from inference import geometry
from inference.findings import Mask, ModelStamp
from inference.refine import Click
from viewer.annotate import edits, reshaping
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.document_state import DocumentState
from viewer.annotate.lesion import Point
from viewer.annotate.mask import Triple

TOPIC = "refine-points"
ADD, CUT = "refine-add", "refine-cut"


@dataclass(frozen=True, slots=True)
class Pointed:
    """One point, LPS mm, and whether it belongs to the outline."""

    at_lps_mm: Point
    belongs: bool


def points(document: DocumentState, target_id: str) -> tuple[Pointed, ...]:
    """Return the points that an outline still agrees with, in the order in which they came.

    What was drawn over by hand meanwhile, or moved away, no longer says anything.
    """
    note = document.notes(TOPIC).get(target_id)
    if note is None:
        return ()
    mask = document.target(target_id).mask
    found = [_read(value) for value in note["points"]]
    return tuple(one for one in found if holds(mask, voxel(document, one.at_lps_mm)) == one.belongs)


def clicks(document: DocumentState, target_id: str) -> tuple[Click, ...]:
    """Return these points as voxels."""
    return tuple(
        Click(voxel(document, one.at_lps_mm), one.belongs) for one in points(document, target_id)
    )


def voxel(document: DocumentState, point_lps_mm: Point) -> Triple:
    """Return the voxel (k, j, i) nearest to a point; it may lie outside the volume."""
    at = np.floor(geometry.lps_mm_to_kji(document.affine, point_lps_mm) + 0.5)
    k, j, i = (int(n) for n in at)
    return k, j, i


def holds(mask: Mask, at_kji: Triple) -> bool:
    """Tell whether a voxel of the volume is one of a mask."""
    inner = tuple(a - o for a, o in zip(at_kji, mask.origin_kji, strict=True))
    inside = all(0 <= a < n for a, n in zip(inner, mask.voxels.shape, strict=True))
    return inside and bool(mask.voxels[inner])


def refine_edit(
    document: AnnotationDocument, target_id: str, after: Mask, pointed: Pointed, model: ModelStamp
) -> edits.Together | None:
    """Give an outline the form that a model made of it by a point; None when it is the same.

    Parameters
    ----------
    model
        What made it.
    """
    made_by = ADD if pointed.belongs else CUT
    settings = {
        "point_lps_mm": list(pointed.at_lps_mm),
        "model": [model.id, model.version, model.sha256],
    }
    changed = reshaping.reshape_edit(document, target_id, after, made_by, settings)
    if changed is None:
        return None
    before = document.notes(TOPIC).get(target_id)
    kept = [_body(one) for one in points(document, target_id)]
    note = edits.SetNote(TOPIC, target_id, before, {"points": [*kept, _body(pointed)]})
    return edits.Together(made_by, (note, changed))


def _body(one: Pointed) -> list[Any]:
    return [*one.at_lps_mm, one.belongs]


def _read(value: Any) -> Pointed:
    x, y, z, belongs = value
    return Pointed((float(x), float(y), float(z)), bool(belongs))
