"""An image on which boxes are drawn, moved and resized; it knows nothing of files."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from resources.text import translate
from viewer.deid.drawing import HANDLES, Drawing, Handle, Place, Scope, moved, resized, scoped
from viewer.deid.drawing import spanned as box_between
from viewer.deid.options import Box
from viewer.ui import theme

_HANDLE_PX, _GRIP_PX, _LEAST_PX = 8.0, 7.0, 3.0
_ZOOM, _MOST = 1.25, 16.0
_KEYS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_SHAPES = {
    (0, 0): Qt.CursorShape.SizeAllCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
    (0, 1): Qt.CursorShape.SizeVerCursor,
    (1, 1): Qt.CursorShape.SizeFDiagCursor,
    (1, -1): Qt.CursorShape.SizeBDiagCursor,
}


class Canvas(QWidget):
    """Shows one image, and on it the boxes that are in it.

    Attributes
    ----------
    drawing
        All boxes, of all images.
    chosen
        Number of the box that is chosen, or None.
    scope
        Where a new box is.
    black
        Whether boxes are shown as they will be, or as outlines.
    """

    scrolled = Signal(int)  # images further
    changed = Signal()  # boxes, or which one is chosen

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self.drawing = drawing
        self.chosen: int | None = None
        self.scope: Scope = "series"
        self.black = True
        self._image = QImage()
        self._place: Place = ("", "", 0)
        self._zoom, self._shift = 1.0, QPointF()
        self._drag: tuple[str | Handle, QPointF, Box | None] | None = None
        self._draft: Box | None = None
        self._wheel = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(QSize(320, 240))
        self.setAccessibleName(translate("deid", "Image; drag to draw a black box"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_image(self, image: QImage, place: Place) -> None:
        """Show another image."""
        if image.size() != self._image.size():
            self.fit()
        self._image, self._place = image, place
        if self.chosen is not None and self.chosen not in self._here():
            self.choose(None)
        self.update()

    def fit(self) -> None:
        """Show the whole image."""
        self._zoom, self._shift = 1.0, QPointF()
        self.update()

    def choose(self, number: int | None) -> None:
        """Choose a box, or none."""
        self.chosen = number
        self.changed.emit()
        self.update()

    def put_scope(self, scope: Scope) -> None:
        """Have new boxes, and the one that is chosen, somewhere else."""
        self.scope = scope
        if self.chosen is not None:
            box = scoped(self.drawing.boxes[self.chosen], scope, self._place)
            self.drawing.change(self.chosen, box)
        self.changed.emit()
        self.update()

    def remove_chosen(self) -> None:
        """Take the chosen box away."""
        if self.chosen is not None:
            self.drawing.remove(self.chosen)
            self.choose(None)

    def choose_next(self) -> None:
        """Choose the next box of this image."""
        here = self._here()
        if here:
            later = [n for n in here if self.chosen is None or n > self.chosen]
            self.choose((later or here)[0])

    def step(self, *, back: bool) -> None:
        """Take a step back, or do it again."""
        if back:
            self.drawing.undo()
        else:
            self.drawing.redo()
        self.choose(None)

    # -------------------------------------------------------------- geometry

    @property
    def _size(self) -> tuple[int, int]:
        return self._image.width(), self._image.height()

    def _scale(self) -> float:
        if self._image.isNull():
            return 1.0
        fits = min(self.width() / self._image.width(), self.height() / self._image.height())
        return fits * self._zoom

    def _target(self) -> QRectF:
        scale = self._scale()
        width, height = self._image.width() * scale, self._image.height() * scale
        corner = QPointF((self.width() - width) / 2, (self.height() - height) / 2) + self._shift
        return QRectF(corner.x(), corner.y(), width, height)

    def to_pixel(self, at: QPointF) -> tuple[float, float]:
        """Return column and row under a point of the widget."""
        corner, scale = self._target().topLeft(), self._scale()
        return (at.x() - corner.x()) / scale, (at.y() - corner.y()) / scale

    def rect_of(self, box: Box) -> QRectF:
        """Return where a box is on the widget."""
        corner, scale = self._target().topLeft(), self._scale()
        return QRectF(
            corner.x() + box.column * scale,
            corner.y() + box.row * scale,
            box.width * scale,
            box.height * scale,
        )

    def _here(self) -> list[int]:
        return [n for n, box in enumerate(self.drawing.boxes) if box.is_in(*self._place)]

    def _under(self, at: QPointF) -> int | None:
        found = [n for n in self._here() if self.rect_of(self.drawing.boxes[n]).contains(at)]
        return found[-1] if found else None

    def _handle_under(self, at: QPointF) -> Handle | None:
        if self.chosen is None:
            return None
        rect = self.rect_of(self.drawing.boxes[self.chosen])
        for handle in HANDLES:
            away = at - _corner(rect, handle)
            if max(abs(away.x()), abs(away.y())) <= _GRIP_PX:
                return handle
        return None

    # ---------------------------------------------------------------- events

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom_at(event.position(), _ZOOM if turned > 0 else 1 / _ZOOM)
        else:
            self._wheel += turned  # a touch pad turns by less than a notch
            steps = int(self._wheel / 120)
            self._wheel -= steps * 120
            if steps:
                self.scrolled.emit(-steps)
        event.accept()

    def _zoom_at(self, at: QPointF, times: float) -> None:
        column, row = self.to_pixel(at)
        self._zoom = min(max(self._zoom * times, 1.0), _MOST)
        if self._zoom == 1.0:
            self._shift = QPointF()
        else:
            corner, scale = self._target().topLeft(), self._scale()
            self._shift += at - corner - QPointF(column * scale, row * scale)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if event.button() != Qt.MouseButton.LeftButton:
            self._drag = ("pan", at, None)
            return
        handle = self._handle_under(at)
        if handle is not None and self.chosen is not None:
            self._drag = (handle, at, self.drawing.boxes[self.chosen])
            return
        number = self._under(at)
        self.choose(number)
        if number is not None:
            self._drag = ("move", at, self.drawing.boxes[number])
        elif self._target().contains(at):
            self._drag = ("draw", at, None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._drag is None:
            self._point(at)
            return
        what, start, box = self._drag
        if what == "pan":
            if self._zoom > 1.0:
                self._shift += at - start
            self._drag = (what, at, None)
        elif what == "draw":
            far = (at - start).manhattanLength() >= _LEAST_PX
            between = box_between(self.to_pixel(start), self.to_pixel(at), self._size)
            self._draft = between if far else None
        elif what == "move" and box is not None:
            by = (at - start) / self._scale()
            self._draft = moved(box, round(by.x()), round(by.y()), self._size)
        elif box is not None and not isinstance(what, str):
            self._draft = resized(box, what, self.to_pixel(at), self._size)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag, draft = self._drag, self._draft
        self._drag = self._draft = None
        if drag is None or draft is None:
            self.update()
            return
        if drag[0] == "draw":
            box = scoped(draft, self.scope, self._place)
            self.drawing.put((*self.drawing.boxes, box))
            self.choose(len(self.drawing.boxes) - 1)
        elif self.chosen is not None:
            self.drawing.change(self.chosen, draft)
            self.changed.emit()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, far = event.key(), 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        across, down = _KEYS.get(Qt.Key(key), (0, 0))
        if key == Qt.Key.Key_Escape and (self._drag is not None or self.chosen is not None):
            self._drag = self._draft = None
            self.choose(None)
        elif self.chosen is not None and (across or down):
            box = self.drawing.boxes[self.chosen]
            shifted = moved(box, across * far, down * far, self._size)
            self.drawing.change(self.chosen, shifted)
            self.changed.emit()
            self.update()
        elif down:
            self.scrolled.emit(down * far)
        else:
            super().keyPressEvent(event)

    def _point(self, at: QPointF) -> None:
        handle = self._handle_under(at)
        if handle is None and self._under(at) is not None:
            handle = (0, 0)
        if handle is None:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            across, down = handle
            same = (abs(across), down * (across or 1)) if across else (0, abs(down))
            self.setCursor(_SHAPES[same])

    # -------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0))
        if self._image.isNull():
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._scale() < 2.0)
        painter.drawImage(self._target(), self._image)
        for number in self._here():
            box = self.drawing.boxes[number]
            if number == self.chosen and self._draft is not None:
                box = at_place_of(box, self._draft)
            self._paint_box(painter, box, chosen=number == self.chosen)
        if self._drag is not None and self._drag[0] == "draw" and self._draft is not None:
            self._paint_box(painter, self._draft, chosen=True)

    def _paint_box(self, painter: QPainter, box: Box, *, chosen: bool) -> None:
        rect = self.rect_of(box)
        if self.black:
            painter.fillRect(rect, QColor(0, 0, 0))
        # A line of the theme's colour on a dark one: seen on any image.
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0), 3))
        painter.drawRect(rect)
        style = Qt.PenStyle.SolidLine if box.sop_uid == "" else Qt.PenStyle.DashLine
        painter.setPen(QPen(QColor(theme.ACTIVE if chosen else theme.PENDING), 1.5, style))
        painter.drawRect(rect)
        if not chosen:
            return
        painter.setBrush(QColor(theme.ACTIVE))
        painter.setPen(QPen(QColor(0, 0, 0), 1))
        half = _HANDLE_PX / 2
        for handle in HANDLES:
            at = _corner(rect, handle)
            painter.drawRect(QRectF(at.x() - half, at.y() - half, _HANDLE_PX, _HANDLE_PX))

    def point_of(self, column: float, row: float) -> QPoint:
        """Return the point of the widget over a pixel, for who drives it by hand."""
        corner, scale = self._target().topLeft(), self._scale()
        return QPointF(corner.x() + column * scale, corner.y() + row * scale).toPoint()


def _corner(rect: QRectF, handle: Handle) -> QPointF:
    across, down = handle
    middle = rect.center()
    return QPointF(middle.x() + across * rect.width() / 2, middle.y() + down * rect.height() / 2)


def at_place_of(box: Box, other: Box) -> Box:
    """Return a box at the place of another, in the images that it is in itself."""
    return replace(box, column=other.column, row=other.row, width=other.width, height=other.height)
