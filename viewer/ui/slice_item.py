"""The composed slice as an item of the scene."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from viewer.display.grey import Rgb32


class SliceItem(QGraphicsItem):
    """The composed slice, drawn into its rectangle in mm."""

    def __init__(self) -> None:
        super().__init__()
        self._rect = QRectF()
        self._image: QImage | None = None
        self._buffer: Rgb32 | None = None
        # Scaled once; a crosshair that moves over it costs nothing more.
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)

    def show_buffer(self, buffer: Rgb32 | None, rect_mm: QRectF) -> None:
        """Draw a (row, column) buffer into a rectangle of the view in mm; None draws nothing."""
        if rect_mm != self._rect:
            self.prepareGeometryChange()
            self._rect = rect_mm
        self._buffer = buffer  # QImage borrows its memory
        if buffer is None:
            self._image = None
        else:
            rows, columns = buffer.shape
            self._image = QImage(
                buffer.data, columns, rows, columns * 4, QImage.Format.Format_RGB32
            )
        self.update()

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self._rect, self._image)
