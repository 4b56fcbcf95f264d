"""Opening studies off the GUI thread: scan, order, thumbnails, read, journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from resources.problem import Problem
from viewer.display.grey import Window
from viewer.session import Case, Reader
from viewer.study import default_window, order, read, scan, thumbnail
from viewer.study.cancel import stop_if
from viewer.study.order import StackPlan
from viewer.study.scan import Skipped
from viewer.ui.jobs import Job, Report

_THUMBNAIL_PX = 320


@dataclass(frozen=True)
class FoundStudy:
    """What a scan found, in the order of the series rail."""

    plans: tuple[StackPlan, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class OpenedCase:
    """A case that is ready to be read."""

    number: int
    case: Case
    window: Window


class Opener(QObject):
    """Runs the jobs of opening; a later request cancels an earlier one.

    ``saved`` and ``store_failed`` come from the store thread of the open case.
    """

    found = Signal(object)
    thumbnail_ready = Signal(int, object)
    reading = Signal(int)
    progressed = Signal(int, int)
    opened = Signal(object)
    failed = Signal(object)
    saved = Signal(int, str)
    store_failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._scan: Job | None = None
        self._read: Job | None = None
        self._thumbnails: list[Job] = []
        self._slow = QThreadPool(self)
        self._slow.setMaxThreadCount(1)
        self._one = QThreadPool(self)
        self._one.setMaxThreadCount(1)
        self.study = FoundStudy((), ())

    @property
    def busy(self) -> bool:
        """Whether a scan or a read is under way."""
        return any(job is not None for job in (self._scan, self._read))

    # ------------------------------------------------------------------ scan

    def scan(self, paths: Sequence[Path]) -> None:
        """Look for series in files and folders; ``found`` or ``failed`` follows."""
        self.cancel()
        self._scan = self._job(partial(_scan_and_order, tuple(paths)), self._on_found)
        self._scan.ended.connect(self._on_scan_end)
        self._scan.start()

    def scan_sample(self, make: Callable[[Report], Path]) -> None:
        """Make the sample study when it is not there yet, then scan it."""
        self.cancel()

        def work(report: Report, cancelled: Callable[[], bool]) -> FoundStudy:
            return _scan_and_order((make(report),), report, cancelled)

        self._scan = self._job(work, self._on_found)
        self._scan.ended.connect(self._on_scan_end)
        self._scan.start()

    @Slot(object)
    def _on_found(self, study: FoundStudy) -> None:
        self.study = study
        self.found.emit(study)
        for number, plan in enumerate(study.plans):
            job = Job(partial(_thumbnail, plan), self)
            job.setProperty("number", number)
            job.succeeded.connect(self._on_thumbnail)
            self._thumbnails.append(job)
            job.start(self._slow)

    @Slot(object)
    def _on_thumbnail(self, picture: object) -> None:
        job = self.sender()
        if job is not None and picture is not None:
            self.thumbnail_ready.emit(job.property("number"), picture)

    @Slot()
    def _on_scan_end(self) -> None:
        # A cancelled scan may end after the next one has begun.
        if self.sender() is self._scan:
            self._scan = None

    # ------------------------------------------------------------------ read

    def close_case(self, case: Case) -> None:
        """Drain and close a case in the background, before the next one is opened."""
        Job(lambda _report, _cancelled: case.close(), self).start(self._one)

    def open(self, number: int, reader: Reader) -> None:
        """Read one series and its journal."""
        if self._read is not None:
            self._read.cancel()
        plan = self.study.plans[number]
        if plan.refusal is not None:
            self.failed.emit(plan.refusal)
            return
        self.reading.emit(number)

        def work(report: Report, cancelled: Callable[[], bool]) -> OpenedCase:
            volume = read.read(plan, progress=report, cancelled=cancelled)
            window = Window(*default_window.default_window(plan, volume))
            stop_if(cancelled)
            case = Case.open(
                plan.series,
                plan,
                volume,
                reader=reader,
                on_saved=self.saved.emit,
                on_problem=self.store_failed.emit,
            )
            return OpenedCase(number, case, window)

        self._read = self._job(work, self.opened.emit)
        self._read.discarded.connect(self._on_discarded)
        self._read.ended.connect(self._on_read_end)
        # One at a time: a case must be closed before it is opened again.
        self._read.start(self._one)

    @Slot(object)
    def _on_discarded(self, opened: object) -> None:
        if isinstance(opened, OpenedCase):
            opened.case.close()

    @Slot()
    def _on_read_end(self) -> None:
        if self.sender() is self._read:
            self._read = None

    # ---------------------------------------------------------------- common

    def _job(self, work: object, done: object) -> Job:
        job = Job(work, self)  # type: ignore[arg-type]
        job.progressed.connect(self.progressed)
        job.failed.connect(self.failed)
        job.succeeded.connect(done)
        return job

    def cancel(self) -> None:
        """Stop what is under way."""
        for job in (self._scan, self._read, *self._thumbnails):
            if job is not None:
                try:
                    job.cancel()
                except RuntimeError:
                    continue  # it ended and Qt has deleted it
        self._scan = self._read = None
        self._thumbnails = []

    def close(self) -> None:
        """Stop and wait for the threads; what they do is cut short by the cancel."""
        self.cancel()
        for pool in (self._slow, self._one, QThreadPool.globalInstance()):
            pool.waitForDone(3000)


def _scan_and_order(
    paths: tuple[Path, ...], report: Report, cancelled: Callable[[], bool]
) -> FoundStudy:
    result = scan.scan(paths, progress=report, cancelled=cancelled)
    scan.require_images(result, paths)
    plans = []
    for series in result.series:
        stop_if(cancelled)
        plans.append(order.order(series))
    return FoundStudy(tuple(plans), result.skipped)


def _thumbnail(plan: StackPlan, _report: Report, cancelled: Callable[[], bool]) -> object:
    stop_if(cancelled)
    try:
        return thumbnail.thumbnail(plan, _THUMBNAIL_PX)
    except Problem:
        return None  # the card stays black; the reason shows when the series is opened
