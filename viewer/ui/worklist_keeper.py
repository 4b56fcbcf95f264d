"""Keeps the worklist up to date with what the window does. The file is touched by jobs only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import (
    QObject,
    QThreadPool,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QImage

from resources.problem import Problem
from viewer import worklist_case
from viewer.ui import view_state, worklist_jobs
from viewer.ui.jobs import Job
from viewer.worklist import State, Study, Worklist

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.study.order import StackPlan
    from viewer.ui.exporter import Exporter
    from viewer.ui.mpr import MprViews
    from viewer.ui.opener import Opener
    from viewer.ui.reading import Reading

_CHANGED_MS = 300
_VIEW_MS = 3000
_CLOSE_MS = 5000
_PICTURES = 500


class WorklistKeeper(QObject):
    """The studies of the list as last read, and the jobs that read and write its file.

    Attributes
    ----------
    studies
        As last read, the one opened last first.
    known
        Whether they were read at all.
    missing
        Case keys of the studies of which no file was found.
    pictures
        Small pictures by case key, as far as they were asked for.
    problem
        Why the list cannot be read or saved, or None.
    """

    changed = Signal()
    noted = Signal(str)
    failed = Signal(object)
    struck = Signal()  # what was taken off the list is off its file too

    def __init__(
        self,
        worklist: Worklist,
        reading: Reading,
        views: MprViews,
        opener: Opener,
        exporter: Exporter,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reading, self._views, self._opener = reading, views, opener
        self._worklist = worklist
        # One at a time, in the order of the calls.
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        # A share that does not answer must hold up nothing else.
        self._looks = QThreadPool(self)
        self._looks.setMaxThreadCount(1)
        self._looking = False
        self.studies: tuple[Study, ...] = ()
        self.known = False
        self.missing: frozenset[str] = frozenset()
        self.pictures: dict[str, QImage | None] = {}
        self.problem: Problem | None = None
        self._serial = 0  # of what was changed here since a list was asked for
        self._given: tuple[Path, ...] = ()
        self._asked: tuple[Path, ...] = ()
        self._restored = ""
        self._drawn: list[tuple[StackPlan, Any]] = []
        self._exporting: tuple[str, str] | None = None
        self._progress: tuple[str, State, str] | None = None
        self._view = ""
        self._change_timer = self._timer(_CHANGED_MS, self._keep_progress)
        self._view_timer = self._timer(_VIEW_MS, self._keep_view)
        opener.found.connect(self._on_found)
        opener.thumbnail_ready.connect(self._on_thumbnail)
        exporter.started.connect(self._on_export_started)
        exporter.ended.connect(self._on_export_ended)
        reading.case_leaving.connect(self._on_leaving)
        reading.case_changed.connect(self._on_case)
        reading.document_changed.connect(self._on_document)
        reading.threshold_changed.connect(self._on_document)
        for signal in (
            reading.cursor_moved,
            reading.window_changed,
            reading.shown_changed,
            reading.threshold_changed,
        ):
            signal.connect(self._on_shown)
        self.refresh()

    def _timer(self, wait_ms: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(wait_ms)
        timer.timeout.connect(act)
        return timer

    # ------------------------------------------------------------------- asking

    def study(self, case_key: str) -> Study | None:
        """Return one study of the list as last read."""
        return next((study for study in self.studies if study.case_key == case_key), None)

    @property
    def given(self) -> tuple[Path, ...]:
        """What the reader opened to find the studies that were found last."""
        return self._given

    def asked(self, paths: Sequence[Path]) -> None:
        """Remember what the reader opens now: what is found next was found there."""
        self._asked = tuple(paths)

    def refresh(self) -> None:
        """Read the list again; another Overread may have changed it."""
        self._do(lambda: self._worklist.studies(), self._on_studies)

    def look_for_files(self) -> None:
        """Find out which studies are no longer where they were."""
        if self._looking or not self.studies:
            return
        self._looking = True
        job = Job(partial(worklist_jobs.missing, self.studies), self)
        job.succeeded.connect(self._on_missing)
        job.ended.connect(self._on_looked)
        job.start(self._looks)

    def find_files(self, study: Study, answer: Callable[[bool], None]) -> None:
        """Tell ``answer``, in the GUI thread, whether anything of a study is where it was."""

        def tell(missing: object) -> None:
            assert isinstance(missing, frozenset)
            self.missing = (self.missing - {study.case_key}) | missing
            self.changed.emit()
            answer(not missing)

        job = _Answer(partial(worklist_jobs.missing, (study,)), tell, self)
        # In the shared pool: the other one may wait for a share that does not answer.
        job.start()

    def want_pictures(self, case_keys: Sequence[str]) -> None:
        """Read the pictures of some studies; ``changed`` follows."""
        keys = [key for key in case_keys if key not in self.pictures]
        if keys:
            if len(self.pictures) > _PICTURES:
                self.pictures.clear()  # what is in sight is asked for again
            self.pictures.update(dict.fromkeys(keys))
            read = self._worklist.thumbnails
            self._do(lambda: worklist_jobs.decoded(read(keys)), self._on_pictures)

    def set_state(self, case_key: str, state: State) -> None:
        """Note how far a study is that was worked on in the background."""
        self._renew(case_key, state=state)
        self._do(lambda: self._worklist.changed(case_key, state), self._on_written)

    def forget(self, case_key: str) -> None:
        """Take a study off the list; its corrections stay."""
        self.studies = tuple(study for study in self.studies if study.case_key != case_key)
        self._serial += 1
        self.pictures.pop(case_key, None)
        self._do(lambda: self._worklist.forget(case_key), self._on_struck)
        self.changed.emit()

    def clear(self) -> None:
        """Take all studies off the list; their corrections stay."""
        self.studies = ()
        self._serial += 1
        self.pictures.clear()
        self._do(self._worklist.clear, self._on_struck)
        self.changed.emit()

    def close(self) -> None:
        """Write what is left and wait for it; harmless when nothing is open."""
        self._change_timer.stop()
        self._view_timer.stop()
        for pool in (self._pool, self._looks):
            pool.waitForDone(_CLOSE_MS)

    # --------------------------------------------------------------------- case

    @property
    def _case(self) -> Case | None:
        """The open case, when all of it is there."""
        case = self._reading.case
        return None if case is None or case.is_being_read else case

    @Slot(object)
    def _on_found(self, _study: object) -> None:
        self._given = self._asked
        self._drawn = []

    def _on_case(self) -> None:
        self._change_timer.stop()
        self._view_timer.stop()
        case = self._reading.case
        if case is None:
            self._restored = ""
            return
        listed = self.study(case.key)
        view = listed.view if listed is not None else ""
        # Where a reader looked who had seen the AI is where it has found something.
        locked = self._reading.ai_locked
        if self._restored != case.key and not locked:
            self._restored = case.key
            view_state.restore_images(view, self._reading, self._views)
        if case.is_being_read:
            return  # its reader moves about already; the rest is for the case that is complete
        if not locked:
            view_state.restore_findings(view, self._reading)
        self._view = view_state.capture(self._reading, self._views)
        state, mark = worklist_case.progress_of(case, listed.exported_mark if listed else "")
        self._progress = (case.key, state, mark)
        plans, given = self._opener.study.plans, self._given
        self._do(
            partial(worklist_jobs.list_case, self._worklist, case, state, plans, given),
            self._on_studies,
        )
        self._keep_picture(case)

    def _on_leaving(self) -> None:
        self._restored = ""
        if self._change_timer.isActive():
            self._keep_progress()
        self._keep_view()

    def _on_document(self, *_anything: object) -> None:
        if self._case is not None:
            self._change_timer.start()

    def _on_shown(self, *_anything: object) -> None:
        if self._case is not None and not self._view_timer.isActive():
            self._view_timer.start()

    def _keep_view(self) -> None:
        case = self._case
        view = view_state.capture(self._reading, self._views)
        if case is None or view == self._view:
            return
        self._view = view
        self._renew(case.key, view=view)
        self._do(lambda: self._worklist.left(case.key, view), self._on_written)

    def _keep_progress(self) -> None:
        case = self._case
        if case is None:
            return
        listed = self.study(case.key)
        state, mark = worklist_case.progress_of(case, listed.exported_mark if listed else "")
        if (case.key, state, mark) == self._progress:
            return
        told = self._progress is not None and self._progress[:2] == (case.key, state)
        self._progress = (case.key, state, mark)
        if not told:
            self._renew(case.key, state=state)
            self._do(lambda: self._worklist.changed(case.key, state), self._on_written)

    # ------------------------------------------------------------------- export

    def _on_export_started(self) -> None:
        case = self._reading.case
        if case is not None:
            self._exporting = (case.key, worklist_case.mark_of(case.document))

    def _on_export_ended(self, folder: object, _problem: object) -> None:
        exported, self._exporting = self._exporting, None
        if folder is None or exported is None:
            return
        key, mark = exported
        case, listed = self._reading.case, self.study(key)
        state: State = "exported"
        if case is not None and case.key == key:
            # What was changed while it was written is not in the export.
            state, now = worklist_case.progress_of(case, mark)
            self._progress = (key, state, now)
        elif listed is not None and self._progress is not None:
            state = "exported" if self._progress == (key, listed.state, mark) else listed.state
        self._renew(key, state=state, exported_mark=mark)
        self._do(lambda: self._worklist.changed(key, state, exported_mark=mark), self._on_written)

    # ------------------------------------------------------------------ picture

    @Slot(int, object)
    def _on_thumbnail(self, number: int, picture: object) -> None:
        self._drawn.append((self._opener.study.plans[number], picture))
        case = self._case
        if case is not None:
            self._keep_picture(case)

    def _keep_picture(self, case: Case) -> None:
        own = [picture for plan, picture in self._drawn if plan is case.plan]
        # A copy of the slices has no picture of its own.
        uid = case.series.series_uid
        series = [picture for plan, picture in self._drawn if plan.series.series_uid == uid]
        picture = next(iter(own or series), None)
        if picture is None or (not own and self.pictures.get(case.key) is not None):
            return
        self._drawn = [(plan, drawn) for plan, drawn in self._drawn if plan is not case.plan]
        image = worklist_jobs.small(np.asarray(picture))
        self.pictures[case.key] = image
        key, keep = case.key, self._worklist.pictured
        self._do(lambda: keep(key, worklist_jobs.png(image)), self._on_written)

    # ------------------------------------------------------------------ answers

    def _renew(self, case_key: str, **values: Any) -> None:
        self.studies = tuple(
            replace(study, **values) if study.case_key == case_key else study
            for study in self.studies
        )
        self._serial += 1
        self.changed.emit()

    def _do(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        job = Job(partial(worklist_jobs.run, work), self)
        job.setProperty("serial", self._serial)
        job.succeeded.connect(done)
        job.failed.connect(self._on_failed)
        job.start(self._pool)

    @Slot(object)
    def _on_studies(self, studies: object) -> None:
        assert isinstance(studies, tuple)
        self.known = True
        self._on_written(None)
        job = self.sender()
        if job is not None and job.property("serial") != self._serial:
            self.refresh()  # read before something was taken off, it would bring that back
            return
        if studies != self.studies:
            self.studies = studies
        self.changed.emit()

    @Slot(object)
    def _on_written(self, _result: object) -> None:
        self.problem = None
        notice = self._worklist.take_notice()
        if notice is not None:
            self.noted.emit(notice)

    @Slot(object)
    def _on_struck(self, result: object) -> None:
        self._on_written(result)
        self.struck.emit()

    @Slot(object)
    def _on_pictures(self, pictures: object) -> None:
        assert isinstance(pictures, dict)
        self.pictures.update(pictures)
        self.changed.emit()

    @Slot(object)
    def _on_missing(self, missing: object) -> None:
        assert isinstance(missing, frozenset)
        if missing != self.missing:
            self.missing = missing
            self.changed.emit()

    @Slot()
    def _on_looked(self) -> None:
        self._looking = False

    @Slot(object)
    def _on_failed(self, problem: object) -> None:
        assert isinstance(problem, Problem)
        self.known = True
        # Once: it hinders no reading, and every change would say it again.
        first, self.problem = self.problem is None, problem
        if first:
            self.failed.emit(problem)
        self.changed.emit()


class _Answer(QObject):
    """A job whose answer goes to a callable; a slot, so that it runs in the GUI thread."""

    def __init__(self, work: Any, tell: Callable[[object], None], parent: QObject) -> None:
        super().__init__(parent)
        self._tell = tell
        self._job = Job(work, self)
        self._job.succeeded.connect(self._on_success)
        self._job.ended.connect(self.deleteLater)

    def start(self) -> None:
        self._job.start()

    @Slot(object)
    def _on_success(self, result: object) -> None:
        self._tell(result)
