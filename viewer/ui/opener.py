"""Opening studies off the GUI thread: scan, order, thumbnails, read, journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal, Slot

from inference.volume import Volume
from resources.problem import Problem
from viewer.display.grey import Window
from viewer.second_reading import Which
from viewer.session import Case, Reader
from viewer.study import decode, default_window, order, resample, scan, thumbnail
from viewer.study.cancel import stop_if
from viewer.study.order import StackPlan
from viewer.study.scan import Skipped
from viewer.ui.jobs import Job, Report
from viewer.ui.staging import ReadSlices, ShownCase, Telling, read_staged

_THUMBNAIL_PX = 320
# A read that was given up may still be in the middle of a file when the next one begins.
_READS = 4
_PROGRESS_S = 0.05
_THUMBNAILS_MS = 200
_FIRST_PAINT_S = 0.06


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

    Of one series ``reading``, ``shown`` (a ``ShownCase``: the first slice is there),
    ``slices_ready`` and ``opened`` (all is read, the journal too) or ``failed`` follow each
    other. ``shown`` comes again when the slices turn out to need another type.

    ``saved`` and ``store_failed`` come from the store thread of the open case.
    """

    found = Signal(object)
    thumbnail_ready = Signal(int, object)
    reading = Signal(int)
    shown = Signal(object)
    slices_ready = Signal(int, int)  # first and last of those that came since; 15 times a second
    progressed = Signal(int, int)
    opened = Signal(object)
    failed = Signal(object)
    saved = Signal(int, str)
    store_failed = Signal(object)

    _shown_by = Signal(int, object)
    _ready_by = Signal(int, int, int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._scan: Job | None = None
        self._read: Job | None = None
        self._thumbnails: list[Job] = []
        self._undrawn: list[int] = []
        self._shown: ShownCase | None = None
        self._ahead: ReadSlices | None = None  # of the study that was found last, read ahead
        self._serial = 0
        self._shown_by.connect(self._on_shown)
        self._ready_by.connect(self._on_ready)
        self._reads = QThreadPool(self)
        self._reads.setMaxThreadCount(_READS)
        self._slow = QThreadPool(self)
        self._slow.setMaxThreadCount(1)
        self._one = QThreadPool(self)
        self._one.setMaxThreadCount(1)
        self.study = FoundStudy((), ())
        # Whether who has no part in a case gets a reading of his own; ``viewer.ui.readers`` says.
        self.own_readings: Callable[[], bool] = bool

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
            def told(done: int, total: int) -> None:
                stop_if(cancelled)  # making it takes seconds
                report(done, total)

            return _scan_and_order((make(told),), report, cancelled)

        self._scan = self._job(work, self._on_found)
        self._scan.ended.connect(self._on_scan_end)
        self._scan.start()

    @Slot(object)
    def _on_found(self, study: FoundStudy) -> None:
        self.study = study
        self._undrawn = list(range(len(study.plans)))
        self.found.emit(study)
        if self._read is None:
            self._draw()

    def _draw(self) -> None:
        """Begin with the small pictures; the first slice of a series goes before them."""
        for number in self._undrawn:
            job = Job(partial(_thumbnail, self.study.plans[number]), self)
            job.setProperty("number", number)
            job.succeeded.connect(self._on_thumbnail)
            self._thumbnails.append(job)
            job.start(self._slow)
        self._undrawn = []

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

    def run_alone(self, job: Job) -> None:
        """Start a job that opens a case of its own: never while another one is opened or closed."""
        job.start(self._one)

    def take(self, found: FoundStudy, slices: ReadSlices) -> None:
        """Take a study that was found and read ahead; ``found`` follows, as after a scan."""
        self.cancel()
        self._ahead = slices
        self._on_found(found)

    def open(self, number: int, reader: Reader) -> None:
        """Read one series and its journal."""
        if self._read is not None:
            self._read.cancel()
        plan = self.study.plans[number]
        if plan.refusal is not None:
            self.failed.emit(plan.refusal)
            return
        self._shown = None
        self._serial += 1
        self.reading.emit(number)
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.number == number:
            self._open_case(reader, ahead)
            return
        telling = Telling(
            partial(self._shown_by.emit, self._serial), partial(self._ready_by.emit, self._serial)
        )
        self._read = self._job(
            partial(read_staged, number, plan, reader, telling), partial(self._open_case, reader)
        )
        self._read.ended.connect(self._on_read_end)
        self._read.start(self._reads)

    def open_copy(self, number: int, case: Case, reader: Reader) -> None:
        """Make a regular copy of an irregular stack that is open, and open it."""

        def work(_report: Report, cancelled: Callable[[], bool]) -> OpenedCase:
            volume = resample.resampled(case.volume, cancelled=cancelled)
            plan = resample.plan_of_copy(case.plan, volume)
            window = default_window.first_window(plan, volume.voxels)
            return OpenedCase(number, self._opened_case(plan, volume, reader), window)

        self._start_opening(work)

    def open_reading(self, left: OpenedCase, reader: Reader, *, which: Which) -> None:
        """Open another reading of a case that is being left; its images are there."""
        plan, volume = left.case.plan, left.case.volume

        def work(_report: Report, _cancelled: Callable[[], bool]) -> OpenedCase:
            case = self._opened_case(plan, volume, reader, which=which)
            return OpenedCase(left.number, case, left.window)

        self._start_opening(work)

    def regroup(self, number: int, *, split: bool) -> int:
        """Put the volumes of one series together, in file order, or split it again.

        ``found`` follows; the number of the first of its volumes is returned.
        """
        series = self.study.plans[number].series
        first = next(n for n, plan in enumerate(self.study.plans) if plan.series is series)
        plans = [plan for plan in self.study.plans if plan.series is not series]
        plans[first:first] = order.volumes(series, split=split)
        self.cancel()
        self._on_found(FoundStudy(tuple(plans), self.study.skipped))
        return first

    def want(self, k: int) -> None:
        """Read slice ``k`` of the series that is being read next."""
        if self._shown is not None:
            self._shown.staged.want(k)

    @Slot(int, object)
    def _on_shown(self, serial: int, shown: object) -> None:
        if serial == self._serial and self._read is not None and isinstance(shown, ShownCase):
            self._shown = shown
            # The window draws its first slices: the rest can wait, and small pictures too.
            shown.staged.rest(_FIRST_PAINT_S)
            self.shown.emit(shown)
            QTimer.singleShot(_THUMBNAILS_MS, self, self._draw)

    @Slot(int, int, int)
    def _on_ready(self, serial: int, first: int, last: int) -> None:
        if serial == self._serial and self._read is not None:
            self.slices_ready.emit(first, last)

    def _open_case(self, reader: Reader, slices: ReadSlices) -> None:
        def work(_report: Report, cancelled: Callable[[], bool]) -> OpenedCase:
            stop_if(cancelled)
            case = self._opened_case(
                slices.plan,
                slices.volume,
                reader,
                failed=slices.failed,
                incomplete=slices.incomplete,
            )
            return OpenedCase(slices.number, case, slices.window)

        self._start_opening(work)

    def _opened_case(self, plan: StackPlan, volume: Volume, reader: Reader, **read: Any) -> Case:
        case = Case.open(
            plan.series,
            plan,
            volume,
            reader=reader,
            on_saved=self.saved.emit,
            on_problem=self.store_failed.emit,
            **{"which": None, "own_reading": self.own_readings(), **read},
        )
        begin_with_the_ai(case)
        return case

    def _start_opening(self, work: Callable[[Report, Callable[[], bool]], OpenedCase]) -> None:
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
            self._read = self._shown = None
            self._draw()

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
        self._scan = self._read = self._shown = self._ahead = None
        self._thumbnails = []

    def close(self) -> None:
        """Stop and wait for the threads; what they do is cut short by the cancel."""
        self.cancel()
        self._undrawn = []
        decode.close()  # a frame that takes its time would hold up its thread
        for pool in (self._reads, self._slow, self._one, QThreadPool.globalInstance()):
            pool.waitForDone(3000)


def begin_with_the_ai(case: Case) -> None:
    """Lay the AI results of the first reading under another one that is just begun."""
    empty = not (case.read_only or case.document.runs or case.which == "first")
    if empty and case.folder is not None:
        first = Case.open(
            case.series,
            case.plan,
            case.volume,
            reader=case.reader,
            folder=case.folder.parent.parent,
        )
        first.close()
        for run in first.document.runs:
            case.add_findings(run.findings)


def _scan_and_order(
    paths: tuple[Path, ...], report: Report, cancelled: Callable[[], bool]
) -> FoundStudy:
    told = time.monotonic()

    def progress(done: int, total: int) -> None:
        # Every report is an event of the window: a thousand of them would hold it up.
        nonlocal told
        now = time.monotonic()
        if now - told >= _PROGRESS_S:
            told = now
            report(done, total)

    result = scan.scan(paths, progress=progress, cancelled=cancelled)
    scan.require_images(result, paths)
    plans: list[StackPlan] = []
    for series in result.series:
        stop_if(cancelled)
        plans += order.volumes(series)
    return FoundStudy(tuple(plans), result.skipped)


def _thumbnail(plan: StackPlan, _report: Report, cancelled: Callable[[], bool]) -> object:
    stop_if(cancelled)
    try:
        return thumbnail.thumbnail(plan, _THUMBNAIL_PX)
    except Problem:
        return None  # the card stays black; the reason shows when the series is opened
