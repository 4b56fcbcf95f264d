"""Brings the images that a person looks through, off the GUI thread where a file must be read."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage

from resources.problem import Problem
from viewer.deid.pages import Pages, Pixels, VolumePages, brightest, shown
from viewer.ui.jobs import Job, finish_pools

_WAIT_MS = 5000


class Frames(QObject):
    """One image at a time: what was asked for last is what comes.

    Attributes
    ----------
    busy
        Whether one is being read.
    """

    came = Signal(object, int, object)  # pages, number or -1 for the brightest of all, pixels
    failed = Signal(object)
    progressed = Signal(int, int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._job: Job | None = None
        self._wanted: tuple[Pages, int] | None = None

    @property
    def busy(self) -> bool:
        """Whether an image is on its way."""
        return self._job is not None

    def ask(self, pages: Pages, number: int) -> None:
        """Have an image come; -1 is the brightest of all of the series."""
        if number >= 0 and isinstance(pages, VolumePages):
            self._wanted = None
            self.came.emit(pages, number, pages.pixels(number))
            return
        self._wanted = pages, number
        if self._job is None:
            self._start()
        else:
            self._job.cancel()

    def close(self) -> None:
        """Stop what is under way."""
        self._wanted = None
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(_WAIT_MS)
        finish_pools(self)

    def _start(self) -> None:
        if self._wanted is None:
            return
        pages, number = self._wanted
        self._wanted = None
        job = self._job = Job(partial(_read, pages, number), self)
        job.progressed.connect(self.progressed)
        job.succeeded.connect(self._on_read)
        job.failed.connect(self._on_failed)
        job.ended.connect(self._on_end)
        job.start(self._pool)

    @Slot(object)
    def _on_read(self, found: object) -> None:
        assert isinstance(found, tuple)
        self.came.emit(*found)

    @Slot(object)
    def _on_failed(self, problem: object) -> None:
        assert isinstance(problem, Problem)
        self.failed.emit(problem)

    @Slot()
    def _on_end(self) -> None:
        self._job = None
        self._start()


def _read(pages: Pages, number: int, report: Any, cancelled: Any) -> tuple[Pages, int, Pixels]:
    if number < 0:
        return pages, number, brightest(pages, report, cancelled)
    return pages, number, pages.pixels(number)


def image_of(pixels: Pixels, *, spread: bool) -> QImage:
    """Return pixels as an image of Qt's, with memory of its own."""
    seen = shown(pixels, spread=spread)
    rows, columns = seen.shape[:2]
    kind, wide = (
        (QImage.Format.Format_Grayscale8, columns)
        if seen.ndim == 2
        else (QImage.Format.Format_RGB888, 3 * columns)
    )
    return QImage(seen.tobytes(), columns, rows, wide, kind).copy()
