"""Cases to export: a small phantom on disk, read by the program, with made-up masks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from inference import geometry
from inference.findings import (
    Detection,
    Findings,
    Heatmap,
    Impression,
    Mask,
    ModelStamp,
    Segment,
)
from inference.measure import measure
from viewer.annotate.key_images import KeyImage
from viewer.annotate.measurements import Measurement, Value
from viewer.export.snapshot import CaseSnapshot, LesionSnapshot, snapshot_of_findings
from viewer.phantom.anatomy import Phantom, PhantomSpec, make_phantom
from viewer.phantom.dicom import write_series
from viewer.study import order, read, scan

STAMP = ModelStamp("made-up-for-tests", "0.0.1", "ab" * 32)


@cache
def phantom(rotation=(0.0, 0.0, 0.0)) -> Phantom:
    return make_phantom(
        PhantomSpec.small(
            shape_kji=(14, 60, 52),
            spacing_kji_mm=(19.0, 5.8, 6.4),
            rotation_deg=rotation,
            twigs=20,
        )
    )


def on_disk(folder: Path, rotation=(0.0, 0.0, 0.0), file_order="shuffled"):
    """Write the phantom and open it as the program does."""
    write_series(phantom(rotation), folder, order=file_order)
    result = scan.scan([folder])
    plan = order.order(result.series[0])
    return plan, read.read(plan)


def blob(shape, centre_kji, radius) -> Mask:
    grid = np.indices(shape).astype(float)
    away = [(g - c) / r for g, c, r in zip(grid, centre_kji, radius, strict=True)]
    array = sum(a * a for a in away) <= 1
    # Not symmetric: a flip along any axis must show.
    k, j, i = (int(c) for c in centre_kji)
    array[k, j, i + 1 :] = False
    array[k + 1 :, j, i] = False
    return Mask.from_array(array)


def findings_for(volume, lungs=None) -> Findings:
    """Two detections above the threshold that overlap a lung, one below it, a heatmap."""
    shape = volume.shape_kji
    masks = [
        blob(shape, (5, 20, 14), (2, 4, 3)),
        blob(shape, (9, 30, 36), (1.5, 3, 5)),
        blob(shape, (3, 40, 30), (1, 2, 2)),
    ]
    detections = []
    for number, (mask, score) in enumerate(zip(masks, (0.9, 0.7, 0.2), strict=True), start=1):
        m = measure(mask, volume.affine, volume.voxels)
        detections.append(
            Detection(
                f"d{number}",
                "nodule",
                score,
                m.centre_lps_mm,
                m.diameter_mm,
                m.short_axis_mm,
                m.volume_ml,
                m.mean_value,
                mask,
            )
        )
    if lungs is None:
        lungs = np.zeros(shape, dtype=np.uint8)
        lungs[2:12, 10:50, 6:22] = 1
        lungs[2:11, 10:50, 30:46] = 2
    segments = []
    for number, label in ((1, "lung_right"), (2, "lung_left")):
        mask = Mask.from_array(lungs == number)
        segments.append(Segment(f"s{number}", label, mask.count / 1000, mask))
    values = np.random.default_rng(0).integers(0, 256, (6, 20, 30)).astype(np.uint8)
    return Findings(
        STAMP,
        "CPU",
        tuple(detections),
        tuple(segments),
        Heatmap((3, 15, 10), values, "nodule"),
        0.5,
        {"load": 0.1, "find": 1.5},
    )


def ai_case(folder: Path, rotation=(0.0, 0.0, 0.0), file_order="shuffled") -> CaseSnapshot:
    """A case as a headless run leaves it: nobody has reviewed it."""
    plan, volume = on_disk(folder, rotation, file_order)
    lungs = phantom(rotation).lungs if rotation == (0.0, 0.0, 0.0) else None
    return snapshot_of_findings(plan, volume, findings_for(volume, lungs), seconds={"read": 0.5})


def reviewed_case(folder: Path) -> CaseSnapshot:
    """The same, reviewed: one rejected, one corrected and accepted, one drawn, one without mask."""
    case = ai_case(folder)
    first, second = case.lesions
    drawn = blob(case.volume.shape_kji, (8, 14, 40), (1, 3, 3))
    m = measure(drawn, case.volume.affine, case.volume.voxels)
    when = "2026-11-21T07:31:05.123Z"
    return replace(
        case,
        lesions=(
            replace(first, verdict="rejected", reader="Reader One", verdict_utc=when),
            replace(
                second,
                verdict="accepted",
                origin="ai-edited",
                reader="Reader One",
                verdict_utc=when,
            ),
            LesionSnapshot(
                "h1", 3, "nodule", "human", None, drawn, m, reader="Reader One", changed_utc=when
            ),
            LesionSnapshot(
                "h2",
                4,
                "nodule",
                "human",
                "unsure",
                Mask.from_array(np.zeros((1, 1, 1), bool)),
                None,
                centre_lps_mm=(10.0, -20.0, 30.5),
            ),
        ),
        reader="Reader One",
        edits={"paint": 3, "verdict": 2},
    )


def measured(kind, points_kji, volume, number, *values, **more) -> Measurement:
    """A reader's measurement in slice ``points_kji[0][0]`` of the phantom."""
    normal = volume.affine[:3, 0] / np.linalg.norm(volume.affine[:3, 0])
    return Measurement(
        kind=kind,
        number=number,
        points_lps_mm=tuple(tuple(p) for p in geometry.kji_to_lps_mm(volume.affine, points_kji)),
        normal_lps=tuple(normal),
        slice_mm=float(np.linalg.norm(volume.affine[:3, 0])),
        k=points_kji[0][0],
        values=tuple(Value(*value) for value in values),
        reader="Reader Two",
        utc="2026-11-21T08:00:00.000Z",
        **more,
    )


