"""The trachea and its first branches, followed from above."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_LUMEN_HU = -650.0
_AREA_MM2 = (35.0, 600.0)
_ROUND = 0.45
_OFF_MIDLINE = 0.08
_SHORTEST_MM = 25.0


def find_trachea(
    hu: Floats, body: Bools, spacing_kji_mm: tuple[float, float, float], across: int
) -> Bools:
    """Mark the trachea down to where it opens into the lungs.

    Parameters
    ----------
    hu
        (k, j, i) mean HU of coarse cells, k ascending to the head.
    body
        The body, filled.
    spacing_kji_mm
        Of the cells.
    across
        Which in-plane axis runs from right to left: 0 for j, 1 for i.

    Returns
    -------
    ndarray
        (k, j, i) bool, one cell wider than the lumen; all False when no tube is found.
    """
    gap, row, column = spacing_kji_mm
    best: list[tuple[int, Bools]] = []
    for k, hole in _holes(hu, body, row * column, across):
        tube = _follow(hu, body, k, hole, row * column)
        # A lung's apex near the midline opens within a few slices; the trachea goes on.
        if len(tube) * gap >= _SHORTEST_MM or (len(tube) == k + 1 and len(tube) > len(best)):
            best = tube
            break
    out = np.zeros(hu.shape, dtype=np.bool_)
    for k, lumen in best:
        out[k] = lumen
    return np.asarray(ndimage.binary_dilation(out, np.ones((1, 3, 3), dtype=bool)))


def _holes(hu: Floats, body: Bools, cell_mm2: float, across: int) -> Iterator[tuple[int, Bools]]:
    """Yield round holes on the midline, the highest first."""
    for k in range(hu.shape[0] - 1, -1, -1):
        ends = np.flatnonzero(body[k].any(axis=1 - across))
        if not len(ends):
            continue
        middle, width = (ends[0] + ends[-1]) / 2, ends[-1] - ends[0] + 1
        labels, count = ndimage.label((hu[k] < _LUMEN_HU) & body[k])
        for index in range(1, count + 1):
            place = np.argwhere(labels == index)
            round_ = len(place) / np.prod(np.ptp(place, axis=0) + 1) > _ROUND
            central = abs(place[:, across].mean() - middle) < _OFF_MIDLINE * width
            if round_ and central and _AREA_MM2[0] <= len(place) * cell_mm2 <= _AREA_MM2[1]:
                yield k, labels == index


def _follow(
    hu: Floats, body: Bools, k: int, lumen: Bools, cell_mm2: float
) -> list[tuple[int, Bools]]:
    """Go down from a hole, slice by slice, until it opens or ends."""
    tube: list[tuple[int, Bools]] = []
    area = float(lumen.sum())
    for level in range(k, -1, -1):
        labels, _ = ndimage.label((hu[level] < _LUMEN_HU) & body[level])
        touched = np.unique(labels[lumen])
        lumen = np.isin(labels, touched[touched > 0])
        size = float(lumen.sum())
        if size == 0 or size > 2.2 * area + 20 or size * cell_mm2 > 2.0 * _AREA_MM2[1]:
            break
        area = 0.7 * area + 0.3 * size
        tube.append((level, lumen))
    return tube
