"""Arguments of ``python -m inference.training``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from inference.training import evaluate, figures, fit, pack

_HEATMAP_SHARE = 0.78


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inference.training", description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("fit", help="train both nets, resuming what is in --out")
    one.add_argument("--data", type=Path, required=True, help="folder with lidc-nodules")
    one.add_argument("--out", type=Path, required=True, help="folder of checkpoints")
    one.add_argument("--minutes", type=float, required=True, help="wall time of all stages")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--stage", choices=("all", "heatmap", "rescorer"), default="all")
    one = commands.add_parser("pack", help="write a model pack from checkpoints")
    one.add_argument("--run", type=Path, required=True, help="folder of checkpoints")
    one.add_argument("--pack", type=Path, required=True, help="folder of the model pack")
    one.add_argument("--version", default="0.1.0")
    one.add_argument("--threshold", type=float, required=True)
    one.add_argument("--seed", type=int, default=0)
    one = commands.add_parser("evaluate", help="measure a pack; figures as JSON")
    one.add_argument("--data", type=Path, required=True)
    one.add_argument("--pack", type=Path, required=True)
    one.add_argument("--splits", nargs="*", default=["validation"], metavar="SPLIT")
    one.add_argument("--scans", action="store_true", help="also the whole scans")
    one.add_argument("--json", type=Path, required=True)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.command == "pack":
        pack.write_pack(options.run, options.pack, options.version, options.threshold, options.seed)
    elif options.command == "evaluate":
        found = figures.measure_pack(options.data, options.pack, options.splits, options.scans)
        evaluate.write(options.json, found)
    else:
        _fit(options)
    return 0


def _fit(options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    minutes = {
        "heatmap": options.minutes * _HEATMAP_SHARE,
        "rescorer": options.minutes * (1 - _HEATMAP_SHARE),
    }
    for stage, share in minutes.items():
        if options.stage in ("all", stage):
            fit.fit(stage, options.data, options.out, share, options.seed)
