"""Measurements as they are drawn over a slice: thin lines, small ends, values beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from viewer.annotate import measurement_words
from viewer.tools.measures import shapes
from viewer.ui import on_image as theme
from viewer.ui.view_ink import HALO, haloed

if TYPE_CHECKING:
    from viewer.annotate.measurements import Measurement
    from viewer.ui.measure_draft import Draft
    from viewer.ui.measuring import Measuring
    from viewer.ui.slice_view import SliceView

Floats = npt.NDArray[np.float64]

_LINE_PX = 1.2
_CHOSEN_PX = 1.8
_TICK_PX = 4.0
_HANDLE_PX = 3.5
_GAP_PX = 9.0
_ARC_PX = 16.0
_MARGIN_PX = 4.0


def paint(painter: QPainter, view: SliceView) -> None:
    """Draw the measurements of a view's slice, in logical pixels."""
    measuring = view.measuring
    if measuring is None:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    taken: list[QRectF] = []
    draft = measuring.draft
    for key, one in measuring.on_view(view).items():
        hovered = measuring.hovered is not None and measuring.hovered.measurement_id == key
        chosen = key == measuring.selected
        grip = measuring.hovered.handle if hovered and measuring.hovered is not None else None
        _draw(painter, view, measuring, one, taken, chosen=chosen, handles=hovered or chosen)
        if grip is not None:
            at = measuring.pixels(view, one.points_lps_mm)[grip]
            _ring(painter, at, _HANDLE_PX + 1.5, filled=True)
    if draft is not None and draft.view is view and measuring.is_on_its_slice(draft):
        _draw_draft(painter, view, measuring, draft, taken)
    painter.restore()


def _draw(
    painter: QPainter,
    view: SliceView,
    measuring: Measuring,
    one: Measurement,
    taken: list[QRectF],
    *,
    chosen: bool,
    handles: bool,
) -> None:
    points = measuring.pixels(view, one.points_lps_mm)
    lines = shapes.outlines(one.kind, points)
    _lines(painter, lines, chosen=chosen, dashed=one.origin == "ai")
    _ends(painter, one.kind, points, chosen=chosen)
    if handles:
        for point in points:
            _ring(painter, point, _HANDLE_PX)
    text = measurement_words.lines(one)
    _words(painter, view, _Figure(points, lines), text, taken, bold=chosen)


def _draw_draft(
    painter: QPainter,
    view: SliceView,
    measuring: Measuring,
    draft: Draft,
    taken: list[QRectF],
) -> None:
    lines = [measuring.pixels(view, line) for line in draft.lines()]
    _lines(painter, lines, chosen=True, dashed=False)
    guide = draft.guide()
    if guide is not None:
        _lines(painter, [measuring.pixels(view, guide)], chosen=False, dashed=True)
    fixed = measuring.pixels(view, draft.fixed) if draft.fixed else np.zeros((0, 2))
    for point in fixed:
        _ring(painter, point, _HANDLE_PX - 1)
    one = measuring.preview(draft)
    if one is None:
        return
    points = measuring.pixels(view, one.points_lps_mm)
    _ends(painter, one.kind, points, chosen=True)
    if draft.kind == "polygon" and draft.rubber is not None:
        closing = np.stack([points[-1], points[0]])
        _lines(painter, [closing], chosen=False, dashed=True)
    figure = _Figure(points, shapes.outlines(one.kind, points))
    _words(painter, view, figure, measurement_words.lines(one), taken, bold=True)


# ------------------------------------------------------------------------- lines


def _pens(width: float, *, dashed: bool) -> tuple[QPen, QPen]:
    rim = QPen(QColor(0, 0, 0, 150), width + 1.8)
    line = QPen(QColor(theme.MEASURE), width)
    for pen in (rim, line):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dashed:
        line.setDashPattern([4, 3])
    return rim, line


def _lines(painter: QPainter, lines: list[Floats], *, chosen: bool, dashed: bool) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    polygons = [QPolygonF([QPointF(x, y) for x, y in line]) for line in lines]
    for pen in _pens(_CHOSEN_PX if chosen else _LINE_PX, dashed=dashed):
        painter.setPen(pen)
        for polygon in polygons:
            painter.drawPolyline(polygon)


