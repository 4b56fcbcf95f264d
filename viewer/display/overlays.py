"""Heatmap and mask fill, blended into the slice's own buffer."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

import resources
from viewer.display.grey import Rgb32


@cache
def heat_colours() -> npt.NDArray[np.uint8]:
    """Return the (256, 3) RGB steps of cividis, a map that colour-blind readers see alike."""
    stops = np.array(
        [[int(stop[n : n + 2], 16) for n in (1, 3, 5)] for stop in resources.table("cividis")],
        dtype=np.float64,
    )
    at = np.linspace(0, len(stops) - 1, 256)
    columns = [np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)]
    return np.rint(np.stack(columns, axis=1)).astype(np.uint8)


def _mix(under: Rgb32, over: npt.NDArray[np.uint8], opacity: float) -> Rgb32:
    """Blend (n, 3) RGB over n pixels of 0xFFRRGGBB."""
    alpha = np.uint32(round(min(max(opacity, 0.0), 1.0) * 256))
    rest = np.uint32(256) - alpha
    out = np.full(under.shape, 0xFF000000, dtype=np.uint32)
    for channel, shift in ((0, 16), (1, 8), (2, 0)):
        below = under >> np.uint32(shift) & np.uint32(255)
        mixed = below * rest + over[..., channel].astype(np.uint32) * alpha >> np.uint32(8)
        out |= mixed << np.uint32(shift)
    return out


def blend_heatmap(
    buffer: Rgb32,
    heat_px: npt.NDArray[np.uint8],
    at_px: tuple[int, int],
    opacity: float,
    floor: int,
    top: int = 255,
) -> None:
    """Lay a heatmap slice over the buffer, in place; fully clear below ``floor``.

    Parameters
    ----------
    buffer
        (row, column) 0xFFRRGGBB.
    heat_px
        (row, column) uint8 probability x 255 of a part of the slice.
    at_px
        Row and column in ``buffer`` of its first pixel.
    opacity
        0 to 1, one for the whole layer.
    floor
        Smallest value shown, 1 to 255.
    top
        Value that has the last colour, as all above it have, 1 to 255.
    """
    row, column = at_px
    part = buffer[row : row + heat_px.shape[0], column : column + heat_px.shape[1]]
    shown = heat_px >= max(1, floor)
    if shown.any():
        steps = np.minimum(heat_px[shown].astype(np.uint16) * 255 // top, 255)
        part[shown] = _mix(part[shown], heat_colours()[steps], opacity)


def blend_fill(
    buffer: Rgb32,
    mask_px: npt.NDArray[np.bool_],
    at_px: tuple[int, int],
    colour: str,
    opacity: float,
) -> None:
    """Fill a mask slice with a ``#RRGGBB`` colour over the buffer, in place."""
    row, column = at_px
    part = buffer[row : row + mask_px.shape[0], column : column + mask_px.shape[1]]
    rgb = np.array([[int(colour[n : n + 2], 16) for n in (1, 3, 5)]], dtype=np.uint8)
    if mask_px.any():
        part[mask_px] = _mix(part[mask_px], rgb, opacity)
