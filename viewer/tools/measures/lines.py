"""Lengths and angles between points in patient space, and the cross of a bidirectional."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
# Shorter is no line: a thousandth of the finest pixel of any scanner.
_NO_LENGTH_MM = 1e-6


def length_mm(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the distance of two points (3,) in LPS mm."""
    return float(np.linalg.norm(np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64)))


def angle_degrees(a: npt.ArrayLike, vertex: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the angle at ``vertex`` between the arms to ``a`` and ``b``, 0 to 180 degrees.

    Raises
    ------
    ValueError
        When an arm has no length.
    """
    at = np.asarray(vertex, dtype=np.float64)
    first, second = np.asarray(a, dtype=np.float64) - at, np.asarray(b, dtype=np.float64) - at
    if min(np.linalg.norm(first), np.linalg.norm(second)) < _NO_LENGTH_MM:
        raise ValueError("an arm without length has no direction")
    # atan2 keeps its figures near 0 and 180 degrees, where the cosine loses half of them.
    across = float(np.linalg.norm(np.cross(first, second)))
    return math.degrees(math.atan2(across, float(first @ second)))


@dataclass(frozen=True, slots=True)
class Cross:
    """A long axis and a short one at right angles to it that meets it.

    Attributes
    ----------
    a, b
        Ends of the long axis, LPS mm.
    share
        Where along it, from ``a`` (0) to ``b`` (1), the short axis meets it.
    above, below
        How far the short axis reaches to either side, mm; neither is negative. ``above`` lies
        along normal x (b - a).
    """

    a: Vector
    b: Vector
    share: float
    above: float
    below: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.share <= 1.0 and self.above >= 0.0 and self.below >= 0.0):
            raise ValueError("the axes would not cross")

    @property
    def short_mm(self) -> float:
        """Length of the short axis, mm."""
        return self.above + self.below

    def points_lps_mm(self, normal_lps: npt.ArrayLike) -> Vector:
        """Return both ends of the long axis, then of the short one, (4, 3) LPS mm."""
        across = _across(self.a, self.b, normal_lps)
        foot = self.a + (self.b - self.a) * self.share
        return np.stack([self.a, self.b, foot + across * self.above, foot - across * self.below])


def cross_of(points_lps_mm: npt.ArrayLike, normal_lps: npt.ArrayLike) -> Cross:
    """Return the cross that four points make, as ``Cross.points_lps_mm`` gives them.

    Points that make none, for the axes are askew or do not meet, give the nearest that is one:
    the short axis keeps its middle along the long one and its reach across it.
    """
    a, b, c, d = np.asarray(points_lps_mm, dtype=np.float64)
    return crossing(a, b, c, d, normal_lps)


def crossing(
    a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike, d: npt.ArrayLike, normal: npt.ArrayLike
) -> Cross:
    """Return the cross of the long axis from ``a`` to ``b`` with a line drawn from ``c`` to ``d``.

    The line is turned to a right angle about its middle. An end that lies on the wrong side is
    brought to the long axis, so that both always meet.

    Parameters
    ----------
    normal
        Of the plane that all points lie in, a unit vector in LPS.

    Raises
    ------
    ValueError
        When the long axis has no length.
    """
    start, end = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    first, last = np.asarray(c, dtype=np.float64), np.asarray(d, dtype=np.float64)
    along = end - start
    across = _across(start, end, normal)
    middle = (first + last) / 2
    share = float((middle - start) @ along / (along @ along))
    reach = float((first - start) @ across), float((last - start) @ across)
    return Cross(
        start,
        end,
        min(max(share, 0.0), 1.0),
        max(*reach, 0.0),
        max(-reach[0], -reach[1], 0.0),
    )


def long_first(cross: Cross, normal_lps: npt.ArrayLike) -> Cross:
    """Return the same cross with its longer line as the long axis (RECIST 1.1)."""
    if cross.short_mm <= length_mm(cross.a, cross.b):
        return cross
    a, b, c, d = cross.points_lps_mm(normal_lps)
    return crossing(d, c, a, b, normal_lps)


def _across(a: Vector, b: Vector, normal_lps: npt.ArrayLike) -> Vector:
    """Return the unit vector at right angles to a line, in the plane of a normal."""
    along = b - a
    across = np.cross(np.asarray(normal_lps, dtype=np.float64), along)
    size = float(np.linalg.norm(across))
    if size < _NO_LENGTH_MM:
        raise ValueError("an axis without length has no direction")
    return np.asarray(across / size, dtype=np.float64)


def outline_length_mm(points_lps_mm: Sequence[npt.ArrayLike]) -> float:
    """Return the length of a closed outline, mm."""
    points = np.asarray(points_lps_mm, dtype=np.float64)
    return float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1).sum())
