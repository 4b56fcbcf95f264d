"""The points of a shape: from a drag, and after one of its handles was moved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from viewer.tools.measures.lines import Cross, cross_of, long_first

Floats = npt.NDArray[np.float64]
_CURVE = 72


def box(a: npt.ArrayLike, b: npt.ArrayLike, across: Floats, down: Floats) -> Floats:
    """Return the four corners, in turn, of the rectangle between two opposite ones, LPS mm.

    Parameters
    ----------
    across, down
        Unit vectors along its sides, at right angles.
    """
    first, last = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    side = across * float((last - first) @ across)
    fall = down * float((last - first) @ down)
    return np.stack([first, first + side, first + side + fall, first + fall])


def ellipse(a: npt.ArrayLike, b: npt.ArrayLike, across: Floats, down: Floats) -> Floats:
    """Return the ends of both axes of the ellipse in that rectangle, the longer one first."""
    corners = box(a, b, across, down)
    sides = (corners + np.roll(corners, -1, axis=0)) / 2  # top, right, bottom, left
    return longer_first(sides[[3, 1, 0, 2]])


def longer_first(points_lps_mm: Floats) -> Floats:
    """Return the ends of both axes of an ellipse, the longer axis first."""
    lengths = np.linalg.norm(points_lps_mm[[1, 3]] - points_lps_mm[[0, 2]], axis=1)
    return points_lps_mm[[2, 3, 0, 1]] if lengths[1] > lengths[0] else points_lps_mm


def moved(
    kind: str, points_lps_mm: npt.ArrayLike, handle: int, to: npt.ArrayLike, normal: Floats
) -> Floats:
    """Return the points of a shape after one of them was moved; it stays what it is.

    The axes of a bidirectional stay at right angles and crossing; an ellipse and a rectangle
    keep their directions and what lies opposite the handle. A shape that would have no size is
    left as it was.

    Parameters
    ----------
    handle
        Which point.
    to
        Where it is moved, LPS mm, in the plane.
    normal
        Unit normal of the plane.
    """
    points = np.array(points_lps_mm, dtype=np.float64)
    target = np.asarray(to, dtype=np.float64)
    if kind == "bidirectional":
        return _moved_cross(points, handle, target, normal)
    if kind == "ellipse":
        return _moved_axis(points, handle, target)
    if kind == "rectangle":
        opposite = points[(handle + 2) % 4]
        corners = points[[(handle + 1) % 4, (handle + 3) % 4]]
        sides = [_unit(corner - opposite) for corner in corners]
        if any(side is None for side in sides):
            return points
        one, other = (side for side in sides if side is not None)
        points[handle] = target
        points[(handle + 1) % 4] = opposite + one * float((target - opposite) @ one)
        points[(handle + 3) % 4] = opposite + other * float((target - opposite) @ other)
        return points
    points[handle] = target
    return points


TURNED = ("ellipse", "rectangle")
"""Shapes that have a direction of their own and can be turned in their plane."""


def turn_stem(kind: str, points: npt.ArrayLike, length: float) -> tuple[Floats, Floats]:
    """Return the foot and the head of the handle that turns a shape, beyond one of its sides.

    Parameters
    ----------
    points
        Of an ellipse or a rectangle, in whatever space.
    length
        From the outline to the handle, in that space.
    """
    at = np.asarray(points, dtype=np.float64)
    foot: Floats = at[2] if kind == "ellipse" else (at[0] + at[1]) / 2
    out = _unit(foot - at.mean(axis=0))
    return foot, foot if out is None else np.asarray(foot + out * length)


def turned(points_lps_mm: npt.ArrayLike, angle_rad: float, normal: Floats) -> Floats:
    """Turn the points of a shape about their middle, in their plane, by the right hand's rule."""
    points = np.asarray(points_lps_mm, dtype=np.float64)
    middle = points.mean(axis=0)
    away = points - middle
    return np.asarray(
        middle + away * np.cos(angle_rad) + np.cross(normal, away) * np.sin(angle_rad)
    )


def angle_between(one: Floats, other: Floats, normal: Floats) -> float:
    """Return by how much one direction is turned to become another, radians, about a normal."""
    return float(np.arctan2(np.cross(one, other) @ normal, one @ other))


def ordered(kind: str, points_lps_mm: Floats, normal: Floats) -> Floats:
    """Return the points with the longer axis first, where a shape has two."""
    if kind == "ellipse":
        return longer_first(points_lps_mm)
    if kind == "bidirectional":
        return long_first(cross_of(points_lps_mm, normal), normal).points_lps_mm(normal)
    return points_lps_mm


def outlines(kind: str, points: npt.ArrayLike) -> list[Floats]:
    """Return the lines that draw a shape, each (n, d), in whatever space the points are in."""
    at = np.asarray(points, dtype=np.float64)
    if kind == "bidirectional":
        return [at[:2], at[2:]]
    if kind == "ellipse":
        middle, one, other = at.mean(axis=0), (at[1] - at[0]) / 2, (at[3] - at[2]) / 2
        turn = np.linspace(0.0, 2 * np.pi, _CURVE + 1)[:, None]
        return [middle + np.cos(turn) * one + np.sin(turn) * other]
    if kind in ("rectangle", "polygon"):
        return [np.concatenate([at, at[:1]])]
    return [at]


def distance_to(lines: Sequence[Floats], point: npt.ArrayLike) -> float:
    """Return the distance of a point to the nearest of some lines; infinite without any."""
    at = np.asarray(point, dtype=np.float64)
    best = float("inf")
    for line in lines:
        start, way = line[:-1], np.diff(line, axis=0)
        length2 = np.maximum((way * way).sum(axis=1), 1e-12)
        share = np.clip(((at - start) * way).sum(axis=1) / length2, 0.0, 1.0)
        away = np.linalg.norm(start + way * share[:, None] - at, axis=1)
        best = min(best, float(away.min(initial=np.inf)))
    return best


def _moved_cross(points: Floats, handle: int, target: Floats, normal: Floats) -> Floats:
    cross = cross_of(points, normal)
    if handle < 2:
        ends = [cross.a, cross.b]
        ends[handle] = target
        if _unit(ends[1] - ends[0]) is None:
            return points
        return Cross(ends[0], ends[1], cross.share, cross.above, cross.below).points_lps_mm(normal)
    along = cross.b - cross.a
    across = _unit(np.cross(normal, along))
    assert across is not None  # a cross has a long axis
    share = min(max(float((target - cross.a) @ along / (along @ along)), 0.0), 1.0)
    reach = float((target - cross.a) @ across)
    above = max(reach, 0.0) if handle == 2 else cross.above
    below = max(-reach, 0.0) if handle == 3 else cross.below
    return Cross(cross.a, cross.b, share, above, below).points_lps_mm(normal)


def _moved_axis(points: Floats, handle: int, target: Floats) -> Floats:
    opposite = points[handle ^ 1]
    along = _unit(points[handle] - opposite)
    if along is None:
        return points
    other = [2, 3] if handle < 2 else [0, 1]
    reach = float((target - opposite) @ along)
    half = (points[other[1]] - points[other[0]]) / 2
    points[handle] = opposite + along * reach
    middle = (points[handle] + opposite) / 2
    points[other[0]], points[other[1]] = middle - half, middle + half
    return points


def _unit(vector: Floats) -> Floats | None:
    length = float(np.linalg.norm(vector))
    return None if length < 1e-9 else np.asarray(vector / length, dtype=np.float64)
