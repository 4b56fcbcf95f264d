"""Filling between slices: a body drawn on some of its slices gets those between them.

Shape-based interpolation: on each drawn slice every pixel has its distance to the outline,
positive inside; between two of them the distances go over into each other in proportion, and
what is positive belongs to the body (Raya and Udupa, "Shape-based interpolation of
multidimensional objects", IEEE Trans Med Imaging 9(1), 1990). Two outlines that do not overlap are
laid over each other by their centres first, or nothing would lie between them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from inference.geometry import Affine
from viewer.annotate.mask import Bools, crop

_Floats = npt.NDArray[np.float64]


def gaps(mask: Mask, axis: int) -> tuple[tuple[int, int], ...]:
    """Return pairs of drawn slices, in the volume's indices, with empty ones between them."""
    others = tuple(a for a in range(3) if a != axis)
    drawn = np.flatnonzero(mask.voxels.any(axis=others)) + mask.origin_kji[axis]
    return tuple((int(a), int(b)) for a, b in itertools.pairwise(drawn) if b - a > 1)


def fill_between(
    mask: Mask, affine: Affine, axis: int, cancelled: Callable[[], bool] = lambda: False
) -> Mask:
    """Fill the empty slices between drawn ones; what is drawn stays as it is.

    Parameters
    ----------
    affine
        (4, 4), (k, j, i, 1) to LPS mm; distances are those of the patient.
    axis
        Index axis across the slices: 0 = k, 1 = j, 2 = i.
    cancelled
        Asked between slices.

    Returns
    -------
    Mask
        The same object when there is no empty slice between drawn ones.
    """
    todo = gaps(mask, axis)
    if not todo:
        return mask
    spacing = np.linalg.norm(affine[:3, [a for a in range(3) if a != axis]], axis=0)
    out = np.moveaxis(mask.voxels, axis, 0).copy()
    first = mask.origin_kji[axis]
    for low, high in todo:
        spacing_mm = float(spacing[0]), float(spacing[1])
        at_share = way_between(out[low - first], out[high - first], spacing_mm)
        for at in range(low + 1, high):
            if cancelled():
                return mask
            out[at - first] = at_share((at - low) / (high - low))
    return crop(np.ascontiguousarray(np.moveaxis(out, 0, axis)), mask.origin_kji)


def way_between(
    below: Bools, above: Bools, spacing_mm: tuple[float, float] = (1.0, 1.0)
) -> Callable[[float], Bools]:
    """Return what gives the outline a share of the way from one to the other, 0 to 1.

    Parameters
    ----------
    below, above
        2-D bool of one shape, neither of them empty.
    spacing_mm
        Distance of rows and of columns, mm.
    """
    if not (below & above).any():
        return _apart(below, above, spacing_mm)
    first, second = signed_mm(below, spacing_mm), signed_mm(above, spacing_mm)
    return lambda share: np.asarray((1.0 - share) * first + share * second > 0.0)


def signed_mm(shape: Bools, spacing_mm: tuple[float, ...]) -> _Floats:
    """Return the distance of each pixel to the outline of a shape, mm, positive inside.

    The outline runs halfway between pixels inside and outside: no pixel lies on it.
    """
    from scipy import ndimage

    half = min(spacing_mm) / 2
    padded = np.pad(shape, 1)
    inside = ndimage.distance_transform_edt(padded, spacing_mm)
    outside = ndimage.distance_transform_edt(~padded, spacing_mm)
    signed = np.where(padded, inside - half, half - outside)
    return np.asarray(signed[tuple(slice(1, -1) for _ in shape.shape)])


def _apart(below: Bools, above: Bools, spacing_mm: tuple[float, float]) -> Callable[[float], Bools]:
    """Interpolate two outlines that do not overlap, on the way from centre to centre."""
    from scipy import ndimage

    centres = [np.argwhere(shape).mean(axis=0) for shape in (below, above)]
    way = centres[1] - centres[0]
    # Room for either to be shifted by the whole way without leaving the picture.
    room = [int(n) for n in np.ceil(np.abs(way)).astype(int) + 1]
    pads = [(n, n) for n in room]
    first, second = (signed_mm(np.pad(shape, pads), spacing_mm) for shape in (below, above))
    inner = tuple(slice(n, n + size) for n, size in zip(room, below.shape, strict=True))

    def at(share: float) -> Bools:
        moved = ndimage.shift(first, share * way, order=1, mode="nearest") * (1.0 - share)
        moved += ndimage.shift(second, (share - 1.0) * way, order=1, mode="nearest") * share
        return np.asarray(moved[inner] > 0.0)

    return at
