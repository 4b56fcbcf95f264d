"""The line of a lasso over the slice, and a sign beside the pointer of what it will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from viewer.ui import on_image as theme
from viewer.ui.view_ink import HALO, haloed

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

_LINE_PX = 1.4
_RING_PX = 4.0
SIGNS = {"add": "+", "subtract": "−", "intersect": "∩"}


def paint(painter: QPainter, view: SliceView) -> None:
    """Draw the lasso of a view, in logical pixels."""
    lassoing = view.lassoing
    draft = None if lassoing is None else lassoing.draft
    if draft is None or draft.view is not view or not draft.on_its_slice:
        return
    plane = view.plane
    assert plane is not None
    points = [view.px_of_mm(*plane.view_of_lps(corner)) for corner in draft.corners]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    line = QPolygonF(points)
    for pen in _pens():
        painter.setPen(pen)
        painter.drawPolyline(line)
    if len(points) > 2:
        for pen in _pens(dashed=True):
            painter.setPen(pen)
            painter.drawLine(points[-1], points[0])
    for pen in _pens():
        painter.setPen(pen)
        painter.drawEllipse(points[0], _RING_PX, _RING_PX)
    font = theme.font(theme.BODY_PX + 3, QFont.Weight.DemiBold)
    haloed(painter, points[-1] + QPointF(12, -8), SIGNS[draft.lasso.mode], font, theme.TEXT, HALO)
    painter.restore()


def _pens(*, dashed: bool = False) -> tuple[QPen, QPen]:
    rim = QPen(QColor(0, 0, 0, 150), _LINE_PX + 1.8)
    line = QPen(QColor(theme.ACTIVE), _LINE_PX)
    for pen in (rim, line):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dashed:
        rim.setColor(QColor(0, 0, 0, 0))
        line.setDashPattern([3, 3])
    return rim, line
