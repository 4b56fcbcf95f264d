"""Measure a pack on splits and scans, and advise a threshold from the validation split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inference.manifest import read_manifest
from inference.runtime.backend import backend_for
from inference.runtime.engine import Engine
from inference.runtime.load import load_nets
from inference.training.data import VALIDATION_LUNGS, load_crops, load_lungs
from inference.training.evaluate import advised_threshold, run_crops, summary
from inference.training.fit import report
from inference.training.scans import as_volume, measure_scan, read_study

LABELLED = ("LIDC-IDRI-0001",)
UNLABELLED = ("LungFCP-01-0001",)


def measure_pack(data: Path, folder: Path, splits: Sequence[str], scans: bool) -> dict[str, Any]:
    """Return every figure of the card.

    Parameters
    ----------
    data
        Folder with ``lidc-nodules``, ``lungs-unlabelled`` and ``studies``.
    folder
        The pack.
    splits
        Of ``data.SPLITS``.
    scans
        Whether to run whole scans too.
    """
    pack = read_manifest(folder)
    nets = load_nets(pack)
    engine = Engine(backend_for(nets, "cpu"))
    out: dict[str, Any] = {
        "model": {"id": pack.id, "version": pack.version, "sha256": pack.weights.sha256},
        "threshold": pack.threshold,
        "crops": {},
        "scans": {},
    }
    crops = load_crops(data / "lidc-nodules") if splits else None
    for split in splits:
        assert crops is not None

        def tell(done: int, total: int, split: str = split) -> None:
            if done % 20 == 0 or done == total:
                report(f"{split}: {done} of {total} crops")

        results, calibration = run_crops(
            engine, crops, crops.of(split), pack.detections.floor or 0.0, tell
        )
        out["crops"][split] = summary(results, pack.threshold)
        out["crops"][split]["calibration"] = calibration.table()
        if split == "validation":
            out["crops"][split]["advised_threshold"] = advised_threshold(results)
    if scans:
        studies = data / "studies"
        for name in (*LABELLED, *UNLABELLED):
            report(f"scan: {name}")
            truth = studies / f"{name}.truth.json" if name in LABELLED else None
            volume = read_study(studies / f"{name}.tar.xz")
            out["scans"][name] = measure_scan(volume, pack, nets, truth)
        for scan in load_lungs(data / "lungs-unlabelled"):
            report(f"scan: {scan.name}")
            out["scans"][scan.name] = measure_scan(as_volume(scan), pack, nets)
            out["scans"][scan.name]["seen_in_training"] = scan.name not in VALIDATION_LUNGS
    return out
