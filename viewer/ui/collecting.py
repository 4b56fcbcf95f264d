"""Garbage is collected in the GUI thread alone.

Python collects in whichever thread happens to make the next object. In a thread that reads a
study this may be the windows, dialogs and jobs that the GUI thread left: their connections would
be undone there while the GUI thread connects others, which PySide does not survive (see
``viewer.ui.jobs``). So the collector is off, and a timer of the window asks whether it is time.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer, Slot

_EVERY_MS = 100
# Walking all that there is takes 30 to 100 ms: not more than this share of the time.
_SHARE = 0.01


class Collector(QObject):
    """Collects when Python itself would, as long as it lives. Make it in the GUI thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._before = gc.isenabled()
        gc.disable()
        self._whole_not_before = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect_if_due)
        self._timer.start(_EVERY_MS)

    @Slot()
    def collect_if_due(self) -> None:
        """Collect the oldest generation that has its number of new objects together."""
        due = [n for n, (has, most) in enumerate(_counts()) if has > most]
        began = time.monotonic()
        if due and due[-1] == 2 and began < self._whole_not_before:
            due.pop()
        if due:
            gc.collect(due[-1])
            if due[-1] == 2:
                spent = time.monotonic() - began
                self._whole_not_before = began + spent / _SHARE

    def close(self) -> None:
        """Give it back to Python."""
        self._timer.stop()
        if self._before:
            gc.enable()


def _counts() -> list[tuple[int, int]]:
    return list(zip(gc.get_count(), gc.get_threshold(), strict=True))
