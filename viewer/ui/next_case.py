"""The next case of the queue, whose images are read while this one is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThreadPool, QTimer, Slot

from resources.problem import Problem
from resources.text import translate
from viewer import memory
from viewer.study.order import StackPlan
from viewer.ui import batch_jobs
from viewer.ui.batch_jobs import ReadStudy
from viewer.ui.jobs import Job
from viewer.worklist import Study

if TYPE_CHECKING:
    from viewer.ui.batch_flow import BatchFlow
    from viewer.ui.main_window import MainWindow

# The reader's own case comes first: its reformats, thumbnails and first scrolling.
_BEGIN_MS = 2000
_CLOSE_MS = 3000


class NextCase(QObject):
    """Knows which study of the queue is next and has it ready, where memory allows.

    Next is, round the queue from the open one on, the first study that is analysed and not
    reviewed; when there is none, the first one that waits to be analysed.
    """

    def __init__(self, window: MainWindow, batch: BatchFlow) -> None:
        super().__init__(window)
        self._window, self._batch = window, batch
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._job: Job | None = None
        self._of = ""  # case key of what is read, or was tried, ahead
        self.ready: ReadStudy | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_BEGIN_MS)
        self._timer.timeout.connect(self.read_ahead)

    def attach(self) -> None:
        """Follow the window once it is made."""
        self._window.reading.case_changed.connect(self._on_case)
        self._batch.changed.connect(self._on_queue)

    # ------------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what the keys of this room do."""
        return {"next_case": self.open}

    def reasons(self) -> Mapping[str, str]:
        """Return why there is no next case."""
        none = translate("batch", "No other study of the queue waits for its reader.")
        return {"next_case": "" if self.study is not None else none}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    # ------------------------------------------------------------------- which

    @property
    def study(self) -> Study | None:
        """The study that is next, or None."""
        if not hasattr(self._window, "worklist"):
            return None
        keeper, case = self._window.worklist.keeper, self._window.reading.case
        open_key = case.key if case is not None else ""
        items = self._batch.items
        at = next((n for n, item in enumerate(items) if item.case_key == open_key), -1)
        waiting: Study | None = None
        for item in (*items[at + 1 :], *items[: at + 1]):
            study = keeper.study(item.case_key)
            if study is None or item.case_key in (open_key, *keeper.missing):
                continue
            if item.state == "done" and study.state in ("ai", "new"):
                return study
            if item.state == "waiting" and waiting is None:
                waiting = study
        return waiting

    def open(self) -> None:
        """Open the next case of the queue, at once when its images are there."""
        study = self.study
        if study is None:
            return
        ready, self.ready = self.ready, None
        self._give_up()
        if ready is not None and ready.study.case_key == study.case_key:
            self._window.worklist.open_read(study, ready.found, ready.slices)
        else:
            self._window.worklist.open_from_anywhere(study)

    # ------------------------------------------------------------------- ahead

    def _on_case(self) -> None:
        case = self._window.reading.case
        if case is None or case.is_being_read:
            self._timer.stop()
        else:
            self._timer.start()

    def _on_queue(self) -> None:
        case = self._window.reading.case
        if case is not None and not case.is_being_read and self._job is None:
            study = self.study
            if study is not None and study.case_key != self._of and not self._timer.isActive():
                self._timer.start()

    @Slot()
    def read_ahead(self) -> None:
        """Begin to read the next study, when there is one and it is not there yet."""
        study = self.study
        if study is None or study.case_key == self._of:
            return
        self._give_up()
        self._of = study.case_key
        self._job = job = Job(partial(batch_jobs.read_study, study, _fits_memory), self)
        job.succeeded.connect(self._on_read)
        job.failed.connect(self._on_not_read)
        job.ended.connect(self._on_end)
        job.start(self._pool)

    @Slot(object)
    def _on_read(self, read: object) -> None:
        if self.sender() is self._job and isinstance(read, ReadStudy):
            self.ready = read

    @Slot(object)
    def _on_not_read(self, _problem: object) -> None:
        """Nobody asked for it: what is wrong is told when it is opened."""

    @Slot()
    def _on_end(self) -> None:
        if self.sender() is self._job:
            self._job = None

    def _give_up(self) -> None:
        self._timer.stop()
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
        self.ready, self._of = None, ""

    def close(self) -> None:
        """Stop reading ahead."""
        self._give_up()
        self._pool.waitForDone(_CLOSE_MS)


def _fits_memory(plan: StackPlan) -> None:
    if not memory.has_room_for(batch_jobs.size_bytes(plan)):
        raise Problem(translate("batch", "There is no memory to read the next study ahead."))
