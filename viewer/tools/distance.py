"""Distances in millimetres on grids of any spacing and slant, and the room that they need."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from inference.geometry import Affine
from viewer.annotate.mask import Bools, Box, Triple, cut

# Of the longest step: less is no slant.
_STRAIGHT = 1e-6


def metric(affine: Affine) -> npt.NDArray[np.float64]:
    """Return G of an affine: the squared length of an index step d is d G d, mm^2."""
    steps = np.asarray(affine, dtype=np.float64)[:3, :3]
    return np.asarray(steps.T @ steps)


def room(mask: Mask, mm: float, affine: Affine, shape_kji: Triple) -> tuple[Bools, Box]:
    """Return a mask in a box that reaches ``mm`` beyond it, cut to the volume, and the box.

    One more voxel is left on each side, so that the outside can be seen where there is one.
    """
    reach = np.ceil(mm * np.sqrt(np.diag(np.linalg.inv(metric(affine))))).astype(int) + 1
    k, j, i = (
        slice(max(b.start - int(n), 0), min(b.stop + int(n), size))
        for b, n, size in zip(mask.box, reach, shape_kji, strict=True)
    )
    return cut(mask, (k, j, i)), (k, j, i)


def distance_mm(to: Bools, affine: Affine) -> npt.NDArray[Any]:
    """Return how far the centre of each voxel lies from that of the nearest one in ``to``, mm.

    Infinite where ``to`` is empty.
    """
    from scipy import ndimage

    if not to.any():
        return np.full(to.shape, np.inf)
    gram = metric(affine)
    steps = np.sqrt(np.diag(gram))
    slant = np.abs(gram - np.diag(np.diag(gram))).max()
    if slant <= _STRAIGHT * float(steps.max()) ** 2:
        return np.asarray(ndimage.distance_transform_edt(~to, steps))
    # A tilted gantry: the axes are not at right angles, and the quick way would be wrong.
    from scipy.spatial import cKDTree

    rim = to & ~ndimage.binary_erosion(to, np.ones((3, 3, 3)), border_value=1)
    rim = rim if rim.any() else to
    whole = np.asarray(affine, dtype=np.float64)[:3, :3]
    away, _ = cKDTree(np.argwhere(rim) @ whole.T).query(np.argwhere(~to) @ whole.T)
    out = np.zeros(to.shape)
    out[~to] = away
    return out


def ball(diameter_mm: float, affine: Affine) -> Bools:
    """Return the voxels whose centres lie within a ball round the one in the middle."""
    gram = metric(affine)
    radius = diameter_mm / 2.0
    reach = np.floor(radius * np.sqrt(np.diag(np.linalg.inv(gram))) + 1e-9).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1)
    squared = np.einsum("...a,ab,...b->...", grid, gram, grid)
    return np.asarray(squared <= radius**2 * (1.0 + 1e-12))
