"""One slice as a rectangle in patient space, and where it cuts another one.

Also for slices that no one affine places, such as the two or three images of a localizer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.geometry import kji_to_lps_mm
from inference.volume import Volume
from viewer.display.planes import Plane

Vector = npt.NDArray[np.float64]
Point = tuple[float, float]

# Below this angle the line where two slices meet jumps about with every millimetre.
_LEAST_DEG = 10.0
_PARALLEL_DEG = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A shown slice.

    Attributes
    ----------
    corner_lps_mm
        Its outer corner at the top left of the screen.
    across_lps, down_lps
        Patient directions of one view millimetre to the right and down.
    size_mm
        Width and height, view mm.
    """

    corner_lps_mm: Vector
    across_lps: Vector
    down_lps: Vector
    size_mm: Point

    @property
    def normal_lps(self) -> Vector:
        """Unit vector across the slice."""
        normal = np.cross(self.across_lps, self.down_lps)
        return np.asarray(normal / np.linalg.norm(normal))

    def lps_at(self, x_mm: float, y_mm: float) -> Vector:
        """Map view mm to LPS mm."""
        return self.corner_lps_mm + x_mm * self.across_lps + y_mm * self.down_lps

    def view_of(self, point_lps_mm: npt.ArrayLike) -> Point:
        """Map a point in LPS mm to view mm, along the shortest way to the slice."""
        away = np.asarray(point_lps_mm, dtype=np.float64) - self.corner_lps_mm
        basis = np.column_stack([self.across_lps, self.down_lps])
        x, y = np.linalg.solve(basis.T @ basis, basis.T @ away)
        return float(x), float(y)

    def distance_mm(self, point_lps_mm: npt.ArrayLike) -> float:
        """Return how far a point in LPS mm lies off the slice; the sign is that of the normal."""
        away = np.asarray(point_lps_mm, dtype=np.float64) - self.corner_lps_mm
        return float(away @ self.normal_lps)


def sheet(volume: Volume, plane: Plane, index: int) -> Sheet | None:
    """Return a shown slice in patient space; None when the images do not say where they lie."""
    if not volume.placed or not volume.in_mm:
        return None

    def lps(x_mm: float, y_mm: float) -> Vector:
        if volume.places is None:
            return plane.lps_at(x_mm, y_mm, index)
        _, j, i = plane.kji_at(x_mm, y_mm, index)
        return kji_to_lps_mm(volume.places[index], (0.0, j, i))

    corner = lps(0.0, 0.0)
    return Sheet(corner, lps(1.0, 0.0) - corner, lps(0.0, 1.0) - corner, plane.size_mm)


def angle_deg(one: Sheet, other: Sheet) -> float:
    """Return the angle between two slices, 0 to 90 degrees."""
    cosine = abs(float(one.normal_lps @ other.normal_lps))
    return math.degrees(math.acos(min(cosine, 1.0)))


def are_parallel(one: Sheet, other: Sheet) -> bool:
    """Tell whether two slices look along the same direction, the same way round."""
    if angle_deg(one, other) > _PARALLEL_DEG:
        return False
    turned = float(one.across_lps @ other.across_lps) / float(
        np.linalg.norm(one.across_lps) * np.linalg.norm(other.across_lps)
    )
    return turned > math.cos(math.radians(_PARALLEL_DEG))


def cut_mm(on: Sheet, of: Sheet) -> tuple[Point, Point] | None:
    """Return where one slice cuts another: the localiser line (IHE Basic Image Review).

    Parameters
    ----------
    on
        The slice on which the line is drawn.
    of
        The slice that cuts it.

    Returns
    -------
    tuple or None
        Both ends in view mm of ``on``, as far as ``of`` reaches; None when they do not meet, or
        lie nearly parallel.
    """
    if angle_deg(on, of) < _LEAST_DEG:
        return None
    width, height = of.size_mm
    corners = [of.lps_at(x, y) for x, y in ((0, 0), (width, 0), (width, height), (0, height))]
    off = [on.distance_mm(corner) for corner in corners]
    ends = []
    for n in range(4):
        a, b = off[n], off[(n + 1) % 4]
        if (a < 0) != (b < 0):
            share = a / (a - b)
            ends.append(on.view_of(corners[n] + share * (corners[(n + 1) % 4] - corners[n])))
    return (ends[0], ends[1]) if len(ends) == 2 else None


def nearest(volume: Volume, plane: Plane, point_lps_mm: npt.ArrayLike) -> tuple[int, bool] | None:
    """Return the slice nearest to a point in LPS mm, and whether the point lies among them.

    None when that makes no sense: nothing places the slices, or they lie in several directions.
    """
    if not volume.placed or not volume.in_mm:
        return None
    if volume.places is None:
        exact = plane.depth(point_lps_mm)
        return plane.index_of_lps(point_lps_mm), -0.5 <= exact <= plane.count - 0.5
    corners = volume.places[:, :3, 3]
    normals = np.cross(volume.places[:, :3, 2], volume.places[:, :3, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    if np.abs(normals @ normals[0]).min() < math.cos(math.radians(_PARALLEL_DEG)):
        return None
    away = np.asarray(point_lps_mm, dtype=np.float64) - corners
    off = np.abs(np.einsum("kx,kx->k", away, normals))
    index = int(np.argmin(off))
    gaps = np.abs(np.diff(corners @ normals[0]))
    return index, bool(off[index] <= (float(gaps.max()) / 2 if len(gaps) else 0.5) + 1e-6)
