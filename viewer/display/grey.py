"""Stored values to grey, by table, exact to PS3.3 C.11.2."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Rgb32 = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Window:
    """Window centre and width in the unit of the voxels (PS3.3 C.11.2.1.2)."""

    centre: float
    width: float

    def clamped(self) -> Window:
        """Return the window with a width of at least 1, as LINEAR demands."""
        return Window(self.centre, max(1.0, self.width))


def grey_of(
    values: npt.ArrayLike, window: Window, *, invert: bool = False
) -> npt.NDArray[np.uint8]:
    """Map values to 0..255 by the LINEAR function of PS3.3 C.11.2.1.2.1.

    Parameters
    ----------
    values
        Any shape, in the unit of the window; not finite values become black.
    invert
        Exchange black and white (MONOCHROME1 or the reader's wish).
    """
    x = np.asarray(values, dtype=np.float64)
    window = window.clamped()
    if window.width == 1.0:
        share = (x > window.centre - 0.5).astype(np.float64)
    else:
        share = np.clip((x - (window.centre - 0.5)) / (window.width - 1.0) + 0.5, 0.0, 1.0)
    grey = np.rint(np.nan_to_num(share) * 255.0).astype(np.uint8)
    return np.asarray(255 - grey if invert else grey)


@lru_cache(maxsize=64)
def _table(centre: float, width: float, invert: bool, signed: bool) -> Rgb32:
    stored = np.arange(65536, dtype=np.uint16)
    values = stored.view(np.int16) if signed else stored
    return rgb32_of(grey_of(values, Window(centre, width), invert=invert))


def rgb32_of(grey: npt.NDArray[np.uint8]) -> Rgb32:
    """Spread grey to opaque 0xFFRRGGBB."""
    wide = grey.astype(np.uint32)
    return np.asarray(np.uint32(0xFF000000) | wide << 16 | wide << 8 | wide, dtype=np.uint32)


def render(plane_px: npt.NDArray[Any], window: Window, *, invert: bool = False) -> Rgb32:
    """Window one slice into a fresh C-order (row, column) buffer of 0xFFRRGGBB.

    16-bit slices go through one look-up in a 65,536-entry table; others are computed.
    """
    if plane_px.dtype == np.int16 or plane_px.dtype == np.uint16:
        table = _table(window.centre, window.width, invert, plane_px.dtype == np.int16)
        out = np.empty(plane_px.shape, dtype=np.uint32)
        # A contiguous index makes the take twice as fast as a strided one.
        np.take(table, np.ascontiguousarray(plane_px).view(np.uint16), out=out, mode="clip")
        return out
    return rgb32_of(grey_of(plane_px, window, invert=invert))
