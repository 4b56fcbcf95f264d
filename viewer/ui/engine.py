"""What is asked of the model process, one thing at a time; a reader's wish goes first.

A worker thread drives the process; tasks report to the window by signals.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot

from inference.client import Cancelled, ModelProcess
from inference.findings import Mask
from inference.manifest import ModelPack
from inference.protocol import Progress
from inference.refine import Box, Click
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer.ui.jobs import let_go

log = logging.getLogger(__name__)

_END_MS = 3000
_KILL_AGAIN_S = 0.01

Tell = Callable[[Progress], None]
Ask = Callable[[ModelProcess, Tell], Any]


class Task(QObject):
    """One thing that is asked of the model process. Its signals come in the GUI thread.

    ``succeeded``, ``failed`` or ``cancelled`` follows, exactly one of them, and then ``ended``.

    Attributes
    ----------
    behind
        Whether it gives way to what a reader asks for.
    last
        How far it is, None before that is known.
    """

    progressed = Signal(object)  # a Progress
    succeeded = Signal(object)
    failed = Signal(object)  # a Problem
    cancelled = Signal()
    ended = Signal()

    def __init__(self, engine: Engine, number: int, ask: Ask | None, *, behind: bool) -> None:
        super().__init__()
        self._engine = engine
        self.number = number
        self.ask = ask
        self.behind = behind
        self.last: Progress | None = None

    def cancel(self) -> None:
        """Stop it at once, or take it out of the queue; nothing happens when it has ended."""
        self._engine.cancel_task(self)

    def end(self, how: str, result: object) -> None:
        """Tell that it ended. For the engine alone."""
        self.ask = None  # it holds a volume
        if how == "succeeded":
            self.succeeded.emit(result)
        elif how == "failed":
            self.failed.emit(result)
        else:
            self.cancelled.emit()
        self.ended.emit()


class _Worker(QObject):
    """Lives in the worker thread; ``work`` may block there."""

    progressed = Signal(int, object)
    ended = Signal(int, str, object)

    def __init__(self, process: ModelProcess) -> None:
        super().__init__()
        self.process = process
        self.dropped: set[int] = set()
        self.active: int | None = None

    @Slot(int, object)
    def work(self, number: int, ask: Ask) -> None:
        # First: who drops a task sees it either active or not yet begun.
        self.active = number
        try:
            how, result = self._answer(number, ask)
        finally:
            self.active = None
        self.ended.emit(number, how, result)

    def _answer(self, number: int, ask: Ask) -> tuple[str, object]:
        while number not in self.dropped:
            try:
                return "succeeded", ask(
                    self.process, lambda step: self.progressed.emit(number, step)
                )
            except Cancelled:
                # Unless it is dropped, the kill was meant for the one before and came late.
                continue
            except Problem as problem:
                return "failed", problem
            except Exception as error:
                log.exception("the model run failed")
                return "failed", Problem(
                    translate("engine", "The model could not finish this series."),
                    translate("engine", "Run it again, or choose another device."),
                    repr(type(error)),
                )
        return "cancelled", None


class Engine(QObject):
    """Hands tasks to the model process, one at a time.

    ``analyze`` and ``cancel`` are the run on the open case: its progress and its ending are
    signals of the engine. Everything else is a ``Task`` with signals of its own. A task that
    works behind is stopped when a reader asks for something; whoever asked for it asks again.
    """

    devices_known = Signal(object)
    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    running_changed = Signal(bool)
    freed = Signal()  # nothing is under way or waits

    _work_asked = Signal(int, object)

    def __init__(self, parent: QObject | None = None, process: ModelProcess | None = None) -> None:
        super().__init__(parent)
        self._process = process or ModelProcess()
        self._thread = QThread(self)
        self._thread.setObjectName("model worker")
        self._worker = _Worker(self._process)
        self._worker.moveToThread(self._thread)
        self._thread.finished.connect(self._worker.deleteLater)
        self._work_asked.connect(self._worker.work)
        self._worker.progressed.connect(self._on_progress)
        self._worker.ended.connect(self._on_end)
        self._count = 0
        self._current: Task | None = None
        self._waiting: list[Task] = []
        self._run: Task | None = None
        self._closed = False
        self.devices: tuple[Any, ...] = ()
        self._thread.start()

    # --------------------------------------------------------------------- asking

    @property
    def running(self) -> bool:
        """Whether a run on the open case is under way."""
        return self._run is not None

    @property
    def run(self) -> Task | None:
        """The run on the open case, None when there is none."""
        return self._run

    @property
    def busy(self) -> bool:
        """Whether anything is under way or waits."""
        return self._current is not None or bool(self._waiting)

    @property
    def last(self) -> Progress | None:
        """How far the run on the open case is; None before that is known."""
        return self._run.last if self._run is not None else None

    def submit(self, ask: Ask, *, behind: bool = False) -> Task:
        """Have something asked of the model process, in the worker thread.

        Parameters
        ----------
        ask
            Called with the process and with whom to tell of the progress. May be called again
            after ``Cancelled``.
        behind
            Whether it waits for what a reader asks, and is cancelled when he asks.
        """
        self._count += 1
        task = Task(self, self._count, ask, behind=behind)
        self._waiting.append(task)
        if not behind and self._current is not None and self._current.behind:
            self._current.cancel()  # begins the next one, which is not behind
        else:
            self._begin_next()
        return task

    def warm_up(self) -> None:
        """Start the model process and ask for its devices, in the background."""
        if not self.busy:
            task = self.submit(lambda process, _tell: process.devices())
            task.succeeded.connect(self._on_devices)
            # Said again, and shown, when a run is asked for.
            task.failed.connect(self._on_no_devices)

    def analyze(self, volume: Volume, pack: ModelPack, device: str) -> None:
        """Run a model on the open case; exactly one of the ending signals follows."""
        task = self.run_of(volume, pack, device)
        self._run = task
        task.progressed.connect(self.progressed)
        task.succeeded.connect(self._on_run_success)
        task.failed.connect(self._on_run_failure)
        task.cancelled.connect(self._on_run_cancelled)
        self.running_changed.emit(True)

    def run_of(self, volume: Volume, pack: ModelPack, device: str, *, behind: bool = False) -> Task:
        """Run a model on any volume; ``succeeded`` brings its Findings."""
        return self.submit(
            lambda process, tell: process.analyze(volume, pack, device, progress=tell),
            behind=behind,
        )

    def outline(
        self,
        volume: Volume,
        pack: ModelPack,
        device: str,
        point_lps_mm: Sequence[float],
        box: Box | None = None,
    ) -> Task:
        """Outline what lies at a point, or in a box of voxels; ``succeeded`` brings an Outline."""
        return self.submit(
            lambda process, tell: process.outline(volume, pack, device, point_lps_mm, tell, box)
        )

    def refine(
        self, volume: Volume, pack: ModelPack, device: str, mask: Mask, clicks: Sequence[Click]
    ) -> Task:
        """Correct an outline by the latest of some points; ``succeeded`` brings an Outline."""
        return self.submit(
            lambda process, tell: process.refine(volume, pack, device, mask, clicks, tell)
        )

    # ------------------------------------------------------------------ cancelling

    def cancel(self) -> None:
        """Stop the run on the open case at once; the next one starts a fresh process."""
        if self._run is not None:
            self._run.cancel()

    def cancel_task(self, task: Task) -> None:
        """Stop one task, or take it out of the queue."""
        if task is self._current:
            self._current = None
            self._worker.dropped.add(task.number)
            # Killing a process may wait a few milliseconds on Windows: not in the GUI thread.
            threading.Thread(
                target=self._kill, args=(task.number,), name="cancel", daemon=True
            ).start()
        elif task in self._waiting:
            self._waiting.remove(task)
        else:
            return
        task.end("cancelled", None)
        self._begin_next()

    def _kill(self, number: int) -> None:
        # Until it has left the worker: it may have been between two steps, where a kill is lost.
        while self._worker.active == number:
            self._process.cancel()
            time.sleep(_KILL_AGAIN_S)

    def close(self) -> None:
        """End the model process and the worker thread; bounded in time."""
        self._closed = True
        current, self._current = self._current, None
        if current is not None:
            self._worker.dropped.add(current.number)
        self._worker.dropped.update(task.number for task in self._waiting)
        self._waiting.clear()
        self._run = None
        self._process.cancel()
        self._thread.quit()
        end = time.monotonic() + _END_MS / 1000
        while not self._thread.wait(100) and time.monotonic() < end:
            self._process.cancel()
        if self._thread.isRunning():
            log.error("the model worker did not end in %d ms", _END_MS)
            # Deleted while it runs, it would abort the program.
            let_go(self._thread)
            let_go(self._worker)
        self._process.close()

    # --------------------------------------------------------------------- answers

    def _begin_next(self) -> None:
        if self._current is not None or self._closed:
            return
        if not self._waiting:
            self.freed.emit()
            return
        task = next((task for task in self._waiting if not task.behind), self._waiting[0])
        self._waiting.remove(task)
        self._current = task
        self._work_asked.emit(task.number, task.ask)

    @Slot(int, object)
    def _on_progress(self, number: int, step: object) -> None:
        task = self._current
        if task is not None and task.number == number and isinstance(step, Progress):
            task.last = step
            task.progressed.emit(step)

    @Slot(int, str, object)
    def _on_end(self, number: int, how: str, result: object) -> None:
        self._worker.dropped.discard(number)
        task = self._current
        if task is None or task.number != number:
            return  # given up meanwhile
        self._current = None
        task.end(how, result)
        self._begin_next()

    @Slot(object)
    def _on_devices(self, devices: object) -> None:
        self.devices = tuple(devices)  # type: ignore[arg-type]
        self.devices_known.emit(self.devices)

    @Slot(object)
    def _on_no_devices(self, problem: object) -> None:
        log.warning("the model process did not start: %s", type(problem).__name__)

    @Slot(object)
    def _on_run_success(self, findings: object) -> None:
        self._end_run()
        self.succeeded.emit(findings)

    @Slot(object)
    def _on_run_failure(self, problem: object) -> None:
        self._end_run()
        self.failed.emit(problem)

    @Slot()
    def _on_run_cancelled(self) -> None:
        self._end_run()
        self.cancelled.emit()

    def _end_run(self) -> None:
        self._run = None
        self.running_changed.emit(False)
