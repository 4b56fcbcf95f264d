"""Counts the seconds that a reader is at a finding: selected, and something is done meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.main_window import MainWindow

_TICK_MS = 1000
# Nothing done for so long: the reader has turned to something else, or away.
IDLE_S = 20.0
# A tick that came late, as after a sleep of the computer, counts for no more.
_MOST_S = 2.0


class Attending(QObject):
    """Tells the open case every second which finding its reader is at."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reading = window.reading
        self._last_done = self._last_tick = time.monotonic()
        self._case: Case | None = None
        self._at: str | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)
        reading = window.reading
        for signal in (
            reading.cursor_moved,
            reading.window_changed,
            reading.shown_changed,
            reading.document_changed,
            reading.stroke_changed,
            reading.tool_changed,
        ):
            signal.connect(self._on_deed)
        reading.selection_changed.connect(self._on_selection)
        reading.case_changed.connect(self._on_selection)
        reading.case_leaving.connect(self.tick)

    def in_front(self) -> bool:
        """Whether the window has the keyboard."""
        return self._window.isActiveWindow()

    def _on_deed(self, *_args: Any) -> None:
        self._last_done = time.monotonic()

    def _on_selection(self) -> None:
        if self._case is self._reading.case:
            self.tick()  # for the one that is left
        lesion = self._reading.lesion
        self._case, self._at = self._reading.case, None if lesion is None else lesion.id
        self._last_done = self._last_tick = time.monotonic()
        if self._at is None:
            self._timer.stop()
        else:
            self._timer.start()

    def tick(self) -> None:
        """Count the time since the last tick."""
        now = time.monotonic()
        passed, self._last_tick = now - self._last_tick, now
        case = self._reading.case
        if case is None or self._at is None or case.read_only:
            return
        if self.in_front() and now - self._last_done <= IDLE_S:
            case.attention.add(self._at, min(max(passed, 0.0), _MOST_S))
