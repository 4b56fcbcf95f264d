"""Work off the GUI thread: a job runs on the pool and reports back in the GUI thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from resources.problem import Problem
from viewer.study.cancel import Cancelled

log = logging.getLogger(__name__)

Report = Callable[[int, int], None]
Work = Callable[[Report, Callable[[], bool]], Any]


class Job(QObject):
    """One piece of work with progress, cancel and one ending.

    Make it in the GUI thread: its slots are methods, so that they run there and not in the
    worker (a lambda would run in the worker).

    Parameters
    ----------
    work
        Called in a pool thread with ``report(done, total)`` and ``cancelled()``.
    parent
        Owner; the job lives until it ended.
    """

    progressed = Signal(int, int)
    succeeded = Signal(object)
    failed = Signal(object)  # a Problem
    discarded = Signal(object)  # a result that came after the cancel, to be closed
    ended = Signal()

    _worker_progress = Signal(int, int)
    _worker_end = Signal(object, object)

    def __init__(self, work: Work, parent: QObject) -> None:
        super().__init__(parent)
        self._cancel = threading.Event()
        self._work = work
        self._running = False
        self._worker_progress.connect(self._on_progress)
        self._worker_end.connect(self._on_end)

    @property
    def running(self) -> bool:
        """Whether the work has begun and not ended."""
        return self._running

    def start(self, pool: QThreadPool | None = None) -> Job:
        """Hand the work to the pool."""
        self._running = True
        (pool or QThreadPool.globalInstance()).start(_Run(self))
        return self

    def cancel(self) -> None:
        """Ask the work to stop; neither ``succeeded`` nor ``failed`` follows."""
        self._cancel.set()

    @Slot(int, int)
    def _on_progress(self, done: int, total: int) -> None:
        if not self._cancel.is_set():
            self.progressed.emit(done, total)

    @Slot(object, object)
    def _on_end(self, result: object, error: object) -> None:
        self._running = False
        try:
            if self._cancel.is_set():
                if result is not None:
                    self.discarded.emit(result)
            elif error is None:
                self.succeeded.emit(result)
            elif isinstance(error, Problem):
                self.failed.emit(error)
            elif isinstance(error, BaseException):
                raise error
        finally:
            self.ended.emit()
            self.deleteLater()


class _Run(QRunnable):
    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def run(self) -> None:
        job = self._job
        result: object = None
        error: BaseException | None = None
        try:
            result = job._work(job._worker_progress.emit, job._cancel.is_set)
        except Cancelled:
            job._cancel.set()
        except Exception as caught:
            # Handed to the GUI thread: a problem is shown there, a defect raised there.
            error = caught
        try:
            job._worker_end.emit(result, error)
        except RuntimeError:
            log.info("a job ended after its window")
