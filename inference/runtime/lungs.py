"""Lungs, left and right, by thresholds and morphology on a grid of about 2 mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.segmentation import watershed

from inference.runtime.prepare import box_of
from inference.runtime.trachea import find_trachea

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_AIR_HU = -320.0
# Gas in stomach and colon is empty; even an emphysematous lung holds blood and tissue.
_GAS_HU = -935.0
_GRID_MM = 2.0
_SMALLEST_ML = 60.0
_CLOSE_MM = 9.0
_SEARCH_CLOSE_MM = 22.0
_SEARCH_GROW_MM = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Lungs:
    """Where the lungs are, in the voxels of the volume (k, j, i).

    Attributes
    ----------
    right, left
        The patient's right and left lung with vessels and nodules, without the trachea;
        all False when there is none.
    search
        Where nodules are looked for: both lungs, with masses that touch their walls.
    """

    right: Bools
    left: Bools
    search: Bools

    @property
    def found(self) -> bool:
        """Tell whether there is any lung."""
        return bool(self.right.any() or self.left.any())


@dataclass(frozen=True, slots=True)
class _Grid:
    """Blocks of voxels: how many along k, j and i make one cell."""

    block_kji: tuple[int, int, int]
    spacing_kji_mm: tuple[float, float, float]

    @classmethod
    def of(cls, spacing_kji_mm: tuple[float, float, float]) -> _Grid:
        k, j, i = (max(1, round(_GRID_MM / s)) for s in spacing_kji_mm)
        a, b, c = spacing_kji_mm
        return cls((k, j, i), (a * k, b * j, c * i))

    def shrink(self, voxels: npt.NDArray[Any]) -> Floats:
        """Return the mean HU of every cell; cells at the far ends repeat the last voxels."""
        k, j, i = self.block_kji
        planes = []
        for start in range(0, voxels.shape[0], k):
            slab = voxels[start : start + k].astype(np.float32).mean(axis=0)
            slab = np.pad(slab, ((0, -slab.shape[0] % j), (0, -slab.shape[1] % i)), mode="edge")
            cells = slab.reshape(slab.shape[0] // j, j, slab.shape[1] // i, i)
            planes.append(cells.mean(axis=(1, 3)))
        return np.stack(planes)

    def enlarge(self, cells: Bools, shape_kji: tuple[int, ...]) -> Bools:
        """Return cells as voxels of a volume of ``shape_kji``."""
        out = cells
        for axis, (times, size) in enumerate(zip(self.block_kji, shape_kji, strict=True)):
            out = np.take(np.repeat(out, times, axis=axis), np.arange(size), axis=axis)
        return out

    def within(self, mask: Bools, reach_mm: float) -> Bools:
        """Grow a mask that is not empty by a distance."""
        k, j, i = self._cells(reach_mm)
        box = box_of(mask, (k, j, i))
        out = np.zeros_like(mask)
        distance = ndimage.distance_transform_edt(~mask[box], sampling=self.spacing_kji_mm)
        out[box] = distance <= reach_mm
        return out

    def close(self, mask: Bools, reach_mm: float) -> Bools:
        """Close gaps of a mask that is not empty, if narrower than twice ``reach_mm``.

        Beyond the first and the last slice the mask counts as going on.
        """
        box = box_of(mask, (0, 0, 0))
        part = mask[box]
        k, j, i = self._cells(reach_mm)
        padded = np.pad(part, [(k, k), (0, 0), (0, 0)], mode="edge")
        padded = np.pad(padded, [(0, 0), (j, j), (i, i)])
        outside = ndimage.distance_transform_edt(~padded, sampling=self.spacing_kji_mm)
        grown = outside <= reach_mm
        inner = ndimage.distance_transform_edt(grown, sampling=self.spacing_kji_mm) > reach_mm
        nk, nj, ni = part.shape
        out = mask.copy()
        out[box] |= inner[k : k + nk, j : j + nj, i : i + ni]
        return out

    def _cells(self, reach_mm: float) -> tuple[int, int, int]:
        k, j, i = (int(np.ceil(reach_mm / s)) + 1 for s in self.spacing_kji_mm)
        return k, j, i

    @property
    def cell_ml(self) -> float:
        """Volume of a cell in mL."""
        return float(np.prod(self.spacing_kji_mm)) / 1000.0


def find_lungs(voxels: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> Lungs:
    """Segment both lungs of a CT.

    Parameters
    ----------
    voxels
        (k, j, i) HU; slices axial or nearly so, in any order and orientation in plane.
    affine
        (4, 4), (k, j, i, 1) to LPS mm; tells right from left and head from feet.

    Returns
    -------
    Lungs
        Full-size masks; empty when no lung is found.
    """
    steps = affine[:3, :3]
    a, b, c = np.linalg.norm(steps, axis=0)
    grid = _Grid.of((float(a), float(b), float(c)))
    hu = grid.shrink(voxels)
    body = _body(hu)
    air = (hu < _AIR_HU) & body
    ascending = bool(steps[2, 0] > 0)
    up = slice(None) if ascending else slice(None, None, -1)
    across = int(np.argmax(np.abs(steps[0, 1:])))
    air &= ~find_trachea(hu[up], body[up], grid.spacing_kji_mm, across)[up]
    # Millimetres to the patient's left, from an arbitrary zero.
    k, j, i = (
        np.arange(n) * mm * block
        for n, mm, block in zip(hu.shape, steps[0], grid.block_kji, strict=True)
    )
    left_x = k[:, None, None] + j[:, None] + i
    parts = _parts(air, hu, grid)
    right, left = _sides(parts, body, left_x, grid)
    right, left = _filled(right, grid), _filled(left, grid)
    both = right & left
    right, left = right & ~both, left & ~both
    # Closing reaches over the neighbour: each side keeps what the other had first.
    search = np.zeros_like(body)
    for side in (right, left):
        if side.any():
            search |= grid.close(side, _SEARCH_CLOSE_MM)
    if search.any():
        search = grid.within(search, _SEARCH_GROW_MM)
    full = [_refined(side, voxels, grid) for side in (right, left)]
    right, left = full[0], full[1] & ~full[0]
    return Lungs(right, left, grid.enlarge(search, voxels.shape) | right | left)


def _body(hu: Floats) -> Bools:
    """Return the largest solid thing, its hollows filled slice by slice."""
    tissue = ndimage.binary_opening(hu > _AIR_HU, np.ones((1, 3, 3), dtype=bool), iterations=1)
    labels, count = ndimage.label(tissue)
    if not count:
        return np.zeros(hu.shape, dtype=np.bool_)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    body = labels == sizes.argmax()
    return np.stack([ndimage.binary_fill_holes(plane) for plane in body])


def _parts(air: Bools, hu: Floats, grid: _Grid) -> list[Bools]:
    """Return the connected pieces of air that are large enough and not empty gas."""
    labels, count = ndimage.label(air)
    if not count:
        return []
    sizes_ml = np.bincount(labels.ravel()) * grid.cell_ml
    sizes_ml[0] = 0
    means = ndimage.mean(hu, labels, np.arange(count + 1))
    keep = (sizes_ml > max(_SMALLEST_ML, 0.08 * sizes_ml.max())) & (means > _GAS_HU)
    return [labels == index for index in np.flatnonzero(keep)]


def _sides(
    parts: list[Bools], body: Bools, left_x: npt.NDArray[np.float64], grid: _Grid
) -> tuple[Bools, Bools]:
    """Sort pieces into (right, left) by the middle of the body, cutting what crosses it."""
    right, left = np.zeros_like(body), np.zeros_like(body)
    if not parts:
        return right, left
    middle = _middle(parts, body, left_x)
    for part in parts:
        lefts = int((left_x[part] > middle).sum())
        share = lefts / part.sum()
        if share < 0.2:
            right |= part
        elif share > 0.8:
            left |= part
        else:
            first, second = _cut(part, left_x, middle, grid)
            right |= first
            left |= second
    return right, left


def _middle(parts: list[Bools], body: Bools, left_x: npt.NDArray[np.float64]) -> float:
    """Return x of the midline: the body's middle on the slices that hold lung."""
    slices = np.flatnonzero(np.logical_or.reduce(parts).any(axis=(1, 2)))
    inside = body[slices]
    low, high = np.percentile(left_x[slices][inside], [1, 99])
    return float((low + high) / 2)


