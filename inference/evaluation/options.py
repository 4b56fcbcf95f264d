"""The arguments of the evaluation, for the program and for the process that it starts."""

from __future__ import annotations

import argparse
from pathlib import Path

from resources.text import translate

CHOICES = ("unseen", "train", "validation", "test", "all")
DEVICES = ("auto", "cpu", "cuda")


def add_targets(parser: argparse.ArgumentParser, kind: type[argparse.ArgumentParser]) -> None:
    """Add both evaluations to the parser of the command; ``kind`` makes their parsers."""
    targets = parser.add_subparsers(dest="target", required=True, parser_class=kind)
    add_crops(
        targets.add_parser(
            "lidc-nodules", help=translate("evaluation", "measure on crops of outlined nodules")
        )
    )
    add_scan(targets.add_parser("scan", help=translate("evaluation", "measure on a whole scan")))


def add_scan(parser: argparse.ArgumentParser) -> None:
    """Add what the evaluation on a whole scan takes."""
    parser.add_argument(
        "path", nargs="+", type=Path, help=translate("evaluation", "folder or file to read")
    )
    parser.add_argument(
        "--truth",
        type=Path,
        help=translate("evaluation", "JSON with the contours of the readers"),
    )
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", type=Path, required=True, help=translate("evaluation", "file for the figures")
    )
    parser.add_argument("--model", help=translate("evaluation", "name of the model"))
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="auto",
        help=translate("evaluation", "where the model runs; auto takes a GPU when there is one"),
    )


def add_crops(parser: argparse.ArgumentParser) -> None:
    """Add what the evaluation on crops takes."""
    parser.add_argument(
        "folder", type=Path, help=translate("evaluation", "folder in the format of lidc-nodules")
    )
    _add_common(parser)
    parser.add_argument(
        "--predictions",
        type=Path,
        help=translate(
            "evaluation",
            "NPZ with masks (all slices, 128, 128) and scores (one a nodule) to measure, in "
            "place of running a model",
        ),
    )
    parser.add_argument(
        "--split",
        choices=CHOICES,
        help=translate(
            "evaluation",
            "patients to measure; unseen are those that the model was not trained on and is "
            "the default, with --predictions of another model the default is all",
        ),
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="NPZ",
        help=translate("evaluation", "keep what the model said, to be given as --predictions"),
    )


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add what the comparison of two models takes."""
    one = translate(
        "evaluation", "folder of a model pack, name of a model, or NPZ of evaluate --save"
    )
    parser.add_argument("--old", required=True, help=one)
    parser.add_argument("--new", required=True, help=one)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help=translate("evaluation", "folder in the format of lidc-nodules"),
    )
    parser.add_argument(
        "--json", type=Path, required=True, help=translate("evaluation", "file for the figures")
    )
    parser.add_argument(
        "--svg",
        type=Path,
        help=translate("evaluation", "file for the outlines that changed most, without pixels"),
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        help=translate(
            "evaluation", "folder for pictures of what changed most, which hold patient data"
        ),
    )
    parser.add_argument("--behind", action="store_true", help=argparse.SUPPRESS)  # of a window
    parser.add_argument(
        "--split",
        choices=CHOICES,
        default="unseen",
        help=translate("evaluation", "patients to measure, of those that neither model has seen"),
    )
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="auto",
        help=translate("evaluation", "where the model runs; auto takes a GPU when there is one"),
    )


def compare_arguments(options: argparse.Namespace) -> list[str]:
    """Return the arguments again, as the process takes them."""
    out = ["--data", str(options.data.resolve()), "--json", str(options.json.resolve())]
    for name in ("old", "new"):
        # A name of a model is no path, unless a folder or file of that name lies here.
        text = getattr(options, name)
        out += [f"--{name}", str(Path(text).resolve()) if Path(text).exists() else text]
    for name in ("svg", "pictures"):
        if (path := getattr(options, name)) is not None:
            out += [f"--{name}", str(path.resolve())]
    return [*out, "--split", options.split, "--device", options.device]


def crops_arguments(options: argparse.Namespace) -> list[str]:
    """Return the arguments again, as the process takes them."""
    out = [str(options.folder.resolve()), "--json", str(options.json.resolve())]
    for name in ("predictions", "save"):
        if (path := getattr(options, name)) is not None:
            out += [f"--{name}", str(path.resolve())]
    for name in ("split", "model", "device"):
        if (value := getattr(options, name)) is not None:
            out += [f"--{name}", value]
    return out
