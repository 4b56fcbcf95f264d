"""The worker thread: it drives the model process and reports to the window by signals."""

from __future__ import annotations

import logging
import threading
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot

from inference.client import Cancelled, ModelProcess
from inference.manifest import ModelPack
from inference.protocol import Progress
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate

log = logging.getLogger(__name__)

_END_MS = 3000


class _Worker(QObject):
    """Lives in the worker thread; every slot may block there."""

    devices_known = Signal(object)
    progressed = Signal(int, object)
    succeeded = Signal(int, object)
    failed = Signal(int, object)
    cancelled = Signal(int)

    def __init__(self, process: ModelProcess) -> None:
        super().__init__()
        self.process = process
        self.dropped: set[int] = set()

    @Slot()
    def warm_up(self) -> None:
        try:
            self.devices_known.emit(self.process.devices())
        except (Problem, Cancelled) as problem:
            # Said again, and shown, when a run is asked for.
            log.warning("the model process did not start: %s", type(problem).__name__)

    @Slot(int, object, object, str)
    def analyze(self, run: int, volume: Volume, pack: ModelPack, device: str) -> None:
        if run in self.dropped:
            self.cancelled.emit(run)
            return
        try:
            findings = self.process.analyze(
                volume, pack, device, progress=lambda step: self.progressed.emit(run, step)
            )
        except Cancelled:
            self.cancelled.emit(run)
        except Problem as problem:
            self.failed.emit(run, problem)
        except Exception as error:
            log.exception("the model run failed")
            self.failed.emit(
                run,
                Problem(
                    translate("engine", "The model could not finish this series."),
                    translate("engine", "Run it again, or choose another device."),
                    repr(type(error)),
                ),
            )
        else:
            self.succeeded.emit(run, findings)


class Engine(QObject):
    """Starts, follows and cancels runs of a model; one at a time.

    Results of a run that was cancelled, or that belongs to a case closed since, are dropped.
    """

    devices_known = Signal(object)
    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    running_changed = Signal(bool)

    _warm_asked = Signal()
    _run_asked = Signal(int, object, object, str)

    def __init__(self, parent: QObject | None = None, process: ModelProcess | None = None) -> None:
        super().__init__(parent)
        self._process = process or ModelProcess()
        self._thread = QThread(self)
        self._thread.setObjectName("model worker")
        self._worker = _Worker(self._process)
        self._worker.moveToThread(self._thread)
        self._thread.finished.connect(self._worker.deleteLater)
        self._warm_asked.connect(self._worker.warm_up)
        self._run_asked.connect(self._worker.analyze)
        self._worker.devices_known.connect(self._on_devices)
        self._worker.progressed.connect(self._on_progress)
        self._worker.succeeded.connect(self._on_success)
        self._worker.failed.connect(self._on_failure)
        self._worker.cancelled.connect(self._on_cancelled)
        self._run = 0
        self._running = False
        self.devices: tuple[Any, ...] = ()
        self.last: Progress | None = None
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._running

    def warm_up(self) -> None:
        """Start the model process and ask for its devices, in the background."""
        if not self._running:
            self._warm_asked.emit()

    def analyze(self, volume: Volume, pack: ModelPack, device: str) -> None:
        """Run a model on a volume; exactly one of the ending signals follows."""
        self._run += 1
        self.last = None
        self._set_running(True)
        self._run_asked.emit(self._run, volume, pack, device)

    def cancel(self) -> None:
        """Kill the run at once; the next one starts a fresh process."""
        if not self._running:
            return
        self._worker.dropped.add(self._run)
        self._run += 1
        # Killing a process may wait a few milliseconds on Windows: not in the GUI thread.
        threading.Thread(target=self._process.cancel, name="cancel", daemon=True).start()
        self._set_running(False)
        self.cancelled.emit()

    def close(self) -> None:
        """End the model process and the worker thread; bounded in time."""
        self._worker.dropped.add(self._run)
        self._run += 1
        self._process.cancel()
        self._thread.quit()
        if not self._thread.wait(_END_MS):
            log.error("the model worker did not end in %d ms", _END_MS)
        self._process.close()

    def _set_running(self, running: bool) -> None:
        if running != self._running:
            self._running = running
            self.running_changed.emit(running)

    @Slot(object)
    def _on_devices(self, devices: object) -> None:
        self.devices = tuple(devices)  # type: ignore[arg-type]
        self.devices_known.emit(self.devices)

    @Slot(int, object)
    def _on_progress(self, run: int, step: object) -> None:
        if run == self._run and self._running and isinstance(step, Progress):
            self.last = step
            self.progressed.emit(step)

    @Slot(int, object)
    def _on_success(self, run: int, findings: object) -> None:
        if run == self._run and self._running:
            self._set_running(False)
            self.succeeded.emit(findings)

    @Slot(int, object)
    def _on_failure(self, run: int, problem: object) -> None:
        if run == self._run and self._running:
            self._set_running(False)
            self.failed.emit(problem)

    @Slot(int)
    def _on_cancelled(self, run: int) -> None:
        if run == self._run and self._running:
            self._set_running(False)
            self.cancelled.emit()
