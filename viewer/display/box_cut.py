"""Where a slice, straight or turned, cuts a box of voxels: a polygon, each side on a face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viewer.display.planes import Plane

Point = tuple[float, float]
Face = tuple[int, bool]
"""Index axis that it is across of, and whether it is the one with the larger indices."""

# A piece of a side shorter than this is a corner that the slice just touches.
_LEAST_MM = 1e-6


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the polygon, in view mm; ``face`` is the face of the box that it lies on."""

    face: Face
    start: Point
    end: Point

    @property
    def middle(self) -> Point:
        """Halfway along it."""
        return (self.start[0] + self.end[0]) / 2, (self.start[1] + self.end[1]) / 2

    def away_mm(self, at: Point) -> float:
        """Return how far a point of the view lies from it, mm."""
        start, end = np.array(self.start), np.array(self.end)
        way = end - start
        share = float(np.clip((at - start) @ way / (way @ way), 0.0, 1.0))
        return float(np.linalg.norm(at - (start + share * way)))


def sides(
    low_kji: tuple[int, int, int], high_kji: tuple[int, int, int], plane: Plane, index: int
) -> tuple[Side, ...]:
    """Return the sides of the polygon in which a slice cuts a box, in turn around it.

    Parameters
    ----------
    low_kji, high_kji
        First voxel of the box along each index axis, and the first beyond it. Its faces lie
        halfway between voxels.
    plane, index
        The slice.

    Returns
    -------
    tuple
        Empty where the slice does not meet the box.
    """
    # On the slice each index is a plane in x and y mm: origin + x * across + y * down.
    origin = plane.kji_at(0.0, 0.0, index)
    across = plane.kji_at(1.0, 0.0, index) - origin
    down = plane.kji_at(0.0, 1.0, index) - origin
    width, height = plane.size_mm
    room = width + height
    corners = [(-room, -room), (2 * room, -room), (2 * room, 2 * room), (-room, 2 * room)]
    points = [np.array(corner) for corner in corners]
    faces: list[Face | None] = [None] * 4  # of the side that begins at each point
    for axis in range(3):
        slope = np.array([across[axis], down[axis]])
        for far, bound in ((False, low_kji[axis] - 0.5), (True, high_kji[axis] - 0.5)):
            sign = -1.0 if far else 1.0
            points, faces = _cut(
                points, faces, sign * slope, sign * (bound - origin[axis]), (axis, far)
            )
    found = []
    for n, (start, face) in enumerate(zip(points, faces, strict=True)):
        end = points[(n + 1) % len(points)]
        if face is not None and float(np.linalg.norm(end - start)) > _LEAST_MM:
            found.append(Side(face, _point(start), _point(end)))
    return tuple(found) if len(found) > 2 else ()


def is_within(around: Sequence[Side], at: Point) -> bool:
    """Tell whether a point of the view lies within the polygon."""
    turns = []
    for side in around:
        way, there = np.subtract(side.end, side.start), np.subtract(at, side.start)
        turns.append(float(way[0] * there[1] - way[1] * there[0]))
    return min(turns) >= 0 or max(turns) <= 0


def _cut(
    points: list[npt.NDArray[np.float64]],
    faces: list[Face | None],
    slope: npt.NDArray[np.float64],
    least: float,
    face: Face,
) -> tuple[list[npt.NDArray[np.float64]], list[Face | None]]:
    """Keep what of a convex polygon has ``slope @ point >= least`` (Sutherland, Hodgman 1974)."""
    over = [float(slope @ point) - least for point in points]
    kept: list[npt.NDArray[np.float64]] = []
    kept_faces: list[Face | None] = []
    for n, (point, of) in enumerate(zip(points, faces, strict=True)):
        after = (n + 1) % len(points)
        if over[n] >= 0:
            kept.append(point)
            kept_faces.append(of)
        if (over[n] >= 0) != (over[after] >= 0):
            share = over[n] / (over[n] - over[after])
            kept.append(point + share * (points[after] - point))
            # Going out, the new side begins here; coming in, the rest of the old one does.
            kept_faces.append(face if over[n] >= 0 else of)
    return kept, kept_faces


def _point(at: npt.NDArray[np.float64]) -> Point:
    return float(at[0]), float(at[1])
