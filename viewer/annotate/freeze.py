"""Lesions and segments of a document as an export takes them."""

from __future__ import annotations

from inference.measure import Measurement
from viewer.annotate.lesion import Lesion, SegmentState
from viewer.export.snapshot import LesionSnapshot, SegmentSnapshot


def lesion_snapshot(
    lesion: Lesion, detection_id: str | None, changed_utc: str | None
) -> LesionSnapshot:
    """Freeze one lesion.

    Parameters
    ----------
    detection_id
        What the latest findings call it, or None.
    changed_utc
        When a reader last did something to it, ISO 8601, or None.
    """
    measurement = None
    if not lesion.empty:
        measurement = Measurement(
            lesion.centre_lps_mm,
            lesion.diameter_mm,
            lesion.short_axis_mm,
            lesion.volume_ml,
            float("nan") if lesion.mean_value is None else lesion.mean_value,
        )
    return LesionSnapshot(
        id=lesion.id,
        number=lesion.number,
        label=lesion.label,
        origin=lesion.origin,
        verdict=lesion.verdict,
        mask=lesion.mask,
        measurement=measurement,
        score=lesion.score,
        detection_id=detection_id,
        reader=lesion.reader or "",
        verdict_utc=lesion.decided_utc,
        changed_utc=changed_utc,
        centre_lps_mm=lesion.centre_lps_mm,
    )


def segment_snapshot(segment: SegmentState) -> SegmentSnapshot:
    """Freeze one structure."""
    return SegmentSnapshot(
        segment.id, segment.label, segment.origin, segment.volume_ml, segment.mask
    )
