"""The queue in the background: it reads, analyses and keeps one study after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal, Slot

from inference.findings import Findings
from inference.protocol import Progress
from resources.problem import Problem
from resources.text import translate
from viewer import logbook
from viewer.batch import Batch, Item, State
from viewer.stages import stage_text
from viewer.ui import batch_jobs, worklist_jobs
from viewer.ui.batch_jobs import ReadStudy, Refused
from viewer.ui.engine import Task
from viewer.ui.jobs import Job
from viewer.ui.run_clock import RunClock
from viewer.worklist import Study, Worklist

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow

log = logging.getLogger(__name__)

_PAUSED = "batch_paused"
_AGAIN_MS = 1500
_CLOSE_MS = 5000


@dataclass(frozen=True, eq=False)
class _Result:
    """What the model said of a study, until its journal has it."""

    read: ReadStudy
    findings: Findings


class BatchFlow(QObject):
    """Works the queue off, one study at a time, always behind what a reader asks for.

    Attributes
    ----------
    items
        As last read, in their order.
    running
        Case key of the study that is at work, or empty.
    paused
        Whether the reader has stopped it.
    clock
        How long the run still takes.
    """

    changed = Signal()
    told = Signal(str)
    failed = Signal(object)  # a Problem with the queue itself

    def __init__(self, window: MainWindow, worklist: Worklist) -> None:
        super().__init__(window)
        self._window = window
        self._worklist = worklist
        self._batch = Batch(worklist)
        self._files = QThreadPool(self)  # the queue's file: one call after the other
        self._files.setMaxThreadCount(1)
        self._reads = QThreadPool(self)
        self._reads.setMaxThreadCount(1)
        self.clock = RunClock(window.settings, self)
        self.clock.told.connect(lambda _text: self.changed.emit())
        self.items: tuple[Item, ...] = ()
        self.running = ""
        self.paused = window.settings.text(_PAUSED) == "on"
        self._step = ""
        self._reading: Job | None = None
        self._task: Task | None = None
        self._held: list[_Result] = []
        self._keeping = False
        self._gone: frozenset[str] = frozenset()
        self._closed = False
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self._keep_held)

    def attach(self) -> None:
        """Follow the window once it is made; what waited at the last end goes on."""
        window = self._window
        window.reading.case_changed.connect(self._on_case)
        window.ai.found.connect(self._on_found_by_reader)
        window.worklist.keeper.changed.connect(self._on_list)
        window.worklist.keeper.struck.connect(self._on_struck)
        self.told.connect(window.status.hint)
        self.failed.connect(window.message.show_problem)
        self._do(self._batch.items)

    def _on_list(self) -> None:
        """Drop what was taken off the worklist; its rows in the queue went with it."""
        listed = {study.case_key for study in self._window.worklist.keeper.studies}
        gone = frozenset(item.case_key for item in self.items) - listed
        if gone and gone != self._gone:
            self._do(self._batch.items)
            if self.running in gone:
                self._stop()
        self._gone = gone
        self._go_on()

    @Slot()
    def _on_struck(self) -> None:
        # What was read meanwhile may have been the file of before.
        self._do(self._batch.items)

    # ------------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what the keys of this room do."""
        return {"batch": self.analyse_chosen, "batch_pause": self.toggle_pause}

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now."""
        why = (
            ""
            if self._window.ai.pack is not None
            else translate("window", "No model is installed.")
        )
        worklist = getattr(self._window, "worklist", None)  # it is made after the rooms
        if not why and (worklist is None or not worklist.listing):
            why = translate("batch", "Choose studies in the worklist first.")
        waiting = any(item.state == "waiting" for item in self.items)
        nothing = translate("batch", "No study waits to be analysed.")
        return {"batch": why, "batch_pause": "" if waiting or self.paused else nothing}

    def checked(self) -> Mapping[str, bool]:
        """Return whether the queue is paused."""
        return {"batch_pause": self.paused}

    # ------------------------------------------------------------------- changing it

    def analyse_chosen(self) -> None:
        """Let the chosen lines of the worklist wait for the model."""
        chosen = self._window.worklist.page.chosen
        self.add([study.case_key for study in chosen])

    def add(self, case_keys: Sequence[str]) -> None:
        """Let studies wait at the end of the queue."""
        if case_keys:
            self._do(partial(self._batch.add, tuple(case_keys)))
            self.told.emit(
                translate("batch", "Analysed in the background: {n} more.").format(n=len(case_keys))
            )

    def add_folders(self, paths: Sequence[Path]) -> None:
        """Let every study below some folders wait."""
        pack = self._window.ai.pack
        if pack is None:
            return
        self.told.emit(translate("batch", "Looking for studies…"))
        job = Job(partial(batch_jobs.list_folder, self._worklist, pack, tuple(paths)), self)
        job.succeeded.connect(self._on_listed)
        job.failed.connect(self.failed)
        job.start(self._reads)

    @Slot(object)
    def _on_listed(self, keys: object) -> None:
        assert isinstance(keys, tuple)
        self._window.worklist.keeper.refresh()
        if keys:
            self.add(keys)
        else:
            self.told.emit(translate("batch", "All of it is analysed already."))

    def remove(self, case_keys: Sequence[str]) -> None:
        """Take studies out of the queue; one that is at work is stopped."""
        self._do(partial(self._batch.remove, tuple(case_keys)))
        self.items = tuple(item for item in self.items if item.case_key not in case_keys)
        self._held = [one for one in self._held if one.read.study.case_key not in case_keys]
        if self.running in case_keys:
            self._stop()
        self.changed.emit()

    def move(self, case_key: str, by: int) -> None:
        """Let a study that waits go earlier (-1) or later (1)."""
        self._do(partial(self._batch.move, case_key, by))

    def forget_ended(self) -> None:
        """Take out what is through."""
        self.remove([item.case_key for item in self.items if item.state != "waiting"])

    def toggle_pause(self) -> None:
        """Stop the queue, the run under way too, or let it go on."""
        self.paused = not self.paused
        self._window.settings.put(_PAUSED, "on" if self.paused else "off")
        if self.paused:
            self._stop()
        self.changed.emit()
        self._go_on()

    def item(self, case_key: str) -> Item | None:
        """Return one study of the queue."""
        return next((item for item in self.items if item.case_key == case_key), None)

    @property
    def held(self) -> frozenset[str]:
        """Case keys of the studies whose result waits until they are closed."""
        return frozenset(one.read.study.case_key for one in self._held)

    @property
    def step(self) -> str:
        """What is done with the study at work, in words; empty without one."""
        return self._step

    @property
    def percent(self) -> int | None:
        """Share of its stage that is done, or None when that is not known."""
        last = self._task.last if self._task is not None else None
        return 100 * last.done // last.total if last is not None and last.total > 1 else None

    def close(self) -> None:
        """Stop; what is not done waits at the next start."""
        self._closed = True
        self._again.stop()
        self._stop()
        for pool in (self._reads, self._files):
            pool.waitForDone(_CLOSE_MS)

    # ------------------------------------------------------------------- its file

    def _do(self, work: Callable[[], Any]) -> None:
        job = Job(partial(worklist_jobs.run, work), self)
        job.succeeded.connect(self._on_items)
        job.failed.connect(self._on_no_file)
        job.start(self._files)

    @Slot(object)
    def _on_items(self, items: object) -> None:
        assert isinstance(items, tuple)
        self.items = items
        self.changed.emit()
        self._go_on()

    @Slot(object)
    def _on_no_file(self, problem: object) -> None:
        self.paused = True  # without its file nothing that is done would be known as done
        self.failed.emit(problem)
        self.changed.emit()

    def _mark(self, case_key: str, state: State, reason: str = "") -> None:
        self.items = tuple(
            Item(case_key, state, reason) if item.case_key == case_key else item
            for item in self.items
        )
        self._do(partial(self._batch.mark, case_key, state, reason))

    # ------------------------------------------------------------------- working it off

    def _next(self) -> Study | None:
        """Return the first study that waits and that nobody reads just now."""
        case = self._window.reading.case
        open_key = case.key if case is not None else ""
        keeper = self._window.worklist.keeper
        for item in self.items:
            if item.state == "waiting" and item.case_key not in (open_key, *self.held):
                study = keeper.study(item.case_key)
                if study is not None:
                    return study
        return None

    def _go_on(self) -> None:
        pack = self._window.ai.pack
        if self.paused or self._closed or self.running or self._reading or pack is None:
            return
        study = self._next()
        if study is None:
            return
        self.running = study.case_key
        self._step = translate("batch", "Reading the images")
        self._reading = job = Job(partial(batch_jobs.read_for, pack, study), self)
        job.succeeded.connect(self._on_read)
        job.failed.connect(self._on_not_read)
        job.ended.connect(self._on_read_end)
        job.start(self._reads)
        self.changed.emit()

    @Slot()
    def _on_read_end(self) -> None:
        if self.sender() is self._reading:
            self._reading = None
            self._go_on()

    @Slot(object)
    def _on_not_read(self, problem: object) -> None:
        assert isinstance(problem, Problem)
        key = self._end_work()
        if isinstance(problem, Refused):
            self._mark(key, "refused", problem.sentence)
        else:
            logbook.note_problem(problem)
            self._mark(key, "failed", str(problem))

    @Slot(object)
    def _on_read(self, read: object) -> None:
        assert isinstance(read, ReadStudy)
        self._ask(read)

    def _ask(self, read: ReadStudy) -> None:
        ai = self._window.ai
        assert ai.pack is not None
        volume = read.slices.volume
        task = ai.engine.run_of(volume, ai.pack, ai.device, behind=True)
        self._task = task
        self._step = translate("batch", "Waiting for the model")
        task.progressed.connect(self._on_progress)
        task.succeeded.connect(lambda findings: self._on_success(task, read, findings))
        task.failed.connect(lambda problem: self._on_failure(task, problem))
        task.cancelled.connect(lambda: self._on_cancelled(task, read))
        self.clock.begin(task, ai.device_name(), volume)
        self.changed.emit()

    @Slot(object)
    def _on_progress(self, step: object) -> None:
        if isinstance(step, Progress) and self._task is not None:
            self._step = stage_text(step)
            self.changed.emit()

    def _on_success(self, task: Task, read: ReadStudy, findings: object) -> None:
        if task is not self._task or not isinstance(findings, Findings):
            return
        self._end_work()
        self._held.append(_Result(read, findings))
        self._keep_held()
        self._go_on()

    def _on_failure(self, task: Task, problem: object) -> None:
        if task is not self._task or not isinstance(problem, Problem):
            return
        key = self._end_work()
        logbook.note_problem(problem)
        self._mark(key, "failed", str(problem))

    def _on_cancelled(self, task: Task, read: ReadStudy) -> None:
        if task is self._task:  # a reader asked for something: it is asked again, behind that
            self._task = None
            self._ask(read)

    def _end_work(self) -> str:
        key, self.running = self.running, ""
        self._task = None
        self._step = ""
        return key

    def _stop(self) -> None:
        """Stop what is at work; it waits as before."""
        task, job = self._task, self._reading
        self._end_work()
        if task is not None:
            task.cancel()
        if job is not None:
            job.cancel()

    # ------------------------------------------------------------------- keeping results

    def _keep_held(self) -> None:
        """Lay the first result into its journal whose case nobody has open here."""
        if self._keeping or self._closed:
            return
        case = self._window.reading.case
        open_key = case.key if case is not None else ""
        free = (one for one in self._held if one.read.study.case_key != open_key)
        result = next(free, None)
        if result is None:
            self.changed.emit()
            return
        self._keeping = True
        listed = self._window.worklist.keeper.study(result.read.study.case_key)
        mark = listed.exported_mark if listed is not None else ""
        keep = partial(batch_jobs.keep, self._batch, result.read, result.findings, mark)
        job = Job(keep, self)
        job.succeeded.connect(lambda state: self._on_kept(result, state))
        job.failed.connect(lambda problem: self._on_not_kept(result, problem))
        # Where cases are opened and closed too, one after the other: it finds none half open.
        self._window.opener.run_alone(job)

    def _on_kept(self, result: _Result, state: object) -> None:
        self._keeping = False
        if state is None:  # open in another Overread, or just being opened here
            self._again.start()
            self.changed.emit()
            return
        key = result.read.study.case_key
        if result in self._held:
            self._held.remove(result)
            self._mark(key, "done")
        self._window.worklist.keeper.set_state(key, state)  # type: ignore[arg-type]
        self._keep_held()

    def _on_not_kept(self, result: _Result, problem: object) -> None:
        self._keeping = False
        assert isinstance(problem, Problem)
        logbook.note_problem(problem)
        if result in self._held:
            self._held.remove(result)
            self._mark(result.read.study.case_key, "failed", str(problem))
        self._keep_held()

    def _on_case(self) -> None:
        if self._held:
            self._again.start()
        self._go_on()

    @Slot()
    def _on_found_by_reader(self) -> None:
        """Strike off a study that its reader has had analysed himself."""
        case = self._window.reading.case
        item = self.item(case.key) if case is not None else None
        if item is None or item.state != "waiting":
            return
        self._held = [one for one in self._held if one.read.study.case_key != item.case_key]
        if self.running == item.case_key:
            self._stop()
        self._mark(item.case_key, "done")
