"""Outlines as pixels of a view, in a picture of their own that is laid over what is shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from viewer.display.strokes import Canvas, Stroke
from viewer.ui.look import Look


class Inked:
    """The outlines that were drawn last."""

    def __init__(self) -> None:
        self._canvas = Canvas(0, 0)
        self._picture = QImage()

    def draw(self, strokes: Sequence[Stroke], look: Look) -> None:
        """Draw outlines, in pixels of the device, in the place of those before."""
        rows, columns = look.pixels.height(), look.pixels.width()
        if self._canvas.pixels.shape == (rows, columns):
            self._canvas.clear()
        elif strokes:
            self._canvas = Canvas(rows, columns)
            self._picture = QImage(
                self._canvas.pixels.data,
                columns,
                rows,
                columns * 4,
                QImage.Format.Format_ARGB32_Premultiplied,
            )
        else:
            self._canvas, self._picture = Canvas(0, 0), QImage()
        self._picture.setDevicePixelRatio(look.ratio)
        self._canvas.draw(strokes)

    def paint(self, painter: QPainter, look: Look) -> None:
        """Lay the outlines over what a painter of logical pixels has drawn."""
        if not self._canvas.is_clear:
            first, after = self._canvas.rows
            part = QRectF(0, first, look.pixels.width(), after - first)
            painter.drawImage(QPointF(0, first / look.ratio), self._picture, part)
