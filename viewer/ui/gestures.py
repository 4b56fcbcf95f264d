"""What a drag of the mouse does in a view: window, pan, zoom, paint, move a lesion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent

from resources.problem import Problem
from resources.text import translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.annotate.document import Change
    from viewer.session import Case
    from viewer.ui.slice_view import SliceView

_CLICK_PX = 3.0


class Gesture:
    """One press, drag and release of one button."""

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        self.view = view
        self.button = button
        self.start = start
        self.last = start
        self.moved = False

    def move(self, to: QPointF) -> None:
        """Follow the pointer."""
        if not self.moved and (to - self.start).manhattanLength() < _CLICK_PX:
            return
        self.moved = True
        self.drag(to - self.last, to)
        self.last = to

    def drag(self, delta: QPointF, to: QPointF) -> None:
        """Act on a movement in logical pixels."""

    def end(self, at: QPointF) -> None:
        """Act on the release."""
        if not self.moved:
            self.click(at)

    def click(self, at: QPointF) -> None:
        """Act on a release without movement."""

    def abort(self) -> None:
        """Take back what can be taken back."""


def _select_or_centre(view: SliceView, at: QPointF) -> None:
    lesion = view.overlay.lesion_at(*view.mm_of_px(at), reach_mm=4 * view.mm_per_px)
    if lesion is not None:
        view.reading.select(lesion, centre=False)
    elif view.voxel_at(at) is not None:
        view.reading.move_cursor(view.lps_at(at))


def _keep(view: SliceView, act: Callable[[Case], Change | None]) -> Change | None:
    """Apply what a gesture made; say so when its target has left the list meanwhile."""
    case = view.case
    if case is None:
        return None
    try:
        change = act(case)
    except Problem as problem:
        view.told.emit(str(problem))
        return None
    if change is not None:
        view.reading.document_changed.emit(change)
    return change


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
        _select_or_centre(self.view, at)


class PanDrag(Gesture):
    """Moves the image."""

    def drag(self, delta: QPointF, to: QPointF) -> None:
        self.view.pan(delta)

    def click(self, at: QPointF) -> None:
        if self.button == Qt.MouseButton.LeftButton:
            _select_or_centre(self.view, at)


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


class PaintDrag(Gesture):
    """One stroke of the brush or the eraser: one edit, one undo step.

    Scrolling with the button held begins a new stroke: what is drawn is on the slice shown.
    """

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        super().__init__(view, button, start)
        self._stroke: Any = None
        self._target = view.reading.selected
        view.reading.reveal(self._target)
        self._begin(start)

    def _begin(self, start: QPointF) -> None:
        from viewer.tools.brush import Brush

        view = self.view
        reading, case, plane = view.reading, view.case, view.plane
        assert case is not None
        assert plane is not None
        assert self._target is not None
        self._index = view.index
        brush = Brush(
            diameter_mm=reading.brush_mm,
            shape="ball" if reading.brush_ball else "disc",
            axis=plane.axis,
            mode="erase" if reading.tool == "erase" else "add",
        )
        try:
            self._stroke = case.start_stroke(self._target, brush)
        except (Problem, KeyError) as problem:
            view.told.emit(
                str(problem)
                if isinstance(problem, Problem)
                else translate("view", "This finding is no longer in the list.")
            )
            return
        reading.stroke = self._stroke
        self._dab(start)

    def _dab(self, at: QPointF) -> None:
        plane = self.view.plane
        assert plane is not None
        point = plane.kji_at(*self.view.mm_of_px(at), self.view.index)
        if self._stroke.move_to(tuple(float(v) for v in point)) is not None:
            self.view.reading.stroke_changed.emit()

    def move(self, to: QPointF) -> None:
        if self._stroke is not None and self.view.index != self._index:
            self.end(to)
            self._begin(to)
        elif self._stroke is not None:
            self._dab(to)
        self.last = to

    def end(self, at: QPointF) -> None:
        stroke, self._stroke = self._stroke, None
        reading = self.view.reading
        reading.stroke = None
        if stroke is None or reading.case is None:
            return
        change = _keep(self.view, lambda case: case.commit_stroke(stroke))
        if change is None:
            reading.stroke_changed.emit()

    def abort(self) -> None:
        self._stroke = None
        self.view.reading.stroke = None
        self.view.reading.stroke_changed.emit()


class MoveDrag(Gesture):
    """Carries the selected lesion to where the pointer is let go."""

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        super().__init__(view, button, start)
        lesion = view.overlay.lesion_at(*view.mm_of_px(start), reach_mm=4 * view.mm_per_px)
        if lesion is not None:
            view.reading.select(lesion, centre=False)
        self._lesion = lesion
        if lesion is None:
            view.told.emit(translate("view", "Press on a finding's outline to move it."))

    def drag(self, delta: QPointF, to: QPointF) -> None:
        if self._lesion is not None:
            offset = (to - self.start) * self.view.mm_per_px
            self.view.overlay.carry((self._lesion, offset.x(), offset.y()))

    def abort(self) -> None:
        self.view.overlay.carry(None)
        self.view.viewport().update()

    def end(self, at: QPointF) -> None:
        reading = self.view.reading
        self.view.overlay.carry(None)
        if self._lesion is None or not self.moved or reading.case is None:
            return
        delta = np.asarray(self.view.lps_at(at)) - np.asarray(self.view.lps_at(self.start))
        x, y, z = (float(v) for v in delta)
        lesion = self._lesion
        _keep(self.view, lambda case: case.move(lesion, (x, y, z)))


def begin(view: SliceView, event: QMouseEvent) -> Gesture | None:
    """Return the gesture that a press starts, or None."""
    button, at = event.button(), event.position()
    if button == Qt.MouseButton.MiddleButton:
        return PanDrag(view, button, at)
    if button == Qt.MouseButton.RightButton:
        return ZoomDrag(view, button, at)
    if button != Qt.MouseButton.LeftButton:
        return None
    tool = view.reading.tool
    if tool in ("window", "pan"):
        return (WindowDrag if tool == "window" else PanDrag)(view, button, at)
    case = view.case
    if case is not None and case.read_only:
        view.told.emit(str(case.read_only_problem))
        return WindowDrag(view, button, at)
    if tool == "move":
        return MoveDrag(view, button, at)
    if view.reading.selected is None:
        view.told.emit(
            translate("view", "Select a finding to paint on, or press M to add a missed lesion.")
        )
        return None
    return PaintDrag(view, button, at)
