"""The JSON files of an export: what was found, and what was written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from inference.findings import Detection, Impression, ModelStamp
from viewer.export import program
from viewer.export.formats import Format, LeftOut
from viewer.export.layers import Layer, maps
from viewer.export.notes import notes_of
from viewer.export.report import FileCheck
from viewer.export.snapshot import CaseSnapshot, LesionSnapshot
from viewer.impression import SOURCE

FORMAT_VERSION = 1
MANIFEST_VERSION = 2
FINDINGS_FORMAT = "overread-findings"
MANIFEST_FORMAT = "overread-export"

_LABELS_FILE = "labels.nii.gz"


def findings_document(
    snapshot: CaseSnapshot, shown: Sequence[Layer], files: Sequence[str]
) -> dict[str, Any]:
    """Return the contents of ``findings.json``.

    Parameters
    ----------
    shown
        What the SEG and the label map hold.
    files
        Names of the image files beside it.

    Returns
    -------
    dict
        ``detections`` are what the model said at its threshold and above and never change;
        ``lesions`` are what stands now, rejected ones included; ``unlisted`` are those that a
        reader deleted or hid, or that a later run superseded. ``measurements``,
        ``key_images`` and ``first_impressions`` are as ``viewer.export.notes`` tells. ``maps``
        says what the probabilities in an image file are of. Units are in the names.
    """
    findings = snapshot.findings
    numbers = {layer.id: layer.number for layer in shown}
    threshold = 0.0 if findings is None else findings.threshold
    detections = () if findings is None else findings.detections
    return {
        **_head(FINDINGS_FORMAT, snapshot),
        "series_uid": snapshot.plan.series.series_uid,
        "threshold": None if findings is None else threshold,
        "detections": [_detection(d) for d in detections if d.score >= threshold],
        "detections_below_threshold": [_detection(d) for d in detections if d.score < threshold],
        "segments": [
            {
                "id": segment.id,
                "label": segment.label,
                "volume_ml": _number(segment.volume_ml),
                "origin": segment.origin,
                **_place(numbers.get(segment.id), files),
            }
            for segment in snapshot.segments
        ],
        "lesions": [_lesion(lesion, numbers, files) for lesion in snapshot.lesions],
        "unlisted": [
            {**_lesion(lesion, numbers, files), "why": why} for why, lesion in snapshot.unlisted
        ],
        "maps": {name: map.meaning for name, map in maps(snapshot).items() if name in files},
        **notes_of(snapshot),
        "edits": dict(snapshot.edits),
        "seconds": {
            **(dict(findings.seconds) if findings is not None else {}),
            **dict(snapshot.seconds),
        },
    }


def manifest_document(
    snapshot: CaseSnapshot,
    files: Sequence[Mapping[str, Any]],
    checks: Sequence[FileCheck],
    formats: Sequence[Format],
    left_out: Sequence[tuple[Format, LeftOut]],
) -> dict[str, Any]:
    """Return the contents of ``manifest.json``.

    Parameters
    ----------
    files
        ``{"name", "bytes", "sha256"}`` of every other file.
    checks
        What was read back and compared before the folder got its name.
    formats, left_out
        What was asked for, and of that what gave no file.
    """
    return {
        **_head(MANIFEST_FORMAT, snapshot),
        "format_version": MANIFEST_VERSION,
        "exported_utc": _utc(datetime.now(UTC)),
        "readers": readers_of(snapshot),
        "deidentified": _deidentified(snapshot),
        "counts": _counts(snapshot),
        "formats": list(formats),
        "left_out": [{"format": one, "why": why} for one, why in left_out],
        "files": [dict(entry) for entry in files],
        "checks": [
            {
                "name": check.name,
                "reader": check.reader,
                "compared": list(check.compared),
                "result": "equal",
            }
            for check in checks
        ],
    }


def _deidentified(snapshot: CaseSnapshot) -> dict[str, Any] | None:
    """Say how identity was taken out; None when it was not."""
    if snapshot.pseudonyms is None:
        return None
    said = snapshot.pseudonyms
    return {
        "profile": "PS3.15 Annex E, Basic Profile",
        "kept": list(said.keep),
        "pixels_seen_by_a_person": said.pixels_seen,
    }


def readers_of(snapshot: CaseSnapshot) -> list[str]:
    """Return everybody whose work is in the case."""
    names = {snapshot.reader, *snapshot.readers}
    names |= {lesion.reader for lesion in snapshot.lesions}
    names |= {lesion.reader for _, lesion in snapshot.unlisted}
    names |= {measured.reader for _, measured in snapshot.measurements}
    names |= {image.reader for image in snapshot.key_images}
    names |= {first.reader for first in snapshot.first_impressions}
    return sorted(names - {""})


def _counts(snapshot: CaseSnapshot) -> dict[str, Any]:
    verdicts = Counter(lesion.verdict or "none" for lesion in snapshot.lesions)
    return {
        "lesions": len(snapshot.lesions),
        "lesions_by_verdict": {
            verdict: verdicts[verdict] for verdict in ("accepted", "rejected", "unsure", "none")
        },
        "lesions_by_origin": dict(sorted(Counter(x.origin for x in snapshot.lesions).items())),
        "unlisted": len(snapshot.unlisted),
        "structures": len(snapshot.segments),
        "measurements": len(snapshot.measurements),
        "key_images": len(snapshot.key_images),
        "slices": snapshot.volume.shape_kji[0],
    }


def _head(kind: str, snapshot: CaseSnapshot) -> dict[str, Any]:
    findings = snapshot.findings
    return {
        "format": kind,
        "format_version": FORMAT_VERSION,
        "program": {"name": program.NAME, "version": program.VERSION},
        "use": program.RESEARCH_USE,
        "review": "reviewed" if snapshot.reviewed else "AI, not reviewed",
        "model": None if findings is None else _model(findings.model),
        "device": None if findings is None else findings.device,
        "reader": snapshot.reader or None,
        "taken_utc": _utc(snapshot.taken_utc),
    }


def _model(stamp: ModelStamp) -> dict[str, str]:
    return {"id": stamp.id, "version": stamp.version, "sha256": stamp.sha256}


def _detection(d: Detection) -> dict[str, Any]:
    return {
        "id": d.id,
        "label": d.label,
        "score": _number(d.score),
        "centre_lps_mm": [_number(v) for v in d.centre_lps_mm],
        "diameter_mm": _number(d.diameter_mm),
        "short_axis_mm": _number(d.short_axis_mm),
        "volume_ml": _number(d.volume_ml),
        "mean_hu": _number(d.mean_value),
        **_opinion(d.uncertainty, d.impression),
    }


def _opinion(uncertainty: float | None, impression: Impression | None) -> dict[str, Any]:
    """Say where the model itself is in doubt, and what it expects radiologists to say."""
    said = None
    if impression is not None:
        said = {
            "malignancy": _number(impression.malignancy),
            "texture": _number(impression.texture),
            "texture_name": impression.texture_name,
            "scale": "1 to 5",
            "source": SOURCE,
        }
    return {
        "uncertainty": None if uncertainty is None else _number(uncertainty),
        "impression": said,
    }


def _lesion(
    lesion: LesionSnapshot, numbers: Mapping[str, int], files: Sequence[str]
) -> dict[str, Any]:
    m = lesion.measurement
    centre = lesion.centre_lps_mm if m is None else m.centre_lps_mm
    return {
        "id": lesion.id,
        "number": lesion.number,
        "label": lesion.label,
        "origin": lesion.origin,
        "verdict": lesion.verdict,
        "verdict_reason": lesion.reason or None,
        "adjudicated": lesion.adjudicated or None,
        "reader_texture": lesion.texture,
        "reader_malignancy": lesion.malignancy,
        "reader": lesion.reader or None,
        "verdict_utc": lesion.verdict_utc,
        "changed_utc": lesion.changed_utc,
        "score": None if lesion.score is None else _number(lesion.score),
        "detection_id": lesion.detection_id,
        "model": None if lesion.model is None else _model(lesion.model),
        "centre_lps_mm": None if centre is None else [_number(v) for v in centre],
        "diameter_mm": None if m is None else _number(m.diameter_mm),
        "short_axis_mm": None if m is None else _number(m.short_axis_mm),
        "volume_ml": None if m is None else _number(m.volume_ml),
        "mean_value": None if m is None else _number(m.mean_value),
        **_opinion(lesion.uncertainty, lesion.impression),
        "pointed_lps_mm": (
            None if lesion.pointed_lps_mm is None else [_number(v) for v in lesion.pointed_lps_mm]
        ),
        **_place(numbers.get(lesion.id), files),
    }


def _place(number: int | None, files: Sequence[str]) -> dict[str, Any]:
    """Say where a mask is: its value in the label map and its number in the SEG."""
    if number is None:
        return {"file": None, "label_value": None, "segment_number": None}
    return {
        "file": _LABELS_FILE if _LABELS_FILE in files else None,
        "label_value": number,
        "segment_number": number,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
