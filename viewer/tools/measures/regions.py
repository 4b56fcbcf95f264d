"""Which voxels lie in a flat region, and how large it is.

A voxel counts when its centre lies inside the outline, seen along the normal of the region's
plane, and no further from the plane than half a slice of the view that it was drawn in. In the
planes of the volume itself these are the voxels of one slice; in an oblique plane the nearest
layer of voxels. Nothing is interpolated: every value is one that the file holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine, lps_mm_to_kji

Shape = Literal["ellipse", "rectangle", "polygon"]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Inside = Callable[[Floats, Floats], npt.NDArray[np.bool_]]

# Of a length in the plane, mm: a centre on the outline counts, whichever way it was rounded.
_ON_LINE = 1e-9
# Of half a slice: the voxels of the slice itself lie at nought.
_AT_EDGE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A flat region in patient space.

    Attributes
    ----------
    shape
        ``"ellipse"``: the ends of one axis, then those of the other, at right angles.
        ``"rectangle"``: its corners in turn. ``"polygon"``: its corners in turn, three or more.
    points_lps_mm
        (n, 3) LPS mm, in one plane.
    normal_lps
        Unit normal of that plane.
    """

    shape: Shape
    points_lps_mm: Floats
    normal_lps: Floats

    def axes(self) -> tuple[Floats, Floats, Floats]:
        """Return a point of the plane and two unit vectors that span it, at right angles."""
        points, normal = self.points_lps_mm, self.normal_lps
        origin = points.mean(axis=0)
        edge = points[1] - points[0]
        if float(np.linalg.norm(edge)) == 0.0:
            edge = np.cross(normal, np.eye(3)[np.abs(normal).argmin()])
        first = edge - normal * (edge @ normal)
        first /= np.linalg.norm(first)
        return origin, first, np.cross(normal, first)

    def flat(self) -> Floats:
        """Return the points in the plane, (n, 2) mm from the middle of all, along ``axes``."""
        origin, first, second = self.axes()
        away = self.points_lps_mm - origin
        return np.stack([away @ first, away @ second], axis=1)

    def area_mm2(self) -> float:
        """Return the area of the outline itself, mm², not that of the voxels in it."""
        flat = self.flat()
        if self.shape == "ellipse":
            axes = np.linalg.norm(flat[[1, 3]] - flat[[0, 2]], axis=1)
            return float(np.pi / 4 * axes[0] * axes[1])
        x, y = flat.T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)

    def crosses_itself(self) -> bool:
        """Return whether two sides of a polygon meet that are no neighbours: it has no area."""
        return self.shape == "polygon" and _crosses(self.flat())

    def inside(self) -> Inside:
        """Return what tells of points (x, y) in the plane whether they lie inside; edges do.

        Of a polygon a point exactly on a side may fall to either of two neighbours that share
        the side, but never to both and never to none.
        """
        flat = self.flat()
        if self.shape == "polygon":
            return lambda x, y: _in_polygon(flat, x, y)
        middle = flat.mean(axis=0)
        if self.shape == "ellipse":
            one, other = (flat[1] - flat[0]) / 2, (flat[3] - flat[2]) / 2
        else:
            one, other = (flat[1] - flat[0]) / 2, (flat[3] - flat[0]) / 2
        lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
        if min(lengths) == 0.0:
            return lambda x, y: np.zeros(x.shape, dtype=np.bool_)

        def share(x: Floats, y: Floats, axis: Floats, length: float) -> Floats:
            away: Floats = ((x - middle[0]) * axis[0] + (y - middle[1]) * axis[1]) / length**2
            return away

        def inside(x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
            a, b = share(x, y, one, lengths[0]), share(x, y, other, lengths[1])
            if self.shape == "ellipse":
                return np.asarray(a * a + b * b <= 1 + 2 * _ON_LINE)
            return np.asarray(np.maximum(np.abs(a), np.abs(b)) <= 1 + _ON_LINE)

        return inside


def voxels_in(
    region: Region, affine: Affine, shape_kji: tuple[int, int, int], slice_mm: float
) -> Indices:
    """Return the voxels that count, (n, 3) in (k, j, i), each of them once.

    Parameters
    ----------
    affine
        (4, 4), (k, j, i, 1) to LPS mm; may be oblique and anisotropic.
    slice_mm
        Distance of two neighbouring slices of the view that the region was drawn in.
    """
    origin, first, second = region.axes()
    normal, half = region.normal_lps, slice_mm / 2
    steps = affine[:3, :3].T  # LPS mm of one step along k, j and i
    along = int(np.abs(steps @ normal).argmax())
    others = [axis for axis in range(3) if axis != along]
    low, high = _bounds(region, affine, shape_kji, half)
    if (low > high).any():
        return np.zeros((0, 3), dtype=np.int64)
    m = np.arange(low[others[0]], high[others[0]] + 1)[:, None]
    n = np.arange(low[others[1]], high[others[1]] + 1)[None, :]
    base = affine[:3, 3] - origin

    def along_axis(axis: Floats) -> tuple[Floats, float]:
        """Return how far the feet of the lines of voxels lie along an axis, and their step."""
        shares = steps @ axis
        foot: Floats = base @ axis + m * shares[others[0]] + n * shares[others[1]]
        return foot, float(shares[along])

    depth, step = along_axis(normal)
    x, x_step = along_axis(first)
    y, y_step = along_axis(second)
    # Half open: a centre midway between two slices belongs to one of them.
    edges = (-half - depth) / step, (half - depth) / step
    slack = _AT_EDGE * half / abs(step)
    start = np.ceil(np.minimum(*edges) - slack).astype(np.int64)
    stop = np.ceil(np.maximum(*edges) - slack).astype(np.int64)
    found: list[Indices] = []
    inside = region.inside()
    for layer in range(int((stop - start).max(initial=0))):
        at = start + layer
        counts = (at < stop) & (at >= 0) & (at < shape_kji[along])
        counts &= inside(x + at * x_step, y + at * y_step)
        rows, columns = np.nonzero(counts)
        kji = np.empty((len(rows), 3), dtype=np.int64)
        kji[:, along] = at[rows, columns]
        kji[:, others[0]], kji[:, others[1]] = m[rows, 0], n[0, columns]
        found.append(kji)
    return np.concatenate(found) if found else np.zeros((0, 3), dtype=np.int64)


def _bounds(
    region: Region, affine: Affine, shape_kji: tuple[int, int, int], half_mm: float
) -> tuple[Indices, Indices]:
    """Return the first and last voxel of a box around all that may count."""
    points = region.points_lps_mm
    if region.shape == "ellipse":
        # The corners of the rectangle around it.
        middle, one, other = points.mean(axis=0), points[1] - points[0], points[3] - points[2]
        points = np.stack([middle + (s * one + t * other) / 2 for s in (-1, 1) for t in (-1, 1)])
    deep = region.normal_lps * half_mm
    kji = lps_mm_to_kji(affine, np.concatenate([points - deep, points + deep]))
    low = np.maximum(np.floor(kji.min(axis=0)), 0)
    high = np.minimum(np.ceil(kji.max(axis=0)), np.asarray(shape_kji) - 1)
    return low.astype(np.int64), high.astype(np.int64)


def _in_polygon(corners: Floats, x: Floats, y: Floats) -> npt.NDArray[np.bool_]:
    """Count the sides that a ray to the right crosses: odd inside (Jordan)."""
    inside = np.zeros(x.shape, dtype=np.bool_)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        between = np.nonzero((y >= min(y1, y2)) & (y < max(y1, y2)))
        at = x1 + (y[between] - y1) * ((x2 - x1) / (y2 - y1))
        inside[between] ^= x[between] < at
    return inside


def _crosses(corners: Floats) -> bool:
    count = len(corners)
    ends = np.roll(corners, -1, axis=0)
    for one in range(count):
        for other in range(one + 2, count):
            if (one, other) == (0, count - 1):
                continue  # neighbours around the end
            if _meet(corners[one], ends[one], corners[other], ends[other]):
                return True
    return False


def _meet(a: Floats, b: Floats, c: Floats, d: Floats) -> bool:
    def side(p: Floats, q: Floats, r: Floats) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
