"""Outlines of mask slices as polylines in view millimetres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from viewer.display.contours import contours, split
from viewer.display.oblique import ObliquePlane
from viewer.display.planes import Plane
from viewer.display.sampling import Part, mask_on


def outline_mm(
    mask_index: npt.NDArray[np.bool_], offset: tuple[int, int], plane: Plane
) -> list[npt.NDArray[np.float64]]:
    """Trace the border of a mask slice.

    Parameters
    ----------
    mask_index
        2-D bool array over the two in-plane axes in ascending index order.
    offset
        Index in the volume, along those axes, of its first element.
    plane
        The view.

    Returns
    -------
    list of (n, 2) float64
        Polylines of view (x, y) mm, halfway between voxel centres in and out of the mask.
    """
    if not mask_index.any():
        return []
    first, second = (axis for axis in range(3) if axis != plane.axis)
    lines = contours(mask_index)
    points = np.zeros((sum(map(len, lines)), 3))
    points[:, [first, second]] = np.concatenate(lines) + offset
    return split(plane.view_mm(points), np.cumsum([len(line) for line in lines]))


def oblique_outline_mm(
    mask: Mask, plane: ObliquePlane, index: int
) -> list[npt.NDArray[np.float64]]:
    """Trace the border of a mask where an oblique slice cuts it.

    Returns
    -------
    list of (n, 2) float64
        Polylines of view (x, y) mm, halfway between pixels in and out of the mask.
    """
    found = mask_on(mask, plane, index)
    return [] if found is None else flat_outline_mm(found[0], found[1], plane)


def flat_outline_mm(
    mask_px: npt.NDArray[np.bool_], part: Part, plane: ObliquePlane
) -> list[npt.NDArray[np.float64]]:
    """Trace the border of what is set in a part, rows and columns, of an oblique plane."""
    (rows, columns), pixel = part, plane.pixel_mm[0]
    # Centres of pixels lie half a pixel from their corner.
    corner = np.array([columns.start + 0.5, rows.start + 0.5])
    return [(line[:, ::-1] + corner) * pixel for line in contours(mask_px)]
