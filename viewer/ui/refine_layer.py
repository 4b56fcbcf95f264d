"""Plus and minus on the image where a reader corrected the selected outline by points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from resources.text import translate
from viewer.ui import on_image as theme
from viewer.ui.view_ink import haloed

if TYPE_CHECKING:
    from viewer.annotate.refined import Pointed
    from viewer.ui.refining import Refining
    from viewer.ui.slice_view import SliceView

_RING_PX = 6.0
_WORKING_RING_PX = 11.0
_ARM_PX = 3.2
_LINE_PX = 1.4


def paint(refining: Refining, painter: QPainter, view: SliceView) -> None:
    """Draw the points that lie on the shown slice, in logical pixels."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if view.reading.tool == "refine" and view.reading.shown.masks:
        for pointed in refining.points:
            _mark(painter, view, pointed, _RING_PX)
    for pointed in refining.under_way:
        at = _mark(painter, view, pointed, _WORKING_RING_PX, dashed=True)
        if at is not None:
            where = at + QPointF(_WORKING_RING_PX + 5, -6)  # not on the crosshair
            text = translate("refine", "correcting…")
            haloed(painter, where, text, theme.font(theme.CORNER_PX), theme.TEXT)
    painter.restore()


def _mark(
    painter: QPainter, view: SliceView, pointed: Pointed, ring_px: float, *, dashed: bool = False
) -> QPointF | None:
    plane = view.plane
    assert plane is not None
    if plane.index_of_lps(pointed.at_lps_mm) != view.index:
        return None
    at = view.px_of_mm(*plane.view_of_lps(pointed.at_lps_mm))
    line = QPen(QColor(theme.ACTIVE), _LINE_PX)
    rim = QPen(QColor(0, 0, 0, 150), _LINE_PX + 1.8)
    for pen in (rim, line):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(at - QPointF(_ARM_PX, 0), at + QPointF(_ARM_PX, 0))
        if pointed.belongs:
            painter.drawLine(at - QPointF(0, _ARM_PX), at + QPointF(0, _ARM_PX))
    if dashed:
        line.setDashPattern([2, 3])
    for pen in (rim, line):
        painter.setPen(pen)
        painter.drawEllipse(at, ring_px, ring_px)
    return at
