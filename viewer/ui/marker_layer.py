"""The marker of the selected finding while it can be moved: a handle at its centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.ui import on_image as theme

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

_RING_PX = 7.0
_ARM_PX = 11.0
_GRIP_PX = 9.0
_LINE_PX = 1.4


def paint(painter: QPainter, view: SliceView) -> None:
    """Draw the marker where its slice is shown, faintly beside it."""
    at = _place(view)
    if at is None:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setOpacity(1.0 if _on_its_slice(view) else 0.4)
    rim = QPen(QColor(0, 0, 0, 150), _LINE_PX + 1.8)
    for pen in (rim, QPen(QColor(theme.ACTIVE), _LINE_PX)):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawEllipse(at, _RING_PX, _RING_PX)
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            way = QPointF(x, y)
            painter.drawLine(at + way * (_RING_PX - 3), at + way * _ARM_PX)
    painter.restore()


def held_at(view: SliceView, at: QPointF) -> str | None:
    """Return the selected finding when its marker lies under the pointer, else None.

    Also on a slice beside that of the marker: a point is moved in its plane from there.
    """
    place = _place(view)
    if place is None or (place - at).manhattanLength() > _GRIP_PX:
        return None
    return view.reading.selected


def _place(view: SliceView) -> QPointF | None:
    lesion, plane = view.reading.lesion, view.plane
    if view.reading.tool != "move" or lesion is None or plane is None:
        return None
    if not view.reading.shown.masks:
        return None
    return view.px_of_mm(*plane.view_of_lps(lesion.centre_lps_mm))


def _on_its_slice(view: SliceView) -> bool:
    lesion, plane = view.reading.lesion, view.plane
    assert lesion is not None
    assert plane is not None
    return plane.index_of_lps(lesion.centre_lps_mm) == view.index