def _ends(painter: QPainter, kind: str, points: Floats, *, chosen: bool) -> None:
    """Mark the ends of an axis by a tick across it, and an angle by an arc at its vertex."""
    if kind == "angle":
        _arc(painter, points, chosen=chosen)
        return
    if kind not in ("distance", "bidirectional"):
        return
    ticks = []
    for a, b in (points[n : n + 2] for n in range(0, len(points), 2)):
        way = b - a
        length = float(np.linalg.norm(way))
        if length > 0:
            across = np.array([-way[1], way[0]]) / length * _TICK_PX
            ticks += [np.stack([end - across, end + across]) for end in (a, b)]
    _lines(painter, ticks, chosen=chosen, dashed=False)


def _arc(painter: QPainter, points: Floats, *, chosen: bool) -> None:
    arms = points[[0, 2]] - points[1]
    reach = np.linalg.norm(arms, axis=1)
    if reach.min() < 2:
        return
    radius = min(_ARC_PX, float(reach.min()) * 0.6)
    first, last = (math.atan2(y, x) for x, y in arms)
    swept = (last - first + math.pi) % (2 * math.pi) - math.pi
    turn = first + np.linspace(0, swept, 24)
    line = points[1] + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    _lines(painter, [line], chosen=chosen, dashed=False)


def _ring(painter: QPainter, at: Floats, radius: float, *, filled: bool = False) -> None:
    centre = QPointF(float(at[0]), float(at[1]))
    # Hollow: the reader sees the very place that it stands for.
    fill = QColor(theme.MEASURE)
    fill.setAlpha(90)
    painter.setBrush(fill if filled else Qt.BrushStyle.NoBrush)
    for pen in _pens(_LINE_PX, dashed=False):
        painter.setPen(pen)
        painter.drawEllipse(centre, radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


# ------------------------------------------------------------------------- words


@dataclass(frozen=True, slots=True, eq=False)
class _Figure:
    """What words must not hide: points and lines, in logical pixels."""

    points: Floats
    lines: list[Floats]


def _words(
    painter: QPainter,
    view: SliceView,
    figure: _Figure,
    text: list[str],
    taken: list[QRectF],
    *,
    bold: bool,
) -> None:
    if not text:
        return
    font = theme.font(theme.CORNER_PX, QFont.Weight.DemiBold if bold else QFont.Weight.Medium)
    metrics = QFontMetricsF(font)
    line_px = math.ceil(metrics.height())
    width = max(metrics.horizontalAdvance(line) for line in text)
    size = (width, float(line_px * len(text)))
    place = place_of(figure.points, figure.lines, size, QRectF(view.rect()), taken)
    taken.append(place)
    y = place.top() + metrics.ascent()
    for line in text:
        haloed(painter, QPointF(place.left(), y), line, font, theme.MEASURE, HALO)
        y += line_px


def place_of(
    points: Floats,
    lines: list[Floats],
    size: tuple[float, float],
    room: QRectF,
    taken: list[QRectF],
) -> QRectF:
    """Return where words of a size hide neither an end nor a line of their shape.

    Parameters
    ----------
    points, lines
        (n, 2) of the shape, logical pixels.
    room
        Rectangle of the view.
    taken
        Where the words of other shapes stand.
    """
    inner = room.adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
    dense = np.concatenate([_dense(line) for line in lines])
    best: tuple[float, QRectF] | None = None
    for order, (x, y) in enumerate(_corners(points, lines, size)):
        rect = QRectF(x, y, *size)
        whole = _pushed_in(rect, inner)
        pushed = abs(whole.x() - rect.x()) + abs(whole.y() - rect.y())
        hidden = _inside(whole, points, 5.0)
        crossed = _inside(whole, dense, 2.0)
        overlap = sum(1 for other in taken if other.intersects(whole))
        penalty = 1000 * hidden + 20 * min(crossed, 20) + 300 * overlap + pushed + order
        if best is None or penalty < best[0]:
            best = (penalty, whole)
    assert best is not None
    return best[1]


def _corners(
    points: Floats, lines: list[Floats], size: tuple[float, float]
) -> list[tuple[float, float]]:
    every = np.concatenate(lines)
    low, high = every.min(axis=0), every.max(axis=0)
    width, height = size
    out = []
    right = points[points[:, 0].argmax()]
    left = points[points[:, 0].argmin()]
    for end, x in ((right, right[0] + _GAP_PX), (left, left[0] - _GAP_PX - width)):
        for y in (end[1] - height / 2, end[1] - height - _GAP_PX, end[1] + _GAP_PX):
            out.append((float(x), float(y)))
    middle = float((low[0] + high[0]) / 2 - width / 2)
    out += [(middle, float(high[1] + _GAP_PX)), (middle, float(low[1] - _GAP_PX - height))]
    out += [(float(high[0] + _GAP_PX), float(high[1] + 2))]
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
