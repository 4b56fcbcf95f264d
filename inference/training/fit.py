"""One training run: load the data, train a stage."""

from __future__ import annotations

import sys
from pathlib import Path

from inference.training.batches import Batches
from inference.training.data import VALIDATION_LUNGS, load_crops, load_lungs
from inference.training.heatmap import fit_heatmap


def report(text: str) -> None:
    """Show progress of the training on stderr."""
    print(text, file=sys.stderr, flush=True)


def fit(stage: str, data: Path, out: Path, minutes: float, seed: int) -> None:
    """Train one stage for ``minutes`` in all; see ``heatmap`` and ``rescorer``."""
    report("loading the data")
    crops = load_crops(data / "lidc-nodules")
    scans = load_lungs(data / "lungs-unlabelled")
    lungs = tuple(scan for scan in scans if scan.name not in VALIDATION_LUNGS)
    if stage == "heatmap":
        fit_heatmap(Batches(crops, lungs), out, minutes, seed, report)
