"""The options of ``overread deidentify``; imports nothing slow."""

from __future__ import annotations

import argparse
from pathlib import Path

from resources.text import translate
from viewer.deid.options import KEEP, Box


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them to the parser of the command."""
    parser.add_argument(
        "path", nargs="*", type=Path, help=translate("cli", "folder or file to copy from")
    )
    parser.add_argument(
        "--out", type=Path, help=translate("cli", "folder for the copies; new or empty")
    )
    add_how(parser)
    parser.add_argument(
        "--whose",
        metavar="PSEUDONYM",
        help=translate("cli", "print whose pseudonym it is, and do nothing else"),
    )


def add_how(parser: argparse.ArgumentParser) -> None:
    """Add what an export without identity takes too."""
    parser.add_argument(
        "--keep",
        nargs="+",
        choices=KEEP,
        default=[],
        help=translate("cli", "what may stay; dates are shifted by some days for each patient"),
    )
    parser.add_argument(
        "--pixels-seen",
        action="store_true",
        help=translate("cli", "I looked at all images: no text in them tells who it is"),
    )
    parser.add_argument(
        "--box",
        action="append",
        default=[],
        type=_box,
        metavar="COLUMN,ROW,WIDTH,HEIGHT",
        help=translate("cli", "black this part of every image out, in pixels; may be repeated"),
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help=translate("cli", "use pseudonyms that fit no other export, and keep none"),
    )


def _box(text: str) -> Box:
    try:
        column, row, width, height = (int(number) for number in text.split(","))
        return Box(column, row, width, height)
    except ValueError:
        raise argparse.ArgumentTypeError(
            translate("cli", "{text} is no COLUMN,ROW,WIDTH,HEIGHT").format(text=text)
        ) from None
