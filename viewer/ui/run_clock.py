"""The time that a run still takes, said once a second; learned when a run ends."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from inference.volume import Volume
from viewer.pace import Learned, Pace, litres
from viewer.ui.engine import Task
from viewer.ui.settings import Settings

_SETTING = "pace"
_SAY_MS = 1000


class RunClock(QObject):
    """Follows one task of the engine after the other.

    Attributes
    ----------
    text
        How long the task still takes, in words; empty as long as that is not known.
    """

    told = Signal(str)

    def __init__(self, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        self._pace: Pace | None = None
        self._task: Task | None = None
        self._device, self._litres = "", 0.0
        self.text = ""
        self._timer = QTimer(self)
        self._timer.setInterval(_SAY_MS)
        self._timer.timeout.connect(self._say)

    def begin(self, task: Task, device: str, volume: Volume) -> None:
        """Follow a task that runs a model on a volume; ``device`` is what it is learned under."""
        self._task, self._device, self._litres = task, device, litres(volume)
        learned = Learned(self._settings.text(_SETTING))
        self._pace = Pace(learned, device, self._litres, time.monotonic())
        task.progressed.connect(self._on_progress)
        task.succeeded.connect(self._on_success)
        task.ended.connect(self._on_end)
        self._tell("")
        self._timer.start()

    @Slot(object)
    def _on_progress(self, step: object) -> None:
        if self._pace is not None and self.sender() is self._task:
            self._pace.step(step, time.monotonic())  # type: ignore[arg-type]
            self._say()

    @Slot(object)
    def _on_success(self, _findings: object) -> None:
        if self._pace is not None and self.sender() is self._task:
            spent = self._pace.end(time.monotonic())
            learned = Learned(self._settings.text(_SETTING))
            learned.take(self._device, self._litres, spent)
            self._settings.put(_SETTING, learned.text())

    @Slot()
    def _on_end(self) -> None:
        if self.sender() is self._task:
            self._pace = self._task = None
            self._timer.stop()
            self._tell("")

    def _say(self) -> None:
        left = self._pace.left(time.monotonic()) if self._pace is not None else None
        self._tell(left.text() if left is not None else "")

    def _tell(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.told.emit(text)
