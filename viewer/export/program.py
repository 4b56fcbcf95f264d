"""Who wrote the files."""

from __future__ import annotations

from functools import cache
from importlib import metadata

RESEARCH_USE = "Research use, not for diagnosis."


@cache
def version() -> str:
    """Return the version of this program; ``"0"`` when it runs from a bare checkout."""
    try:
        return metadata.version("overread")
    except metadata.PackageNotFoundError:
        return "0"
