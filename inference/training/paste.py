"""Nodules cut out of their crop: which can be pasted into other lungs, and what is left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from inference.runtime.intensity import to_unit
from inference.training.data import Crops, Nodule

Array = npt.NDArray[np.float32]


def paste_mask(crops: Crops, nodule: Nodule) -> Array:
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


def erased_ends(crops: Crops, nodule: Nodule) -> Array:
    """Return the first and the last slice (2, row, column), 0..1, without their nodule."""
    ends = [nodule.start, nodule.stop - 1]
    images = to_unit(crops.hu(np.array(ends)))
    out = []
    for image, row in zip(images, ends, strict=True):
        hole = ndimage.binary_dilation(crops.votes[row] > 0, np.ones((3, 3), bool), iterations=3)
        out.append(_filled(image, hole))
    return np.stack(out).astype(np.float16)


def _filled(image: Array, hole: npt.NDArray[np.bool_]) -> Array:
    """Fill a hole from its rim inwards, with the grain of the slice."""
    known = (~hole).astype(np.float32)
    smooth: Array = np.zeros_like(image)
    weight: Array = np.zeros_like(image)
    for sigma in (1.5, 3.0, 6.0, 12.0, 24.0):
        # The nearest rim decides; wider rims only where nothing nearer is known.
        near = ndimage.gaussian_filter(known, sigma)
        value: Array = ndimage.gaussian_filter(image * known, sigma) / np.maximum(near, 1e-6)
        more = np.clip(near * 8, 0, 1) * (1 - weight)
        smooth, weight = smooth + more * value, weight + more
    smooth = np.asarray(smooth / np.maximum(weight, 1e-6), dtype=np.float32)
    grain = image - ndimage.gaussian_filter(image, 1.0)
    quiet = np.clip(grain, -0.04, 0.04)
    turned = np.roll(quiet[::-1, ::-1], 7, axis=1)
    edge = ndimage.gaussian_filter(hole.astype(np.float32), 0.8)
    return np.asarray(image * (1 - edge) + (smooth + turned) * edge)
