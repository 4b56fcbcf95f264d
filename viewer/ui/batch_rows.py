"""What the queue in the background says of a line of the worklist, and how it is painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.ui import theme

Kind = Literal["waiting", "running", "held", "refused", "failed"]
_CHIP_PX, _RADIUS = 24, 4.5
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)


@dataclass(frozen=True, slots=True)
class Queued:
    """The state of one study in the queue, in words.

    Attributes
    ----------
    kind
        What is drawn beside the words.
    text
        What stands in the chip.
    reason
        Why it was refused or failed: a sentence; else empty.
    share
        Share done of the stage under way, 0 to 1; None when it is not known.
    """

    kind: Kind
    text: str
    reason: str = ""
    share: float | None = None


def draw_queued(painter: QPainter, column: QRect, queued: Queued) -> None:
    """Draw it as a chip in its column of a line: shape, colour and words all tell it."""
    painter.setFont(theme.font(theme.CORNER_PX))
    metrics = painter.fontMetrics()
    width = min(column.width(), metrics.horizontalAdvance(queued.text) + 34)
    box = QRectF(column.left() + 0.5, (column.height() - _CHIP_PX) / 2 + 0.5, width, _CHIP_PX - 1)
    colour = QColor(_colour(queued.kind))
    painter.setPen(QPen(QColor(theme.EDGE), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, 11.5, 11.5)
    _glyph(painter, QPointF(box.left() + 13, box.center().y()), queued, colour)
    painter.setPen(colour)
    room = box.adjusted(24, 0, -6, 0)
    shown = metrics.elidedText(queued.text, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, _LEFT, shown)


def _colour(kind: Kind) -> str:
    if kind in ("refused", "failed"):
        return theme.FAILED
    return theme.ACTIVE if kind == "running" else theme.SECONDARY


def _glyph(painter: QPainter, at: QPointF, queued: Queued, colour: QColor) -> None:
    painter.setPen(QPen(colour, 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(at, _RADIUS, _RADIUS)
    if queued.kind == "running":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        part = QRectF(at.x() - _RADIUS, at.y() - _RADIUS, 2 * _RADIUS, 2 * _RADIUS)
        painter.drawPie(part, 90 * 16, -round((queued.share or 0.0) * 360) * 16)
    elif queued.kind == "refused":
        painter.drawLine(at + QPointF(-2.5, 0), at + QPointF(2.5, 0))
    elif queued.kind == "failed":
        painter.drawLine(at + QPointF(-2, -2), at + QPointF(2, 2))
        painter.drawLine(at + QPointF(-2, 2), at + QPointF(2, -2))
    else:  # the hands of a clock: it waits
        painter.drawLine(at, at + QPointF(0, -2.6))
        painter.drawLine(at, at + QPointF(2.2, 0))
