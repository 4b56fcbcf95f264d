"""What an export says of itself when it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file of an export: its name in the folder, its size, its SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote.

    Attributes
    ----------
    folder
        Where it lies now.
    files
        Every file but the manifest, which lists them.
    segments
        Number of masks in the SEG and the label map.
    reviewed
        Whether a person gave every verdict.
    seconds
        Wall time per stage.
    """

    folder: Path
    files: tuple[ExportedFile, ...]
    segments: int
    reviewed: bool
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Size of all files but the manifest."""
        return sum(file.bytes for file in self.files)
