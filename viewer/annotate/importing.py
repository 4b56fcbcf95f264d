"""What the document does with outlines of other files: checks, and the values it keeps."""

from __future__ import annotations

import math

from inference.findings import Segment
from viewer.annotate import edits, mask
from viewer.annotate.change import Change
from viewer.annotate.document_state import DocumentState
from viewer.annotate.imported import ImportedOutline
from viewer.annotate.lesion import Lesion, SegmentState


def check(document: DocumentState, edit: edits.AddImported) -> None:
    """Raise ValueError when a document cannot take an import."""
    ids = [one.target_id for one in edit.outlines]
    taken = {lesion.id for lesion in document.record} | set(document.segment_ids)
    if not ids or len(set(ids)) != len(ids) or taken & set(ids):
        raise ValueError("an id is taken")
    for one in edit.outlines:
        if one.mask.voxels.size and not mask.inside(one.mask.box, document.shape_kji):
            raise ValueError("an outline leaves the volume")
        if one.anatomy and not one.mask.voxels.size:
            raise ValueError("a structure without voxels")
        if not all(math.isfinite(x) for x in one.point_lps_mm):
            raise ValueError("a point is no place")
    if any(key in document.notes("labels") for key in edit.terms):
        raise ValueError("a term is known")


def check_untouched(document: DocumentState, edit: edits.AddImported) -> None:
    """Raise ValueError when outlines are no longer as they came."""
    for one in edit.outlines:
        target = document.target(one.target_id)
        if target.origin != "imported":
            raise ValueError("an outline is no longer as it came")
        if isinstance(target, Lesion) and (
            target.decision != one.decision or target.deleted or target.label != one.label
        ):
            raise ValueError("a finding is no longer as it came")


def segment(one: ImportedOutline, voxel_ml: float) -> Segment:
    """Return a structure as it came."""
    return Segment(one.target_id, one.label, one.mask.count * voxel_ml, one.mask)


def state(of: Segment) -> SegmentState:
    """Return a structure as it stands when it has come."""
    return SegmentState(of.id, of.label, of.volume_ml, of.mask, "imported", 0, of.mask.count)


def lesion(one: ImportedOutline) -> Lesion:
    """Return a finding as it came, not yet measured."""
    return Lesion(
        id=one.target_id,
        number=one.number,
        label=one.label,
        origin="imported",
        run=0,
        score=None,
        decision=one.decision,
        missed_by_ai=False,
        mask=one.mask,
        anchor_lps_mm=one.point_lps_mm,
        centre_lps_mm=one.point_lps_mm,
        diameter_mm=0.0,
        short_axis_mm=0.0,
        volume_ml=0.0,
        mean_value=None,
    )


def change(edit: edits.AddImported) -> Change:
    """Return what an import, or its removal, changes."""
    return Change(
        "add",
        tuple(one.target_id for one in edit.outlines if not one.anatomy),
        tuple(one.target_id for one in edit.outlines if one.anatomy),
        boxes=tuple(one.mask.box for one in edit.outlines if one.mask.voxels.size),
    )
