"""Peaks of a heatmap: where it is higher than all around, the highest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from inference.findings import Heatmap
from inference.geometry import kji_to_lps_mm

_AROUND = [step for step in product((-1, 0, 1), repeat=3) if step != (0, 0, 0)]
# Two bumps nearer than this are one place to look at.
APART_MM = 8.0
MOST = 200


@dataclass(frozen=True, slots=True)
class Peak:
    """One peak: its value from 0 to 1, its voxel (k, j, i) in the volume, and its place."""

    value: float
    voxel_kji: tuple[int, int, int]
    centre_lps_mm: tuple[float, float, float]


def peaks(
    heatmap: Heatmap,
    affine: npt.NDArray[np.float64],
    floor: int,
    *,
    apart_mm: float = APART_MM,
) -> tuple[Peak, ...]:
    """Return the peaks of a heatmap, sorted by value, then by place.

    A peak is a connected set of equal voxels with none higher among their 26 neighbours; its
    voxel is the one nearest to the middle of the set. Of peaks nearer than ``apart_mm`` the
    higher one is kept.

    Parameters
    ----------
    heatmap
        uint8 values (k, j, i) x 255 over a box of the volume.
    affine
        (k, j, i, 1) to LPS mm.
    floor
        Smallest value that counts, 1 to 255: what is not shown has no peaks.

    Returns
    -------
    tuple of Peak
        At most ``MOST``.
    """
    from scipy import ndimage

    floor = max(1, floor)
    box = _box(heatmap.values, floor)
    if box is None:
        return ()
    values = heatmap.values[box]
    around = ndimage.maximum_filter(values, size=3, mode="constant", cval=0)
    high = (values == around) & (values >= floor)
    number, count = ndimage.label(high, structure=np.ones((3, 3, 3)))
    at = np.argwhere(high)
    group = number[high]
    slope = _slopes(values, high, at, group, count)
    origin = np.array(heatmap.origin_kji) + [part.start for part in box]
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(1, count + 2))
    found = []
    for n in np.flatnonzero(~slope[1:]):
        members = at[order[ends[n] : ends[n + 1]]]
        away = ((members - members.mean(axis=0)) ** 2).sum(axis=1)
        voxel = members[np.argmin(away)]
        found.append((int(values[tuple(voxel)]), tuple(int(v) for v in voxel + origin)))
    found.sort(key=lambda peak: (-peak[0], peak[1]))
    return tuple(_apart(found, affine, apart_mm))


def _box(values: npt.NDArray[np.uint8], floor: int) -> tuple[slice, slice, slice] | None:
    """Return the box of all voxels from ``floor`` on; None when there are none."""
    shown = values >= floor
    rows = np.any(shown, axis=2)
    flat = (np.any(rows, axis=1), np.any(rows, axis=0), np.any(shown, axis=(0, 1)))
    ends = [np.flatnonzero(line) for line in flat]
    if not ends[0].size:
        return None
    k, j, i = (slice(int(end[0]), int(end[-1]) + 1) for end in ends)
    return k, j, i


def _slopes(
    values: npt.NDArray[np.uint8],
    high: npt.NDArray[np.bool_],
    at: npt.NDArray[np.int64],
    group: npt.NDArray[np.int32],
    count: int,
) -> npt.NDArray[np.bool_]:
    """Tell of each group whether its plateau goes on to a voxel that has a higher neighbour."""
    wide, highs = np.pad(values, 1), np.pad(high, 1)
    heights = values[high]
    slope = np.zeros(count + 1, dtype=np.bool_)
    for step in _AROUND:
        k, j, i = (at + 1 + np.array(step)).T
        slope[group[(wide[k, j, i] == heights) & ~highs[k, j, i]]] = True
    return slope


def _apart(
    found: list[tuple[int, tuple[int, ...]]],
    affine: npt.NDArray[np.float64],
    apart_mm: float,
) -> Iterator[Peak]:
    kept: list[npt.NDArray[np.float64]] = []
    for value, voxel in found:
        if len(kept) >= MOST:
            return
        place = kji_to_lps_mm(affine, voxel)
        if any(float(np.linalg.norm(place - other)) < apart_mm for other in kept):
            continue
        kept.append(place)
        k, j, i = (int(v) for v in voxel)
        x, y, z = (float(v) for v in place)
        yield Peak(value / 255, (k, j, i), (x, y, z))
