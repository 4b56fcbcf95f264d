"""Figures on whole scans: what is found, what is found wrongly, and how long it takes."""

from __future__ import annotations

import json
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from inference.findings import Findings
from inference.geometry import kji_to_lps_mm
from inference.manifest import ModelPack
from inference.protocol import Device
from inference.runtime.pipeline import analyze
from inference.training.data import Lungs
from inference.volume import Volume


def read_study(archive: Path) -> Volume:
    """Read one CT series out of a tar.xz by SimpleITK, which comes with the test extra."""
    import SimpleITK

    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
        files = sorted(Path(folder).rglob("*.dcm"))
        names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(files[0].parent))
        image = SimpleITK.ReadImage(names, SimpleITK.sitkInt16)
    affine = np.eye(4)
    steps = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, :3] = steps[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return Volume(SimpleITK.GetArrayFromImage(image), affine, "CT", "HU")


def as_volume(scan: Lungs) -> Volume:
    """Return unlabelled lungs as a volume; rows run to the back, columns to the left."""
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, :3] = np.fliplr(np.diag([scan.pixel_mm, scan.pixel_mm, scan.gap_mm]))
    return Volume(scan.hu, affine, "CT", "HU")


def measure_scan(
    volume: Volume, pack: ModelPack, nets: dict[str, nn.Module], truth: Path | None = None
) -> dict[str, Any]:
    """Analyze a volume on the CPU and count; with a truth file, judge its nodules."""
    began = time.perf_counter()
    findings = analyze(volume, pack, nets, Device("cpu", "CPU"), lambda _: None)
    shown = [d for d in findings.detections if d.score >= pack.threshold]
    out: dict[str, Any] = {
        "slices": volume.shape_kji[0],
        "seconds": {**findings.seconds, "all": round(time.perf_counter() - began, 1)},
        "lungs_ml": {s.label: round(s.volume_ml) for s in findings.segments},
        "listed": len(findings.detections),
        "above_threshold": len(shown),
        "detections": [
            {
                "score": d.score,
                "centre_lps_mm": [round(x, 1) for x in d.centre_lps_mm],
                "diameter_mm": round(d.diameter_mm, 1),
            }
            for d in shown
        ],
    }
    if truth is not None:
        out["nodules"] = [_nodule(one, findings, volume, pack) for one in _nodules(truth)]
        hits = {rank for one in out["nodules"] for rank in one["ranks"]}
        out["false_positives"] = len(shown) - len(hits)
    return out


def _nodules(truth: Path) -> list[dict[str, Any]]:
    nodules: list[dict[str, Any]] = json.loads(truth.read_text(encoding="utf-8"))["nodules"]
    return nodules


def _nodule(
    nodule: dict[str, Any], findings: Findings, volume: Volume, pack: ModelPack
) -> dict[str, Any]:
    """Find which detections have their centre in the extent that the readers gave."""
    centres = np.array([one["centre_lps_mm"] for one in nodule["annotations"]])
    extents = np.array([one["extent_mm"] for one in nodule["annotations"]])
    low, high = (centres - extents / 2).min(axis=0), (centres + extents / 2).max(axis=0)
    ranks, detected = [], []
    for rank, one in enumerate(findings.detections, start=1):
        centre = np.array(one.centre_lps_mm)
        if one.score >= pack.threshold and ((centre >= low) & (centre <= high)).all():
            ranks.append(rank)
            detected.append(one)
    out: dict[str, Any] = {"readers": nodule["readers"], "ranks": ranks}
    if detected:
        best = detected[0]
        places = kji_to_lps_mm(
            volume.affine, np.argwhere(best.mask.voxels) + np.array(best.mask.origin_kji)
        )
        out["score"] = best.score
        out["diameter_mm"] = round(best.diameter_mm, 1)
        out["extent_mm"] = [round(float(x), 1) for x in np.ptp(places, axis=0)]
        out["readers_extent_mm"] = [round(float(x), 1) for x in np.median(extents, axis=0)]
    return out
