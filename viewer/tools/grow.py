"""Growing what is drawn to the edges around it: a watershed of the image from two seeds.

What is drawn is the one seed, what lies farther away than a reach is the other; they meet on the
ridges of the gradient between them (Beucher and Lantuejoul, 1979).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from inference.geometry import Affine
from viewer.annotate.mask import crop, cut
from viewer.tools.distance import distance_mm, room

# Of the kernel of Gauss that the gradient is taken with, mm: noise of a voxel is no edge.
_SIGMA_MM = 0.7


def grow(
    mask: Mask,
    voxels: npt.NDArray[Any],
    affine: Affine,
    reach_mm: float,
    kept_out: tuple[Mask, ...] = (),
) -> Mask:
    """Grow a mask up to the strongest edges that surround it, no farther than ``reach_mm``.

    Parameters
    ----------
    mask
        Seeds: they stay in.
    voxels
        The volume, (k, j, i).
    reach_mm
        What lies farther from the seeds is outside, mm.
    kept_out
        What belongs to others and is not grown into.
    """
    from scipy import ndimage
    from skimage.segmentation import watershed

    if not mask.voxels.size or reach_mm <= 0.0:
        return mask
    seeds, box = room(mask, reach_mm, affine, (voxels.shape[0], voxels.shape[1], voxels.shape[2]))
    values = voxels[box].astype(np.float32)
    known = np.isfinite(values)
    values[~known] = float(values[known].mean()) if known.any() else 0.0
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    edges = ndimage.gaussian_gradient_magnitude(
        values, np.maximum(_SIGMA_MM / steps, 0.4), mode="nearest"
    )
    outside = ((distance_mm(seeds, affine) > reach_mm) | ~known) & ~seeds
    # Only what is open and the rims around it: water inside a seed has nowhere to go.
    between = ndimage.binary_dilation(~(seeds | outside))
    for other in kept_out:
        between &= ~cut(other, box)
    markers = np.where(seeds, 1, np.where(outside, 2, 0)).astype(np.int32)
    grown = watershed(edges, markers * between, mask=between) == 1
    k, j, i = (b.start for b in box)
    return crop(np.asarray(grown | seeds), (k, j, i))
