"""Outlines of a mask in one slice, and the mask that outlines enclose. Arrays only.

An outline runs along the edges of the pixels, so it encloses exactly their area, and all centres
of pixels lie half a pixel off it: every way to fill a polygon gives the same pixels back. A hole
is joined to its outer outline by a channel of no width, the keyhole of PS3.3 C.8.8.6.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Corners = npt.NDArray[np.int64]
_Point = tuple[int, int]
_Runs = dict[_Point, _Point]


def outlines(plane: npt.NDArray[np.bool_]) -> list[Corners]:
    """Return one closed outline of each connected part of a slice.

    Parameters
    ----------
    plane
        (row, column) bool. Pixels that touch by a corner only are parts of their own.

    Returns
    -------
    list of ndarray
        (n, 2) row and column of lattice corners: pixel (r, c) reaches from (r, c) to
        (r + 1, c + 1). The first corner is not repeated. Holes are joined by keyholes.
    """
    labels, _ = ndimage.label(np.pad(plane, 1))
    outer: dict[int, Corners] = {}
    holes: dict[int, list[Corners]] = {}
    for corners in _loops(plane):
        (r, c), (_, c2) = corners[0], corners[1]
        # The mask lies on the right: below an edge that runs to the right, above one to the left.
        part = int(labels[r + 1, c + 1] if c2 > c else labels[r, c])
        if _twice_area(corners) > 0:
            outer[part] = corners
        else:
            holes.setdefault(part, []).append(corners)
    return [_joined(loop, holes.get(part, [])) for part, loop in outer.items()]


def _loops(plane: npt.NDArray[np.bool_]) -> list[Corners]:
    """Follow all edges between mask and background; every loop begins with a horizontal edge."""
    signed = np.pad(plane, 1).astype(np.int8)
    right, left = _runs(np.diff(signed, axis=0)[:, 1:-1])
    # Turned, so that what runs along a column is a run along a row.
    up, down = (
        {(r, c): (r2, c2) for (c, r), (c2, r2) in runs.items()}
        for runs in _runs(np.diff(signed, axis=1)[1:-1].T, turned=True)
    )
    loops = []
    while right or left:
        start, rightward = next(iter(right or left)), bool(right)
        corners, at = [], start
        while True:
            corners.append(at)
            at = (right if rightward else left).pop(at)
            corners.append(at)
            # To the right where there is a choice: pixels that touch by a corner are parted.
            downward = at in down if rightward else at not in up
            at = (down if downward else up).pop(at)
            if at == start:
                break
            rightward = at not in left if downward else at in right
        loops.append(np.array(corners, dtype=np.int64))
    return loops


def _runs(signs: npt.NDArray[np.int8], *, turned: bool = False) -> tuple[_Runs, _Runs]:
    """Return straight edges from start to end: those with the mask after them, and before.

    Along rows the first run towards larger indices and the second back; ``turned`` swaps this,
    so that the mask always lies on the right.
    """
    wide = np.pad(signs, ((0, 0), (1, 1)))
    found = []
    for sign in (1, -1):
        ends = np.diff((wide == sign).astype(np.int8), axis=1)
        starts, stops = _points(ends == 1), _points(ends == -1)
        pairs = zip(starts, stops, strict=True)
        forward = (sign == 1) is not turned
        found.append(dict(pairs) if forward else {b: a for a, b in pairs})
    return found[0], found[1]


def _points(where: npt.NDArray[np.bool_]) -> list[_Point]:
    return [(r, c) for r, c in np.argwhere(where).tolist()]


def _twice_area(corners: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> float:
    """Return twice the area, positive where the inside lies on the right (rows run down)."""
    r, c = corners[:, 0], corners[:, 1]
    return float(np.dot(c, np.roll(r, -1)) - np.dot(r, np.roll(c, -1)))


def _joined(outer: Corners, holes: list[Corners]) -> Corners:
    """Return one outline that goes round the holes too, from the leftmost on."""
    for hole in sorted(holes, key=lambda h: int(h[:, 1].min())):
        first = int(hole[:, 1].argmin())
        row, column = (int(v) for v in hole[first])
        ahead = np.roll(outer, -1, axis=0)
        upright = outer[:, 1] == ahead[:, 1]
        crossed = (
            upright
            & (outer[:, 1] <= column)
            & (np.minimum(outer[:, 0], ahead[:, 0]) <= row)
            & (np.maximum(outer[:, 0], ahead[:, 0]) >= row)
        )
        at = int(np.where(crossed, outer[:, 1], -1).argmax())
        gate = np.array([[row, outer[at, 1]]], dtype=np.int64)
        round_hole = np.concatenate([hole[first:], hole[:first], hole[first : first + 1]])
        outer = np.concatenate([outer[: at + 1], gate, round_hole, gate, outer[at + 1 :]])
    return outer


def filled(
    polygons: Sequence[npt.NDArray[np.float64]], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return the pixels whose centres lie inside polygons, by the even-odd rule.

    Parameters
    ----------
    polygons
        (n, 2) row and column, fractional; a pixel's centre is a whole number.
    shape
        Rows and columns.
    """
    starts = np.concatenate([np.asarray(p, dtype=np.float64) for p in polygons])
    ends = np.concatenate([np.roll(p, -1, axis=0) for p in polygons])
    low, high = np.minimum(starts[:, 0], ends[:, 0]), np.maximum(starts[:, 0], ends[:, 0])
    first = np.clip(np.ceil(low), 0, shape[0]).astype(np.int64)
    last = np.clip(np.ceil(high), 0, shape[0]).astype(np.int64)
    edge = np.repeat(np.arange(len(starts)), last - first)
    begun = np.cumsum(last - first) - (last - first)
    rows = np.arange(len(edge)) - begun[edge] + first[edge]
    a, b = starts[edge], ends[edge]
    across = a[:, 1] + (rows - a[:, 0]) * (b[:, 1] - a[:, 1]) / (b[:, 0] - a[:, 0])
    columns = np.clip(np.ceil(across), 0, shape[1]).astype(np.int64)
    width = shape[1] + 1
    crossings = np.bincount(rows * width + columns, minlength=shape[0] * width)
    odd = np.cumsum(crossings.reshape(shape[0], width), axis=1) % 2 == 1
    return np.asarray(odd[:, :-1])


def area(polygons: Sequence[npt.NDArray[np.float64]]) -> float:
    """Return the area that polygons enclose, in pixels."""
    return sum(abs(_twice_area(polygon)) for polygon in polygons) / 2
