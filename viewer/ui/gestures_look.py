"""What changes how the images are shown: the wheel, drags of window, region, pan and zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt

from resources.text import translate
from viewer.display.box_values import values_in_box
from viewer.ui.gesture import Gesture, select_or_centre
from viewer.ui.windows import auto_window

if TYPE_CHECKING:
    from PySide6.QtGui import QWheelEvent

    from viewer.ui.slice_view import SliceView

_FASTER, _MUCH_FASTER = 3.0, 9.0
_ZOOM_STEP = 1.0015
_NOTCH = 120


def wheel(view: SliceView, event: QWheelEvent, rest: int) -> int:
    """Scroll, zoom or change the brush; return the parts of a notch that are not scrolled yet.

    Parameters
    ----------
    rest
        What the turn before left.
    """
    delta = event.angleDelta().y() or event.angleDelta().x()
    keys = event.modifiers()
    if keys & Qt.KeyboardModifier.ControlModifier:
        view.zoom(_ZOOM_STEP**delta, event.position())
    elif keys & Qt.KeyboardModifier.ShiftModifier and view.reading.tool in ("brush", "erase"):
        view.reading.set_brush(view.reading.brush_mm + (1 if delta > 0 else -1))
    else:
        # Fine wheels and touch pads send parts of a notch (120 units).
        steps = int((rest + delta) / _NOTCH)
        if steps:
            view.scroll_slices(-steps)
        return rest + delta - steps * _NOTCH
    return rest


class WindowDrag(Gesture):
    """Right widens, up lowers the level (brighter); a click selects or moves the crosshair."""

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        super().__init__(view, button, start)
        self._first = view.reading.window

    def drag(self, delta: QPointF, to: QPointF) -> None:
        window = self.view.reading.window
        step = self._least / 400.0 * self._times()
        width = max(self._least / 50.0, window.width + delta.x() * step)
        down = -1 if self.view.reading.preferences.on("invert_window_drag") else 1
        centre = window.centre + down * delta.y() * step
        self.view.reading.set_window(window.moved(centre, width))

    @property
    def _least(self) -> float:
        """Width of the window, but no less than can be dragged wide again."""
        return max(self.view.reading.window.width, self._first.width / 8.0)

    def _times(self) -> float:
        """How much faster the keys that are held make it."""
        if not self.keys & Qt.KeyboardModifier.ControlModifier:
            return 1.0
        return _MUCH_FASTER if self.keys & Qt.KeyboardModifier.ShiftModifier else _FASTER

    def abort(self) -> None:
        self.view.reading.set_window(self._first)

    def click(self, at: QPointF) -> None:
        select_or_centre(self.view, at)


class RegionDrag(Gesture):
    """A box whose values the window is then made for; the window tool follows."""

    def drag(self, delta: QPointF, to: QPointF) -> None:
        self.view.rubber = QRectF(self.start, to).normalized()
        self.view.update()

    def abort(self) -> None:
        self.view.rubber = None
        self.view.update()

    def end(self, at: QPointF) -> None:
        self.abort()
        case, plane = self.view.case, self.view.plane
        if not self.moved or case is None or plane is None:
            self.view.told.emit(translate("view", "Drag a box over what the window is to show."))
            return
        if case.volume.colours is not None:
            self.view.told.emit(translate("view", "A colour image keeps its colours."))
            return
        box = QRectF(self.start, at).normalized()
        corners = (self.view.mm_of_px(end) for end in (box.topLeft(), box.bottomRight()))
        (left, top), (right, bottom) = corners
        box_mm = (left, top, right, bottom)
        part = values_in_box(case.volume.voxels, plane, self.view.index, box_mm)
        if part.size:
            self.view.reading.set_window(auto_window(case, part))
            self.view.reading.set_tool("window")


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
