"""Outlines of mask slices as polylines in view millimetres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from viewer.display.planes import Plane


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
    from skimage.measure import find_contours  # 0.5 s to import: only once a mask is shown

    if not mask_index.any():
        return []
    padded = np.pad(mask_index, 1).astype(np.float32)
    first, second = (axis for axis in range(3) if axis != plane.axis)
    lines = []
    for line in find_contours(padded, 0.5):
        point = np.zeros((len(line), 3))
        point[:, first] = line[:, 0] - 1 + offset[0]
        point[:, second] = line[:, 1] - 1 + offset[1]
        lines.append(plane.view_mm(point))
    return lines
