"""What may stay in a de-identified data set, and how the data set says so (PS3.15 E.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Keep = Literal["dates", "device", "characteristics", "uids", "descriptions", "structure"]
KEEP: tuple[Keep, ...] = get_args(Keep)
"""Dates shifted by one number of days a patient; identity of the device; age, sex, size and the
like; UIDs; of descriptions the words that are known to be harmless; the content of reports."""

Code = tuple[str, str]

_BASIC: Code = ("113100", "Basic Application Confidentiality Profile")
_PIXELS: Code = ("113101", "Clean Pixel Data Option")
_CODES: dict[Keep, Code] = {
    "dates": (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    "device": ("113109", "Retain Device Identity Option"),
    "characteristics": ("113108", "Retain Patient Characteristics Option"),
    "uids": ("113110", "Retain UIDs Option"),
    "descriptions": ("113105", "Clean Descriptors Option"),
    "structure": ("113104", "Clean Structured Content Option"),
}

MEANINGS = (_BASIC[1], _PIXELS[1], *(meaning for _, meaning in _CODES.values()))
"""Code meanings that a data set may be given."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of an image to be blacked out: its first column and row, counted from 0, px."""

    column: int
    row: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.column, self.row) < 0 or min(self.width, self.height) < 1:
            raise ValueError("not a box")


@dataclass(frozen=True, slots=True)
class Options:
    """What to keep, and what a person has done about the pixels.

    Attributes
    ----------
    keep
        Of ``KEEP``; all else goes as the Basic Profile has it.
    pixels_seen
        A person looked at all images and vouches that, outside of the boxes, no text in them
        tells who the patient is.
    boxes
        Blacked out in every image.
    """

    keep: frozenset[Keep] = frozenset()
    pixels_seen: bool = False
    boxes: tuple[Box, ...] = ()

    def codes(self, *, pixels: bool) -> tuple[Code, ...]:
        """Return values and meanings of DCM codes for (0012,0064) (PS3.16 CID 7050).

        ``pixels``: whether a person's word on burned-in text stands behind this image.
        """
        kept = tuple(_CODES[one] for one in KEEP if one in self.keep)
        return (_BASIC, *((_PIXELS,) if pixels else ()), *kept)


def options(
    keep: Iterable[str], *, pixels_seen: bool = False, boxes: Iterable[Box] = ()
) -> Options:
    """Return options by names.

    Raises
    ------
    ValueError
        When one is not known.
    """
    names = set(keep)
    if names - set(KEEP):
        raise ValueError("not an option that is known")
    return Options(frozenset(one for one in KEEP if one in names), pixels_seen, tuple(boxes))
