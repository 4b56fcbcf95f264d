"""Lasso: a closed line on one slice in, changed voxels out.

A voxel lies in the lasso when its centre does. Where the line crosses itself, what it goes round
counts, however often it does: a loop that closes a little late leaves no hole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from inference.geometry import Affine, kji_to_lps_mm, lps_mm_to_kji
from viewer.annotate.mask import Bools, Box, Delta, Triple, crop, cut, xor

Mode = Literal["add", "subtract", "intersect"]
MODES: tuple[Mode, ...] = ("add", "subtract", "intersect")

_Floats = npt.NDArray[np.float64]
# Of half a step between slices: the voxels of the slice itself lie at nought.
_AT_EDGE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The slice that a lasso lies on, at any angle.

    Attributes
    ----------
    origin_lps_mm
        A point of it, LPS mm.
    across_lps, down_lps
        Unit vectors in LPS that span it, at right angles.
    thickness_mm
        Distance to the next slice of the same view: voxels no farther from the sheet than half
        of it are drawn on.
    """

    origin_lps_mm: _Floats
    across_lps: _Floats
    down_lps: _Floats
    thickness_mm: float

    def flat(self, points_lps_mm: npt.ArrayLike) -> _Floats:
        """Return points (n, 3) in LPS mm as (n, 2) mm on the sheet."""
        away = np.asarray(points_lps_mm, dtype=np.float64) - self.origin_lps_mm
        return np.stack([away @ self.across_lps, away @ self.down_lps], axis=1)


