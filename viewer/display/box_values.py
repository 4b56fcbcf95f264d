"""Values under a box of a view, on a plane of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.display.planes import Plane

_MOST = 400  # samples along a side: more change no percentile that anybody sees


def values_in_box(
    voxels: npt.NDArray[Any],
    plane: Plane,
    index: int,
    box_mm: tuple[float, float, float, float],
) -> npt.NDArray[Any]:
    """Return the voxels nearest to points of a box.

    Parameters
    ----------
    voxels
        (k, j, i).
    plane
        Only its ``kji_at`` is asked, so planes between the voxels serve as well.
    index
        Slice of the plane.
    box_mm
        Left, top, right and bottom on the plane, mm.

    Returns
    -------
    numpy.ndarray
        Flat; a point a pixel, but no more than 400 along a side; of points inside the volume.
    """
    left, top, right, bottom = box_mm
    corner = plane.kji_at(left, top, index)
    across = plane.kji_at(right, top, index) - corner
    down = plane.kji_at(left, bottom, index) - corner
    counts = [min(_MOST, max(2, int(np.linalg.norm(side)) + 1)) for side in (across, down)]
    u, v = (np.linspace(0.0, 1.0, count) for count in counts)
    points = corner + u[None, :, None] * across + v[:, None, None] * down
    k, j, i = np.moveaxis(np.rint(points.reshape(-1, 3)).astype(np.int64), -1, 0)
    inside = np.ones(len(k), dtype=np.bool_)
    for at, size in zip((k, j, i), voxels.shape, strict=False):
        inside &= (at >= 0) & (at < size)
    return np.asarray(voxels[k[inside], j[inside], i[inside]])
