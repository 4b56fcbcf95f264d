"""Hounsfield units for crops that were min-max scaled to 8 bits slice by slice.

The LIDC crops lost their scale: HU = slope x grey + intercept, different in each slice.
Two anchors that almost every chest crop holds bring it back: aerated lung and soft tissue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from skimage.filters import threshold_otsu

# Typical medians: of aerated lung in inspiration, and of muscle, fat and vessel together.
LUNG_HU = -865.0
SOFT_HU = 5.0
# Without soft tissue in the crop its brightest pixel is a vessel or a nodule.
BRIGHTEST_HU = 130.0
_ENOUGH_SOFT = 0.04
_SLOPES = (3.0, 17.0)


@dataclass(frozen=True, slots=True)
class GreyScale:
    """HU = slope x grey + intercept."""

    slope: float
    intercept: float


def grey_scale(plane: npt.NDArray[np.uint8]) -> GreyScale:
    """Estimate the scale of one min-max scaled slice (rows, columns) from its two tissues.

    The error is some tens of HU (measured on windows of whole scans, see the model card),
    which the intensity jitter in training covers.
    """
    histogram = np.bincount(plane.ravel(), minlength=256).astype(np.float64)
    # Grey 0 may be padding outside the scanner's circle, or everything below a clip.
    histogram[0] = 0
    split = float(threshold_otsu(hist=(histogram, np.arange(256))))
    dark = histogram.copy()
    dark[int(split) + 1 :] = 0
    lung = float(np.argmax(gaussian_filter1d(dark, 3.0, mode="constant")))
    bright = histogram[int(split) + 1 :]
    if bright.sum() >= _ENOUGH_SOFT * histogram.sum():
        soft = split + 1 + float(np.searchsorted(np.cumsum(bright), bright.sum() / 2))
        slope = (SOFT_HU - LUNG_HU) / max(soft - lung, 1.0)
    else:
        slope = (BRIGHTEST_HU - LUNG_HU) / max(255.0 - lung, 1.0)
    slope = float(np.clip(slope, *_SLOPES))
    return GreyScale(slope, LUNG_HU - slope * lung)
