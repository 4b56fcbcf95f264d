"""Soft-edged shapes in patient space, for one slice or for scattered points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry

Field = npt.NDArray[np.floating[Any]]
Number = Field | float | np.floating[Any]
Vector = tuple[float, float, float]
Box = tuple[slice, slice]

_EDGE_MM = 1.2


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """LPS mm of the voxel centres of one slice.

    Attributes
    ----------
    x, y, z
        float32, broadcastable to (rows, columns): an axis that does not change a coordinate
        has length 1, which saves most of the work where the grid is parallel to the patient.
    """

    x: Field
    y: Field
    z: Field

    @classmethod
    def of_slice(cls, affine: geometry.Affine, shape_ji: tuple[int, int], k: int) -> Plane:
        """Return the plane of slice ``k`` of a grid."""
        j = np.arange(shape_ji[0], dtype=np.float64)[:, None]
        i = np.arange(shape_ji[1], dtype=np.float64)[None, :]
        fields = []
        for row in affine[:3]:
            field = np.full((1, 1), row[0] * k + row[3])
            if row[1]:
                field = field + row[1] * j
            if row[2]:
                field = field + row[2] * i
            fields.append(field.astype(np.float32))
        return cls(*fields)

    def box(self, low_mm: tuple[float, float], high_mm: tuple[float, float]) -> Box:
        """Return rows and columns outside which x or y is beyond the limits.

        Where the grid is turned, nothing is left out.
        """
        rows, columns = (
            slice(0, max(f.shape[0] for f in (self.x, self.y, self.z))),
            slice(0, max(f.shape[1] for f in (self.x, self.y, self.z))),
        )
        for field, low, high in zip((self.x, self.y), low_mm, high_mm, strict=True):
            inside = (field > low) & (field < high)
            if field.shape[0] == 1:
                columns = _hull(inside[0], columns)
            elif field.shape[1] == 1:
                rows = _hull(inside[:, 0], rows)
        return rows, columns

    def crop(self, rows: slice, columns: slice) -> Plane:
        """Return a part of the plane."""
        return Plane(*(_crop(field, rows, columns) for field in (self.x, self.y, self.z)))


def _hull(inside: npt.NDArray[np.bool_], whole: slice) -> slice:
    if len(inside) == 1:
        return whole
    hits = np.flatnonzero(inside)
    return slice(int(hits[0]), int(hits[-1]) + 1) if len(hits) else slice(0, 0)


def _crop(field: Field, rows: slice, columns: slice) -> Field:
    if field.shape[0] > 1:
        field = field[rows]
    if field.shape[1] > 1:
        field = field[:, columns]
    return field


def cover(distance_mm: Field, edge_mm: float = _EDGE_MM) -> Field:
    """Return how much of a voxel lies inside (0 to 1) from its signed distance in mm."""
    return np.asarray(np.clip(np.float32(0.5) - distance_mm / np.float32(edge_mm), 0, 1))


def paint(image: Field, coverage: Field, value: Number) -> None:
    """Replace the covered share of each voxel by ``value``, in place."""
    image += coverage * (value - image)


def ellipsoid_mm(p: Plane, centre: Vector, radii: Vector, turn_deg: float = 0.0) -> Field:
    """Return the approximate signed distance to an ellipsoid turned about the z axis, mm."""
    dx, dy, dz = p.x - centre[0], p.y - centre[1], p.z - centre[2]
    if turn_deg:
        c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
        dx, dy = dx * np.float32(c) + dy * np.float32(s), dy * np.float32(c) - dx * np.float32(s)
    a, b, c = (np.float32(r) for r in radii)
    level = np.sqrt((dx / a) ** 2 + (dy / b) ** 2 + (dz / c) ** 2)
    slope = np.sqrt((dx / a**2) ** 2 + (dy / b**2) ** 2 + (dz / c**2) ** 2)
    return np.asarray(level * (level - 1) / np.maximum(slope, 1e-6), dtype=np.float32)


def oval_mm(
    p: Plane,
    centre_x: Number,
    centre_y: Number,
    half_x: Number,
    half_y: Number,
    power: float = 2.0,
) -> Field:
    """Return the signed radial distance to a superellipse whose axes may change with z, mm."""
    dx = np.abs(p.x - centre_x)
    dy = np.abs(p.y - centre_y)
    u, v = dx / half_x, dy / half_y
    if power == 2.0:
        level = np.sqrt(u * u + v * v)
    else:
        level = (u**power + v**power) ** np.float32(1 / power)
    radius = np.sqrt(dx * dx + dy * dy) / np.maximum(level, 1e-3)
    return np.asarray((level - 1) * radius, dtype=np.float32)


def smooth_union_mm(a: Field, b: Field, blend_mm: float) -> Field:
    """Return the union of two signed distances with a rounded crease."""
    share = np.maximum(blend_mm - np.abs(a - b), 0) / np.float32(blend_mm)
    return np.asarray(np.minimum(a, b) - share * share * np.float32(blend_mm / 4), dtype=np.float32)


class Tubes:
    """Straight tubes with round ends, tapering, drawn slice by slice.

    Parameters
    ----------
    affine
        Of the grid they are drawn in, (k, j, i, 1) to LPS mm.
    shape_kji
        Of that grid.
    flatten_z
        Distances along z are divided by this: 1.5 makes a rib half as high again as thick.
    """

    def __init__(
        self, affine: geometry.Affine, shape_kji: tuple[int, int, int], flatten_z: float = 1.0
    ) -> None:
        self._affine = affine
        self._shape = shape_kji
        self._flatten = np.float32(flatten_z)
        self._ends: list[tuple[Vector, Vector, float, float]] = []
        self._boxes: npt.NDArray[np.int64] | None = None

    def add(self, start: Vector, end: Vector, radius: float, end_radius: float = 0.0) -> None:
        """Add one tube from ``start`` to ``end``, LPS mm."""
        self._ends.append((start, end, radius, end_radius or radius))
        self._boxes = None

    def add_path(self, path: Sequence[Vector], radii: Sequence[float]) -> None:
        """Add tubes along a polyline."""
        for a, b, ra, rb in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
            self.add(a, b, ra, rb)

    def prepare(self) -> None:
        """Fix the boxes of the tubes; afterwards slices may be drawn in several threads."""
        inverse = np.linalg.inv(self._affine)
        reach = np.linalg.norm(inverse[:3, :3], axis=1)
        boxes = np.empty((len(self._ends), 3, 2), dtype=np.int64)
        for n, (a, b, ra, rb) in enumerate(self._ends):
            ends = np.array([a, b]) @ inverse[:3, :3].T + inverse[:3, 3]
            margin = reach * (max(ra, rb) * float(self._flatten) + 3 * _EDGE_MM)
            boxes[n, :, 0] = np.floor(ends.min(axis=0) - margin)
            boxes[n, :, 1] = np.ceil(ends.max(axis=0) + margin) + 1
        limits = np.array(self._shape)
        boxes[:, :, 0] = np.clip(boxes[:, :, 0], 0, limits)
        boxes[:, :, 1] = np.clip(boxes[:, :, 1], 0, limits)
        self._boxes = boxes

    def distance_mm(self, p: Plane, k: int) -> Field:
        """Return the signed distance to the nearest tube, mm; 99 far from all of them."""
        assert self._boxes is not None, "prepare() comes first"
        out = np.full(self._shape[1:], 99, dtype=np.float32)
        boxes = self._boxes
        for n in np.flatnonzero((boxes[:, 0, 0] <= k) & (k < boxes[:, 0, 1])):
            rows, columns = slice(*boxes[n, 1]), slice(*boxes[n, 2])
            part = out[rows, columns]
            if part.size:
                np.minimum(part, self._one_mm(p.crop(rows, columns), int(n)), out=part)
        return out

    def _one_mm(self, p: Plane, n: int) -> Field:
        start, end, ra, rb = self._ends[n]
        a = np.asarray(start, dtype=np.float32)
        ab = np.asarray(end, dtype=np.float32) - a
        flat = self._flatten
        dx, dy, dz = p.x - a[0], p.y - a[1], (p.z - a[2]) / flat
        ab[2] /= flat
        along = (dx * ab[0] + dy * ab[1] + dz * ab[2]) / max(float(ab @ ab), 1e-9)
        h = np.clip(along, 0, 1)
        squared = (dx - h * ab[0]) ** 2 + (dy - h * ab[1]) ** 2 + (dz - h * ab[2]) ** 2
        return np.asarray(np.sqrt(squared) - (ra + (rb - ra) * h), dtype=np.float32)


class Ripple:
    """A smooth random field in patient space, mean 0 and standard deviation 1.

    A sum of plane waves, worked out on every eighth pixel and interpolated between.
    """

    _STEP = 8

    def __init__(self, rng: np.random.Generator, wavelength_mm: float, waves: int = 10) -> None:
        directions = rng.standard_normal((waves, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lengths = wavelength_mm * rng.uniform(0.6, 1.7, (waves, 1))
        self._waves = directions * (2 * np.pi / lengths)
        self._phases = rng.uniform(0, 2 * np.pi, waves)

    def at(self, p: Plane, shape_ji: tuple[int, int]) -> Field:
        """Return the field over one slice, (rows, columns)."""
        step = self._STEP
        coarse_j = np.arange(0, shape_ji[0] + step, step)
        coarse_i = np.arange(0, shape_ji[1] + step, step)
        x, y, z = (
            _extend(field, coarse_j, coarse_i).astype(np.float64) for field in (p.x, p.y, p.z)
        )
        total = np.zeros((len(coarse_j), len(coarse_i)))
        for wave, phase in zip(self._waves, self._phases, strict=True):
            total += np.sin(wave[0] * x + wave[1] * y + wave[2] * z + phase)
        total *= np.sqrt(2 / len(self._waves))
        return _upsample(total.astype(np.float32), shape_ji, step)


def _extend(field: Field, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Field:
    """Sample a linear coordinate field at pixels that may lie just beyond its end."""
    out = field.astype(np.float32)
    if out.shape[0] > 1:
        slope = out[1:2] - out[0:1]
        out = out[0:1] + slope * rows[:, None].astype(np.float32)
    if out.shape[1] > 1:
        slope = out[:, 1:2] - out[:, 0:1]
        out = out[:, 0:1] + slope * columns[None].astype(np.float32)
    return out


def _upsample(coarse: Field, shape_ji: tuple[int, int], step: int) -> Field:
    rows = _between(coarse, shape_ji[0], step)
    return np.ascontiguousarray(_between(np.ascontiguousarray(rows.T), shape_ji[1], step).T)


def _between(coarse: Field, fine: int, step: int) -> Field:
    """Interpolate the first axis linearly."""
    at = np.arange(fine)
    share = ((at % step) / step).astype(np.float32)[:, None]
    first = coarse[at // step]
    return first + share * (coarse[at // step + 1] - first)