class Lasso:
    """A lasso in the making, over one target. Nothing is changed before its delta is committed.

    Parameters
    ----------
    shape_kji
        Shape of the volume.
    affine
        (4, 4), (k, j, i, 1) to LPS mm; may be oblique, anisotropic, flipped and sheared.
    mode
        What becomes of the voxels: those inside are added or taken away; ``"intersect"`` takes
        away what lies on the same slice outside.
    target_id, mask
        Lesion or segment that is drawn on, and its mask.
    axis, index
        The slice at ``index`` of index axis ``axis`` (0 = k, 1 = j, 2 = i); ``axis`` None for a
        slice that follows none, which then ``sheet`` gives.
    sheet
        Where such a slice lies.
    """

    def __init__(
        self,
        shape_kji: Triple,
        affine: Affine,
        mode: Mode,
        target_id: str,
        mask: Mask,
        axis: int | None,
        index: int = 0,
        sheet: Sheet | None = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError("a lasso adds, subtracts or intersects")
        if axis not in (0, 1, 2) and sheet is None:
            raise ValueError("a lasso lies on a slice")
        self.shape_kji = shape_kji
        self.mode = mode
        self.target_id = target_id
        self.mask = mask
        self.axis = axis
        self.index = index
        self._affine = affine
        self._sheet = sheet
        self._inside: Bools = np.zeros((0, 0, 0), dtype=np.bool_)
        self._origin: Triple = (0, 0, 0)

    def draw(self, points_lps_mm: npt.ArrayLike) -> None:
        """Take another line.

        Parameters
        ----------
        points_lps_mm
            (n, 3) corners in turn, LPS mm; the last is joined to the first. Fewer than three go
            round nothing. They may lie outside the volume.
        """
        points = np.asarray(points_lps_mm, dtype=np.float64).reshape(-1, 3)
        if not np.isfinite(points).all():
            raise ValueError("a corner has three finite coordinates")
        if self.axis is None:
            self._inside, self._origin = self._of_sheet(points)
        else:
            self._inside, self._origin = self._of_slice(points, self.axis)

    @property
    def inside(self) -> Mask:
        """The voxels in the lasso."""
        return crop(self._inside, self._origin)

    def slice_of(self, axis: int, index: int) -> tuple[Bools, tuple[int, int]]:
        """Return one slice of the target's mask as it would be; as ``brush.Stroke.slice_of``."""
        after = self.after(self.mask)
        at = index - after.origin_kji[axis]
        first, second = (after.origin_kji[a] for a in range(3) if a != axis)
        if not after.voxels.size or not 0 <= at < after.voxels.shape[axis]:
            return np.zeros((0, 0), dtype=np.bool_), (0, 0)
        return after.voxels[(slice(None),) * axis + (at,)], (first, second)

    def delta(self, mask: Mask | None = None) -> Delta | None:
        """Return the voxels that the lasso changes; None when it changes nothing.

        Parameters
        ----------
        mask
            The target's mask now, if it is another than when the lasso began.
        """
        before = self.mask if mask is None else mask
        if self.mode == "intersect":
            if not self._inside.any():
                return None  # a slip of the hand is no wish to lose the whole slice
            layer = self._layer(before)
            kept = cut(self.inside, before.box)
            return Delta.from_array(before.voxels & layer & ~kept, before.origin_kji)
        box = self._box
        if box is None:
            return None
        drawn = cut(before, box)
        changed = self._inside & (drawn if self.mode == "subtract" else ~drawn)
        return Delta.from_array(changed, self._origin)

    def after(self, mask: Mask) -> Mask:
        """Return a mask as it would be."""
        delta = self.delta(mask)
        return mask if delta is None else xor(mask, delta)[0]

    @property
    def _box(self) -> Box | None:
        if not self._inside.size:
            return None
        k, j, i = (slice(o, o + n) for o, n in zip(self._origin, self._inside.shape, strict=True))
        return k, j, i

    def _layer(self, mask: Mask) -> Bools:
        """Tell which voxels of a mask's box lie on the lasso's slice."""
        if self.axis is not None:
            at = np.arange(mask.voxels.shape[self.axis]) + mask.origin_kji[self.axis] == self.index
            return np.broadcast_to(
                at.reshape([-1 if a == self.axis else 1 for a in range(3)]), mask.voxels.shape
            )
        return self._near(mask.origin_kji, mask.voxels.shape)

    def _near(self, origin: Triple, shape: tuple[int, ...]) -> Bools:
        """Tell which voxels of a box lie no farther from the sheet than half a slice."""
        assert self._sheet is not None
        normal = np.cross(self._sheet.across_lps, self._sheet.down_lps)
        base = kji_to_lps_mm(self._affine, origin) - self._sheet.origin_lps_mm
        depth = np.full((1, 1, 1), float(base @ normal))
        for a in range(3):
            step = float(self._affine[:3, a] @ normal)
            along = np.arange(shape[a]) * step
            depth = depth + along.reshape([-1 if x == a else 1 for x in range(3)])
        half = self._sheet.thickness_mm / 2
        slack = half * _AT_EDGE
        # Half open: a centre midway between two slices belongs to one of them.
        return np.asarray((depth >= -half - slack) & (depth < half - slack))

    def _of_slice(self, points: _Floats, axis: int) -> tuple[Bools, Triple]:
        first, second = (a for a in range(3) if a != axis)
        if not 0 <= self.index < self.shape_kji[axis] or len(points) < 3:
            return np.zeros((0, 0, 0), dtype=np.bool_), (0, 0, 0)
        kji = lps_mm_to_kji(self._affine, points)
        flat, (row, column) = filled(
            kji[:, [first, second]], (self.shape_kji[first], self.shape_kji[second])
        )
        origin = [0, 0, 0]
        origin[axis], origin[first], origin[second] = self.index, row, column
        return np.expand_dims(flat, axis), (origin[0], origin[1], origin[2])

    def _of_sheet(self, points: _Floats) -> tuple[Bools, Triple]:
        sheet = self._sheet
        assert sheet is not None
        nothing: tuple[Bools, Triple] = np.zeros((0, 0, 0), dtype=np.bool_), (0, 0, 0)
        if len(points) < 3:
            return nothing
        normal = np.cross(sheet.across_lps, sheet.down_lps)
        deep = normal * sheet.thickness_mm / 2
        kji = lps_mm_to_kji(self._affine, np.concatenate([points - deep, points + deep]))
        low = np.maximum(np.floor(kji.min(axis=0)), 0).astype(np.int64)
        high = np.minimum(np.ceil(kji.max(axis=0)) + 1, self.shape_kji).astype(np.int64)
        if (low >= high).any():
            return nothing
        k, j, i = (int(n) for n in low)
        near = self._near((k, j, i), tuple(int(n) for n in high - low))
        at = np.argwhere(near)
        flat = sheet.flat(kji_to_lps_mm(self._affine, at + low))
        near[tuple(at.T)] = goes_round(sheet.flat(points), flat)
        return near, (k, j, i)


def filled(corners: _Floats, shape: tuple[int, int]) -> tuple[Bools, tuple[int, int]]:
    """Return which points of a grid a closed line goes round.

    Parameters
    ----------
    corners
        (n, 2) fractional (row, column); points of the grid are whole numbers.
    shape
        Rows and columns of the grid; what lies outside is cut off.

    Returns
    -------
    array
        2-D bool, cut to the line's own box.
    origin
        Row and column of its first point.
    """
    low = np.maximum(np.ceil(corners.min(axis=0)), 0).astype(np.int64)
    high = np.minimum(np.floor(corners.max(axis=0)) + 1, shape).astype(np.int64)
    if (low >= high).any():
        return np.zeros((0, 0), dtype=np.bool_), (0, 0)
    rows = np.arange(low[0], high[0], dtype=np.float64)
    row, at, turn = _crossings(corners, rows)
    size = int(high[1] - low[1])
    column = np.clip(np.ceil(at) - low[1], 0, size).astype(np.int64)
    # How often the line goes round a point: its sides to the left, up less down.
    rounds = np.zeros((len(rows), size + 1), dtype=np.int32)
    np.add.at(rounds, (row, column), turn)
    return np.cumsum(rounds[:, :-1], axis=1) != 0, (int(low[0]), int(low[1]))


def goes_round(corners: _Floats, points: _Floats) -> Bools:
    """Tell of points (n, 2) which a closed line of corners (m, 2) goes round."""
    order = np.argsort(points[:, 1], kind="stable")
    y, inverse = np.unique(points[order, 1], return_inverse=True)
    rounds = np.zeros(len(points), dtype=np.int32)
    a, b = corners, np.roll(corners, -1, axis=0)
    for (x1, y1), (x2, y2) in zip(a.tolist(), b.tolist(), strict=True):
        if y1 == y2:
            continue
        start, stop = np.searchsorted(y, (min(y1, y2), max(y1, y2)))
        first, last = np.searchsorted(inverse, (start, stop))
        some = order[first:last]
        at = x1 + (points[some, 1] - y1) * ((x2 - x1) / (y2 - y1))
        rounds[some] += np.where(at <= points[some, 0], 1 if y2 > y1 else -1, 0)
    return np.asarray(rounds != 0)


def _crossings(
    corners: _Floats, rows: _Floats
) -> tuple[npt.NDArray[np.int64], _Floats, npt.NDArray[np.int32]]:
    """Return where the sides of a line cross rows: row, column, and 1 for down or -1 for up."""
    start, end = corners, np.roll(corners, -1, axis=0)
    below, above = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    meets = (rows >= below[:, None]) & (rows < above[:, None])
    edge, row = np.nonzero(meets)
    fall = end[edge, 0] - start[edge, 0]
    share = (rows[row] - start[edge, 0]) / fall
    at = start[edge, 1] + share * (end[edge, 1] - start[edge, 1])
    return row, at, np.where(fall > 0, 1, -1).astype(np.int32)
