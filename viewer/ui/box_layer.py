"""The box round a finding over a slice: its edges, handles while its tool is held, its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from resources.text import translate
from viewer.display.box_cut import Side, sides
from viewer.ui import on_image as theme
from viewer.ui.view_ink import haloed

if TYPE_CHECKING:
    from viewer.annotate.boxes import Bounds
    from viewer.ui.boxing import Boxing
    from viewer.ui.slice_view import SliceView

_LINE_PX = 1.2
_HANDLE_PX = 3.5
_MARKED_PX = 5.0


def paint(boxing: Boxing, painter: QPainter, view: SliceView) -> None:
    """Draw the box where it meets the shown slice, faintly where it does not."""
    bounds, plane = boxing.shown, view.plane
    if bounds is None or plane is None or not view.reading.shown.masks:
        return
    held = view.reading.tool == "box"
    if not plane.straight:
        _turned(boxing, painter, view, bounds, held=held)
        return
    meets = bounds.low_kji[plane.axis] <= view.index < bounds.high_kji[plane.axis]
    if not meets and not held:
        return
    box = rectangle_of(view, bounds)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setOpacity(1.0 if meets else 0.45)
    for pen in _pens(dashed=not held or not meets):
        painter.setPen(pen)
        painter.drawRect(box)
    if held and meets:
        _handles(boxing, painter, view, box)
        _size(boxing, painter, bounds, box)
    painter.restore()


def _turned(
    boxing: Boxing, painter: QPainter, view: SliceView, bounds: Bounds, *, held: bool
) -> None:
    """Draw the polygon in which a turned plane cuts the box; a handle for each face and corner."""
    sides = sides_of(view, bounds)
    if not sides:
        return
    corners = QPolygonF([view.px_of_mm(*side.start) for side in sides])
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in _pens(dashed=not held):
        painter.setPen(pen)
        painter.drawPolygon(corners)
    if held:
        for side in sides:
            _handle(painter, view.px_of_mm(*side.start), filled=False)
            _handle(painter, view.px_of_mm(*side.middle), filled=boxing.handle == side.face)
        _size(boxing, painter, bounds, corners.boundingRect())
    painter.restore()


def _pens(*, dashed: bool) -> tuple[QPen, QPen]:
    """Return the pens of the dark rim and of the line over it."""
    line = QPen(QColor(theme.ACTIVE), _LINE_PX)
    line.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if dashed:
        line.setDashPattern([4, 4])
    return QPen(QColor(0, 0, 0, 140), _LINE_PX + 1.8), line


def _size(boxing: Boxing, painter: QPainter, bounds: Bounds, around: QRectF) -> None:
    text = translate("box", "outlining…") if boxing.outlining else boxing.size_text(bounds)
    at = QPointF(around.left(), around.bottom() + 16)
    haloed(painter, at, text, theme.font(theme.CORNER_PX), theme.TEXT)


def sides_of(view: SliceView, bounds: Bounds) -> tuple[Side, ...]:
    """Return the sides of a box on the shown slice, in view mm; none where it is not met."""
    assert view.plane is not None
    return sides(bounds.low_kji, bounds.high_kji, view.plane, view.index)


def rectangle_of(view: SliceView, bounds: Bounds) -> QRectF:
    """Return the edges of a box on the screen, logical pixels; the plane is a straight one."""
    plane = view.plane
    assert plane is not None
    ends = np.array([bounds.low_kji, bounds.high_kji], dtype=np.float64) - 0.5
    (x0, y0), (x1, y1) = plane.view_mm(ends)
    return QRectF(view.px_of_mm(x0, y0), view.px_of_mm(x1, y1)).normalized()


def _handles(boxing: Boxing, painter: QPainter, view: SliceView, box: QRectF) -> None:
    """Draw handles at corners and at the middles of faces; that of the keys is filled."""
    plane = view.plane
    assert plane is not None
    marked = boxing.handle
    for across in (-1, 0, 1):
        for down in (-1, 0, 1):
            if (across, down) == (0, 0):
                continue
            at = box.center() + QPointF(across * box.width() / 2, down * box.height() / 2)
            filled = False
            if marked is not None and (across == 0) != (down == 0):
                side, axis, flipped = (
                    (across, plane.across, plane.flip_across)
                    if across
                    else (down, plane.down, plane.flip_down)
                )
                filled = marked == (axis, (side > 0) != flipped)
            _handle(painter, at, filled=filled)


def _handle(painter: QPainter, at: QPointF, *, filled: bool) -> None:
    half = _MARKED_PX if filled else _HANDLE_PX
    painter.setPen(QPen(QColor(0, 0, 0, 200), 1))
    painter.fillRect(
        QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half),
        QColor(theme.TEXT if filled else theme.ACTIVE),
    )
    painter.drawRect(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half))
