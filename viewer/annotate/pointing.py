"""What a reader points at: a lesion of the record, or one that the model outlines there."""

from __future__ import annotations

import numpy as np

from inference import geometry
from inference.findings import Detection, ModelStamp, Outline
from inference.measure import measure
from inference.volume import Volume
from viewer.annotate import mask
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.edits import CallUp, DeleteLesion
from viewer.annotate.lesion import Lesion, Point
from viewer.annotate.outlined import AddOutlined
from viewer.annotate.rerun import SAME_DICE, dice


def lesion_at(document: AnnotationDocument, point_lps_mm: Point) -> Lesion | None:
    """Return the lesion whose mask holds a point; deleted ones count, those that count first.

    Parameters
    ----------
    point_lps_mm
        LPS mm; the voxel nearest to it is asked.
    """
    at = np.floor(geometry.lps_mm_to_kji(document.affine, point_lps_mm) + 0.5).astype(int)
    found = [x for x in document.record if not x.superseded and _holds(x, at)]
    return min(found, key=lambda lesion: (lesion.deleted, lesion.volume_ml), default=None)


def same_lesion(document: AnnotationDocument, outline: Outline) -> Lesion | None:
    """Return the lesion of the record that an outline is of, as a second run would know it."""
    known = [x for x in document.record if not x.superseded]
    scored = [(dice(outline.mask, lesion.mask), lesion) for lesion in known]
    best = max(scored, key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] >= SAME_DICE else None


def back_in_list_edit(lesion: Lesion) -> CallUp | DeleteLesion | None:
    """Return what brings a lesion into the list that is deleted, or that a threshold hides."""
    if lesion.deleted:
        return DeleteLesion(lesion.id, deleted=False)
    return None if lesion.touched else CallUp(lesion.id)


def outlined_edit(
    document: AnnotationDocument,
    volume: Volume,
    outline: Outline,
    model: ModelStamp,
    point_lps_mm: Point,
    label: str = "nodule",
) -> AddOutlined:
    """Lay in what the model outlined at a point, measured; it counts as missed after a run.

    Parameters
    ----------
    volume
        The document's own.
    outline
        Its mask holds at least one voxel.
    point_lps_mm
        Where the reader pointed, LPS mm.
    """
    taken = {lesion.id for lesion in document.record}
    number = 1
    while f"p{number}" in taken:
        number += 1
    drawn = mask.crop(outline.mask.voxels, outline.mask.origin_kji)
    size = measure(drawn, volume.affine, volume.voxels)
    x, y, z = (float(value) for value in point_lps_mm)
    return AddOutlined(
        lesion_id=f"p{number}",
        number=document.next_number,
        point_lps_mm=(x, y, z),
        model=model,
        device=outline.device,
        outlined=Detection(
            id=f"p{number}",
            label=label,
            score=outline.score,
            centre_lps_mm=size.centre_lps_mm,
            diameter_mm=size.diameter_mm,
            short_axis_mm=size.short_axis_mm,
            volume_ml=size.volume_ml,
            mean_value=size.mean_value,
            mask=drawn,
            uncertainty=outline.uncertainty,
            impression=outline.impression,
        ),
        missed_by_ai=bool(document.runs),
    )


def _holds(lesion: Lesion, at_kji: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    if lesion.empty:
        return False
    k, j, i = (int(a) - o for a, o in zip(at_kji, lesion.mask.origin_kji, strict=True))
    inside = all(0 <= a < n for a, n in zip((k, j, i), lesion.mask.voxels.shape, strict=True))
    return inside and bool(lesion.mask.voxels[k, j, i])
