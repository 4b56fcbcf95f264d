"""Which nodules can be cut out of their crop, to be pasted into other lungs, and how."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from inference.training.data import Crops, Nodule


def paste_mask(crops: Crops, nodule: Nodule) -> npt.NDArray[np.float32]:
    """Return how much of each voxel (k, row, column) belongs to the nodule, softly, 0..1."""
    union = crops.votes[nodule.start : nodule.stop] > 0
    near = ndimage.binary_dilation(union, np.ones((1, 3, 3), bool), iterations=3)
    return np.asarray(ndimage.gaussian_filter(near.astype(np.float32), (0, 1.2, 1.2)))


def in_air(crops: Crops, nodule: Nodule) -> bool:
    """Tell whether lung surrounds a nodule, so that it can be cut out without its wall."""
    rows = slice(nodule.start, nodule.stop)
    union = crops.votes[rows] > 0
    near = ndimage.binary_dilation(union, np.ones((1, 3, 3), bool), iterations=3)
    ring = ndimage.binary_dilation(near, np.ones((1, 3, 3), bool), iterations=2) & ~near
    return bool(ring.any()) and float(np.mean(crops.hu(rows)[ring] < -550)) > 0.85
