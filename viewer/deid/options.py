"""What may stay in a de-identified data set, and how the data set says so (PS3.15 E.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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
    """A part of images to be blacked out.

    Attributes
    ----------
    column, row
        Its first, counted from 0, px.
    width, height
        In px, at least 1.
    series_uid, sop_uid
        Original UIDs of the series or image that it is in; empty: in every one.
    frame
        The one frame of the image that it is in, counted from 0; None: in every one.
    """

    column: int
    row: int
    width: int
    height: int
    series_uid: str = field(default="", repr=False)
    sop_uid: str = field(default="", repr=False)
    frame: int | None = None

    def __post_init__(self) -> None:
        if min(self.column, self.row) < 0 or min(self.width, self.height) < 1:
            raise ValueError("not a box")

    def is_in(self, series_uid: str, sop_uid: str, frame: int | None = None) -> bool:
        """Return whether it blackens a frame; without one, any frame of the image."""
        return (
            self.series_uid in ("", series_uid)
            and self.sop_uid in ("", sop_uid)
            and (self.frame is None or frame is None or self.frame == frame)
        )


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
        Blacked out in the images that they are in.
    seen
        Original UIDs of the series that a person vouches for where he did not for all.
    """

    keep: frozenset[Keep] = frozenset()
    pixels_seen: bool = False
    boxes: tuple[Box, ...] = ()
    seen: frozenset[str] = field(default=frozenset(), repr=False)

    def vouched(self, series_uid: str) -> bool:
        """Return whether a person vouches for the pixels of a series."""
        return self.pixels_seen or series_uid in self.seen

    def codes(self, *, pixels: bool) -> tuple[Code, ...]:
        """Return values and meanings of DCM codes for (0012,0064) (PS3.16 CID 7050).

        ``pixels``: whether a person's word on burned-in text stands behind this image.
        """
        kept = tuple(_CODES[one] for one in KEEP if one in self.keep)
        return (_BASIC, *((_PIXELS,) if pixels else ()), *kept)


def options(
    keep: Iterable[str],
    *,
    pixels_seen: bool = False,
    boxes: Iterable[Box] = (),
    seen: Iterable[str] = (),
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
    kept = frozenset(one for one in KEEP if one in names)
    return Options(kept, pixels_seen, tuple(boxes), frozenset(seen))
