"""The slice that comes next, made ready while the reader looks at this one.

A hand on the wheel leaves more time between two slices than one takes to be drawn. In that time
the next one in the same direction is composed, then scaled with its outlines; when it is asked
for it is copied. Whatever could make it look different lets it go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from viewer.ui import composing

if TYPE_CHECKING:
    from viewer.display.grey import Rgb32
    from viewer.ui.look import Look
    from viewer.ui.slice_item import SliceItem
    from viewer.ui.slice_view import SliceView

# What the reader did goes first: so long nothing else may have come.
_IDLE_MS = 4


class Ahead(QObject):
    """The next slice of one view.

    Attributes
    ----------
    index
        Slice that is ready, or being made ready; None when there is none.
    """

    def __init__(self, view: SliceView, item: SliceItem) -> None:
        super().__init__(view)
        self._view = view
        self._item = item
        self._step = 0
        self._buffer: Rgb32 | None = None
        self._look: Look | None = None
        self.index: int | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setTimerType(Qt.TimerType.PreciseTimer)
        self._soon.setInterval(_IDLE_MS)
        self._soon.timeout.connect(self._go_on)

    @property
    def ready(self) -> bool:
        """Whether the next slice only has to be copied."""
        return self.index is not None and self._item.is_prepared(self._buffer)

    def moved(self, step: int) -> None:
        """Take note of how far the view has scrolled."""
        self._soon.stop()
        self._step = step if abs(step) == 1 else 0

    def drop(self) -> None:
        """Let go what is ready: it would look different."""
        self._soon.stop()
        self.index = self._buffer = None
        self._item.forget_prepared()

    def take(self) -> Rgb32 | None:
        """Return what the view shows, if it is ready; it is ready no more."""
        found = self._buffer if self.index == self._view.index else None
        self.index = self._buffer = None
        return found

    def painted(self, look: Look) -> None:
        """Begin with the next slice when the reader leaves time for it."""
        self._look = look
        if self._wanted() is not None and not self.ready:
            self._soon.start()

    def _wanted(self) -> int | None:
        """Return the slice to be made ready, or None."""
        view = self._view
        plane, case = view.plane, view.case
        if not self._step or plane is None or case is None or not view.isVisible():
            return None
        index = view.index + self._step
        quiet = (
            plane.straight
            and view.slab is None
            and (view.instead is None or view.instead(view) is None)
            and view.reading.stroke is None
            and not QApplication.mouseButtons()
        )
        return index if quiet and 0 <= index < plane.count else None

    @Slot()
    def _go_on(self) -> None:
        view, index = self._view, self._wanted()
        if index is None or self._look is None or view.is_stale:
            return
        if self.index != index:
            self._buffer = composing.single(view, index)
            self.index = index if self._buffer is not None else None
        elif self._buffer is not None and not self.ready:
            assert view.plane is not None
            room = QRectF(0, 0, *view.plane.size_mm)
            strokes = view.overlay.strokes_of(view.plane, index, self._look)
            self._item.prepare(self._buffer, room, self._look, strokes)
        if self.index is not None and not self.ready:
            self._soon.start()  # what the reader does may come between
