"""What an export says of itself when it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from viewer.export.formats import Format, LeftOut


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file of an export: its name in the folder, its size, its SHA-256 in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FileCheck:
    """How one file was read again before the folder got its name, and found equal.

    Attributes
    ----------
    name
        Of the file.
    reader
        Who read it, with its version.
    compared
        What was compared with the case, English.
    """

    name: str
    reader: str
    compared: tuple[str, ...]


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
    checks
        Of every file but the JSON ones, which their hashes stand for.
    left_out
        Formats that were asked for and gave no file, each with the reason.
    """

    folder: Path
    files: tuple[ExportedFile, ...]
    segments: int
    reviewed: bool
    seconds: dict[str, float] = field(default_factory=dict)
    checks: tuple[FileCheck, ...] = ()
    left_out: tuple[tuple[Format, LeftOut], ...] = ()

    @property
    def bytes(self) -> int:
        """Size of all files but the manifest."""
        return sum(file.bytes for file in self.files)
