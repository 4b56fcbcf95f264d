"""What is drawn over the image and stays put while it moves: letters, crosshair, marks."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from viewer.annotate.lesion import AI_DRAWN
from viewer.ui import crosshair, ink, orientation, slabs, view_strip
from viewer.ui import on_image as theme
from viewer.ui.label_colours import label_colour
from viewer.ui.overlay_layer import Mark
from viewer.ui.reading import TEXT_NONE
from viewer.ui.standing import Sheet
from viewer.ui.view_corners import lower, lower_left, plane_name, plane_title, upper
from viewer.ui.view_ink import HALO_PX, MARGIN, on_pixels, written
from viewer.ui.view_notices import ai_notice, imported_notice, notices, shows_imported
from viewer.ui.view_outlining import outlining

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

__all__ = ["paint", "plane_name", "plane_title"]

_SMALL_PX = 9.0
_KEPT_RADIUS_PX = 200.0  # a larger ring would be a picture of a megabyte
# As outlines: the AI's dashed, those of other files dotted.
_BROKEN: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(AI_DRAWN, (3.0, 2.0)),
    "imported": (1.2, 1.6),
}


def paint(painter: QPainter, view: SliceView, part: QRect) -> None:
    """Draw everything that stays put while the image moves, in logical pixels.

    Parameters
    ----------
    part
        What of the view is painted: words that lie beside it are not put together.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    if crosshair.shown(view):
        crosshair.paint(painter, view)
    for mark in view.overlay.marks:
        _mark(painter, view, mark)
    outlining(painter, view)
    _missing_slice(painter, view)
    if view.reading.shown.text != TEXT_NONE:
        view_strip.paint(painter, view)
        if part.bottom() >= lower_left(view).top():
            lower(painter, view)
    view.standing.paint("words", painter, _made_of(view), partial(_standing, view))
    _brush_cursor(painter, view)
    _rubber(painter, view)


def _made_of(view: SliceView) -> tuple[object, ...]:
    """Return all that the words that stand still depend on."""
    reading, span = view.reading, view.slab_span
    return (
        view.words,
        view.width(),
        view.height(),
        view.plane,
        view.case,
        view.main,
        reading.shown.text,
        reading.ai_locked,
        reading.shown.ai_held_back,
        view.overlay.shows_ai,
        shows_imported(view),
        reading.facts,
        tuple(view.notices.values()),
        span and (span[1] - span[0], bool(view.overlay.marks), view.oblique_slabs.pending),
    )


def _standing(view: SliceView, sheet: Sheet) -> float:
    """Write letters, who it is, which plane, and what must not be overlooked."""
    orientation.paint(sheet, view)
    y = MARGIN
    if view.reading.shown.text != TEXT_NONE:
        y = upper(sheet, view)
    y = slabs.notice(sheet, view, y)
    if view.main:
        # Whatever text is hidden: an AI result never stands there without its name and state.
        notices(sheet, view, y)
    else:
        imported_notice(sheet, view, ai_notice(sheet, view, y))
    return y


# ----------------------------------------------------------------- on the image


def _mark(painter: QPainter, view: SliceView, mark: Mark) -> None:
    at = view.px_of_mm(*mark.centre_mm)
    radius = mark.radius_mm / view.mm_per_px
    # As its outline: what was rejected is on the image only while it is chosen, and grey.
    rejected = mark.lesion.verdict == "rejected"
    colour = theme.DIM if rejected else label_colour(mark.lesion.label)
    ratio = painter.device().devicePixelRatioF()
    point = mark.radius_mm == 0
    if point or radius < _SMALL_PX:
        # A few pixels of outline are easily overlooked: a ring says where to look.
        radius = 7.0 if point else round(4 * (radius + 6.0)) / 4
        broken = _BROKEN.get(mark.lesion.origin, ())
        ring = ink.kept(
            ("ring", colour, radius, point, broken, ratio),
            lambda: _ring(colour, radius, ratio, point=point, broken=broken),
        )
        half = ring.width() / ratio / 2
        painter.drawImage(on_pixels(at - QPointF(half, half), ratio), ring)
    offset = radius * 0.72 + 5
    face = ink.face(theme.CORNER_PX, colour, HALO_PX, ratio, QFont.Weight.DemiBold)
    written(painter, at + QPointF(offset, -offset), str(mark.lesion.number), face)


def _ring(
    colour: str, radius: float, ratio: float, *, point: bool, broken: tuple[float, ...]
) -> QImage:
    """Draw a ring once: circles are slow to stroke."""
    half = math.ceil(radius + 3)
    picture = ink.blank(QSizeF(2 * half, 2 * half), ratio)
    line = QPen(QColor(colour), 2 if point else 1.2)
    if broken:
        line.setDashPattern(broken)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for pen in (QPen(QColor(0, 0, 0, 120), line.widthF() + 1.6), line):
        painter.setPen(pen)
        painter.drawEllipse(QPointF(half, half), radius, radius)
    painter.end()
    return picture


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
    turned = view.plane is not None and not view.plane.straight
    if view.looks_only or (turned and not reading.brush_ball):
        return  # nothing is painted there
    radius = reading.brush_mm / 2 / view.mm_per_px
    colour = theme.FAILED if reading.tool == "erase" else theme.TEXT
    dashed = reading.brush_ball
    if radius > _KEPT_RADIUS_PX:
        _circle(painter, view.pointer_px, radius, colour, dashed=dashed)
        return
    ratio = painter.device().devicePixelRatioF()
    ring = _brush_ring(radius, colour, ratio, dashed=dashed)
    half = ring.width() / ratio / 2
    painter.drawImage(on_pixels(view.pointer_px - QPointF(half, half), ratio), ring)


@lru_cache(maxsize=4)
def _brush_ring(radius: float, colour: str, ratio: float, *, dashed: bool) -> QImage:
    """Draw the ring of a brush once: it follows the pointer, and circles are slow to stroke."""
    half = math.ceil(radius + 3)
    picture = ink.blank(QSizeF(2 * half, 2 * half), ratio)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _circle(painter, QPointF(half, half), radius, colour, dashed=dashed)
    painter.end()
    return picture


def _circle(painter: QPainter, at: QPointF, radius: float, colour: str, *, dashed: bool) -> None:
    inner = QPen(QColor(colour), 1.2)
    if dashed:
        inner.setDashPattern([3, 2])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 180), 3), inner):
        painter.setPen(pen)
        painter.drawEllipse(at, radius, radius)


def _rubber(painter: QPainter, view: SliceView) -> None:
    """Draw the box that is being dragged."""
    if view.rubber is None:
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 180), 3), QPen(QColor(theme.ACTIVE), 1)):
        painter.setPen(pen)
        painter.drawRect(view.rubber)
