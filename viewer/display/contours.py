"""Borders of a binary picture as closed lines halfway between pixels in and out.

The same lines as ``skimage.measure.find_contours(mask, 0.5)`` draws, which takes several times
longer and half a second to import; points on a straight line are left out.
"""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

# Of each cell of four neighbours, in (1 top left, 2 top right, 4 bottom left, 8 bottom right):
# from which to which of its sides the border runs, with what is in on one hand. Neighbours that
# touch at a corner only are apart.
_TOP, _RIGHT, _BOTTOM, _LEFT = range(4)
_STEPS = {
    1: ((_LEFT, _TOP),),
    2: ((_TOP, _RIGHT),),
    3: ((_LEFT, _RIGHT),),
    4: ((_BOTTOM, _LEFT),),
    5: ((_BOTTOM, _TOP),),
    6: ((_TOP, _RIGHT), (_BOTTOM, _LEFT)),
    7: ((_BOTTOM, _RIGHT),),
    8: ((_RIGHT, _BOTTOM),),
    9: ((_LEFT, _TOP), (_RIGHT, _BOTTOM)),
    10: ((_TOP, _BOTTOM),),
    11: ((_LEFT, _BOTTOM),),
    12: ((_RIGHT, _LEFT),),
    13: ((_RIGHT, _TOP),),
    14: ((_TOP, _LEFT),),
}
_FROM = np.full((2, 16), -1, dtype=np.int64)
_TO = np.full((2, 16), -1, dtype=np.int64)
for _code, _steps in _STEPS.items():
    for _number, (_start, _end) in enumerate(_steps):
        _FROM[_number, _code], _TO[_number, _code] = _start, _end


def contours(mask: npt.NDArray[np.bool_]) -> list[Points]:
    """Trace the borders of a 2-D mask; beyond its edge nothing is in.

    Returns
    -------
    list of (n, 2) float64
        Closed lines of (row, column), the last point the first again. A pixel's centre lies on
        whole numbers.
    """
    rows, columns = mask.shape
    padded = np.zeros((rows + 2, columns + 2), dtype=np.uint8)
    padded[1:-1, 1:-1] = mask
    codes = padded[:-1, :-1] | padded[:-1, 1:] << 1 | padded[1:, :-1] << 2 | padded[1:, 1:] << 3
    cells = np.flatnonzero((codes != 0) & (codes != 15))
    if not cells.size:
        return []
    width = columns + 1
    following = _following(cells, codes.reshape(-1)[cells], width)
    return split(*_points(_loops(following), width))


def split(points: Points, ends: npt.NDArray[np.int64]) -> list[Points]:
    """Return lines that lie one behind the other in (n, 2), each up to its end, one by one."""
    bounds = [0, *ends.tolist()]
    return [points[a:b] for a, b in pairwise(bounds)]


def _following(
    cells: npt.NDArray[np.int64], codes: npt.NDArray[np.uint8], width: int
) -> dict[int, int]:
    """Return which side of a cell follows which along the border.

    A side is named by its top left cell: twice its number for a top, and one more for a left
    side. The bottom of a cell is the top of the next row's, its right the left of the next one.
    """
    offset = np.array([0, 3, 2 * width, 1])  # top, right, bottom, left
    following: dict[int, int] = {}
    for number in range(2):
        there = _FROM[number, codes] >= 0
        at, kind = 2 * cells[there], codes[there]
        start = at + offset[_FROM[number, kind]]
        end = at + offset[_TO[number, kind]]
        following.update(zip(start.tolist(), end.tolist(), strict=True))
    return following


def _loops(following: dict[int, int]) -> list[list[int]]:
    loops = []
    while following:
        start, at = following.popitem()
        loop = [start]
        while at != start:
            loop.append(at)
            at = following.pop(at)
        loops.append(loop)
    return loops


def _points(loops: list[list[int]], width: int) -> tuple[Points, npt.NDArray[np.int64]]:
    """Return the middles of sides as closed (row, column), without those on straight lines.

    All loops at once, for there may be hundreds: one behind the other, and where each ends.
    """
    counts = np.array([len(loop) for loop in loops])
    sides = np.fromiter(chain.from_iterable(loops), dtype=np.int64, count=int(counts.sum()))
    row, column = np.divmod(sides >> 1, width)
    left = (sides & 1).astype(bool)
    # Cell (0, 0) has pixel (-1, -1) at its top left: the picture was padded.
    points = np.stack([row - np.where(left, 0.5, 1.0), column - np.where(left, 1.0, 0.5)], axis=1)
    after = np.cumsum(counts)
    first = after - counts
    before, behind = np.arange(len(sides)) - 1, np.arange(len(sides)) + 1
    before[first], behind[after - 1] = after - 1, first
    back, ahead = points - points[before], points[behind] - points
    turns = back[:, 0] * ahead[:, 1] != back[:, 1] * ahead[:, 0]
    points = points[turns]
    # Each ends where it began.
    number = np.arange(len(loops))
    counts = np.bincount(np.repeat(number, counts)[turns], minlength=len(loops))
    ends = np.cumsum(counts + 1)
    which = np.arange(int(ends[-1])) - np.repeat(number, counts + 1)
    which[ends - 1] = np.cumsum(counts) - counts
    return points[which], ends
