"""Drags that change how the images are shown: window, pan, zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from viewer.ui.gesture import Gesture, select_or_centre

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView


class WindowDrag(Gesture):
    """Right widens, up lowers the level (brighter); a click selects or moves the crosshair."""

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        super().__init__(view, button, start)
        self._first = view.reading.window

    def drag(self, delta: QPointF, to: QPointF) -> None:
        window = self.view.reading.window
        step = max(window.width, 50.0) / 400.0
        width = max(1.0, window.width + delta.x() * step)
        self.view.reading.set_window(window.moved(window.centre + delta.y() * step, width))

    def abort(self) -> None:
        self.view.reading.set_window(self._first)

    def click(self, at: QPointF) -> None:
        select_or_centre(self.view, at)


class PanDrag(Gesture):
    """Moves the image."""

    def drag(self, delta: QPointF, to: QPointF) -> None:
        self.view.pan(delta)

    def click(self, at: QPointF) -> None:
        if self.button == Qt.MouseButton.LeftButton:
            select_or_centre(self.view, at)


class ZoomDrag(Gesture):
    """Up enlarges around the press; a click opens the menu."""

    def drag(self, delta: QPointF, to: QPointF) -> None:
        self.view.zoom(1.008 ** (-delta.y()), self.start)

    def click(self, at: QPointF) -> None:
        if self.view.voxel_at(at) is not None:
            lesion = self.view.overlay.lesion_at(
                *self.view.mm_of_px(at), reach_mm=4 * self.view.mm_per_px
            )
            if lesion is not None:
                self.view.reading.select(lesion, centre=False)
            where = self.view.viewport().mapToGlobal(at.toPoint())
            self.view.menu_asked.emit(self.view.lps_at(at), where)
