"""The measurement of ``inference.measure``, quick enough for the end of each stroke."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from inference.measure import Measurement, axes_mm
from viewer.annotate.mask import Bools

_DIRECTIONS = (8, 64)
_KEPT = 256  # measurements, some hundred bytes each


def measure_live(
    mask: Mask, affine: geometry.Affine, voxels: npt.NDArray[Any] | None = None
) -> Measurement:
    """Measure one lesion; parameters, result and errors as in ``inference.measure.measure``.

    The axes are sought in the few slices only that can hold the longest chord.
    """
    if not mask.voxels.any():
        raise ValueError("an empty mask has no size")
    slices = np.ascontiguousarray(mask.voxels[_longest_slices(mask.voxels, affine)])
    long_axis, short_axis = axes_mm(slices, affine)
    count, centre_kji = _centre(mask.voxels)
    x, y, z = geometry.kji_to_lps_mm(affine, centre_kji + np.asarray(mask.origin_kji))
    mean = float("nan") if voxels is None else _mean(voxels[mask.box], mask.voxels, count)
    return Measurement(
        centre_lps_mm=(float(x), float(y), float(z)),
        diameter_mm=long_axis,
        short_axis_mm=short_axis,
        volume_ml=count * geometry.voxel_volume_mm3(affine) / 1000.0,
        mean_value=mean,
    )


class Sizes:
    """What masks of one volume measured, remembered: a step back leads to one that was seen.

    Parameters
    ----------
    affine
        (4, 4), (k, j, i, 1) to LPS mm.
    voxels
        The volume (k, j, i), or None when no mean value is wanted.
    """

    def __init__(self, affine: geometry.Affine, voxels: npt.NDArray[Any] | None) -> None:
        self._affine = affine
        self._voxels = voxels
        self._known: OrderedDict[tuple[Any, ...], Measurement] = OrderedDict()

    def of(self, mask: Mask) -> Measurement:
        """Return what ``measure_live`` says of a mask."""
        bits = np.packbits(mask.voxels).tobytes()
        digest = hashlib.blake2b(bits, digest_size=16).digest()
        key = (mask.origin_kji, mask.voxels.shape, digest)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = measure_live(mask, self._affine, self._voxels)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found


def _mean(part: npt.NDArray[Any], array: Bools, count: int) -> float:
    if part.dtype.kind not in "iu":
        return float(part[array].mean(dtype=np.float64))
    # Three times as quick as picking the voxels out, and as exact: whole numbers are added up.
    return int(np.multiply(part, array, dtype=part.dtype).sum(dtype=np.int64)) / count


def _centre(array: Bools) -> tuple[int, npt.NDArray[np.float64]]:
    """Return the number of voxels and their mean (k, j, i), from whole-number sums."""
    k = np.array([np.count_nonzero(plane) for plane in array])
    ji = np.zeros(array.shape[1:], dtype=np.int64)
    # Bytes are added up quickest, and hold the sum of 255 planes.
    for first in range(0, len(array), 255):
        ji += np.add.reduce(array[first : first + 255].view(np.uint8), axis=0, dtype=np.uint8)
    count = int(k.sum())
    sums = [int(n @ np.arange(len(n))) for n in (k, ji.sum(axis=1), ji.sum(axis=0))]
    return count, np.array(sums, dtype=np.float64) / count


def _longest_slices(array: Bools, affine: geometry.Affine) -> npt.NDArray[np.int64]:
    """Return the slices that may hold the longest chord; the others cannot."""
    step_mm = np.linalg.qr(affine[:3, 1:3])[1]
    k, j = np.nonzero(array.any(axis=2))
    rows = array[k, j]
    first = rows.argmax(axis=1)
    last = rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
    # From few directions most slices fall out, from more of them all that are not all but equal.
    for directions in _DIRECTIONS:
        most, least = _bounds(k, j, (first, last), step_mm, directions)
        stays = np.repeat(most >= least, np.diff(np.flatnonzero(np.diff(k, prepend=-1, append=-1))))
        k, j, first, last = (each[stays] for each in (k, j, first, last))
    return np.asarray(np.unique(k), dtype=np.int64)


def _bounds(
    k: npt.NDArray[np.int64],
    j: npt.NDArray[np.int64],
    ends_i: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    step_mm: npt.NDArray[np.float64],
    directions: int,
) -> tuple[npt.NDArray[np.float64], float]:
    """Return how long the longest chord of each slice is at most, and of one of them at least.

    A slice is seen from so many directions. Its diameter is no less than the greatest of these
    widths, and no more than that over the cosine of half the angle between two directions.
    """
    angle = np.arange(directions) * math.pi / directions
    along_j, along_i = (step_mm.T @ np.stack([np.cos(angle), np.sin(angle)])).astype(np.float32)
    at_j = j.astype(np.float32)[:, None] * along_j
    ends = [at_j + end.astype(np.float32)[:, None] * along_i for end in ends_i]
    starts = np.flatnonzero(np.diff(k, prepend=-1))
    high = np.maximum.reduceat(np.maximum(*ends), starts, axis=0)
    low = np.minimum.reduceat(np.minimum(*ends), starts, axis=0)
    # From the midpoints of pixel edges, half a step beyond the centres on either side.
    widths = (high - low + np.maximum(np.abs(along_j), np.abs(along_i))).max(axis=1)
    # A hair less, so that rounding cannot throw out one of two equal slices.
    return widths / math.cos(math.pi / (2 * directions)), float(widths.max()) * (1.0 - 1e-5)
