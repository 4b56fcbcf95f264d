"""Display shutter (PS3.3 C.7.6.11): the part of a projection that its maker wants black."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

SHAPE = 0x00181600
LEFT, RIGHT, UPPER, LOWER = 0x00181602, 0x00181604, 0x00181606, 0x00181608
CENTRE, RADIUS, VERTICES = 0x00181610, 0x00181612, 0x00181620
TAGS = (SHAPE, LEFT, RIGHT, UPPER, LOWER, CENTRE, RADIUS, VERTICES)
_MOST_VERTICES = 1000

Numbers = Callable[[int], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Shutter:
    """What of an image is to be seen; of several shapes that which all of them leave open.

    Rows and columns are counted from 1, as in the file.

    Attributes
    ----------
    box
        First and last column, first and last row that are seen (0018,1602) to (0018,1608).
    circle
        Row and column of the centre, and the radius in pixels (0018,1610), (0018,1612).
    polygon
        Row and column of each corner (0018,1620).
    """

    box: tuple[float, float, float, float] | None = None
    circle: tuple[float, float, float] | None = None
    polygon: tuple[tuple[float, float], ...] | None = None

    def closed(self, rows: int, columns: int) -> npt.NDArray[np.bool_]:
        """Return what is to be black of an image: (row, column), not to be changed."""
        return _closed(self, rows, columns)


@lru_cache(maxsize=4)
def _closed(shutter: Shutter, rows: int, columns: int) -> npt.NDArray[np.bool_]:
    row = np.arange(1, rows + 1, dtype=np.float64)[:, None]
    column = np.arange(1, columns + 1, dtype=np.float64)[None, :]
    open_ = np.ones((rows, columns), dtype=np.bool_)
    if shutter.box is not None:
        left, right, upper, lower = shutter.box
        open_ &= (column >= left) & (column <= right) & (row >= upper) & (row <= lower)
    if shutter.circle is not None:
        y, x, radius = shutter.circle
        open_ &= (row - y) ** 2 + (column - x) ** 2 <= radius**2
    if shutter.polygon is not None:
        open_ &= _inside(shutter.polygon, row, column)
    closed = ~open_
    closed.setflags(write=False)
    return closed


def _inside(
    corners: tuple[tuple[float, float], ...],
    row: npt.NDArray[np.float64],
    column: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Return which pixels have an odd number of edges to their right."""
    inside = np.zeros((len(row), column.shape[1]), dtype=np.bool_)
    for (y, x), (y2, x2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y == y2:
            continue
        crossed = (row > min(y, y2)) & (row <= max(y, y2))
        at = x + (row - y) * (x2 - x) / (y2 - y)
        inside ^= crossed & (column <= at)
    return inside


def shutter(shapes: tuple[str, ...], numbers: Numbers, rows: int, columns: int) -> Shutter | None:
    """Return the shutter that a file names, or None.

    Parameters
    ----------
    shapes
        Shutter Shape (0018,1600).
    numbers
        Returns the finite numbers of a tag; fewer than it should have when it is damaged.

    Returns
    -------
    Shutter or None
        None too when it would leave nothing of the image open: that is no wish of anybody.
    """
    box = circle = polygon = None
    if "RECTANGULAR" in shapes:
        edges = [numbers(tag) for tag in (LEFT, RIGHT, UPPER, LOWER)]
        if all(len(edge) == 1 for edge in edges):
            box = (edges[0][0], edges[1][0], edges[2][0], edges[3][0])
    if "CIRCULAR" in shapes:
        centre, radius = numbers(CENTRE), numbers(RADIUS)
        if len(centre) == 2 and len(radius) == 1:
            circle = (centre[0], centre[1], radius[0])
    if "POLYGONAL" in shapes:
        ends = numbers(VERTICES)
        if len(ends) % 2 == 0 and 6 <= len(ends) <= 2 * _MOST_VERTICES:
            polygon = tuple(zip(ends[::2], ends[1::2], strict=True))
    if box is None and circle is None and polygon is None:
        return None
    found = Shutter(box, circle, polygon)
    closed = found.closed(rows, columns)
    return None if closed.all() or not closed.any() else found
