"""Arguments of ``python -m inference.training``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from inference.training import fit

_HEATMAP_SHARE = 0.78


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inference.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("fit", help="train both nets, resuming what is in --out")
    one.add_argument("--data", type=Path, required=True, help="folder with lidc-nodules")
    one.add_argument("--out", type=Path, required=True, help="folder of checkpoints")
    one.add_argument("--minutes", type=float, required=True, help="wall time of all stages")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--threads", type=int, default=2)
    one.add_argument("--stage", choices=("all", "heatmap", "rescorer"), default="all")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    minutes = {
        "heatmap": options.minutes * _HEATMAP_SHARE,
        "rescorer": options.minutes * (1 - _HEATMAP_SHARE),
    }
    for stage, share in minutes.items():
        if options.stage in ("all", stage):
            fit.fit(stage, options.data, options.out, share, options.seed)
    return 0
