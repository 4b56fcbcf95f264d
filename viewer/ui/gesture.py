"""What every drag of the mouse in a view has in common: press, movement, release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from resources.problem import Problem

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
        self.keys = Qt.KeyboardModifier.NoModifier  # held during the last movement

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


def select_or_centre(view: SliceView, at: QPointF) -> None:
    """Select the lesion under a pixel, else bring the crosshair there."""
    lesion = view.overlay.lesion_at(*view.mm_of_px(at), reach_mm=4 * view.mm_per_px)
    if lesion is not None:
        view.reading.select(lesion, centre=False)
    elif view.voxel_at(at) is not None:
        view.reading.move_cursor(view.lps_at(at))


def keep(view: SliceView, act: Callable[[Case], Change | None]) -> Change | None:
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
