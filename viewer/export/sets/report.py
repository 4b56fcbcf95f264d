"""What growing a training set says of itself when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viewer.export.sets.folder import Design
from viewer.export.sets.formats import WhyNot


@dataclass(frozen=True, slots=True)
class SetReport:
    """What was added.

    Attributes
    ----------
    folder
        Of the set.
    version
        That was added; None when no case had anything new.
    design
        Of the set; None where there is none yet.
    added
        What ``case_files.write_case`` tells of each case that is new or was corrected.
    items
        Number of cases in the version.
    left_out
        Cases that added nothing, by the reason.
    counts
        As the manifest has them.
    checks
        How each file was read again.
    bytes
        Size of all files but the manifest.
    seconds
        Wall time.
    latest
        Without a version: the one that is there.
    """

    folder: Path
    version: int | None
    design: Design | None
    added: tuple[Mapping[str, Any], ...]
    items: int
    left_out: Mapping[WhyNot, int]
    counts: Mapping[str, Any]
    checks: tuple[Mapping[str, Any], ...]
    bytes: int
    seconds: float
    latest: int | None = None
