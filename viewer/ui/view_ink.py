"""How words are put on an image so that they read on any tissue."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from viewer.ui import ink
from viewer.ui import on_image as theme
from viewer.ui.standing import Board

MARGIN = 10.0
HALO = 4.0
HALO_PX = 3.0  # around what lies on the image itself


def haloed(
    painter: Board, at: QPointF, text: str, font: QFont, colour: str, halo: float = HALO_PX
) -> None:
    """Write text with its baseline at ``at`` and a dark halo, so that it reads on any tissue."""
    written(
        painter, at, text, ink.face_of(font, colour, halo, painter.device().devicePixelRatioF())
    )


def written(painter: Board, at: QPointF, text: str, face: ink.Face) -> None:
    """Write text with its baseline at ``at``."""
    made = face.word(text)
    # On whole pixels, or the letters would be smeared.
    at_px = QPoint(round(at.x()) - ink.PAD, round(at.y() - made.ascent) - ink.PAD)
    painter.drawImage(at_px, made.picture)


def on_pixels(at: QPointF, ratio: float) -> QPointF:
    """Return the nearest corner of a pixel of the device."""
    return QPointF(round(at.x() * ratio) / ratio, round(at.y() * ratio) / ratio)


def chip(painter: Board, width_px: float, y: float, parts: list[str], *, pending: bool) -> float:
    """Draw a small label; return where the next one begins. Never cut: it wraps."""
    colour = theme.PENDING if pending else theme.SECONDARY
    ratio = painter.device().devicePixelRatioF()
    key = (*parts, colour, round(width_px), ratio)
    picture = ink.kept(key, lambda: _chip(parts, width_px, colour, ratio, pending=pending))
    painter.drawImage(QPoint(round(MARGIN) - 1, round(y) - 1), picture)
    return round(y) + picture.height() / ratio + 2


def _chip(parts: list[str], width_px: float, colour: str, ratio: float, *, pending: bool) -> QImage:
    font = theme.font(theme.HEAD_PX, QFont.Weight.Medium)
    metrics = QFontMetricsF(font)
    text = " · ".join(parts)
    if metrics.horizontalAdvance(text) + 14 > width_px / 2 - 24:
        text = "\n".join(parts)
    lines = text.split("\n")
    width = max(metrics.horizontalAdvance(line) for line in lines) + 14
    box = QRectF(1, 1, width, metrics.height() * len(lines) + 6)
    picture = ink.blank(box.size() + QSizeF(2, 2), ratio)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    edge = QColor(colour)
    edge.setAlpha(150)
    painter.setPen(QPen(edge, 1))
    painter.setBrush(QColor(20, 17, 6, 225) if pending else QColor(14, 16, 19, 225))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor(colour))
    painter.setFont(font)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
    painter.end()
    return picture
