"""The composed slice with the outlines over it, as the pixels of a view: drawn once, kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter

from viewer.display.grey import Rgb32
from viewer.display.strokes import Stroke
from viewer.ui.inked import Inked
from viewer.ui.look import Look

# Rows of the device that Qt draws without threads of its own: it makes pieces from 96 on.
ROWS_PX = 90


class Lines(Protocol):
    """What lies over a slice."""

    def strokes(self, look: Look) -> Sequence[Stroke]:
        """Return it in pixels of the device."""


def _image(buffer: Rgb32) -> QImage:
    """Return a (row, column) buffer as a picture; it borrows its memory."""
    rows, columns = buffer.shape
    return QImage(buffer.data, columns, rows, columns * 4, QImage.Format.Format_RGB32)


def _beside(room: QRectF, target: QRectF) -> list[QRectF]:
    """Return what a picture in ``target`` does not cover of a room that begins at 0, 0.

    The outermost pixels of the picture are in it, for which of them are drawn is Qt's affair.
    """
    inner = target.adjusted(2, 2, -2, -2).intersected(room)
    if inner.isEmpty():
        return [room]
    width, height = room.width(), room.height()
    left, right = math.floor(inner.left()), math.ceil(inner.right())
    top, bottom = math.floor(inner.top()), math.ceil(inner.bottom())
    parts = (
        QRectF(0, 0, width, top),
        QRectF(0, bottom, width, height - bottom),
        QRectF(0, top, left, bottom - top),
        QRectF(right, top, width - right, bottom - top),
    )
    return [part for part in parts if not part.isEmpty()]


class SliceItem:
    """The composed slice, drawn into its rectangle in mm, and the outlines over it.

    Both are kept as pixels of the view. A crosshair or a text that changes costs a copy of them;
    a window that is dragged does not draw the outlines again, nor does a stroke of the brush.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._rect_mm = QRectF()
        self._image: QImage | None = None
        self._buffer: Rgb32 | None = None
        self._whole = QImage()
        self._whole_for: Look | None = None
        self._once_for: Look | None = None
        self._over = Inked()
        self._over_for: Look | None = None
        self._next = QImage()  # the whole of the slice that comes next
        self._next_for: tuple[Rgb32, Look] | None = None

    @property
    def shows_image(self) -> bool:
        """Whether there is a slice to be seen."""
        return self._image is not None

    def show_buffer(self, buffer: Rgb32 | None, rect_mm: QRectF) -> None:
        """Draw a (row, column) buffer into a rectangle of the view in mm; None draws nothing."""
        self._rect_mm = rect_mm
        self._buffer = buffer  # QImage borrows its memory
        self._image = None if buffer is None else _image(buffer)
        self._whole_for = self._once_for = None

    def is_prepared(self, buffer: Rgb32 | None) -> bool:
        """Tell whether a buffer, once it is shown, has only to be copied."""
        return self._next_for is not None and self._next_for[0] is buffer

    def forget_prepared(self) -> None:
        """Let go what was prepared."""
        self._next_for = None

    def prepare(
        self, buffer: Rgb32, rect_mm: QRectF, look: Look, strokes: Sequence[Stroke]
    ) -> None:
        """Draw a buffer that is likely to be shown next, with its outlines."""
        self._next = self._blank(self._next, look)
        self._over.draw(strokes, look)
        self._over_for = None  # the canvas holds other lines now
        painter = QPainter(self._next)
        self._draw(painter, look, look.transform.mapRect(rect_mm), _image(buffer))
        painter.end()
        self._next_for = (buffer, look)

    def _take_prepared(self, look: Look) -> bool:
        """Show what was prepared, if it is what is to be shown."""
        known, self._next_for = self._next_for, None
        if known is None or known[0] is not self._buffer or known[1] != look:
            return False
        self._whole, self._next = self._next, self._whole
        self._whole_for = look
        return True

    def renew_lines(self) -> None:
        """Draw the outlines again at the next paint."""
        self._whole_for = self._once_for = self._over_for = None

    def paint(self, painter: QPainter, look: Look) -> None:
        """Draw slice and outlines with a painter of logical pixels."""
        if self._whole_for != look and not self._take_prepared(look):
            if self._over_for != look:
                self._over.draw(self._lines.strokes(look), look)
                self._over_for = look
            target = look.transform.mapRect(self._rect_mm)
            if self._once_for != look and look.ratio.is_integer():
                # What is seen once, as while scrolling, is not kept: that would cost a copy.
                self._once_for = look
                self._draw(painter, look, target, self._image)
                return
            self._whole = self._blank(self._whole, look)
            other = QPainter(self._whole)
            self._draw(other, look, target, self._image)
            other.end()
            self._whole_for = look
        painter.drawImage(QPoint(0, 0), self._whole)

    @staticmethod
    def _blank(picture: QImage, look: Look) -> QImage:
        """Return a picture as large as the view, the one that there is if it fits."""
        if picture.size() != look.pixels or picture.devicePixelRatio() != look.ratio:
            picture = QImage(look.pixels, QImage.Format.Format_RGB32)
            picture.setDevicePixelRatio(look.ratio)
        return picture

    def _draw(self, painter: QPainter, look: Look, target: QRectF, image: QImage | None) -> None:
        room = QRectF(QPointF(0, 0), QSizeF(look.size))
        for part in _beside(room, QRectF() if image is None else target):
            painter.fillRect(part, Qt.GlobalColor.black)
        if image is not None:
            self._draw_image(painter, target, image, look)
        self._over.paint(painter, look)

    @staticmethod
    def _draw_image(painter: QPainter, target: QRectF, image: QImage, look: Look) -> None:
        """Scale the slice, smoothed, into a rectangle of logical pixels."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        # Qt shares larger pieces out to threads and waits for them: on a computer that is busy
        # with a model that takes up to four times longer than to do them here.
        rows = max(1, math.floor(ROWS_PX / look.ratio))
        for row in range(0, look.size.height(), rows):
            painter.setClipRect(0, row, look.size.width(), rows)
            painter.drawImage(target, image)
        painter.setClipping(False)
        # Left on, whatever is drawn after would be scaled pixel by pixel, and shared out too.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
