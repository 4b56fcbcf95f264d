"""A widget that lays its panes out as a tree says; the seams between them can be dragged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from viewer.ui import on_image as theme
from viewer.ui.layouts import Split
from viewer.ui.placing import GAP_PX, Placed, Rect, Seam, least, place

_REACH_PX = 3  # beside the gap: two pixels are hard to hit


class _SeamHandle(QWidget):
    """Takes the drag of one seam; nothing of it is drawn."""

    def __init__(self, grid: PaneGrid) -> None:
        super().__init__(grid)
        self._grid = grid
        self.seam: Seam | None = None
        self._from: tuple[QPoint, Seam] | None = None

    def put(self, seam: Seam) -> None:
        self.seam = seam
        r = seam.rect
        grown = QRect(r.x, r.y, r.width, r.height)
        if seam.across:
            self.setGeometry(grown.adjusted(-_REACH_PX, 0, _REACH_PX, 0))
            self.setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.setGeometry(grown.adjusted(0, -_REACH_PX, 0, _REACH_PX))
            self.setCursor(Qt.CursorShape.SplitVCursor)
        self.show()
        self.raise_()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.seam is not None:
            self._from = (event.globalPosition().toPoint(), self.seam)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            start, seam = self._from
            by = event.globalPosition().toPoint() - start
            self._grid.drag_seam(seam, by.x() if seam.across else by.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            self._from = None
            self._grid.seam_dropped.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.seam is not None:
            self._grid.seam_reset.emit(self.seam.name)


class PaneGrid(QWidget):
    """Shows some of its children in the cells of a tree, and hides the others.

    ``weighted`` tells that a seam was dragged: its name and the shares of the parts.
    ``seam_dropped`` follows when it is let go, ``seam_reset`` after a double click.
    """

    weighted = Signal(str, object)
    seam_dropped = Signal()
    seam_reset = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tree: Split | int | None = None
        self._weights: Mapping[str, Sequence[float]] = {}
        self._panes: dict[int, QWidget] = {}
        self._handles: list[_SeamHandle] = []
        self._marked: QWidget | None = None
        self.placed = Placed()

    def show_panes(
        self,
        tree: Split | int | None,
        weights: Mapping[str, Sequence[float]],
        panes: Mapping[int, QWidget],
        hidden: Sequence[QWidget],
    ) -> None:
        """Show panes in the cells of a tree; ``hidden`` are those that have none."""
        self._tree, self._weights, self._panes = tree, weights, dict(panes)
        self._place()
        for pane in hidden:
            pane.hide()
        for pane in panes.values():
            pane.show()
        self.updateGeometry()
        self.update()

    def pane_at(self, point: QPoint) -> QWidget | None:
        """Return the shown pane under a point of the grid."""
        shown = self._panes.values()
        return next((pane for pane in shown if pane.geometry().contains(point)), None)

    def mark_pane(self, pane: QWidget) -> None:
        """Mark the pane that keys act on, in the gaps around it: no pixel of an image is spent."""
        if pane is not self._marked:
            self._marked = pane
            self.update()

    def drag_seam(self, seam: Seam, by_px: int) -> None:
        """Move a seam from where it was when the drag began."""
        self.weighted.emit(seam.name, seam.moved(by_px))

    def set_weights(self, weights: Mapping[str, Sequence[float]]) -> None:
        """Give the parts other shares."""
        self._weights = weights
        self._place()

    def _place(self) -> None:
        self.placed = place(self._tree, self._weights, Rect(0, 0, self.width(), self.height()))
        for cell, pane in self._panes.items():
            r = self.placed.cells[cell]
            pane.setGeometry(r.x, r.y, r.width, r.height)
        while len(self._handles) < len(self.placed.seams):
            self._handles.append(_SeamHandle(self))
        for handle in self._handles[len(self.placed.seams) :]:
            handle.hide()
        for handle, seam in zip(self._handles, self.placed.seams, strict=False):
            handle.put(seam)

    def minimumSizeHint(self) -> QSize:
        return QSize(*least(self._tree)) if self._tree is not None else QSize(160, 120)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        # The gaps between the views are hairlines of the theme.
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.HAIRLINE)
        if self._marked is not None and len(self._panes) > 1:
            around = self._marked.geometry().adjusted(-GAP_PX, -GAP_PX, GAP_PX, GAP_PX)
            painter.fillRect(around, QColor(theme.ACTIVE))
