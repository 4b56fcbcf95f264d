"""Several slices shown as one: the highest, the lowest or the mean value along the view."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inference.findings import Heatmap, Mask

Mode = Literal["mip", "minip", "mean"]
MODES: tuple[Mode, ...] = ("mip", "minip", "mean")
Span = tuple[int, int]
"""First slice and the one after the last."""

# Centres that lie on the faces of a slab belong to it, whatever the last bit says.
_SLACK = 1e-6
# Slices of k at once where the slices of a slab lie side by side in memory: they then stay in
# the processor's cache while all are compared.
_CHUNK_K = 16


@dataclass(frozen=True, slots=True)
class Slab:
    """How many slices are shown as one, and how.

    Attributes
    ----------
    mode
        ``"mip"`` the highest value, ``"minip"`` the lowest, ``"mean"`` the mean.
    thickness_mm
        Of the slab, with the shown slice in its middle.
    """

    mode: Mode
    thickness_mm: float

    def __post_init__(self) -> None:
        if self.mode not in MODES or not 0 < self.thickness_mm < math.inf:
            raise ValueError("no slab")

    def span(self, index: int, count: int, step_mm: float) -> Span:
        """Return the slices whose centres lie in the slab around slice ``index`` of ``count``.

        Parameters
        ----------
        step_mm
            Distance between neighbours, mm.
        """
        reach = math.floor(self.thickness_mm / 2 / step_mm + _SLACK)
        return max(0, index - reach), min(count, index + reach + 1)


def project(block: npt.NDArray[Any], mode: Mode) -> npt.NDArray[Any]:
    """Show slices as one.

    Parameters
    ----------
    block
        (slice, ., .) of any memory order, at least one slice.
    mode
        See ``Slab``.

    Returns
    -------
    ndarray
        (., .) of the same type, C order. The mean of integers is rounded to the nearest, half
        to even, as ``numpy.rint`` does.
    """
    if block.shape[0] == 1:
        return np.ascontiguousarray(block[0])
    if mode == "mean":
        return _mean(block)
    reduce = np.maximum if mode == "mip" else np.minimum
    if block.strides[0] >= block.strides[2]:
        return np.ascontiguousarray(reduce.reduce(block, axis=0))
    out = np.empty(block.shape[1:], dtype=block.dtype)
    for first in range(0, block.shape[1], _CHUNK_K):
        rows = slice(first, first + _CHUNK_K)
        # Copied, the slices lie one behind the other.
        reduce.reduce(np.ascontiguousarray(block[:, rows]), axis=0, out=out[rows])
    return out


def _mean(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
    count = block.shape[0]
    if block.dtype.kind == "f":
        return np.asarray(block.mean(axis=0, dtype=np.float64), dtype=block.dtype)
    total = np.zeros(block.shape[1:], dtype=np.int32 if count < 1 << 15 else np.int64)
    for one in block:
        total += one
    return np.asarray(np.rint(total / count), dtype=block.dtype)


def flat_mask(mask: Mask, axis: int, span: Span, index: int) -> Mask:
    """Return a mask's shadow along an axis, from the slices of a slab, on its middle slice."""
    part, origin = _within(mask.voxels, mask.origin_kji, axis, span, index)
    return Mask(origin, np.asarray(part.any(axis=axis, keepdims=True), dtype=np.bool_))


def flat_heatmap(heatmap: Heatmap, axis: int, span: Span, index: int) -> Heatmap:
    """Return the highest values along an axis, of the slices of a slab, on its middle slice."""
    part, origin = _within(heatmap.values, heatmap.origin_kji, axis, span, index)
    if part.shape[axis] == 0:
        return Heatmap(origin, np.zeros_like(part), heatmap.meaning)
    block = np.moveaxis(part, axis, 0)
    return Heatmap(origin, np.expand_dims(project(block, "mip"), axis), heatmap.meaning)


def _within(
    values: npt.NDArray[Any],
    origin_kji: tuple[int, int, int],
    axis: int,
    span: Span,
    index: int,
) -> tuple[npt.NDArray[Any], tuple[int, int, int]]:
    first = max(0, span[0] - origin_kji[axis])
    last = max(first, min(values.shape[axis], span[1] - origin_kji[axis]))
    place = list(origin_kji)
    place[axis] = index
    return values[(slice(None),) * axis + (slice(first, last),)], (place[0], place[1], place[2])
