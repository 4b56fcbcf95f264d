"""Saving a table where a person asked for it: whole, or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

from resources.problem import Problem
from resources.text import translate


def save_text(file: Path, text: str) -> Problem | None:
    """Write a text file in the place of one that may be there; return what hindered it."""
    part = file.with_name(f"{file.name}.part")
    try:
        # With its mark, so that spreadsheets read it as UTF-8.
        part.write_text(text, encoding="utf-8-sig", newline="")
        part.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        return Problem(
            translate("audit", "The table could not be saved there."),
            translate("audit", "Choose another folder."),
            repr(error),
        )
    return None
