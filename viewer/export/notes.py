"""What readers measured, marked and first said, as ``findings.json`` holds it.

No free text of a reader is among it, and every figure has its unit. An image stands by its SOP
Instance UID and frame where it has them, and by its number ``k`` in ``image.nii.gz``.
"""

from __future__ import annotations

from typing import Any

from viewer.annotate.key_images import KeyImage, instance
from viewer.annotate.measurements import Measurement
from viewer.export.snapshot import CaseSnapshot, FirstImpression
from viewer.study.order import StackPlan


def notes_of(snapshot: CaseSnapshot) -> dict[str, Any]:
    """Return ``measurements``, ``key_images`` and ``first_impressions`` of a case."""
    plan = snapshot.plan
    return {
        "measurements": [_measurement(key, one, plan) for key, one in snapshot.measurements],
        "measurements_left_out": snapshot.measurements_left_out,
        "key_images": [_key_image(one, plan) for one in snapshot.key_images],
        "first_impressions": [_impression(one) for one in snapshot.first_impressions],
    }


def key_slices(snapshot: CaseSnapshot) -> list[int]:
    """Return the acquired slices that readers marked, each once, in order."""
    count = snapshot.volume.shape_kji[0]
    return sorted({image.k for image in snapshot.key_images if image.k < count})


def _measurement(measurement_id: str, one: Measurement, plan: StackPlan) -> dict[str, Any]:
    return {
        "id": measurement_id,
        "number": one.number,
        "kind": one.kind,
        "origin": one.origin,
        "lesion_id": one.lesion_id or None,
        "points_lps_mm": [list(point) for point in one.points_lps_mm],
        "plane": {
            "normal_lps": list(one.normal_lps),
            "slice_mm": one.slice_mm,
            "frame_of_reference_uid": plan.series.frame_of_reference_uid or None,
            **_image(plan, one.k),
        },
        "values": [
            {"name": value.name, "value": value.value, "unit": value.unit or None}
            for value in one.values
        ],
        "missing": one.absence or None,
        "calibration": one.calibration or None,
        "reader": one.reader or None,
        "utc": one.utc or None,
    }


def _key_image(one: KeyImage, plan: StackPlan) -> dict[str, Any]:
    centre, width = one.window
    return {
        "plane": one.plane,
        "index": one.index,
        **_image(plan, one.k),
        "window_centre": centre,
        "window_width": width,
        "reader": one.reader or None,
        "utc": one.utc or None,
    }


def _impression(one: FirstImpression) -> dict[str, Any]:
    return {
        "reader": one.reader or None,
        "utc": one.utc or None,
        "judgement": one.judgement,
        "lesions_seen": one.lesions_seen,
        "lesion_ids": list(one.lesion_ids),
        "ai_had_run": one.ai_had_run,
    }


def _image(plan: StackPlan, k: int | None) -> dict[str, Any]:
    found = None if k is None else instance(plan, k)
    return {
        "k": k,
        "sop_instance_uid": None if found is None else found[0],
        "frame": None if found is None else found[1],
    }
