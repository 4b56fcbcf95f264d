"""How words are put on an image so that they read on any tissue."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPixmapCache,
)

from viewer.ui import theme

MARGIN = 10.0
HALO = 4.0
_PAD = 4


def haloed(
    painter: QPainter, at: QPointF, text: str, font: QFont, colour: str, halo: float = 3.0
) -> None:
    """Write text with its baseline at ``at`` and a dark halo, so that it reads on any tissue."""
    ratio = painter.device().devicePixelRatioF()
    key = f"{font.key()}|{colour}|{halo}|{ratio}|{text}"
    picture = QPixmap()
    if not QPixmapCache.find(key, picture):
        # Kept, for the same words come again at every paint.
        metrics = QFontMetricsF(font)
        size = QSizeF(
            metrics.horizontalAdvance(text) + 2 * _PAD, metrics.height() + 2 * _PAD
        ).toSize()
        picture = QPixmap(size * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        inner = QPainter(picture)
        inner.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addText(QPointF(_PAD, _PAD + metrics.ascent()), font, text)
        pen = QPen(QColor(0, 0, 0, 225), halo)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        inner.strokePath(path, pen)
        inner.fillPath(path, QColor(colour))
        inner.end()
        QPixmapCache.insert(key, picture)
    ascent = QFontMetricsF(font).ascent()
    # On whole pixels, or the letters would be smeared.
    painter.drawPixmap(round(at.x()) - _PAD, round(at.y() - ascent) - _PAD, picture)


def chip(painter: QPainter, width_px: float, y: float, parts: list[str], *, pending: bool) -> float:
    """Draw a small label; return where the next one begins. Never cut: it wraps."""
    font = theme.font(theme.HEAD_PX, QFont.Weight.Medium)
    metrics = QFontMetricsF(font)
    text = " · ".join(parts)
    if metrics.horizontalAdvance(text) + 14 > width_px / 2 - 24:
        text = "\n".join(parts)
    lines = text.split("\n")
    width = max(metrics.horizontalAdvance(line) for line in lines) + 14
    box = QRectF(MARGIN, y, width, metrics.height() * len(lines) + 6)
    colour = QColor(theme.PENDING if pending else theme.SECONDARY)
    edge = QColor(colour)
    edge.setAlpha(150)
    painter.setPen(QPen(edge, 1))
    painter.setBrush(QColor(20, 17, 6, 225) if pending else QColor(14, 16, 19, 225))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(colour)
    painter.setFont(font)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
    return box.bottom() + 4
