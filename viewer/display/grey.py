"""Values to grey, by table, exact to PS3.3 C.11.2."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.display.lookup import Lookup

Rgb32 = npt.NDArray[np.uint32]
Padding = tuple[float, float]
"""Lowest and highest value that stands for no value; shown black, inverted or not."""

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"
_LEAST_WIDTH = 1e-12


@dataclass(frozen=True, slots=True)
class Window:
    """Window centre and width in the unit of the voxels (PS3.3 C.11.2.1.2).

    Attributes
    ----------
    function
        VOI LUT Function: LINEAR, LINEAR_EXACT or SIGMOID.
    table
        A VOI LUT; when there is one, it alone says the grey, and centre and width only its
        range.
    name
        The explanation of the file, such as ``"LUNG"``; empty when it has none.
    """

    centre: float
    width: float
    function: str = LINEAR
    table: Lookup | None = None
    name: str = field(default="", compare=False)

    def clamped(self) -> Window:
        """Return the window with a width that its function can have; LINEAR demands 1."""
        return replace(
            self, width=max(1.0 if self.function == LINEAR else _LEAST_WIDTH, self.width)
        )

    def moved(self, centre: float, width: float) -> Window:
        """Return a window of the same function somewhere else; a table cannot be moved."""
        return Window(centre, width, self.function)


def grey_of(
    values: npt.ArrayLike,
    window: Window,
    *,
    invert: bool = False,
    padding: Padding | None = None,
) -> npt.NDArray[np.uint8]:
    """Map values to 0..255 by the function or the table of a window.

    Parameters
    ----------
    values
        Any shape, in the unit of the window; what is no number becomes black.
    invert
        Exchange black and white (MONOCHROME1 or the reader's wish).
    padding
        Values that become black too.
    """
    x = np.asarray(values, dtype=np.float64)
    odd = None if np.isfinite(x).all() else np.isnan(x)
    if odd is not None:
        x = np.nan_to_num(x, nan=0.0)
    share = _share(x, window.clamped())
    share *= 255.0
    grey = np.rint(share).astype(np.uint8)
    grey = np.asarray(255 - grey if invert else grey)
    if odd is not None:
        grey[odd] = 0
    if padding is not None:
        grey[(x >= padding[0]) & (x <= padding[1])] = 0
    return grey


def _share(x: npt.NDArray[np.float64], window: Window) -> npt.NDArray[np.float64]:
    """Return the share of white, 0 to 1, in fresh memory, of finite values."""
    if window.table is not None:
        return np.asarray(window.table(x) / window.table.top, dtype=np.float64)
    centre, width = window.centre, window.width
    if window.function == SIGMOID:
        # Beyond these the exponential is 0 or overflows, and the share 0 or 1.
        steep = np.clip(-4.0 * ((x - centre) / width), -700.0, 700.0)
        return np.asarray(1.0 / (1.0 + np.exp(steep)))
    if window.function == LINEAR:
        centre, width = centre - 0.5, width - 1.0
    if width == 0.0:
        return (x > centre).astype(np.float64)
    with np.errstate(over="ignore"):
        share = np.subtract(x, centre, out=np.empty_like(x))
        share /= width
        share += 0.5
        return np.clip(share, 0.0, 1.0, out=share)


@lru_cache(maxsize=64)
def _table(window: Window, invert: bool, padding: Padding | None, signed: bool) -> Rgb32:
    """Return the pixel of every 16-bit value, by its bits as an unsigned number."""
    first = -32768 if signed else 0
    low, high = _ramp(window, first, first + 65535)
    values = np.arange(low, high + 1)
    pixels = rgb32_of(grey_of(values, window, invert=invert))
    out = np.empty(65536, dtype=np.uint32)
    out[: low - first] = pixels[0]
    out[low - first : high - first + 1] = pixels
    out[high - first + 1 :] = pixels[-1]
    if padding is not None:
        start, end = max(padding[0], first), min(padding[1], first + 65535)
        if start <= end:
            out[math.ceil(start) - first : math.floor(end) - first + 1] = 0xFF000000
    # Negative numbers have the greater bits.
    return np.roll(out, 32768) if signed else out


def _ramp(window: Window, first: int, last: int) -> tuple[int, int]:
    """Return two values of a range; below the one and above the other nothing changes any more."""
    if window.table is not None or window.function == SIGMOID:
        return first, last
    half = max(window.width, 1.0) / 2 + 2
    low = min(max(math.floor(window.centre - half), first), last) if half < 1e9 else first
    high = min(max(math.ceil(window.centre + half), first), last) if half < 1e9 else last
    return low, high


def rgb32_of(grey: npt.NDArray[np.uint8]) -> Rgb32:
    """Spread grey to opaque 0xFFRRGGBB."""
    wide = grey.astype(np.uint32)
    return np.asarray(np.uint32(0xFF000000) | wide << 16 | wide << 8 | wide, dtype=np.uint32)


def render(
    plane_px: npt.NDArray[Any],
    window: Window,
    *,
    invert: bool = False,
    padding: Padding | None = None,
) -> Rgb32:
    """Window one slice into a fresh C-order (row, column) buffer of 0xFFRRGGBB.

    16-bit slices go through one look-up in a 65,536-entry table; others are computed.
    """
    if plane_px.dtype == np.int16 or plane_px.dtype == np.uint16:
        table = _table(window, invert, padding, plane_px.dtype == np.int16)
        out = np.empty(plane_px.shape, dtype=np.uint32)
        # A contiguous index makes the take twice as fast as a strided one.
        np.take(table, np.ascontiguousarray(plane_px).view(np.uint16), out=out, mode="clip")
        return out
    # Computed values keep the order of what they come from; the screen needs rows.
    return np.ascontiguousarray(rgb32_of(grey_of(plane_px, window, invert=invert, padding=padding)))
