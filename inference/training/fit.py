"""One training run: load the data, train a stage."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from inference.runtime.engine import Engine
from inference.training import heatmap, rescorer
from inference.training.batches import Batches
from inference.training.checkpoint import average
from inference.training.data import VALIDATION_LUNGS, load_crops, load_lungs
from inference.training.mine import mine


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
        heatmap.fit_heatmap(Batches(crops, lungs), out, minutes, seed, report)
        return
    engine = Engine(
        average(heatmap.new_net(), out / "heatmap.safetensors"),
        rescorer.new_net(),
        torch.device("cpu"),
    )

    def tell(done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            report(f"rescorer: candidates of {done} of {total} crops and scans")

    mined = mine(engine, crops, crops.of("train"), lungs, tell)
    report(
        f"rescorer: {len(mined.share)} candidates, {int((mined.share > 0).sum())} nodules, "
        f"{int((~mined.from_crop).sum())} of unlabelled lungs"
    )
    rescorer.fit_rescorer(mined, out, minutes, seed, report)
