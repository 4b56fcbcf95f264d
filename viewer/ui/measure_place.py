"""Where the words of a measurement stand, so that they hide nothing that is read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

Floats = npt.NDArray[np.float64]

_GAP_PX = 9.0
_MARGIN_PX = 12.0
# An end that is hidden cannot be judged; words that cover other words cannot be read.
_END, _WORDS, _OWN, _OTHERS = 1000.0, 300.0, 20.0, 12.0
_MOST = 25


def place_of(
    points: Floats,
    lines: list[Floats],
    size: tuple[float, float],
    room: QRectF,
    taken: list[QRectF],
    others: list[Floats],
) -> QRectF:
    """Return the place for words that hides the least.

    Parameters
    ----------
    points, lines
        (n, 2) of the shape that they belong to: ends and lines, logical pixels.
    size
        Width and height of the words.
    room
        The view.
    taken
        Where other words stand.
    others
        Lines of all shapes in the view.
    """
    inner = room.adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
    own = np.concatenate([_dense(line) for line in lines])
    every = np.concatenate([_dense(line) for line in others]) if others else own
    best: tuple[float, QRectF] | None = None
    for order, (x, y) in enumerate(_candidates(points, lines, size)):
        wanted = QRectF(x, y, *size)
        rect = _pushed_in(wanted, inner)
        cost = float(order) + abs(rect.x() - wanted.x()) + abs(rect.y() - wanted.y())
        cost += _END * _inside(rect, points, 5.0)
        cost += _OWN * min(_inside(rect, own, 2.0), _MOST)
        cost += _OTHERS * min(_inside(rect, every, 2.0), _MOST)
        cost += _WORDS * sum(1 for other in taken if other.intersects(rect))
        if best is None or cost < best[0]:
            best = (cost, rect)
    assert best is not None  # there are candidates
    return best[1]


def corners_of(room: QRectF) -> list[QRectF]:
    """Return about where a view writes in its corners."""
    wide = min(200.0, room.width() / 3)
    return [
        QRectF(0, 0, wide, 62),
        QRectF(room.width() - wide, 0, wide, 62),
        QRectF(0, room.height() - 62, 150, 62),
        QRectF(room.width() - 160, room.height() - 62, 160, 62),
    ]


def _candidates(
    points: Floats, lines: list[Floats], size: tuple[float, float]
) -> list[tuple[float, float]]:
    every = np.concatenate(lines)
    (left, top), (right, bottom) = every.min(axis=0), every.max(axis=0)
    width, height = size
    out: list[tuple[float, float]] = []
    last, first = points[points[:, 0].argmax()], points[points[:, 0].argmin()]
    for end, x in ((last, right + _GAP_PX), (first, left - _GAP_PX - width)):
        for y in (end[1] - height / 2, end[1] - height - _GAP_PX, end[1] + _GAP_PX):
            out.append((float(x), float(y)))
    for x in ((left + right - width) / 2, left, right - width):
        out += [(float(x), float(bottom + _GAP_PX)), (float(x), float(top - _GAP_PX - height))]
    out += [(float(right + _GAP_PX), float(bottom)), (float(right + _GAP_PX), float(top - height))]
    return out


def _dense(line: Floats) -> Floats:
    """Return points along a line, no further apart than a letter is high."""
    parts = []
    for a, b in pairwise(line):
        steps = max(2, min(200, int(np.linalg.norm(b - a) / 6) + 1))
        parts.append(a + (b - a) * np.linspace(0, 1, steps)[:, None])
    return np.concatenate(parts)


def _inside(rect: QRectF, points: Floats, slack: float) -> int:
    x, y = points.T
    across = (x > rect.left() - slack) & (x < rect.right() + slack)
    return int((across & (y > rect.top() - slack) & (y < rect.bottom() + slack)).sum())


def _pushed_in(rect: QRectF, inner: QRectF) -> QRectF:
    x = min(max(rect.x(), inner.left()), max(inner.left(), inner.right() - rect.width()))
    y = min(max(rect.y(), inner.top()), max(inner.top(), inner.bottom() - rect.height()))
    return QRectF(x, y, rect.width(), rect.height())
