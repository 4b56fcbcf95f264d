"""Work off the GUI thread: a job runs on the pool and reports back in the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, QRunnable, QThreadPool, Signal, Slot

from resources.problem import Problem
from viewer.study.cancel import Cancelled

Report = Callable[[int, int], None]
Work = Callable[[Report, Callable[[], bool]], Any]

_FINISH_MS = 5000
_let_go: list[QThreadPool] = []


class _Relay(QObject):
    """Speaks for the worker.

    It belongs to the application: a window that closed would take it away mid-word, and
    without an owner it would die in the worker. It goes in the GUI thread, when all is said.
    """

    progress = Signal(int, int)
    end = Signal(object, object)


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

    def __init__(self, work: Work, parent: QObject) -> None:
        super().__init__(parent)
        self._cancel = threading.Event()
        self._work = work
        self._running = False
        self._relay = _Relay(QCoreApplication.instance())
        self._relay.progress.connect(self._on_progress)
        self._relay.end.connect(self._on_end)
        self._relay.end.connect(self._relay.deleteLater)

    @property
    def running(self) -> bool:
        """Whether the work has begun and not ended."""
        return self._running

    def start(self, pool: QThreadPool | None = None) -> Job:
        """Hand the work to the pool."""
        self._running = True
        (pool or QThreadPool.globalInstance()).start(_Run(self._work, self._cancel, self._relay))
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


def finish_pools(owner: QObject) -> None:
    """Wait for all that still runs in the pools of an object which is about to be deleted.

    A pool waits for its work when it is deleted, and then nothing else of Python runs: work in
    Python would never end, and neither would the program. What does not end in time is let go.
    """
    for pool in owner.findChildren(QThreadPool):
        pool.clear()
        if not pool.waitForDone(_FINISH_MS):
            pool.setParent(None)
            _let_go.append(pool)


class _Run(QRunnable):
    def __init__(self, work: Work, cancel: threading.Event, relay: _Relay) -> None:
        super().__init__()
        self._work, self._cancel, self._relay = work, cancel, relay

    def run(self) -> None:
        result: object = None
        error: BaseException | None = None
        try:
            result = self._work(self._relay.progress.emit, self._cancel.is_set)
        except Cancelled:
            self._cancel.set()
        except Exception as caught:
            # Handed to the GUI thread: a problem is shown there, a defect raised there.
            error = caught
        # A window that has gone no longer listens.
        self._relay.end.emit(result, error)
