"""What of a volume has to be sent along with a point that is to be outlined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine, kji_to_lps_mm, lps_mm_to_kji
from inference.volume import Volume

# How far from the point ``runtime.outline.outline_at`` may look, along k and in plane, with
# room to spare.
REACH_KJI_MM = (60.0, 96.0, 96.0)


def surroundings(
    volume: Volume, point_lps_mm: tuple[float, float, float]
) -> tuple[npt.NDArray[Any], Affine, tuple[int, int, int]]:
    """Cut out what may be looked at round a point.

    Parameters
    ----------
    point_lps_mm
        LPS mm, finite. Where it lies outside the volume, it lies outside the box too: that is
        for ``outline_at`` to say.

    Returns
    -------
    voxels, affine, origin_kji
        A box (k, j, i) of the volume, at least a voxel, not copied; its own (4, 4) affine,
        (k, j, i, 1) to LPS mm; the index in the volume of its first voxel.
    """
    size = np.asarray(volume.shape_kji)
    # Clipped first: a point may be farther away than an index can say.
    point = np.clip(lps_mm_to_kji(volume.affine, point_lps_mm), 0, size - 1)
    return _cut(volume, point, point)


def surroundings_of(
    volume: Volume, box: tuple[slice, slice, slice], points_kji: Sequence[tuple[int, int, int]]
) -> tuple[npt.NDArray[Any], Affine, tuple[int, int, int]]:
    """Cut out what may be looked at round an outline and voxels that correct it.

    Parameters
    ----------
    box
        Of the outline, in the volume.
    points_kji
        Voxels of the volume.

    Returns
    -------
    voxels, affine, origin_kji
        As of ``surroundings``.
    """
    ends = np.array([[b.start for b in box], [b.stop - 1 for b in box], *points_kji], dtype=float)
    return _cut(volume, ends.min(axis=0), ends.max(axis=0))


def _cut(
    volume: Volume, first: npt.NDArray[np.float64], last: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[Any], Affine, tuple[int, int, int]]:
    reach = np.asarray(REACH_KJI_MM) / volume.spacing_kji_mm
    size = np.asarray(volume.shape_kji)
    low = np.clip(np.floor(first - reach), 0, size - 1).astype(int)
    high = np.clip(np.ceil(last + reach) + 1, low + 1, size).astype(int)
    k, j, i = (int(n) for n in low)
    affine = volume.affine.copy()
    affine[:3, 3] = kji_to_lps_mm(volume.affine, low)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return volume.voxels[box], affine, (k, j, i)
