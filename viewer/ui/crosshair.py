"""Where the other planes cut the one that is shown: coloured lines, and handles to turn them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from viewer.display import planes
from viewer.ui import ink
from viewer.ui import on_image as theme
from viewer.ui.view_ink import MARGIN, haloed

if TYPE_CHECKING:
    from viewer.display.planes import Plane
    from viewer.ui.slice_view import SliceView

GAP_PX = 14.0
_ALPHA = 185
_HANDLE_PX = 6.0
_REACH_PX = 11.0
_EDGE_PX = 26.0
_SHARE = 0.36
_BAR_PX = 28.0

# A plane has the colour of the direction that it is seen along: red from front to back, green
# from head to feet, blue from side to side, as Weasis has them after PS3.17 Annex A.
# Of these hues the three differ most from one another and from the labels, also for readers with
# protanopia or deuteranopia.
PLANE_COLOURS = {planes.AXIAL: "#68FC97", planes.CORONAL: "#CF5834", planes.SAGITTAL: "#6A53FC"}


@dataclass(frozen=True, slots=True)
class Cut:
    """Line along which another plane cuts a view; ``direction`` is a unit vector in pixels."""

    name: str
    direction: tuple[float, float]

    @property
    def upright(self) -> bool:
        """Whether it runs along rows or columns of pixels."""
        return min(abs(part) for part in self.direction) < 1e-4


def shown(view: SliceView) -> bool:
    """Tell whether a view has a crosshair now."""
    reading = view.reading
    # Of one plane alone there is nothing to link.
    return len(reading.planes) > 1 and (reading.shown.crosshair or reading.tool == "rotate")


def cuts(view: SliceView) -> tuple[Cut, ...]:
    """Return the lines in which the other planes of the volume cut the one of a view."""
    plane = view.plane
    assert plane is not None
    return _cuts(plane, tuple(view.reading.planes.values()))


@lru_cache(maxsize=64)
def _cuts(plane: Plane, planes: tuple[Plane, ...]) -> tuple[Cut, ...]:
    """Return where planes cut one; asked at every paint, so it is kept."""
    found = []
    for other in planes:
        along = np.cross(plane.normal_lps, other.normal_lps)
        if other.name == plane.name or float(np.linalg.norm(along)) < 1e-4:
            continue
        x0, y0 = plane.view_of_lps(np.zeros(3))
        x1, y1 = plane.view_of_lps(along)
        length = math.hypot(x1 - x0, y1 - y0)
        found.append(Cut(other.name, ((x1 - x0) / length, (y1 - y0) / length)))
    return tuple(found)


def handles(view: SliceView) -> list[tuple[str, QPointF]]:
    """Return the handles of the lines: the name of the other plane, and where, logical pixels."""
    at = view.cursor_px()
    width, height = view.width(), view.height()
    wanted = min(width, height) * _SHARE
    found = []
    for cut in cuts(view):
        for sign in (1, -1):
            dx, dy = sign * cut.direction[0], sign * cut.direction[1]
            room = min(_room(at.x(), dx, width), _room(at.y(), dy, height))
            if room > GAP_PX + _REACH_PX:
                reach = min(room, wanted)
                found.append((cut.name, at + QPointF(dx, dy) * reach))
    return found


def _room(at: float, step: float, size: float) -> float:
    """Return how far a line may go before it comes close to the edge of a view."""
    if abs(step) < 1e-9:
        return math.inf if _EDGE_PX <= at <= size - _EDGE_PX else 0.0
    return ((size - _EDGE_PX if step > 0 else _EDGE_PX) - at) / step


def handle_at(view: SliceView, at: QPointF) -> str | None:
    """Return the plane whose handle lies under a pixel."""
    away = [(math.hypot(*(at - point).toTuple()), name) for name, point in handles(view)]
    nearest = min(away, default=None)
    return nearest[1] if nearest is not None and nearest[0] <= _REACH_PX else None


def near_centre(view: SliceView, at: QPointF) -> bool:
    """Tell whether a pixel lies in the gap that the lines leave free."""
    return math.hypot(*(at - view.cursor_px()).toTuple()) <= GAP_PX


def paint(painter: QPainter, view: SliceView) -> None:
    """Draw the lines, and their handles while planes may be turned."""
    at = view.cursor_px()
    for cut in cuts(view):
        _line(painter, view, at, cut)
    if view.plane is not None:
        # Over the name of the plane: which of the lines elsewhere is this one.
        bar = QRectF(view.width() - MARGIN - _BAR_PX, 3, _BAR_PX, 2)
        painter.fillRect(bar, _bright(view.plane.name))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if view.reading.tool == "rotate":
        _handles(painter, view)
    if view.turned_deg is not None:
        _angle(painter, view, at, view.turned_deg)


@lru_cache(maxsize=16)
def _bright(name: str) -> QColor:
    return QColor(PLANE_COLOURS[name])


@lru_cache(maxsize=16)
def _colour(name: str) -> QColor:
    colour = QColor(PLANE_COLOURS[name])
    colour.setAlpha(_ALPHA)
    return colour


def _line(painter: QPainter, view: SliceView, at: QPointF, cut: Cut) -> None:
    colour = _colour(cut.name)
    if cut.upright:
        _upright_line(painter, view, at, cut, level=abs(cut.direction[0]) > 0.5)
        return
    pen = QPen(colour)
    # As many whole pixels of the device in every view, or some lines would look twice as thick.
    pen.setCosmetic(True)
    pen.setWidth(max(1, round(painter.device().devicePixelRatio())))
    painter.setPen(pen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    step = QPointF(*cut.direction)
    far = float(view.width() + view.height() + at.manhattanLength())
    # The lines leave the point itself free: that is where the reader looks.
    for sign in (1, -1):
        painter.drawLine(at + step * (sign * GAP_PX), at + step * (sign * far))


def _upright_line(
    painter: QPainter, view: SliceView, at: QPointF, cut: Cut, *, level: bool
) -> None:
    """Draw a line along rows or columns of pixels: a picture, a tenth of a stroke.

    Filled, so many rows would be shared out to Qt's threads, and waited for.
    """
    ratio = painter.device().devicePixelRatioF()
    x, y, gap = (round(part * ratio) for part in (at.x(), at.y(), GAP_PX))
    along, across = (x, y) if level else (y, x)
    length = math.ceil((view.width() if level else view.height()) * ratio)
    picture = _bar(cut.name, length, max(1, round(ratio)), ratio, level=level)
    for first, last in ((0, along - gap), (along + gap, length)):
        first = max(0, first)
        if first >= last:  # the point may lie outside the view
            continue
        part = (last - first, picture.height()) if level else (picture.width(), last - first)
        where = (first, across) if level else (across, first)
        painter.drawImage(QPointF(*where) / ratio, picture, QRectF(0, 0, *part))


@lru_cache(maxsize=32)
def _bar(name: str, length_px: int, thick_px: int, ratio: float, *, level: bool) -> QImage:
    """Return a picture of one colour, as long as a view and as thick as a line."""
    size = (length_px, thick_px) if level else (thick_px, length_px)
    picture = QImage(*size, QImage.Format.Format_ARGB32_Premultiplied)
    picture.setDevicePixelRatio(ratio)
    picture.fill(_colour(name))
    return picture


def _handles(painter: QPainter, view: SliceView) -> None:
    under = view.pointer_px
    held = view.turned_deg is not None
    for name, point in handles(view):
        close = under is not None and math.hypot(*(under - point).toTuple()) <= _REACH_PX
        ratio = painter.device().devicePixelRatioF()
        full = close and not held
        picture = ink.kept(
            ("handle", name, full, ratio), partial(_handle, PLANE_COLOURS[name], ratio, full=full)
        )
        painter.drawImage(point - QPointF(_REACH_PX, _REACH_PX), picture)


def _handle(colour: str, ratio: float, *, full: bool) -> QImage:
    """Draw a handle once; circles are slow to draw, and there are twelve."""
    picture = ink.blank(QSizeF(2 * _REACH_PX, 2 * _REACH_PX), ratio)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = QPointF(_REACH_PX, _REACH_PX)
    radius = _HANDLE_PX + (1.5 if full else 0)
    painter.setPen(QPen(QColor(0, 0, 0, 200), 4))
    painter.drawEllipse(middle, radius, radius)
    painter.setPen(QPen(QColor(colour), 2))
    painter.setBrush(QColor(colour) if full else QColor(0, 0, 0, 140))
    painter.drawEllipse(middle, radius, radius)
    painter.end()
    return picture


def _angle(painter: QPainter, view: SliceView, at: QPointF, degrees: float) -> None:
    number = f"{degrees:.1f}".replace("-", "\N{MINUS SIGN}")
    font = theme.font(15, QFont.Weight.DemiBold)
    where = at + QPointF(GAP_PX + 6, -GAP_PX - 6)
    room = QRectF(view.rect()).adjusted(4, 24, -80, -4)
    where.setX(min(max(where.x(), room.left()), room.right()))
    where.setY(min(max(where.y(), room.top()), room.bottom()))
    # Apart from its unit a number is put together from figures that are kept.
    haloed(painter, where, number, font, theme.TEXT)
    haloed(painter, where + QPointF(ink.advance(number, font), 0), "°", font, theme.TEXT)
