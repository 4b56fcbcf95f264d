"""Colour images: their pixels as RGB of 8 bits, and how bright those are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.study import decode
from viewer.study.series import InstanceHeader

# Y of YBR_FULL (PS3.3 C.7.6.3.1.2).
_LUMINANCE = np.array([0.2990, 0.5870, 0.1140], dtype=np.float32)


def is_colour(instance: InstanceHeader) -> bool:
    """Return whether the image is one of colours, a palette counted in."""
    return not instance.photometric.startswith("MONOCHROME")


def rgb_of(instance: InstanceHeader, stored: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return a frame of ``pixels.frames`` as colours for a screen.

    Parameters
    ----------
    instance
        For which ``is_colour`` holds.
    stored
        (row, column) of palette indices, or (row, column, 3) unsigned RGB.

    Returns
    -------
    ndarray
        (row, column, 3) uint8 RGB; wider samples keep their upper 8 bits.

    Raises
    ------
    Problem
        When the file holds no palette that can be used, or cannot be read any more.
    """
    if stored.ndim == 2:
        cells = stored.view(stored.dtype.str.replace("i", "u"))
        return np.asarray(decode.palette(instance)[cells], dtype=np.uint8)
    spare = instance.bits_stored - 8
    if spare > 0:
        return np.asarray(stored >> stored.dtype.type(spare), dtype=np.uint8)
    narrow = np.asarray(stored, dtype=np.uint8)
    return narrow << np.uint8(-spare) if spare else narrow


def luminance(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return how bright colours are: (..., 3) uint8 RGB to (...) uint8."""
    return np.asarray(np.rint(rgb @ _LUMINANCE), dtype=np.uint8)
