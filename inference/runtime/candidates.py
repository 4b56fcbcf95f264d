"""From the heatmap to candidates: connected heat, split where it has a waist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

Heat = npt.NDArray[np.float32]

FLOOR = 0.12
_PEAK = 0.2
_WAIST = 0.25
_SMALLEST_MM3 = 4.0
_LONGEST_MM = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A piece of heat on a grid.

    Attributes
    ----------
    box
        (k, row, column) of the grid.
    mask
        bool in the box: heat above the floor that belongs to it.
    peak
        Highest heat, 0..1.
    """

    box: tuple[slice, slice, slice]
    mask: npt.NDArray[np.bool_]
    peak: float


def find_candidates(
    heat: Heat, cell_kji_mm: tuple[float, float, float], peak: float = _PEAK
) -> list[Candidate]:
    """Return candidates, the hottest first.

    Parameters
    ----------
    heat
        (k, row, column) 0..1 on the grid.
    cell_kji_mm
        Spacing of the grid in mm.
    peak
        Heat that a candidate must reach.
    """
    labels, count = ndimage.label(heat >= FLOOR, structure=np.ones((3, 3, 3)))
    cell_mm3 = float(np.prod(cell_kji_mm))
    found: list[Candidate] = []
    for index, box in enumerate(ndimage.find_objects(labels, count), start=1):
        mask = labels[box] == index
        values = np.where(mask, heat[box], 0)
        if values.max() < peak or mask.sum() * cell_mm3 < _SMALLEST_MM3:
            continue
        for part in _split(values, mask, cell_kji_mm):
            top = float(values[part].max())
            extent = max(n * mm for n, mm in zip(_extent(part)[1:], cell_kji_mm[1:], strict=True))
            if top >= peak and part.sum() * cell_mm3 >= _SMALLEST_MM3 and extent <= _LONGEST_MM:
                found.append(_cropped(part, box, top))
    return sorted(found, key=lambda one: -one.peak)


def _split(
    values: Heat, mask: npt.NDArray[np.bool_], cell_kji_mm: tuple[float, float, float]
) -> list[npt.NDArray[np.bool_]]:
    """Cut a piece between peaks with a valley at least ``_WAIST`` deep."""
    sigma = [1.0 / mm for mm in cell_kji_mm]
    smooth = ndimage.gaussian_filter(values, sigma)
    if smooth.max() <= _WAIST:
        return [mask]
    seeds, count = ndimage.label(h_maxima(smooth, _WAIST) & mask, structure=np.ones((3, 3, 3)))
    if count < 2:
        return [mask]
    parts = watershed(-smooth, seeds, mask=mask)
    return [parts == index for index in range(1, count + 1)]


def _extent(mask: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(np.ptp(places)) + 1 for places in np.nonzero(mask))


def _cropped(
    part: npt.NDArray[np.bool_], box: tuple[slice, slice, slice], peak: float
) -> Candidate:
    places = np.nonzero(part)
    inner = tuple(slice(int(p.min()), int(p.max()) + 1) for p in places)
    k, j, i = (slice(b.start + n.start, b.start + n.stop) for b, n in zip(box, inner, strict=True))
    return Candidate((k, j, i), part[inner].copy(), peak)
