"""Makes the re-ordered copy of the open volume in the background, and drops it with the case."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThread, QThreadPool, QTimer, Slot

from viewer.display import reorder
from viewer.display.reorder import Reordered
from viewer.ui.jobs import Job, Report

if TYPE_CHECKING:
    import numpy.typing as npt

    from viewer.annotate.document import Change
    from viewer.ui.reading import Reading

# After a case is opened its first slices and small pictures come first.
_AFTER_MS = 800


class Reordering(QObject):
    """One copy at a time, of the case that is open; never waited for."""

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setThreadPriority(QThread.Priority.LowPriority)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_AFTER_MS)
        self._soon.timeout.connect(self._start)
        reading.case_changed.connect(self._on_case)
        reading.document_changed.connect(self._on_document)

    @property
    def busy(self) -> bool:
        """Whether a copy is being made, or is about to be."""
        return self._job is not None or self._soon.isActive()

    @Slot()
    def _on_case(self) -> None:
        case = self._reading.case
        known = self._reading.voxels
        if case is not None and known is not None and known.voxels is case.volume.voxels:
            return  # the same images
        self._soon.stop()
        if self._job is not None:
            self._job.cancel()
        self._reading.voxels = None
        if case is not None and not case.is_being_read and case.volume.regular:
            self._reading.voxels = Reordered(case.volume.voxels)
            if case.volume.colours is None:
                self._soon.start()

    @Slot(object)
    def _on_document(self, change: Change) -> None:
        if change.kind == "findings":
            Job(_tidy, self).start(self._pool)

    @Slot()
    def _start(self) -> None:
        case = self._reading.case
        if case is None:
            return
        if self._job is not None:
            self._soon.start()  # the one before has not noticed yet that it is over
            return
        voxels = case.volume.voxels
        if not reorder.is_worth_it(voxels, reorder.free_memory()):
            return
        self._job = Job(partial(_copy, voxels), self)
        self._job.succeeded.connect(self._on_copy)
        self._job.ended.connect(self._on_end)
        self._job.start(self._pool)

    @Slot(object)
    def _on_copy(self, made: object) -> None:
        case = self._reading.case
        if isinstance(made, Reordered) and case is not None and made.voxels is case.volume.voxels:
            self._reading.voxels = made

    @Slot()
    def _on_end(self) -> None:
        self._job = None

    def close(self) -> None:
        """Give up and wait for the thread."""
        self._soon.stop()
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(3000)


def _copy(
    voxels: npt.NDArray[Any], _report: Report, cancelled: Callable[[], bool]
) -> Reordered | None:
    try:
        copy = reorder.reordered(voxels, cancelled)
    except MemoryError:
        return None  # what it would speed up works without
    if copy is None:
        return None  # somebody waits for the end
    reorder.give_back()
    return Reordered(voxels, copy)


def _tidy(_report: Report, _cancelled: Callable[[], bool]) -> None:
    reorder.give_back()
