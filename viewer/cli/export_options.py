"""What ``overread export`` takes: apart, as it is imported for every command."""

from __future__ import annotations

import argparse
from pathlib import Path

from resources.text import translate
from viewer.cli.deidentify_options import add_how
from viewer.export.formats import FORMATS, USUAL, Format

_ALL = "all"


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
        help=translate("cli", "folder; each case gets a folder of its own in it"),
    )
    parser.add_argument(
        "--format",
        action="append",
        type=_formats,
        metavar="NAME[,NAME…]",
        help=translate("cli", "what to write: {names}, or {all}; without it {usual}").format(
            names=", ".join(FORMATS), all=_ALL, usual=", ".join(USUAL)
        ),
    )
    parser.add_argument(
        "--with-identity",
        action="store_true",
        help=translate("cli", "name the patient as the images do; else identity is taken out"),
    )
    # As it was called while identity stayed unless somebody asked.
    parser.add_argument("--deidentify", action="store_true", help=argparse.SUPPRESS)
    add_how(parser)


def _formats(text: str) -> tuple[Format, ...]:
    named = [word.strip() for word in text.split(",")]
    unknown = [word for word in named if word not in (*FORMATS, _ALL)]
    if unknown:
        raise argparse.ArgumentTypeError(
            translate("cli", "{name} is no format; there are {names}").format(
                name=unknown[0] or "“”", names=", ".join((*FORMATS, _ALL))
            )
        )
    return tuple(one for one in FORMATS if _ALL in named or one in named)
