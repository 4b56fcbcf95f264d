"""Lungs without labels: how many findings the model shows in each, an upper bound of the false."""

from __future__ import annotations

import csv
import tarfile
import time
from pathlib import Path
from typing import Any

from inference.evaluation.folder import BROKEN, malformed
from inference.evaluation.scan import figures
from inference.geometry import axial_affine
from inference.manifest import ModelPack
from inference.registry import eligibility
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate


def measure_lungs(path: Path, pack: ModelPack, device: str) -> dict[str, Any]:
    """Analyze every scan of a folder in the format of ``lungs-unlabelled``.

    Parameters
    ----------
    path
        The folder: scans that were cut to their lungs and stored in 8 bits.
    pack
        The model.
    device
        Id of one of ``load.devices``.

    Returns
    -------
    dict
        The figures of ``scan.figures`` by the name of each scan.

    Raises
    ------
    Problem
        When a file is missing or malformed.
    """
    from inference.runtime.engine import Engine
    from inference.runtime.load import load_nets
    from inference.runtime.pipeline import NoLungs, analyze
    from inference.training.data import VALIDATION_LUNGS, load_lungs

    try:
        scans = load_lungs(path)
    except (OSError, tarfile.TarError, csv.Error, *BROKEN) as error:
        fault = translate("evaluation", "its slices cannot be read")
        raise malformed(path, "index.csv", fault) from error
    nets = load_nets(pack)
    out: dict[str, Any] = {}
    for scan in scans:
        affine = axial_affine(scan.pixel_mm, scan.gap_mm)
        volume = Volume(scan.hu, affine, pack.input.modality, pack.input.unit)
        reasons = eligibility(pack, volume)
        if reasons:
            out[scan.name] = {"refused": list(reasons)}
            continue
        began = time.perf_counter()
        try:
            findings = analyze(
                volume, pack, lambda note: Engine.of(nets, device, note), lambda step: None
            )
        except NoLungs:
            out[scan.name] = {
                "refused": [translate("model", "No lungs were found in this series.")]
            }
            continue
        seconds = {**findings.seconds, "all": time.perf_counter() - began}
        out[scan.name] = figures(volume, findings, None, seconds)
        out[scan.name]["trained_on"] = scan.name not in VALIDATION_LUNGS
    if not out:
        raise Problem(
            translate("evaluation", "There is no scan in {folder}.").format(folder=path),
            translate("evaluation", "Give a folder in the format of lungs-unlabelled."),
        )
    return out
