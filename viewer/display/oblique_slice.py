"""One slice of an oblique plane with everything laid over it, composed into one buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inference.geometry import lps_mm_to_kji
from inference.volume import Volume
from viewer.display import overlays
from viewer.display.grey import Rgb32, Window, grey_of, render
from viewer.display.oblique import ObliquePlane
from viewer.display.sampling import mask_on, sample

if TYPE_CHECKING:
    from viewer.display.layers import Fill, Heat

_BLACK = np.uint32(0xFF000000)
Bools = npt.NDArray[np.bool_]


def compose_oblique(
    volume: Volume,
    plane: ObliquePlane,
    index: int,
    window: Window,
    *,
    invert: bool = False,
    heat: Heat | None = None,
    fills: Sequence[Fill] = (),
    present_k: Bools | None = None,
) -> Rgb32:
    """Render one oblique slice with its overlays, as ``layers.compose`` does a straight one.

    Grey and heatmap are interpolated unless the plane is a quick one; masks and colours are
    those of the nearest voxel. What lies outside of the volume is black, inverted or not.

    Returns
    -------
    (row, column) uint32
        C-order 0xFFRRGGBB as the screen shows it.
    """
    linear = not plane.quick
    if volume.colours is None:
        values, inside = sample(volume.voxels, plane, index, linear=linear)
        buffer = render(values, window, invert=invert)
        if volume.padding is not None:
            inside &= ~_padded(volume, plane, index, values if plane.quick else None)
    else:
        colours, inside = sample(volume.colours, plane, index, linear=False)
        buffer = _coloured(colours, window, invert)
    if present_k is not None:
        inside &= _there(plane, index, present_k)
    np.copyto(buffer, _BLACK, where=~inside)
    if heat is not None:
        values, _ = sample(
            heat.heatmap.values,
            plane,
            index,
            origin_kji=heat.heatmap.origin_kji,
            linear=linear,
        )
        overlays.blend_heatmap(
            buffer,
            values,
            (0, 0),
            heat.opacity,
            heat.floor,
            heat.top,
            palette=heat.palette,
        )
    for fill in fills:
        found = mask_on(fill.mask, plane, index)
        if found is not None:
            at_px = found[1][0].start, found[1][1].start
            overlays.blend_fill(buffer, found[0], at_px, fill.colour, fill.opacity)
    return buffer


def compose_flat(
    volume: Volume,
    flat: tuple[npt.NDArray[Any], Bools],
    window: Window,
    *,
    invert: bool = False,
    heat: tuple[Heat, npt.NDArray[np.uint8], tuple[int, int]] | None = None,
    fills: Sequence[tuple[Fill, Bools, tuple[int, int]]] = (),
) -> Rgb32:
    """Render a slab of an oblique plane that was projected already, and what lies over it.

    Parameters
    ----------
    flat
        (row, column) values in the unit of the window, and where they lie in the volume.
    heat, fills
        What they are, (row, column) of a part of the plane, and where its first pixel lies.
    """
    values, inside = flat
    buffer = render(values, window, invert=invert)
    if volume.padding is not None:
        low, high = volume.padding
        inside = inside & ~((values >= low) & (values <= high))
    np.copyto(buffer, _BLACK, where=~inside)
    if heat is not None:
        how, values, at_px = heat
        overlays.blend_heatmap(
            buffer, values, at_px, how.opacity, how.floor, how.top, palette=how.palette
        )
    for fill, mask_px, at_px in fills:
        overlays.blend_fill(buffer, mask_px, at_px, fill.colour, fill.opacity)
    return buffer


def _padded(
    volume: Volume, plane: ObliquePlane, index: int, nearest: npt.NDArray[Any] | None
) -> Bools:
    """Return where the nearest voxel stands for no value."""
    assert volume.padding is not None
    if nearest is None:
        nearest, _ = sample(volume.voxels, plane, index, linear=False)
    low, high = volume.padding
    return np.asarray((nearest >= low) & (nearest <= high))


def _there(plane: ObliquePlane, index: int, present_k: Bools) -> Bools:
    """Return where the acquired slices around a pixel are there."""
    columns, rows = plane.size_px
    pixel = plane.pixel_mm[0]
    corner, right, below = (
        lps_mm_to_kji(plane.affine, plane.lps_at(x * pixel, y * pixel, index))[0]
        for x, y in ((0.5, 0.5), (1.5, 0.5), (0.5, 1.5))
    )
    k = np.add.outer(
        corner + np.arange(rows) * (below - corner), np.arange(columns) * (right - corner)
    )
    last = len(present_k) - 1
    lower = np.clip(np.floor(k), 0, last).astype(np.int64)
    upper = np.clip(np.ceil(k), 0, last).astype(np.int64)
    return np.asarray(present_k[lower] & present_k[upper])


def _coloured(colours: npt.NDArray[np.uint8], window: Window, invert: bool) -> Rgb32:
    table = grey_of(np.arange(256), window, invert=invert).astype(np.uint32)
    red, green, blue = (table[colours[..., n]] for n in range(3))
    packed = np.uint32(0xFF000000) | red << 16 | green << 8 | blue
    return np.ascontiguousarray(packed, dtype=np.uint32)
