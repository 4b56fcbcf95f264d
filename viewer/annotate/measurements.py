"""Measurements of a reader: what they are, how a case keeps them, what they say.

They are notes of the topic ``"measurement"`` in the document (``edits.SetNote``): undone and
journalled as all else. A journal holds no identifier of the images, so a slice stands by its
number in the volume.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from viewer.annotate.lesion import Point
from viewer.study.calibration import CALIBRATIONS, Calibration

TOPIC = "measurement"

Kind = Literal["distance", "bidirectional", "angle", "ellipse", "rectangle", "polygon"]
Origin = Literal["human", "ai", "ai-edited"]
Name = Literal[
    "length", "long_axis", "short_axis", "angle", "area", "n_voxels", "mean", "sd", "min", "max"
]
Absence = Literal["", "colours", "slab", "slice-missing", "no-voxel", "crosses-itself"]

KINDS: tuple[Kind, ...] = get_args(Kind)
POINTS: Mapping[Kind, int] = {
    "distance": 2, "bidirectional": 4, "angle": 3, "ellipse": 4, "rectangle": 4,
}  # fmt: skip
"""Number of points of each kind; a polygon has three or more."""
REGIONS: tuple[Kind, ...] = ("ellipse", "rectangle", "polygon")
UNITS = ("mm", "px", "deg", "mm2", "px2", "voxels", "HU", "SUVbw", "Bq/mL", "")
"""Of all values. Empty: of voxels whose unit is not proven."""

_MOST_POINTS = 10_000
_LARGEST_MM = 1e6


@dataclass(frozen=True, slots=True)
class Value:
    """One figure with its unit, of ``UNITS``."""

    name: Name
    value: float
    unit: str

    def __post_init__(self) -> None:
        if self.name not in get_args(Name) or self.unit not in UNITS:
            raise ValueError("not a value that is known")
        if not math.isfinite(self.value):
            raise ValueError("a value is a number")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One thing that was measured.

    Attributes
    ----------
    kind
        ``"distance"``: its ends. ``"bidirectional"``: the ends of the long axis, then of the
        short one, at right angles and crossing it (RECIST 1.1). ``"angle"``: the end of an arm,
        the vertex, the end of the other arm. ``"ellipse"``: the ends of one axis, then of the
        other. ``"rectangle"`` and ``"polygon"``: the corners in turn.
    number
        What the reader sees beside it: 1, 2, 3 and so on.
    points_lps_mm
        In LPS mm, all in one plane. Of images without a place or a spacing those of the volume's
        own affine.
    normal_lps
        Unit normal of that plane.
    slice_mm
        Distance of two slices of the view that it was drawn in, mm.
    k
        Number of the acquired slice that it lies in, from 0; None when it lies in no one slice.
    values
        What was measured. Statistics are of the voxels that ``viewer.tools.measures.regions``
        counts.
    absence
        Why statistics or an area are missing; empty when nothing is.
    calibration
        What millimetres of a projection are true of, see ``viewer.study.calibration``.
    reader, utc
        Who measured or changed it last, and when, ISO 8601 in UTC.
    origin
        ``"human"``; ``"ai"`` for the axes of an outline of the model as it drew it;
        ``"ai-edited"`` when a person changed these.
    lesion_id
        The finding that it measures; empty when it is of none.
    """

    kind: Kind
    number: int
    points_lps_mm: tuple[Point, ...]
    normal_lps: Point
    slice_mm: float
    k: int | None
    values: tuple[Value, ...]
    absence: Absence = ""
    calibration: Calibration = ""
    reader: str = ""
    utc: str = ""
    origin: Origin = "human"
    lesion_id: str = ""

    def __post_init__(self) -> None:
        wanted = POINTS.get(self.kind)
        count = len(self.points_lps_mm)
        if self.kind not in KINDS or (
            count != wanted if wanted else not 3 <= count <= _MOST_POINTS
        ):
            raise ValueError("not a measurement that is known")
        numbers = (self.slice_mm, *self.normal_lps, *(x for p in self.points_lps_mm for x in p))
        if not all(math.isfinite(x) and abs(x) <= _LARGEST_MM for x in numbers):
            raise ValueError("a point is no place")
        if self.slice_mm <= 0 or abs(math.hypot(*self.normal_lps) - 1.0) > 1e-6:
            raise ValueError("the plane is none")
        if self.number < 1 or (self.k is not None and self.k < 0):
            raise ValueError("a number is out of range")
        known = (
            (self.absence, get_args(Absence)),
            (self.calibration, CALIBRATIONS),
            (self.origin, get_args(Origin)),
        )
        if any(word not in words for word, words in known):
            raise ValueError("a word is not known")

    def value(self, name: Name) -> float | None:
        """Return a figure, or None when it was not measured."""
        return next((value.value for value in self.values if value.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return the note that keeps it."""
        return {
            "kind": self.kind,
            "number": self.number,
            "points_lps_mm": [list(point) for point in self.points_lps_mm],
            "normal_lps": list(self.normal_lps),
            "slice_mm": self.slice_mm,
            "k": self.k,
            "values": [[value.name, value.value, value.unit] for value in self.values],
            "absence": self.absence,
            "calibration": self.calibration,
            "reader": self.reader,
            "utc": self.utc,
            "origin": self.origin,
            "lesion_id": self.lesion_id,
        }


_FIELDS = frozenset(field.name for field in fields(Measurement))


def from_json(note: Mapping[str, Any]) -> Measurement:
    """Read a note.

    Raises
    ------
    ValueError
        When it is not whole, or holds a word that is not known.
    """
    if note.keys() != _FIELDS:
        raise ValueError("a field is missing or not known")
    try:
        return Measurement(
            kind=note["kind"],
            number=_whole(note["number"]),
            points_lps_mm=tuple(_point(point) for point in note["points_lps_mm"]),
            normal_lps=_point(note["normal_lps"]),
            slice_mm=float(note["slice_mm"]),
            k=None if note["k"] is None else _whole(note["k"]),
            values=tuple(Value(name, float(x), unit) for name, x, unit in note["values"]),
            absence=note["absence"],
            calibration=note["calibration"],
            reader=_text(note["reader"]),
            utc=_text(note["utc"]),
            origin=note["origin"],
            lesion_id=_text(note["lesion_id"]),
        )
    except (TypeError, OverflowError) as error:
        raise ValueError("a damaged measurement") from error


@dataclass(frozen=True, slots=True)
class Kept:
    """The measurements of a document by id, and how many notes of them could not be read."""

    by_id: Mapping[str, Measurement]
    damaged: int


def kept(notes: Mapping[str, Mapping[str, Any]]) -> Kept:
    """Read all notes of the topic; a damaged one is left out and counted."""
    found: dict[str, Measurement] = {}
    damaged = 0
    for note_id, note in notes.items():
        try:
            found[note_id] = from_json(note)
        except ValueError:
            damaged += 1
    return Kept(found, damaged)


def new_id(notes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an id that no note has."""
    taken = [int(key[1:]) for key in notes if key[:1] == "m" and key[1:].isdecimal()]
    return f"m{1 + max(taken, default=0)}"


def next_number(found: Kept) -> int:
    """Return the number that the next measurement is shown with."""
    return 1 + max((measured.number for measured in found.by_id.values()), default=0)


def _point(values: Any) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("no whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value
