"""Work off the GUI thread: a job runs on the pool and reports back in the GUI thread.

What belongs to Qt must not die in a thread of the pool. PySide (6.11, ``dynamicslot.cpp``) undoes
the connections of an object that dies without holding any lock: two threads that do so at once,
or one that does while the GUI thread connects, tear its table of connections, and the program
ends sooner or later with a segmentation fault. So whatever a piece of work holds, its window
among it, is let go in the GUI thread; ``viewer.ui.collecting`` sees to the rest.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, QRunnable, QThreadPool, Signal, Slot

from resources.problem import Problem
from viewer.study.cancel import Cancelled

Report = Callable[[int, int], None]
Work = Callable[[Report, Callable[[], bool]], Any]

_FINISH_MS = 5000
_numbers = itertools.count(1)


@dataclass(eq=False, slots=True)
class _Errand:
    """What a thread of the pool and the GUI thread both know of a piece of work."""

    work: Work | None
    cancel: threading.Event = field(default_factory=threading.Event)
    begun: bool = False
    result: object = None
    error: BaseException | None = None

    def take(self) -> tuple[object, BaseException | None]:
        """Give its answer away and let go of all that it holds. In the GUI thread."""
        answer = self.result, self.error
        self.work = self.result = self.error = None
        return answer


class _Relay(QObject):
    """Speaks for all workers: the only object of Qt's that they touch.

    It belongs to the application. One for each job would be deleted while its worker may still
    be in the middle of its last word.
    """

    progress = Signal(int, int, int)
    end = Signal(int)

    def __init__(self, parent: QObject | None) -> None:
        super().__init__(parent)
        self.under_way: dict[int, tuple[Job, _Errand, QThreadPool]] = {}
        self.progress.connect(self._on_progress)
        self.end.connect(self._on_end)

    @Slot(int, int, int)
    def _on_progress(self, number: int, done: int, total: int) -> None:
        job = self.under_way[number][0] if number in self.under_way else None
        if job is not None and shiboken6.isValid(job):
            job.on_progress(done, total)

    @Slot(int)
    def _on_end(self, number: int) -> None:
        if number not in self.under_way:
            return  # let go of meanwhile
        job, errand, _pool = self.under_way.pop(number)
        result, error = errand.take()
        if shiboken6.isValid(job):  # a window that has gone no longer listens
            job.on_end(result, error)

    def forget(self, pool: QThreadPool) -> None:
        """Let go of what a pool has been told not to begin."""
        for number, (_job, errand, its_pool) in list(self.under_way.items()):
            if its_pool is pool and not errand.begun:
                del self.under_way[number]
                errand.take()


_relays: list[_Relay] = []


def _relay() -> _Relay:
    """Return the relay of the application. In the GUI thread."""
    if not _relays or not shiboken6.isValid(_relays[0]):
        _relays[:] = [_Relay(QCoreApplication.instance())]
    return _relays[0]


class Job(QObject):
    """One piece of work with progress, cancel and one ending.

    Make it in the GUI thread; its signals come there.

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
        self._errand = _Errand(work)
        self._running = False

    @property
    def running(self) -> bool:
        """Whether the work has begun and not ended."""
        return self._running

    def start(self, pool: QThreadPool | None = None) -> Job:
        """Hand the work to the pool."""
        self._running = True
        pool = pool or QThreadPool.globalInstance()
        relay, number = _relay(), next(_numbers)
        relay.under_way[number] = (self, self._errand, pool)
        pool.start(_Run(number, self._errand, relay))
        return self

    def cancel(self) -> None:
        """Ask the work to stop; neither ``succeeded`` nor ``failed`` follows."""
        self._errand.cancel.set()

    def on_progress(self, done: int, total: int) -> None:
        """Tell how far it is. For the relay alone."""
        if not self._errand.cancel.is_set():
            self.progressed.emit(done, total)

    def on_end(self, result: object, error: BaseException | None) -> None:
        """Tell that it ended. For the relay alone."""
        self._running = False
        try:
            if self._errand.cancel.is_set():
                if result is not None:
                    self.discarded.emit(result)
            elif error is None:
                self.succeeded.emit(result)
            elif isinstance(error, Problem):
                self.failed.emit(error)
            else:
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
            let_go(pool)
        _relay().forget(pool)


def let_go(runs: QObject) -> None:
    """Leave alone what still runs and would hold up or abort the program when it is deleted."""
    if runs.parent() is not None:
        runs.setParent(None)
    # Not even at the program's end, when all modules are emptied.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(runs))


class _Run(QRunnable):
    def __init__(self, number: int, errand: _Errand, relay: _Relay) -> None:
        super().__init__()
        self._number, self._errand, self._relay = number, errand, relay

    def run(self) -> None:
        errand = self._errand
        errand.begun = True
        report = partial(self._relay.progress.emit, self._number)
        try:
            assert errand.work is not None
            # Straight into the errand: no name here holds what the GUI thread lets go.
            errand.result = errand.work(report, errand.cancel.is_set)
        except Cancelled:
            errand.cancel.set()
        except Exception as caught:
            # Handed to the GUI thread: a problem is shown there, a defect raised there.
            errand.error = caught
        self._relay.end.emit(self._number)
