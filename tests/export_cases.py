"""Cases to export: a small phantom on disk, read by the program, with made-up masks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from inference.findings import Detection, Findings, Heatmap, Mask, ModelStamp, Segment
from inference.measure import measure
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
