"""Brush and eraser in millimetres: a pointer's path in, changed voxels out.

A stroke is the volume swept by a disc or a ball along the path: a voxel belongs to it
when its centre lies no farther from the path than the radius. So there are no gaps however
far apart the pointer's events are, and an anisotropic or sheared volume is right by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from viewer.annotate.mask import Bools, Box, Delta, Triple, cut
from viewer.tools.rules import Rule

_Floats = npt.NDArray[np.float64]

# Of the radius: what counts as under the pointer for a rule.
_CORE = 0.35
# The buffer grows by this many voxels a side, so that not each dab allocates.
_PADDING = 24


@dataclass(frozen=True, slots=True)
class Brush:
    """What is held in the hand.

    Attributes
    ----------
    diameter_mm
        Diameter of disc or ball, mm, above 0.
    shape
        ``"disc"`` draws on one slice, ``"ball"`` on all that it reaches.
    axis
        Index axis that a disc lies across: 0 = k, 1 = j, 2 = i. A ball has none.
    mode
        ``"add"`` or ``"erase"``.
    rule
        Which of the voxels it reaches are changed; None for all of them.
    """

    diameter_mm: float
    shape: Literal["disc", "ball"] = "disc"
    axis: int = 0
    mode: Literal["add", "erase"] = "add"
    rule: Rule | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.diameter_mm) and self.diameter_mm > 0.0):
            raise ValueError("a brush has a diameter")
        if self.axis not in (0, 1, 2):
            raise ValueError("an axis is 0, 1 or 2")


class Stroke:
    """One stroke in the making. Nothing is changed by it until its delta is committed.

    Parameters
    ----------
    shape_kji
        Shape of the volume; what lies outside is cut off.
    affine
        (4, 4), (k, j, i, 1) to LPS mm; may be oblique, anisotropic and sheared.
    brush
        What is drawn with.
    target_id
        Id of the lesion or segment that is drawn on.
    mask
        The target's mask before the stroke.
    voxels
        The volume (k, j, i); only a brush with a rule needs it.
    """

    def __init__(
        self,
        shape_kji: Triple,
        affine: geometry.Affine,
        brush: Brush,
        target_id: str,
        mask: Mask,
        voxels: npt.NDArray[Any] | None = None,
    ) -> None:
        if brush.rule is not None and voxels is None:
            raise ValueError("a rule judges values")
        self.shape_kji = shape_kji
        self.brush = brush
        self.target_id = target_id
        self.mask = mask
        self._axes = [a for a in range(3) if brush.shape == "ball" or a != brush.axis]
        steps = np.asarray(affine, dtype=np.float64)[:3, self._axes]
        self._metric: _Floats = steps.T @ steps
        # Half the box of an ellipsoid x G x <= r^2 along an index is r * sqrt(inverse G).
        self._reach = brush.diameter_mm / 2.0 * np.sqrt(np.diag(np.linalg.inv(self._metric)))
        self._voxels = voxels
        self._chooser = None if brush.rule is None else brush.rule.begin()
        self._last: _Floats | None = None
        self._slice = 0
        self._touched: Bools = np.zeros((0, 0, 0), dtype=np.bool_)
        self._origin = np.zeros(3, dtype=np.int64)
        self._low: npt.NDArray[np.int64] | None = None
        self._high = np.zeros(3, dtype=np.int64)

    def move_to(self, point_kji: npt.ArrayLike) -> Box | None:
        """Draw to a point: a dab at first, then the sweep from the point before.

        Parameters
        ----------
        point_kji
            (3,) fractional index; voxel centres are whole numbers. It may lie outside. A disc
            stays on the slice on which its stroke began.

        Returns
        -------
        Box or None
            The part of the volume that was reached; None when it lies outside.
        """
        point = np.asarray(point_kji, dtype=np.float64)
        if point.shape != (3,) or not np.isfinite(point).all():
            raise ValueError("a point has three finite indices")
        start = point if self._last is None else self._last
        if self._last is None:
            self._slice = math.floor(point[self.brush.axis] + 0.5)
        self._last = point
        # Long sweeps in pieces: the box of a slanting one grows with the cube of its length.
        way = (point - start)[self._axes]
        length_mm = math.sqrt(float(way @ self._metric @ way))
        pieces = max(1, math.ceil(length_mm / (1.5 * self.brush.diameter_mm)))
        reached: list[Box] = []
        for n in range(pieces):
            a = start + (point - start) * (n / pieces)
            b = start + (point - start) * ((n + 1) / pieces)
            box = self._sweep(a[self._axes], b[self._axes])
            if box is not None:
                reached.append(box)
        return _union(reached)

    @property
    def box(self) -> Box | None:
        """The part of the volume that the stroke reached so far."""
        if self._low is None:
            return None
        return _box(self._low, self._high)

    def slice_of(self, axis: int, index: int) -> tuple[Bools, tuple[int, int]]:
        """Return one slice of the target's mask as it would be after the stroke.

        Parameters
        ----------
        axis, index
            The slice at ``index`` of index axis ``axis``.

        Returns
        -------
        array
            2-D bool, the other two index axes in ascending order; (0, 0) when nothing is there.
        origin
            Index in the volume, along these two axes, of its first voxel.
        """
        old, old_at = _plane(self.mask.voxels, self.mask.origin_kji, axis, index)
        k, j, i = (int(n) for n in self._origin)
        new, new_at = _plane(self._touched, (k, j, i), axis, index)
        if not new.size:
            return old, old_at
        if not old.size:
            if self.brush.mode == "add":
                return new, new_at
            return np.zeros((0, 0), dtype=np.bool_), (0, 0)
        low = np.minimum(old_at, new_at)
        high = np.maximum(np.add(old_at, old.shape), np.add(new_at, new.shape))
        out = np.zeros(high - low, dtype=np.bool_)
        _part(out, low, old_at, old.shape)[...] = old
        drawn = _part(out, low, new_at, new.shape)
        if self.brush.mode == "add":
            np.logical_or(drawn, new, out=drawn)
        else:
            np.logical_and(drawn, ~new, out=drawn)
        return out, (int(low[0]), int(low[1]))

    def after(self) -> Mask:
        """Return the target's mask as it would be after the stroke."""
        box = self.box
        if box is None:
            return self.mask
        whole = _union([box, self.mask.box] if self.mask.voxels.size else [box])
        assert whole is not None
        out = cut(self.mask, whole)
        origin = np.array([side.start for side in whole])
        drawn = out[_shifted(box, origin)]
        touched = self._touched[_shifted(box, self._origin)]
        if self.brush.mode == "add":
            np.logical_or(drawn, touched, out=drawn)
        else:
            np.logical_and(drawn, ~touched, out=drawn)
        k, j, i = (side.start for side in whole)
        return Mask((k, j, i), out)

    def delta(self, mask: Mask | None = None) -> Delta | None:
        """Return the voxels that the stroke changes; None when it changes nothing.

        Parameters
        ----------
        mask
            The target's mask now, if it is another than when the stroke began.
        """
        box = self.box
        if box is None:
            return None
        k, j, i = (b.start for b in box)
        touched = self._touched[_shifted(box, self._origin)]
        before = cut(self.mask if mask is None else mask, box)
        changed = touched & (before if self.brush.mode == "erase" else ~before)
        return Delta.from_array(changed, (k, j, i))

    def _sweep(self, a: _Floats, b: _Floats) -> Box | None:
        """Mark what lies within the radius of the segment from ``a`` to ``b``, in ``_axes``."""
        # At least the voxel under the pointer: a brush finer than a voxel still draws.
        first, last = np.minimum(a, b), np.maximum(a, b)
        low = np.minimum(np.ceil(first - self._reach), np.floor(first + 0.5))
        high = np.maximum(np.floor(last + self._reach), np.floor(last + 0.5))
        full_low, full_high = np.full(3, self._slice), np.full(3, self._slice)
        full_low[self._axes], full_high[self._axes] = low, high
        full_low = np.maximum(full_low, 0)
        full_high = np.minimum(full_high + 1, self.shape_kji)
        if (full_low >= full_high).any():
            return None
        self._make_room(full_low, full_high)
        grids = [np.arange(full_low[x], full_high[x], dtype=np.float64) for x in self._axes]
        box = _box(full_low, full_high)
        part = self._touched[_shifted(box, self._origin)]
        distance2 = self._distance2(grids, a, b).reshape(part.shape)
        radius2 = (self.brush.diameter_mm / 2.0) ** 2 * (1.0 + 1e-12)
        near = distance2 <= radius2
        # However fine the brush: the voxels under the pointer.
        under = self._under(full_low, a, b)
        near[under] = True
        if self._chooser is not None and self._voxels is not None:
            core = distance2 <= radius2 * _CORE**2
            core[under] = True
            near = self._chooser.choose(self._voxels[box], near, core, part)
        np.logical_or(part, near, out=part)
        self._low = full_low if self._low is None else np.minimum(self._low, full_low)
        self._high = np.maximum(self._high, full_high)
        return box

    def _distance2(self, grids: list[_Floats], a: _Floats, b: _Floats) -> _Floats:
        """Return the square of the distance to the segment, mm^2, on a grid."""
        offsets = [grid - a[n] for n, grid in enumerate(grids)]
        distance2 = _quadratic(self._metric, offsets)
        way = b - a
        length = math.sqrt(float(way @ self._metric @ way))
        if length > 0.0:
            unit = self._metric @ way / length
            along = _outer_sum([o * u for o, u in zip(offsets, unit, strict=True)])
            nearest = np.clip(along, 0.0, length)
            along *= 2.0
            along -= nearest
            along *= nearest
            distance2 -= along
        return distance2

    def _under(self, low: npt.NDArray[np.int64], a: _Floats, b: _Floats) -> tuple[Any, ...]:
        """Return the voxels that the segment goes through, from the corner of its box."""
        steps = max(1, math.ceil(float(np.abs(b - a).max()) * 2.0))
        along = np.linspace(0.0, 1.0, steps + 1)[:, None]
        at = np.floor(a + (b - a) * along + 0.5).astype(np.int64)
        points = np.full((len(at), 3), self._slice, dtype=np.int64)
        points[:, self._axes] = at
        inside = ((points >= 0) & (points < self.shape_kji)).all(axis=1)
        return tuple((points[inside] - low).T)

    def _make_room(self, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> None:
        size = self._touched.shape
        end = self._origin + size
        if self._touched.size and (low >= self._origin).all() and (high <= end).all():
            return
        if not self._touched.size:
            self._origin, end = low, high
        new_low = np.where(low < self._origin, low - _PADDING, self._origin)
        new_high = np.where(high > end, high + _PADDING, end)
        new_low, new_high = np.maximum(new_low, 0), np.minimum(new_high, self.shape_kji)
        grown = np.zeros(new_high - new_low, dtype=np.bool_)
        if self._touched.size:
            grown[_shifted(_box(self._origin, end), new_low)] = self._touched
        self._touched, self._origin = grown, new_low


def _quadratic(metric: _Floats, offsets: list[_Floats]) -> _Floats:
    """Return x G x on the grid of the offsets; the mixed terms only where there are any."""
    out = _outer_sum([o * o * metric[n, n] for n, o in enumerate(offsets)])
    scale = float(np.abs(metric).max()) * 1e-12
    for m in range(len(offsets)):
        for n in range(m + 1, len(offsets)):
            if abs(metric[m, n]) > scale:
                first = _along(offsets[m], m, len(offsets))
                second = _along(offsets[n], n, len(offsets))
                out += 2.0 * metric[m, n] * first * second
    return out


def _outer_sum(vectors: list[_Floats]) -> _Floats:
    out: _Floats = np.zeros((1,) * len(vectors))
    for n, vector in enumerate(vectors):
        out = out + _along(vector, n, len(vectors))
    return out


def _along(vector: _Floats, axis: int, dimensions: int) -> _Floats:
    return vector.reshape([-1 if n == axis else 1 for n in range(dimensions)])


def _box(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> Box:
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return k, j, i


def _shifted(box: Box, origin: npt.NDArray[np.int64]) -> Box:
    k, j, i = (slice(b.start - int(o), b.stop - int(o)) for b, o in zip(box, origin, strict=True))
    return k, j, i


def _union(boxes: list[Box]) -> Box | None:
    if not boxes:
        return None
    k, j, i = (
        slice(min(b[n].start for b in boxes), max(b[n].stop for b in boxes)) for n in range(3)
    )
    return k, j, i


def _plane(array: Bools, origin: Triple, axis: int, index: int) -> tuple[Bools, tuple[int, int]]:
    first, second = (origin[a] for a in range(3) if a != axis)
    at = index - origin[axis]
    if not 0 <= at < array.shape[axis]:
        return np.zeros((0, 0), dtype=np.bool_), (0, 0)
    plane = array[(slice(None),) * axis + (at,)]
    return plane, (first, second)


def _part(
    out: Bools, low: npt.NDArray[np.int64], at: tuple[int, int], shape: tuple[int, ...]
) -> Bools:
    row, column = at[0] - int(low[0]), at[1] - int(low[1])
    return out[row : row + shape[0], column : column + shape[1]]
