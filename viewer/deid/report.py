"""What was removed, kept and why: of a whole folder, and without a word of what was in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from resources import VERSION
from viewer.deid.check import Found
from viewer.deid.dataset import METHOD, Record, name_of
from viewer.deid.options import Options
from viewer.deid.pixels import Doubt

FORMAT = "overread-deidentification"

LeftOut = Literal[
    "not-dicom",
    "directory",
    "damaged",
    "deflated",
    "pixels-not-seen",
    "cannot-black-out",
    "report",
    "document",
    "copy",
    "check-failed",
]
"""Why a file is not among those that leave. ``report``: structured content goes only with its
option; ``document``: a PDF or its like, into which nobody can look."""


@dataclass(slots=True)
class Report:
    """What happened to a folder.

    Attributes
    ----------
    folder
        Where the files lie.
    options
        What was to be kept.
    files
        How many were written.
    patients, series
        New identifiers of both.
    left_out
        Why, and which files: for the person who asked, not for who gets the folder.
    doubts
        Of the written files those in which a person looked for text, by the reason.
    faces
        New UIDs of series of which the face can be made visible.
    boxed
        Files with parts blacked out.
    entries
        What befell elements, and in how many files.
    found
        What the check found in files that were therefore left out.
    headers_only
        Whether no file was copied: values of headers went into objects made anew.
    """

    folder: Path
    options: Options
    files: int = 0
    patients: set[str] = field(default_factory=set)
    series: set[str] = field(default_factory=set)
    left_out: list[tuple[Path, LeftOut]] = field(default_factory=list, repr=False)
    doubts: Counter[Doubt] = field(default_factory=Counter)
    faces: set[str] = field(default_factory=set)
    boxed: int = 0
    entries: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    found: Counter[Found] = field(default_factory=Counter)
    headers_only: bool = False

    @classmethod
    def of_headers(cls, options: Options) -> Report:
        """Return a report of a case whose objects take over headers and no file itself."""
        return cls(Path(), options, headers_only=True)

    def add(self, record: Record) -> None:
        """Count what befell one file."""
        self.entries.update(set(record.entries))

    def why_left_out(self) -> dict[LeftOut, int]:
        """Return how many files were left out, by the reason."""
        return dict(Counter(why for _, why in self.left_out).most_common())

    def document(self) -> dict[str, Any]:
        """Return the contents of ``deidentification.json``: no name, path, date or old UID."""
        boxes = sorted({(b.column, b.row, b.width, b.height) for b in self.options.boxes})
        return {
            "format": FORMAT,
            "format_version": 1,
            "program": {"name": "Overread", "version": VERSION},
            "method": METHOD,
            "options": sorted(self.options.keep),
            "codes": [list(one) for one in self.options.codes(pixels=bool(self.doubts))],
            "files": self.files,
            "patients": sorted(self.patients),
            "series": sorted(self.series),
            "left_out": self.why_left_out(),
            "pixels": {
                "seen_by_a_person": self.options.pixels_seen or bool(self.options.seen),
                "needed_a_person": {why: n for why, n in sorted(self.doubts.items()) if why},
                "boxes_column_row_width_height_px": [list(box) for box in boxes],
                "files_with_boxes": self.boxed,
            },
            "warnings": [{"kind": "face", "series": uid} for uid in sorted(self.faces)],
            "attributes": [
                {"tag": tag, "name": name_of(tag), "action": action, "why": why, "files": count}
                for (tag, action, why), count in sorted(self.entries.items())
            ],
            **self._check(),
        }

    def _check(self) -> dict[str, Any]:
        if self.headers_only:
            return {"of": "headers of the images, from which the objects beside were written"}
        found = {str(what): n for what, n in sorted(self.found.items())}
        return {
            "check": {
                "reader": "each file read again: words, UIDs, private elements",
                "files": self.files,
                "found_and_left_out": found,
            }
        }
