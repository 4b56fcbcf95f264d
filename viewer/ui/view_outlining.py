"""The mark on the image while the model outlines what a reader pointed at: still and small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from resources.text import translate
from viewer.ui import on_image as theme
from viewer.ui.view_ink import haloed

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

_RING_PX = 11.0


def outlining(painter: QPainter, view: SliceView) -> None:
    """Draw a ring at each point under way that lies on the shown slice."""
    plane = view.plane
    assert plane is not None
    for point_lps_mm in view.reading.outlining:
        if plane.index_of_lps(point_lps_mm) != view.index:
            continue
        at = view.px_of_mm(*plane.view_of_lps(point_lps_mm))
        line = QPen(QColor(theme.ACTIVE), 1.4)
        line.setDashPattern([2, 3])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(0, 0, 0, 140), 3), line):
            painter.setPen(pen)
            painter.drawEllipse(at, _RING_PX, _RING_PX)
        haloed(
            painter,
            at + QPointF(_RING_PX + 6, 4),
            translate("outline", "outlining…"),
            theme.font(theme.CORNER_PX),
            theme.TEXT,
        )
