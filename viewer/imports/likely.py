"""Whether files that somebody drops are outlines, by how they begin: no pixel is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from viewer.study import nearby, pydicom_header
from viewer.study.formats import format_of
from viewer.study.header import OtherObject

# As in ``seg``, ``sr`` and ``rtstruct``, which take a second to import.
CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.66.4",
        "1.2.840.10008.5.1.4.1.1.66.7",
        "1.2.840.10008.5.1.4.1.1.88.22",
        "1.2.840.10008.5.1.4.1.1.88.33",
        "1.2.840.10008.5.1.4.1.1.88.34",
        "1.2.840.10008.5.1.4.1.1.481.3",
    }
)
Answer = Literal["yes", "maybe", "no"]
YES: Answer = "yes"
MAYBE: Answer = "maybe"
NO: Answer = "no"
_START = 1024


def is_outline(other: OtherObject | None) -> bool:
    """Tell whether an object that is no image holds outlines or findings."""
    return other is not None and other.sop_class_uid in CLASSES


def are_outlines(paths: Sequence[Path]) -> Answer:
    """Return whether files are outlines: yes, as DICOM files say so, or maybe, as label maps."""
    answers = {_is_one(path) for path in paths}
    if YES in answers and answers <= {YES, MAYBE}:
        return YES
    return MAYBE if answers == {MAYBE} else NO


def _is_one(path: Path) -> Answer:
    try:
        if not path.is_file():
            return NO
        start = nearby.start_of(path, _START)
        if start[128:132] == b"DICM" or start[:1] == b"\x08":
            found = pydicom_header.elements(path, [0x00080016])
            return YES if str(found.get("SOPClassUID", "")) in CLASSES else NO
        return MAYBE if format_of(start) in ("nifti", "nrrd", "metaimage") else NO
    except Exception:
        return NO  # whoever opens it will say what it is