def _cut(
    part: Bools, left_x: npt.NDArray[np.float64], middle: float, grid: _Grid
) -> tuple[Bools, Bools]:
    """Cut two lungs that touch along their thinnest sheet."""
    depth = ndimage.distance_transform_edt(part, sampling=grid.spacing_kji_mm)
    # The deep inside of each lung, well off the midline, seeds its side.
    seeds = np.zeros(part.shape, dtype=np.int32)
    deep = depth > 6.0
    seeds[deep & (left_x < middle - 15)] = 1
    seeds[deep & (left_x > middle + 15)] = 2
    sides = watershed(-depth, seeds, mask=part)
    return np.asarray(sides == 1), np.asarray(sides == 2)


def _filled(side: Bools, grid: _Grid) -> Bools:
    """Take vessels, nodules and the dents of masses on the wall into a lung."""
    if not side.any():
        return side
    closed = grid.close(side, _CLOSE_MM)
    return np.stack([ndimage.binary_fill_holes(plane) for plane in closed])


def _refined(side: Bools, voxels: npt.NDArray[Any], grid: _Grid) -> Bools:
    """Bring a coarse mask to full size; within a cell of its border the voxels decide."""
    if not side.any():
        return np.zeros(voxels.shape, dtype=np.bool_)
    cross = ndimage.generate_binary_structure(3, 1)
    core = grid.enlarge(ndimage.binary_erosion(side, cross, border_value=1), voxels.shape)
    reach = grid.enlarge(ndimage.binary_dilation(side, cross), voxels.shape)
    return core | (reach & (voxels < _AIR_HU))
