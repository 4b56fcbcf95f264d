"""The trachea and the main bronchi, followed from above to where they enter the lungs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from inference.runtime.cells import Bools, Floats

# Where the wall between airway and lung is thinner than a cell, a lower limit still shows it.
_LUMEN_HU = (-650.0, -800.0, -900.0)
_LUNG_HU = -500.0
_AREA_MM2 = (35.0, 600.0)
_BRONCHUS_MM2 = (30.0, 180.0)
_ROUND = 0.45
_OFF_MIDLINE = 0.08
_SHORTEST_MM = 25.0
_DISC = np.ones((3, 3), dtype=np.bool_)

_Tube = list[tuple[int, Bools]]


def find_trachea(
    hu: Floats, body: Bools, spacing_kji_mm: tuple[float, float, float], across: int
) -> Bools:
    """Mark the trachea and the main bronchi down to where they open into the lungs.

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
    best: _Tube = []
    for k, hole in _holes(hu, body, row * column, across):
        tube = _follow(hu, body, k, hole, row * column)
        # A lung's apex near the midline opens within a few slices; the trachea goes on.
        depth = k + 1 - min((level for level, _ in tube), default=k + 1)
        if depth * gap >= _SHORTEST_MM or (depth == k + 1 and len(tube) > len(best)):
            best = tube
            break
    out = np.zeros(hu.shape, dtype=np.bool_)
    for k, lumen in best:
        out[k] |= lumen
    return np.asarray(ndimage.binary_dilation(out, _DISC[None]))


def _holes(hu: Floats, body: Bools, cell_mm2: float, across: int) -> Iterator[tuple[int, Bools]]:
    """Yield round holes on the midline, the highest first."""
    for k in range(hu.shape[0] - 1, -1, -1):
        ends = np.flatnonzero(body[k].any(axis=1 - across))
        if not len(ends):
            continue
        middle, width = (ends[0] + ends[-1]) / 2, ends[-1] - ends[0] + 1
        labels, _ = ndimage.label((hu[k] < _LUMEN_HU[0]) & body[k])
        for index, box in enumerate(ndimage.find_objects(labels), start=1):
            place = np.argwhere(labels[box] == index) + [side.start for side in box]
            round_ = len(place) / np.prod(np.ptp(place, axis=0) + 1) > _ROUND
            central = abs(place[:, across].mean() - middle) < _OFF_MIDLINE * width
            if round_ and central and _AREA_MM2[0] <= len(place) * cell_mm2 <= _AREA_MM2[1]:
                yield k, labels == index


def _follow(hu: Floats, body: Bools, k: int, hole: Bools, cell_mm2: float) -> _Tube:
    """Go down from a hole, slice by slice, through every branch until it opens or ends."""
    tube: _Tube = []
    branches = [(hole, float(hole.sum()))]
    forked = False
    for level in range(k, -1, -1):
        onward: list[tuple[Bools, float]] = []
        for lumen, area in branches:
            found = _next(hu[level], body[level], lumen, area, cell_mm2)
            forked = forked or len(found) > 1
            onward += [
                (one, 0.7 * area / len(found) + 0.3 * float(one.sum()))
                for one in found
                if not (forked and _is_in_lung(hu[level], one, cell_mm2))
            ]
        if not onward:
            break
        tube += [(level, lumen) for lumen, _ in onward]
        branches = onward
    return tube


def _next(plane: Floats, body: Bools, lumen: Bools, area: float, cell_mm2: float) -> list[Bools]:
    """Return the lumina of the next slice that go on from this one; none where it opens."""
    for limit in _LUMEN_HU:
        labels, count = ndimage.label((plane < limit) & body)
        touched = np.unique(labels[lumen])
        touched = touched[touched > 0]
        sizes = np.bincount(labels.ravel(), minlength=count + 1)[touched]
        fits = (sizes <= 2.2 * area + 20) & (sizes * cell_mm2 <= 2.0 * _AREA_MM2[1])
        if fits.all():
            break
    return [labels == index for index in touched[fits]]


def _is_in_lung(plane: Floats, lumen: Bools, cell_mm2: float) -> bool:
    """Tell whether a bronchus has left the mediastinum: small, or with lung all around."""
    area_mm2 = float(lumen.sum()) * cell_mm2
    if area_mm2 < _BRONCHUS_MM2[0]:
        return True
    ring = ndimage.binary_dilation(lumen, _DISC, iterations=3)
    ring &= ~ndimage.binary_dilation(lumen, _DISC)
    return area_mm2 < _BRONCHUS_MM2[1] and float((plane[ring] < _LUNG_HU).mean()) > 0.5