def whole_case(folder: Path, rotation=(0.0, 0.0, 0.0)) -> CaseSnapshot:
    """A reviewed case that every format has something of: holes, measurements, key images."""
    case = reviewed_case(folder) if rotation == (0.0, 0.0, 0.0) else ai_case(folder, rotation)
    volume, shape = case.volume, case.volume.shape_kji
    ring = np.zeros(shape, dtype=bool)
    ring[7:10, 40:52, 20:34] = True
    ring[8, 43:48, 23:27] = ring[8, 44:50, 29:32] = ring[8, 50, 21] = False
    mask = Mask.from_array(ring)
    drawn = LesionSnapshot(
        "h9", 9, "nodule", "human", "accepted", mask, measure(mask, volume.affine, volume.voxels),
        reader="Reader Two", verdict_utc="2026-11-21T07:31:05.123Z", texture="part-solid",
        malignancy=4,
    )  # fmt: skip
    said = Impression(malignancy=3.4, texture=2.1)
    judged = [
        replace(
            lesion,
            verdict=lesion.verdict or "accepted",
            reader="Reader One",
            verdict_utc="2026-11-21T07:31:05.123Z",
            uncertainty=0.25,
            impression=said,
            reason="vessel" if lesion.verdict == "rejected" else "",
        )
        for lesion in case.lesions
    ]
    measurements = (
        measured("distance", [(5, 10, 10), (5, 20, 18)], volume, 1, ("length", 77.6, "mm")),
        measured(
            "bidirectional", [(5, 10, 10), (5, 10, 30), (5, 4, 20), (5, 16, 20)], volume, 2,
            ("long_axis", 128.0, "mm"), ("short_axis", 69.6, "mm"), lesion_id="d2",
        ),
        measured(
            "angle", [(6, 10, 10), (6, 20, 10), (6, 20, 30)], volume, 3, ("angle", 90.0, "deg"),
        ),
        measured(
            "ellipse", [(6, 10, 20), (6, 20, 20), (6, 15, 10), (6, 15, 30)], volume, 4,
            ("area", 5830.0, "mm2"), ("mean", -500.25, "HU"), ("sd", 3.5, "HU"),
            ("n_voxels", 157.0, "voxels"),
        ),
        measured(
            "polygon", [(7, 10, 20), (7, 20, 22), (7, 18, 30)], volume, 5,
            ("min", -900.0, ""), ("max", 3.0, ""),
        ),
    )  # fmt: skip
    spread = np.random.default_rng(2).integers(0, 256, (5, 18, 25)).astype(np.uint8)
    findings = replace(case.findings, uncertainty=Heatmap((4, 16, 12), spread, "uncertainty"))
    marks = [("axial", 5, 5), ("coronal", 30, 8), ("axial", 8, 8)]
    return replace(
        case,
        findings=findings,
        lesions=(*judged, drawn),
        reader="Reader One",
        measurements=tuple((f"m{one.number}", one) for one in measurements),
        key_images=tuple(
            KeyImage(plane, index, k, (-500.0, 1500.0), "Reader One", "2026-11-21T08:01:00Z")
            for plane, index, k in marks
        ),
    )
