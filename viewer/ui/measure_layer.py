"""Measurements as they are drawn over a slice: thin lines, small ends, values beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from viewer.annotate import measurement_words
from viewer.tools.measures import shapes
from viewer.ui import on_image as theme
from viewer.ui.measure_place import corners_of, place_of
from viewer.ui.measuring import TURN
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
_ARC_PX = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """One paint of one view: what is drawn on it, and where words already stand."""

    painter: QPainter
    view: SliceView
    measuring: Measuring
    taken: list[QRectF]
    lines: list[Floats]  # of all shapes

    def pixels(self, points_lps_mm: npt.ArrayLike) -> Floats:
        return self.measuring.pixels(self.view, points_lps_mm)


def paint(painter: QPainter, view: SliceView) -> None:
    """Draw the measurements of a view's slice, in logical pixels."""
    measuring = view.measuring
    if measuring is None:
        return
    draft = measuring.draft
    shown = measuring.on_view(view)
    drawing = draft is not None and draft.view is view and measuring.is_on_its_slice(draft)
    if not shown and not drawing:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    page = _Page(painter, view, measuring, corners_of(QRectF(view.rect())), [])
    figures = {
        key: figure
        for key, one in shown.items()
        if (figure := _figure(page, one.kind, one.points_lps_mm)) is not None
    }
    page.lines.extend(line for figure in figures.values() for line in figure.lines)
    for key, figure in figures.items():
        _draw(page, key, shown[key], figure)
    if draft is not None and drawing:
        _draw_draft(page, draft)
    painter.restore()


def _figure(page: _Page, kind: str, points_lps_mm: npt.ArrayLike) -> _Figure | None:
    """Return where a measurement is drawn; None when nothing of it is in the view."""
    points = page.pixels(points_lps_mm)
    lines = shapes.outlines(kind, points)
    every = np.concatenate(lines)
    low, high = every.min(axis=0), every.max(axis=0)
    seen = (high >= 0).all() and low[0] <= page.view.width() and low[1] <= page.view.height()
    return _Figure(points, lines) if seen else None


def _draw(page: _Page, key: str, one: Measurement, figure: _Figure) -> None:
    hovered = page.measuring.hovered
    under = hovered is not None and hovered.measurement_id == key
    chosen = key == page.measuring.selected
    _lines(page.painter, figure.lines, chosen=chosen, dashed=one.origin == "ai")
    _ends(page.painter, one.kind, figure.points, chosen=chosen)
    if chosen or under:
        for point in figure.points:
            _ring(page.painter, point, _HANDLE_PX)
    held = hovered.handle if under and hovered is not None else None
    stem = page.measuring.turn_stem(key, one, figure.points)
    if stem is not None:
        _lines(page.painter, [np.stack(stem)], chosen=False, dashed=True)
        grown = 1.5 if held == TURN else 0.0
        _ring(page.painter, stem[1], _HANDLE_PX + 1.0 + grown, filled=held == TURN)
    if held is not None and held != TURN:
        _ring(page.painter, figure.points[held], _HANDLE_PX + 1.5, filled=True)
    _words(page, figure, measurement_words.lines(one), bold=chosen)


def _draw_draft(page: _Page, draft: Draft) -> None:
    painter = page.painter
    lines = [page.pixels(line) for line in draft.lines()]
    _lines(painter, lines, chosen=True, dashed=False)
    guide = draft.guide()
    if guide is not None:
        _lines(painter, [page.pixels(guide)], chosen=False, dashed=True)
    for point in page.pixels(draft.fixed) if draft.fixed else ():
        _ring(painter, point, _HANDLE_PX - 1)
    one = page.measuring.preview(draft)
    if one is None:
        return
    points = page.pixels(one.points_lps_mm)
    _ends(painter, one.kind, points, chosen=True)
    if draft.kind == "polygon" and draft.rubber is not None:
        _lines(painter, [points[[-1, 0]]], chosen=False, dashed=True)
    figure = _Figure(points, shapes.outlines(one.kind, points))
    page.lines.extend(figure.lines)
    _words(page, figure, measurement_words.lines(one), bold=True)


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
    """Points and lines of one shape, in logical pixels."""

    points: Floats
    lines: list[Floats]


def _words(page: _Page, figure: _Figure, text: list[str], *, bold: bool) -> None:
    if not text:
        return
    font = theme.font(theme.CORNER_PX, QFont.Weight.DemiBold if bold else QFont.Weight.Medium)
    metrics = QFontMetricsF(font)
    line_px = math.ceil(metrics.height())
    size = max(metrics.horizontalAdvance(line) for line in text), float(line_px * len(text))
    room = QRectF(page.view.rect())
    place = place_of(figure.points, figure.lines, size, room, page.taken, page.lines)
    page.taken.append(place)
    y = place.top() + metrics.ascent()
    for line in text:
        haloed(page.painter, QPointF(place.left(), y), line, font, theme.MEASURE, HALO)
        y += line_px
