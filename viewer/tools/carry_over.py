"""An outline of one series on the voxels of another, through the patient.

What is carried over is the signed distance to the outline, in mm, linearly between voxels: where
slices are thicker than those it comes to it makes no steps (shape-based interpolation; Raya and
Udupa 1990), and on the same voxels it gives back what it got.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from inference.geometry import Affine
from viewer.annotate.mask import Bools, Triple, crop, empty_mask
from viewer.tools.distance import distance_mm

# Voxels beyond the outline that the distance is known in.
_AROUND = 2
_SAME = 1e-6
# Voxels at a time: places of more would take a gigabyte for a lung.
_AT_ONCE = 2_000_000


def carried_over(
    mask: Mask, affine: Affine, to_affine: Affine, to_shape_kji: Triple
) -> tuple[Mask, bool]:
    """Bring an outline to other voxels.

    Parameters
    ----------
    mask, affine
        The outline, and where its voxels lie: (4, 4), (k, j, i, 1) to LPS mm.
    to_affine, to_shape_kji
        Of the volume that it comes to, in the same frame of reference.

    Returns
    -------
    Mask
        Empty where nothing of it lies in that volume, or where all of it lies between the
        centres of its voxels.
    bool
        Whether the volume ends within the outline, so that some of it is missing.
    """
    if not mask.voxels.size:
        return mask, False
    inside = np.pad(mask.voxels, _AROUND)
    origin = np.array(mask.origin_kji) - _AROUND
    across = np.linalg.inv(affine) @ to_affine  # voxels there to voxels here
    first, last = _reach(mask, np.linalg.inv(to_affine) @ affine)
    beyond = np.array(to_shape_kji) - 0.5
    cut_off = bool((first < -0.5 - _SAME).any() or (last > beyond + _SAME).any())
    low = np.maximum(np.floor(first), 0).astype(np.int64)
    high = np.minimum(np.ceil(last) + 1, to_shape_kji).astype(np.int64)
    if (low >= high).any():
        return empty_mask(), True
    signed = (distance_mm(~inside, affine) - distance_mm(inside, affine)).astype(np.float32)
    found = np.zeros(high - low, dtype=np.bool_)
    thick = max(1, int(_AT_ONCE // max(1, np.prod(found.shape[1:]))))
    for at in range(0, len(found), thick):
        part = found[at : at + thick]
        part[:] = _inside(signed, origin, across, low + np.array([at, 0, 0]), part.shape)
    k, j, i = (int(n) for n in low)
    made = crop(found, (k, j, i))
    return made, cut_off and _is_cut(made, to_shape_kji)


def _reach(mask: Mask, across: Affine) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the two ends of an outline, as far as its voxels reach, in other voxels."""
    ends = np.array([[side.start - 0.5, side.stop - 0.5] for side in mask.box])
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    places = geometry.kji_to_lps_mm(across, corners)
    return np.asarray(places.min(axis=0)), np.asarray(places.max(axis=0))


def _inside(
    signed: npt.NDArray[np.float32],
    origin: npt.NDArray[np.int64],
    across: Affine,
    low: npt.NDArray[np.int64],
    shape: tuple[int, ...],
) -> Bools:
    from scipy import ndimage

    grid = np.moveaxis(np.indices(shape), 0, -1) + low
    places = geometry.kji_to_lps_mm(across, grid) - origin
    # Beyond what was padded it is outside.
    values = ndimage.map_coordinates(
        signed, np.moveaxis(places, -1, 0), order=1, mode="constant", cval=-1.0
    )
    return np.asarray(values > _SAME)


def _is_cut(made: Mask, shape_kji: Triple) -> bool:
    """Tell whether an outline touches the edge of its volume."""
    return any(
        side.start == 0 or side.stop == size for side, size in zip(made.box, shape_kji, strict=True)
    )
