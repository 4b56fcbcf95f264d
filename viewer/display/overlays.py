"""Heatmap and mask fill, blended into the slice's own buffer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from viewer.display import palettes
from viewer.display.grey import Rgb32


def heat_colours(palette: str = "cividis") -> npt.NDArray[np.uint8]:
    """Return the (256, 3) RGB steps of a palette; colour-blind readers see cividis alike."""
    return palettes.colours(palette)


@lru_cache(maxsize=8)
def _heat_table(opacity: float, floor: int, top: int, palette: str = "cividis") -> Rgb32:
    """Return what each grey (low byte) under each heat (high byte) becomes."""
    grey = np.arange(256, dtype=np.uint32)
    under = np.uint32(0xFF000000) | grey * np.uint32(0x010101)
    steps = np.minimum(np.arange(256, dtype=np.uint16) * np.uint16(255) // np.uint16(top), 255)
    table = np.empty((256, 256), dtype=np.uint32)
    table[:floor] = under
    colours = _packed(heat_colours(palette))
    for heat in range(floor, 256):
        table[heat] = _mix(under, colours[steps[heat]], opacity)
    table.flags.writeable = False
    return table.reshape(-1)


def _packed(rgb: npt.NDArray[np.uint8]) -> Rgb32:
    """Return (..., 3) RGB as 0x00RRGGBB."""
    wide = rgb.astype(np.uint32)
    return np.asarray(
        wide[..., 0] << np.uint32(16) | wide[..., 1] << np.uint32(8) | wide[..., 2],
        dtype=np.uint32,
    )


def _mix(under: Rgb32, over: Rgb32 | np.uint32, opacity: float) -> Rgb32:
    """Blend 0xRRGGBB over pixels of 0xFFRRGGBB."""
    alpha = np.uint32(round(min(max(opacity, 0.0), 1.0) * 256))
    rest = np.uint32(256) - alpha
    # Red and blue at once: neither sum reaches the bits of the other.
    ends, middle = np.uint32(0xFF00FF), np.uint32(0x00FF00)
    red_blue = (under & ends) * rest + (over & ends) * alpha
    # Green is shifted first, for its sum would leave the 32 bits that red leaves free.
    green = (under >> np.uint32(8) & np.uint32(255)) * rest
    green += (over >> np.uint32(8) & np.uint32(255)) * alpha
    out = red_blue >> np.uint32(8) & ends
    out |= green & middle
    out |= np.uint32(0xFF000000)
    return np.asarray(out, dtype=np.uint32)


def _box(shown: npt.NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return rows and columns that hold all that is set; None when nothing is."""
    rows = np.flatnonzero(shown.any(axis=1))
    if not rows.size:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(shown[top:bottom].any(axis=0))
    return slice(top, bottom), slice(int(columns[0]), int(columns[-1]) + 1)


def blend_heatmap(
    buffer: Rgb32,
    heat_px: npt.NDArray[np.uint8],
    at_px: tuple[int, int],
    opacity: float,
    floor: int,
    top: int = 255,
    *,
    grey: bool = False,
    palette: str = "cividis",
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
    grey
        Whether the buffer holds nothing but grey: one look-up then does it all.
    palette
        One of ``palettes.NAMES``.
    """
    row, column = at_px
    floor = max(1, floor)
    heat_px = np.ascontiguousarray(heat_px)
    shown = heat_px >= floor
    box = _box(shown)
    if box is None:
        return
    part = buffer[row : row + heat_px.shape[0], column : column + heat_px.shape[1]][box]
    heat_px = heat_px[box]
    if grey:
        index = heat_px.astype(np.uint16)
        index <<= np.uint16(8)
        index |= part.astype(np.uint8)  # the low byte is the grey
        part[...] = np.take(_heat_table(opacity, floor, top, palette), index, mode="clip")
        return
    steps = np.minimum(heat_px.astype(np.uint16) * np.uint16(255) // np.uint16(top), 255)
    colours = _packed(heat_colours(palette))[steps]
    np.copyto(part, _mix(part, colours, opacity), where=shown[box])


def blend_fill(
    buffer: Rgb32,
    mask_px: npt.NDArray[np.bool_],
    at_px: tuple[int, int],
    colour: str,
    opacity: float,
) -> None:
    """Fill a mask slice with a ``#RRGGBB`` colour over the buffer, in place."""
    row, column = at_px
    box = _box(mask_px)
    if box is None:
        return
    part = buffer[row : row + mask_px.shape[0], column : column + mask_px.shape[1]][box]
    np.copyto(part, _mix(part, np.uint32(int(colour[1:7], 16)), opacity), where=mask_px[box])
