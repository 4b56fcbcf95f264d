"""What is drawn over the image and stays put while it moves: letters, crosshair, marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from viewer.annotate.lesion import AI_DRAWN
from viewer.ui import crosshair, orientation, slabs, view_strip
from viewer.ui import on_image as theme
from viewer.ui.label_colours import label_colour
from viewer.ui.overlay_layer import Mark
from viewer.ui.reading import TEXT_NONE
from viewer.ui.view_corners import corners, plane_name, plane_title
from viewer.ui.view_ink import MARGIN, haloed
from viewer.ui.view_notices import ai_notice, notices
from viewer.ui.view_outlining import outlining

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

__all__ = ["paint", "plane_name", "plane_title"]

_SMALL_PX = 9.0


def paint(painter: QPainter, view: SliceView) -> None:
    """Draw everything that stays put while the image moves, in logical pixels."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    if crosshair.shown(view):
        crosshair.paint(painter, view)
    for mark in view.overlay.marks:
        _mark(painter, view, mark)
    outlining(painter, view)
    orientation.paint(painter, view)
    _missing_slice(painter, view)
    y = MARGIN
    if view.reading.shown.text != TEXT_NONE:
        view_strip.paint(painter, view)
        y = corners(painter, view)
    y = slabs.notice(painter, view, y)
    if view.main:
        # Whatever text is hidden: an AI result never stands there without its name and state.
        notices(painter, view, y)
    else:
        ai_notice(painter, view, y)
    _brush_cursor(painter, view)
    _rubber(painter, view)


# ----------------------------------------------------------------- on the image


def _mark(painter: QPainter, view: SliceView, mark: Mark) -> None:
    at = view.px_of_mm(*mark.centre_mm)
    radius = mark.radius_mm / view.mm_per_px
    colour = label_colour(mark.lesion.label)
    point = mark.radius_mm == 0
    if point or radius < _SMALL_PX:
        # A few pixels of outline are easily overlooked: a ring says where to look.
        radius = 7.0 if point else radius + 6.0
        line = QPen(QColor(colour), 2 if point else 1.2)
        if mark.lesion.origin in AI_DRAWN:
            line.setDashPattern([3, 2])
        for pen in (QPen(QColor(0, 0, 0, 120), line.widthF() + 1.6), line):
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, radius, radius)
    font = theme.font(theme.CORNER_PX, QFont.Weight.DemiBold)
    offset = radius * 0.72 + 5
    where = at + QPointF(offset, -offset)
    haloed(painter, where, str(mark.lesion.number), font, colour)


def _missing_slice(painter: QPainter, view: SliceView) -> None:
    """Say in the middle of a view why its slice is not there."""
    assert view.case is not None
    assert view.plane is not None
    text = view.case.slices.why_not(view.index) if view.plane.axis == 0 else None
    if text is None:
        return
    painter.setFont(theme.font(theme.BODY_PX))
    painter.setPen(QColor(theme.SECONDARY))
    # Beside the crosshair, which often lies in the middle.
    room = QRectF(MARGIN, view.height() / 2 + crosshair.GAP_PX, view.width() - 2 * MARGIN, 80)
    painter.drawText(
        room,
        int(Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap),
        text,
    )


def _brush_cursor(painter: QPainter, view: SliceView) -> None:
    reading = view.reading
    if view.pointer_px is None or reading.tool not in ("brush", "erase"):
        return
    if view.looks_only or (view.plane is not None and not view.plane.straight):
        return  # nothing is painted there
    radius = reading.brush_mm / 2 / view.mm_per_px
    erase = reading.tool == "erase"
    inner = QPen(QColor(theme.FAILED if erase else theme.TEXT), 1.2)
    if reading.brush_ball:
        inner.setDashPattern([3, 2])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 180), 3), inner):
        painter.setPen(pen)
        painter.drawEllipse(view.pointer_px, radius, radius)


def _rubber(painter: QPainter, view: SliceView) -> None:
    """Draw the box that is being dragged."""
    if view.rubber is None:
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 180), 3), QPen(QColor(theme.ACTIVE), 1)):
        painter.setPen(pen)
        painter.drawRect(view.rubber)
