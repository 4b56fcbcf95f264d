"""The figures of a lesion: the model's own, or measured after an edit."""

from __future__ import annotations

import math
from dataclasses import replace

from inference.findings import Detection, Mask
from viewer.annotate import mask
from viewer.annotate.lesion import Decision, Lesion, Origin
from viewer.annotate.live import Sizes


def ai_lesion(lesion_id: str, number: int, run: int, detection: Detection) -> Lesion:
    """Return a lesion as the model draws it; run 0: not proposed, but pointed at."""
    return Lesion(
        id=lesion_id,
        number=number,
        label=detection.label,
        origin="ai" if run else "ai-pointed",
        run=run,
        score=detection.score,
        decision=Decision(),
        missed_by_ai=False,
        mask=detection.mask,
        anchor_lps_mm=detection.centre_lps_mm,
        centre_lps_mm=detection.centre_lps_mm,
        diameter_mm=detection.diameter_mm,
        short_axis_mm=detection.short_axis_mm,
        volume_ml=detection.volume_ml,
        mean_value=detection.mean_value,
    )


def measured(
    lesion: Lesion, detection: Detection | None, sizes: Sizes, imported: Mask | None = None
) -> Lesion:
    """Return a lesion with the origin and the figures that its mask has now.

    Parameters
    ----------
    detection
        What the model drew; None for a human's lesion.
    sizes
        Measures the masks of this volume.
    imported
        As it came, of what came from another file; else None.
    """
    edited: Origin = "human" if detection is None else "ai-edited"
    if imported is not None:
        edited = "imported" if mask.equal(lesion.mask, imported) else "imported-edited"
    if lesion.empty:
        return replace(
            lesion,
            origin=edited,
            centre_lps_mm=lesion.anchor_lps_mm,
            diameter_mm=0.0,
            short_axis_mm=0.0,
            volume_ml=0.0,
            mean_value=None,
        )
    if detection is not None and mask.equal(lesion.mask, detection.mask):
        # Back to the model's own drawing: its own object and figures, to the last bit.
        return replace(
            ai_lesion(lesion.id, lesion.number, lesion.run, detection),
            label=lesion.label,
            decision=lesion.decision,
            anchor_lps_mm=lesion.anchor_lps_mm,
            missed_by_ai=lesion.missed_by_ai,
            deleted=lesion.deleted,
            superseded=lesion.superseded,
            called_up=lesion.called_up,
        )
    found = sizes.of(lesion.mask)
    return replace(
        lesion,
        origin=edited,
        centre_lps_mm=found.centre_lps_mm,
        diameter_mm=found.diameter_mm,
        short_axis_mm=found.short_axis_mm,
        volume_ml=found.volume_ml,
        mean_value=None if math.isnan(found.mean_value) else found.mean_value,
    )


def finite(detection: Detection) -> bool:
    """Tell whether every figure of a detection is a number."""
    figures: tuple[float, ...] = (
        detection.score,
        *detection.centre_lps_mm,
        detection.diameter_mm,
        detection.short_axis_mm,
        detection.volume_ml,
        detection.mean_value,
        0.0 if detection.uncertainty is None else detection.uncertainty,
    )
    if (said := detection.impression) is not None:
        figures += (said.malignancy, said.texture)
    return all(math.isfinite(figure) for figure in figures)
