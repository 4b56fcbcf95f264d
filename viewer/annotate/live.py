"""The measurement of ``inference.measure``, quick enough for the end of each stroke."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from inference.measure import Measurement, measure
from viewer.annotate.mask import Bools

_DIRECTIONS = 16


def measure_live(
    mask: Mask, affine: geometry.Affine, voxels: npt.NDArray[Any] | None = None
) -> Measurement:
    """Measure one lesion; parameters, result and errors as in ``inference.measure.measure``.

    The axes are sought in the few slices only that can hold the longest chord.
    """
    if not mask.voxels.any():
        raise ValueError("an empty mask has no size")
    slices = np.ascontiguousarray(mask.voxels[_longest_slices(mask.voxels, affine)])
    axes = measure(Mask(mask.origin_kji, slices), affine)
    count, centre_kji = _centre(mask.voxels)
    x, y, z = geometry.kji_to_lps_mm(affine, centre_kji + np.asarray(mask.origin_kji))
    mean = float("nan")
    if voxels is not None:
        mean = float(voxels[mask.box][mask.voxels].mean(dtype=np.float64))
    return Measurement(
        centre_lps_mm=(float(x), float(y), float(z)),
        diameter_mm=axes.diameter_mm,
        short_axis_mm=axes.short_axis_mm,
        volume_ml=count * geometry.voxel_volume_mm3(affine) / 1000.0,
        mean_value=mean,
    )


def _centre(array: Bools) -> tuple[int, npt.NDArray[np.float64]]:
    """Return the number of voxels and their mean (k, j, i), from whole-number sums."""
    kj = np.count_nonzero(array, axis=2)
    i = np.count_nonzero(array, axis=(0, 1))
    count = int(i.sum())
    sums = [int(n @ np.arange(len(n))) for n in (kj.sum(axis=1), kj.sum(axis=0), i)]
    return count, np.array(sums, dtype=np.float64) / count


def _longest_slices(array: Bools, affine: geometry.Affine) -> npt.NDArray[np.int64]:
    """Return the slices that may hold the longest chord; the others cannot.

    A slice is seen from ``_DIRECTIONS`` directions. Its diameter is no less than the greatest of
    these widths, and no more than that over the cosine of half the angle between two directions.
    """
    step_mm = np.linalg.qr(affine[:3, 1:3])[1]
    angle = np.arange(_DIRECTIONS) * math.pi / _DIRECTIONS
    along_j, along_i = step_mm.T @ np.stack([np.cos(angle), np.sin(angle)])
    k, j = np.nonzero(array.any(axis=2))
    rows = array[k, j]
    first = rows.argmax(axis=1)
    last = rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
    ends = [j[:, None] * along_j + end[:, None] * along_i for end in (first, last)]
    starts = np.flatnonzero(np.diff(k, prepend=-1))
    high = np.maximum.reduceat(np.maximum(*ends), starts, axis=0)
    low = np.minimum.reduceat(np.minimum(*ends), starts, axis=0)
    # From the midpoints of pixel edges, half a step beyond the centres on either side.
    widths = (high - low + np.maximum(np.abs(along_j), np.abs(along_i))).max(axis=1)
    most = widths / math.cos(math.pi / (2 * _DIRECTIONS))
    # A hair less, so that rounding cannot throw out one of two equal slices.
    least = widths.max() * (1.0 - 1e-9)
    return np.asarray(k[starts][most >= least], dtype=np.int64)
