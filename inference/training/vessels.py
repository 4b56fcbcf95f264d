"""Places that look like a lesion and are none: in the crops beside their nodules, and in lungs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from inference.training.data import Crops, Lungs, Nodule

_BRIGHT_HU = -550.0
_AWAY_MM = 6.0
_WALL_MM = 6.0
_FRAME_PX = 6


def beside_nodules(crops: Crops, nodules: tuple[Nodule, ...]) -> npt.NDArray[np.intp]:
    """Return (n, 3) row of the crops, row and column of bright spots away from every outline."""
    found = []
    for nodule in nodules:
        rows = slice(nodule.start, nodule.stop)
        spacing = (nodule.gap_mm, nodule.pixel_mm, nodule.pixel_mm)
        hu = crops.hu(rows)
        allowed = _near_air(hu, nodule.pixel_mm)
        outlined = (crops.votes[rows] > 0).any(axis=0)
        away = ndimage.distance_transform_edt(~outlined, sampling=spacing[1:])
        allowed &= away > _AWAY_MM
        frame = slice(_FRAME_PX, -_FRAME_PX)
        inner = np.zeros_like(allowed)
        inner[:, frame, frame] = allowed[:, frame, frame]
        places = _spots(hu, inner, nodule.pixel_mm)
        found.append(places + np.array([nodule.start, 0, 0]))
    return np.concatenate(found)


def in_lungs(scan: Lungs) -> npt.NDArray[np.intp]:
    """Return (n, 3) k, row and column of bright spots in and next to aerated lung."""
    inside = np.zeros(scan.hu.shape, dtype=np.bool_)
    inside[tuple(scan.inside.T)] = True
    allowed = np.stack(
        [
            ndimage.distance_transform_edt(~plane, sampling=scan.pixel_mm) < _WALL_MM
            if plane.any()
            else plane
            for plane in inside
        ]
    )
    return scan.clear(_spots(scan.hu.astype(np.float32), allowed, scan.pixel_mm))


def _near_air(hu: npt.NDArray[np.float32], pixel_mm: float) -> npt.NDArray[np.bool_]:
    air = ndimage.uniform_filter(hu, (1, 5, 5)) < -600
    return np.stack([ndimage.distance_transform_edt(~p, sampling=pixel_mm) < _WALL_MM for p in air])


def _spots(
    hu: npt.NDArray[np.float32], allowed: npt.NDArray[np.bool_], pixel_mm: float
) -> npt.NDArray[np.intp]:
    """Return local maxima in plane of the smoothed intensity."""
    sigma = 1.2 / pixel_mm
    smooth = ndimage.gaussian_filter(np.clip(hu, -1000, 100), (0, sigma, sigma))
    size = 2 * round(2.5 / pixel_mm) + 1
    peak = smooth == ndimage.maximum_filter(smooth, (1, size, size))
    return np.argwhere(peak & (smooth > _BRIGHT_HU) & allowed)
