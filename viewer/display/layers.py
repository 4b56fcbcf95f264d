"""One slice with everything laid over it, composed into one buffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Heatmap, Mask
from inference.volume import Volume
from viewer.display import overlays
from viewer.display.grey import Rgb32, Window, grey_of, render
from viewer.display.oblique import ObliquePlane
from viewer.display.oblique_slice import compose_oblique
from viewer.display.planes import Plane

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Fill:
    """A mask to be filled with a ``#RRGGBB`` colour at an opacity from 0 to 1."""

    mask: Mask
    colour: str
    opacity: float


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """A heatmap to be shown: one opacity, clear below ``floor``, last colour from ``top`` on.

    Both 1 to 255.
    """

    heatmap: Heatmap
    opacity: float
    floor: int
    top: int = 255
    palette: str = "cividis"


def cut(
    values_kji: npt.NDArray[np.generic], origin_kji: tuple[int, int, int], plane: Plane, index: int
) -> tuple[npt.NDArray[np.generic], tuple[int, int]] | None:
    """Take the part of a boxed array that lies on one slice.

    Parameters
    ----------
    values_kji
        (k, j, i) array that covers a box of the volume.
    origin_kji
        Index in the volume of its first voxel.
    index
        Slice of the volume along ``plane.axis``.

    Returns
    -------
    (2-D array, offset) or None
        The array over the two in-plane axes in ascending index order, and the index in the
        volume of its first element; None when the box does not meet the slice.
    """
    at = index - origin_kji[plane.axis]
    if values_kji.size == 0 or not 0 <= at < values_kji.shape[plane.axis]:
        return None
    first, second = (origin_kji[axis] for axis in range(3) if axis != plane.axis)
    return values_kji[(slice(None),) * plane.axis + (at,)], (first, second)


def compose(
    volume: Volume,
    plane: Plane,
    index: int,
    window: Window,
    *,
    invert: bool = False,
    heat: Heat | None = None,
    fills: Sequence[Fill] = (),
    present_k: npt.NDArray[np.bool_] | None = None,
    flat: npt.NDArray[Any] | None = None,
) -> Rgb32:
    """Render one slice with its overlays.

    Parameters
    ----------
    index
        Slice along ``plane.axis``.
    present_k
        Of each acquired slice, whether it is there; the others are black and their voxels are
        not touched. None when all are.
    flat
        What is shown in the place of the slice's own values, such as a slab: 2-D over the two
        in-plane axes in ascending index order. Not for colours, nor for oblique planes.

    Returns
    -------
    (row, column) uint32
        C-order 0xFFRRGGBB as the screen shows it: patient right on the left.
    """
    if isinstance(plane, ObliquePlane):
        return compose_oblique(
            volume, plane, index, window,
            invert=invert, heat=heat, fills=fills, present_k=present_k,
        )  # fmt: skip
    if flat is not None:
        values = plane.orient(flat)
        buffer = render(values, window, invert=invert, padding=volume.padding)
    elif present_k is not None and plane.axis != 0:
        buffer = _gapped(volume, plane, index, window, invert, present_k)
    elif volume.colours is None:
        values = plane.slice_of(volume.voxels, index)
        buffer = render(values, window, invert=invert, padding=volume.padding)
    else:
        buffer = _coloured(volume.colours, plane, index, window, invert)
    if heat is not None:
        part = cut(heat.heatmap.values, heat.heatmap.origin_kji, plane, index)
        if part is not None:
            values = plane.orient(part[0])
            at_px = plane.corner_px(part[1], part[0].shape)
            overlays.blend_heatmap(
                buffer,
                values,
                at_px,
                heat.opacity,
                heat.floor,
                heat.top,
                grey=volume.colours is None,
                palette=heat.palette,
            )
    for fill in fills:
        part = cut(fill.mask.voxels, fill.mask.origin_kji, plane, index)
        if part is not None:
            mask_px = plane.orient(part[0])
            at_px = plane.corner_px(part[1], part[0].shape)
            overlays.blend_fill(buffer, mask_px, at_px, fill.colour, fill.opacity)
    return buffer


def _gapped(
    volume: Volume,
    plane: Plane,
    index: int,
    window: Window,
    invert: bool,
    present_k: npt.NDArray[np.bool_],
) -> Rgb32:
    """Render a plane across the acquired slices from those that are there."""
    # A page of memory that is read before it is written is mapped twice: with none read yet,
    # that would take longer than all the rest.
    across = volume.voxels[(slice(None),) * plane.axis + (index,)]
    whole = np.full(across.shape, 0xFF000000, dtype=np.uint32)
    values = across[present_k]
    whole[present_k] = render(values, window, invert=invert, padding=volume.padding)
    return np.ascontiguousarray(plane.orient(whole))


def _coloured(
    colours_kji: npt.NDArray[np.uint8], plane: Plane, index: int, window: Window, invert: bool
) -> Rgb32:
    """Render one slice of a colour image; a window of centre 128, width 256 changes nothing."""
    table = grey_of(np.arange(256), window, invert=invert).astype(np.uint32)
    red, green, blue = (table[plane.slice_of(colours_kji[..., n], index)] for n in range(3))
    packed = np.uint32(0xFF000000) | red << 16 | green << 8 | blue
    return np.ascontiguousarray(packed, dtype=np.uint32)
