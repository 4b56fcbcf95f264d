"""Carrying a view or a series onto a view: the grip that takes it, and the mark where it goes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from resources.text import translate
from viewer.ui import on_image as theme
from viewer.ui.pane_grid import PaneGrid

_GRIP = QSize(150, 26)
_SHARE = 0.5
_ROUND = 6.0


class DropMark(QWidget):
    """A frame around the view that would be hit, and what would happen there."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text = ""
        self.hide()

    def put(self, pane: QWidget, text: str) -> None:
        """Mark a pane."""
        self.text = text
        self.setGeometry(pane.geometry())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(theme.ACTIVE)
        painter.setPen(QPen(colour, 3))
        faint = QColor(colour)
        faint.setAlpha(36)
        painter.setBrush(faint)
        painter.drawRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5))
        font = theme.font(theme.BODY_PX)
        metrics = QFontMetricsF(font)
        room = self.width() - 40
        text = metrics.elidedText(self.text, Qt.TextElideMode.ElideRight, room)
        width = metrics.horizontalAdvance(text) + 24
        box = QRectF((self.width() - width) / 2, self.height() / 2 - 16, width, 32)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.RAISED))
        painter.drawRoundedRect(box, _ROUND, _ROUND)
        painter.setFont(font)
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)


class Carry(QObject):
    """One drag at a time over the panes of a grid; Esc gives it up.

    The widget that was pressed gets all movements; it hands them on here.
    """

    def __init__(self, grid: PaneGrid) -> None:
        super().__init__(grid)
        self._grid = grid
        self.mark = DropMark(grid)
        self._words: Callable[[QWidget], str] | None = None
        self._drop: Callable[[QWidget], None] | None = None

    @property
    def active(self) -> bool:
        """Whether something is being carried."""
        return self._drop is not None

    def begin(self, words: Callable[[QWidget], str], drop: Callable[[QWidget], None]) -> None:
        """Begin to carry something.

        Parameters
        ----------
        words
            What a drop on a pane would do; empty where nothing may be dropped.
        drop
            Does it.
        """
        self.abort()
        self._words, self._drop = words, drop
        QApplication.setOverrideCursor(Qt.CursorShape.ClosedHandCursor)

    def move(self, global_px: QPoint) -> None:
        """Mark the pane under the pointer."""
        target = self._target(global_px)
        if target is None:
            self.mark.hide()
        else:
            self.mark.put(*target)

    def drop(self, global_px: QPoint) -> None:
        """Let go."""
        target, act = self._target(global_px), self._drop
        self.abort()
        if target is not None and act is not None:
            act(target[0])

    def abort(self) -> bool:
        """Give up; tell whether there was anything."""
        if self._drop is None:
            return False
        self._words = self._drop = None
        self.mark.hide()
        QApplication.restoreOverrideCursor()
        return True

    def _target(self, global_px: QPoint) -> tuple[QWidget, str] | None:
        if self._words is None or not self._grid.isVisible():
            return None
        pane = self._grid.pane_at(self._grid.mapFromGlobal(global_px))
        text = self._words(pane) if pane is not None else ""
        return (pane, text) if pane is not None and text else None


class Grip(QWidget):
    """The corner of a pane by which it can be dragged onto another one."""

    begun = Signal()
    moved = Signal(QPoint)
    dropped = Signal(QPoint)
    doubled = Signal()

    def __init__(self, pane: QWidget) -> None:
        super().__init__(pane)
        self._pane = pane
        self._press: QPoint | None = None
        self._carrying = False
        self._under = False
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip(translate("layout", "Drag onto another view to exchange the two"))
        pane.installEventFilter(self)
        self.resize(_GRIP)

    def eventFilter(self, watched: QObject, event: object) -> bool:
        if watched is self._pane and event.type() == event.Type.Resize:  # type: ignore[attr-defined]
            width = min(_GRIP.width(), self._pane.width() // 2)
            self.setGeometry(self._pane.width() - width, 0, width, _GRIP.height())
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = event.globalPosition().toPoint()
            self._carrying = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.globalPosition().toPoint()
        if self._press is None:
            return
        if not self._carrying:
            if (at - self._press).manhattanLength() < QApplication.startDragDistance():
                return
            self._carrying = True
            self.begun.emit()
        self.moved.emit(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        carrying, self._press, self._carrying = self._carrying, None, False
        if carrying:
            self.dropped.emit(event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._press = None
        self.doubled.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # The wheel scrolls everywhere in a view.
        self._pane.wheelEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._under = True
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._under = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._under:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(theme.RAISED)
        ground.setAlphaF(_SHARE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 3, -3, -1), 4, 4)
        painter.setBrush(QColor(theme.SECONDARY))
        for column in range(2):
            for row in range(3):
                painter.drawEllipse(QPointF(9 + 5 * column, 9 + 5 * row), 1.3, 1.3)
