"""What ``overread export`` takes: apart, as it is imported for every command."""

from __future__ import annotations

import argparse
from pathlib import Path

from resources.text import translate
from viewer.cli.deidentify_options import add_how
from viewer.export.formats import FORMATS, USUAL, Format
from viewer.export.sets.formats import SET_FORMATS, TEST_PERCENT, SetFormat

_ALL, _TRAINING = "all", "training"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "case",
        nargs="+",
        metavar="CASE",
        help=translate("cli", "folder or file of a study, or key of a case in the worklist"),
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        help=translate(
            "cli", "folder; each case gets a folder of its own in it; of a training set its own"
        ),
    )
    parser.add_argument(
        "--format",
        action="append",
        type=_formats,
        metavar="NAME[,NAME…]",
        help=translate(
            "cli",
            "what to write: {names}, or {all}; without it {usual}; or of all cases a training "
            "set: {sets}, or {training}",
        ).format(
            names=", ".join(FORMATS),
            all=_ALL,
            usual=", ".join(USUAL),
            sets=", ".join(SET_FORMATS),
            training=_TRAINING,
        ),
    )
    parser.add_argument(
        "--test-share",
        type=int,
        metavar="PERCENT",
        help=translate(
            "cli",
            "of a new training set: patients kept for the test, {percent} by default",
        ).format(percent=TEST_PERCENT),
    )
    parser.add_argument(
        "--with-identity",
        action="store_true",
        help=translate("cli", "name the patient as the images do; else identity is taken out"),
    )
    # As it was called while identity stayed unless somebody asked.
    parser.add_argument("--deidentify", action="store_true", help=argparse.SUPPRESS)
    add_how(parser)


def _formats(text: str) -> tuple[Format | SetFormat, ...]:
    named = [word.strip() for word in text.split(",")]
    known = (*FORMATS, _ALL, *SET_FORMATS, _TRAINING)
    unknown = [word for word in named if word not in known]
    if unknown:
        raise argparse.ArgumentTypeError(
            translate("cli", "{name} is no format; there are {names}").format(
                name=unknown[0] or "“”", names=", ".join(known)
            )
        )
    files = (one for one in FORMATS if _ALL in named or one in named)
    sets = (one for one in SET_FORMATS if _TRAINING in named or one in named)
    return (*files, *sets)
