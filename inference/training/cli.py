"""Arguments of ``python -m inference.training``, which ``overread train`` runs as a child."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError

from inference.background import Telling, step_back
from inference.registry import pack_of
from inference.training import card, fit, pack
from inference.training.data import load_crops
from inference.training.recipe import FILE, read_recipe
from inference.training.retrain import STEPS, Plan, retrain
from resources.problem import Problem

_DONE, _FAILED, _STOPPED = 0, 2, 130


def report(text: str) -> None:
    """Show progress of the training on stderr."""
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inference.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("lung-nodule", help="train the model, resuming what is in --out")
    one.add_argument("--data", type=Path, required=True, help="folder with lidc-nodules")
    one.add_argument("--out", type=Path, required=True, help="folder of checkpoints and the pack")
    one.add_argument("--config", type=Path, help="recipe as JSON; default: the program's own")
    one.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    one.add_argument("--threads", type=int, help="of the CPU; default: one a core")
    one.set_defaults(run=_train)
    one = commands.add_parser("pack", help="write a model pack from checkpoints")
    one.add_argument("--data", type=Path, required=True, help="folder with lidc-nodules")
    one.add_argument("--run", type=Path, required=True, help="folder of checkpoints", dest="of")
    one.add_argument("--pack", type=Path, required=True, help="folder of the model pack")
    one.add_argument("--config", type=Path, help="recipe; default: that of the run")
    one.add_argument("--threshold", type=float, help="default: of calibration.json in the run")
    one.add_argument("--floor", type=float, help="default: of calibration.json in the run")
    one.set_defaults(run=_pack)
    one = commands.add_parser("retrain", help="fine-tune a model on corrections")
    one.add_argument("--data", type=Path, required=True, help="folder of the corrected crops")
    one.add_argument("--base", required=True, help="name of a model, or folder of its pack")
    one.add_argument("--out", type=Path, required=True, help="folder of checkpoints and the pack")
    one.add_argument("--steps", type=int, default=STEPS, help="of the optimiser")
    one.add_argument("--minutes", type=float, default=0.0, help="limit; 0, the default, for none")
    one.add_argument("--version", default="", help="of the pack; default: the base's and one")
    one.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    one.add_argument("--threads", type=int, help="of the CPU; default: one a core")
    one.add_argument("--behind", action="store_true", help=argparse.SUPPRESS)  # of a window
    one.set_defaults(run=_retrain)
    one = commands.add_parser("card", help="write the model card of a pack from its figures")
    one.add_argument("--pack", type=Path, required=True, help="folder of the model pack")
    one.add_argument(
        "--crops", type=Path, action="append", default=[], help="of overread evaluate lidc-nodules"
    )
    one.add_argument(
        "--scan",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "JSON"),
        help="of overread evaluate scan, with the name of the scan",
    )
    one.add_argument(
        "--lungs", type=Path, help="of python -m inference.evaluation lungs-unlabelled"
    )
    one.set_defaults(run=_card)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except Problem as problem:
        report(str(problem))
        return _FAILED
    except SafetensorError:
        report("A checkpoint is damaged. Remove it from the folder; its stage begins anew.")
        return _FAILED
    except torch.OutOfMemoryError:
        report("The GPU has too little memory. Choose smaller batches in the recipe, cuda.")
        return _FAILED
    except KeyboardInterrupt:
        report("Stopped. The same command goes on from the last checkpoint.")
        return _STOPPED
    return _DONE


def device_of(name: str) -> torch.device:
    """Return the device of a name; ``auto`` takes a GPU when there is one.

    Raises
    ------
    Problem
        When there is no such device here.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    known = ["cpu", *(["cuda"] if count else []), *(f"cuda:{n}" for n in range(count))]
    if name == "auto":
        name = "cuda:0" if count else "cpu"
    if name not in known:
        raise Problem(
            f"There is no device {name} here.", f"Choose one of auto, {', '.join(known)}."
        )
    return torch.device("cuda:0" if name == "cuda" else name)


def _device(options: argparse.Namespace) -> torch.device:
    device = device_of(options.device)
    if options.threads is not None:
        if not 1 <= options.threads <= 1024:
            raise Problem(f"{options.threads} threads cannot be.", "Choose 1 or more.")
        torch.set_num_threads(options.threads)
    return device


def _retrain(options: argparse.Namespace) -> None:
    tell = Telling() if options.behind else None
    if tell is not None:
        step_back()
        tell.at_most_s = 60 * options.minutes or None
    device = _device(options)
    plan = Plan(steps=options.steps, version=options.version, minutes=options.minutes)
    retrain(
        options.data,
        pack_of(options.base),
        options.out,
        plan,
        device,
        report,
        tell or (lambda stage, done, total: None),
    )


def _train(options: argparse.Namespace) -> None:
    device = _device(options)
    recipe = read_recipe(options.config, cuda=device.type == "cuda")
    fit.Run(options.data, options.out, recipe, device, report).run()


def _pack(options: argparse.Namespace) -> None:
    recipe = read_recipe(options.config or options.of / FILE)
    kept = options.of / fit.CALIBRATION
    calibration = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for name in ("threshold", "floor"):
        given = getattr(options, name)
        if given is not None:
            calibration[name] = given
        if name not in calibration:
            raise Problem(f"No {name} is known.", f"Name it by --{name}.")
    crops = load_crops(options.data / "lidc-nodules")
    pack.write_pack(options.of, options.pack, recipe, calibration, fit.counted(crops))


def _card(options: argparse.Namespace) -> None:
    if options.crops or options.scan or options.lungs:
        scans = {name: Path(file) for name, file in options.scan}
        card.collect(options.pack, options.crops, scans, options.lungs)
    card.write_card(options.pack)
