"""The series beside: read off the GUI thread, for looking only, with a reading of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from resources.problem import Problem
from resources.text import translate
from viewer import logbook, worklist_case
from viewer.beside import Relation, case_to_look_at, relation
from viewer.display.grey import Window
from viewer.session import Case, Reader
from viewer.study.order import StackPlan
from viewer.ui import view_text
from viewer.ui.beside_pane import BesidePane
from viewer.ui.drawn import Drawn
from viewer.ui.file_facts import FileFacts
from viewer.ui.jobs import Job
from viewer.ui.reading import Reading
from viewer.ui.slice_view import SliceView
from viewer.ui.staging import ReadSlices, ShownCase, Telling, read_staged
from viewer.worklist import Study

EMPTY, LOOKING, LOADING, SHOWN, FAILED = "empty", "looking", "loading", "shown", "failed"
_READS = 2  # one that was given up may still be in the middle of a file
_CLOSE_MS = 3000
_MIRRORED = ("text", "crosshair", "graphics", "invert", "patient_hidden")


@dataclass(frozen=True, eq=False)
class _Read:
    """All of a series, with the case to look at it by."""

    slices: ReadSlices
    case: Case


class Beside(QObject):
    """A second series, and the pane that shows it.

    It has its own case, cursor and window; no result of the AI and no work belongs to it.

    Attributes
    ----------
    state
        ``"empty"``, ``"looking"`` for the files of a prior, ``"loading"``, ``"shown"`` or
        ``"failed"``.
    plan
        What is shown or being read, or None.
    study
        The line of the worklist it comes from, or None.
    """

    changed = Signal()

    _shown_by = Signal(int, object)
    _ready_by = Signal(int, int, int)

    def __init__(self, main: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._main = main
        self.reading = Reading(self)
        self._facts = FileFacts(self.reading, self)
        self.reading.keys, self.reading.preferences = main.keys, main.preferences
        self.drawn = Drawn(self.reading, self)
        self.view = SliceView(self.reading, self.drawn)
        self.pane = BesidePane(self.view)
        self.state = EMPTY
        self.plan: StackPlan | None = None
        self.study: Study | None = None
        self.problem: Problem | None = None
        self.progress = (0, 0)
        self._job: Job | None = None
        self._staged: ShownCase | None = None
        self._serial = 0
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(_READS)
        self._shown_by.connect(self._on_shown)
        self._ready_by.connect(self._on_ready)
        self.reading.cursor_moved.connect(self._want_slice)
        main.shown_changed.connect(self._mirror)
        main.case_changed.connect(self._mirror)
        main.tool_changed.connect(self._mirror_tool)
        self.reading.tool_changed.connect(self._hand_back_tool)
        self.pane.show_empty(self._main.keys.name("layout_beside"))

    @property
    def case(self) -> Case | None:
        """What can be seen of it."""
        return self.reading.case

    @property
    def relation(self) -> Relation | None:
        """What it is to the series that is read, or None."""
        case = self._main.case
        if case is None or self.plan is None:
            return None
        return relation(case.series, self.plan.series)

    # ------------------------------------------------------------------- ask

    def show_plan(self, plan: StackPlan, study: Study | None = None) -> None:
        """Read a series and show it."""
        self._leave()
        self.plan, self.study = plan, study
        if plan.refusal is not None:
            self._on_failed(plan.refusal)
            return
        self._set_state(LOADING)
        self.pane.show_busy(translate("beside", "Reading the images…"))
        self._serial += 1
        telling = Telling(
            partial(self._shown_by.emit, self._serial), partial(self._ready_by.emit, self._serial)
        )
        work = partial(_read, plan, Reader(self._reader_name()), telling)
        self._start(work, self._on_read)

    def show_study(self, study: Study) -> None:
        """Look for the files of a line of the worklist, read them and show them."""
        self._leave()
        self.study = study
        self._set_state(LOOKING)
        self.pane.show_busy(translate("beside", "Looking for the files…"))
        self._start(partial(_find, study), self._on_found)

    def close_series(self) -> None:
        """Show nothing; the images leave the memory."""
        if self.state != EMPTY:
            self._leave()
            self._set_state(EMPTY)
            self.pane.show_empty(self._main.keys.name("layout_beside"))

    def close(self) -> None:
        """Stop and wait for the threads."""
        self.close_series()
        self.drawn.close()
        self._facts.close()
        self._pool.waitForDone(_CLOSE_MS)

    def set_plane(self, name: str) -> None:
        """Show another plane of the series."""
        if name in self.reading.planes:
            self.view.set_plane(self.reading.planes[name])
            said = translate("beside", "{plane}, series beside")
            self.view.setAccessibleName(said.format(plane=view_text.plane_name(name)))
            self.changed.emit()

    # ---------------------------------------------------------------- answers

    def _reader_name(self) -> str:
        return self._main.case.reader.name if self._main.case is not None else ""

    def _start(self, work: Callable[..., Any], done: Callable[[Any], None]) -> None:
        self._job = Job(work, self)
        self._job.progressed.connect(self._on_progress)
        self._job.succeeded.connect(done)
        self._job.failed.connect(self._on_failed)
        self._job.ended.connect(self._on_end)
        self._job.start(self._pool)

    def _leave(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job = self._staged = None
        self._serial += 1
        self.plan = self.study = self.problem = None
        self.progress = (0, 0)
        if self.reading.case is not None:
            self.view.abort_gesture()
            self.reading.set_case(None)

    def _set_state(self, state: str) -> None:
        self.state = state
        self.changed.emit()

    @Slot(object)
    def _on_found(self, plan: object) -> None:
        assert isinstance(plan, StackPlan)
        self.show_plan(plan, self.study)

    @Slot(int, object)
    def _on_shown(self, serial: int, shown: object) -> None:
        if serial != self._serial or not isinstance(shown, ShownCase):
            return
        self._staged = shown
        before = self.reading.case
        if before is not None and before.is_being_read:
            self.reading.complete_case(shown.case)  # the same, as another type
        else:
            self._show_case(shown.case, shown.window)
        self._want_slice()

    @Slot(int, int, int)
    def _on_ready(self, serial: int, first: int, last: int) -> None:
        if serial == self._serial:
            self.view.on_slices(first, last)

    @Slot(int, int)
    def _on_progress(self, done: int, total: int) -> None:
        if self.state == LOADING:
            self.progress = (done, total)
            self.pane.show_progress(done, total)
            self.changed.emit()

    @Slot(object)
    def _on_read(self, read: object) -> None:
        assert isinstance(read, _Read)
        self._staged = None
        self.plan = read.case.plan
        if self.reading.case is not None:
            self.reading.complete_case(read.case)
        else:
            self._show_case(read.case, read.slices.window)
        self._set_state(SHOWN)

    def _show_case(self, case: Case, window: Window) -> None:
        reading, main = self.reading, self._main.case
        reading.set_case(case, window)
        if main is not None and case.volume.unit and case.volume.unit == main.volume.unit:
            reading.set_window(self._main.window)  # two of one unit are compared in one window
        self._mirror()
        self._mirror_tool()
        self.pane.show_view()
        self.set_plane(reading.plane_order()[0])

    @Slot(object)
    def _on_failed(self, problem: Problem) -> None:
        plan, study = self.plan, self.study
        self._leave()
        self.plan, self.study, self.problem = plan, study, problem
        logbook.note_problem(problem)
        self.pane.show_failed(problem)
        self._set_state(FAILED)

    @Slot()
    def _on_end(self) -> None:
        if self.sender() is self._job:
            self._job = None

    def _want_slice(self) -> None:
        """Have the slice read next that is looked at."""
        case = self.reading.case
        if self._staged is not None and case is not None and case.is_being_read:
            k = round(self.reading.cursor_kji()[0])
            if not case.slices.has(k):
                self._staged.staged.want(k)

    # ----------------------------------------------------------------- mirror

    def _mirror(self) -> None:
        """Show text, crosshair, overlays and inversion as the open series does."""
        shown = self._main.shown
        wanted = {name: getattr(shown, name) for name in _MIRRORED}
        if any(getattr(self.reading.shown, name) != on for name, on in wanted.items()):
            self.reading.show(**wanted)

    def _mirror_tool(self) -> None:
        # One that changes work is taken over too: whoever presses is told why nothing happens.
        tool = self._main.tool
        self.reading.set_tool("window" if tool == "rotate" else tool)

    def _hand_back_tool(self) -> None:
        """Let the window tool follow a region here as it does in the open series."""
        if self.reading.tool == "window" and self._main.tool == "region":
            self._main.set_tool("window")


def _read(
    plan: StackPlan,
    reader: Reader,
    telling: Telling,
    report: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> _Read:
    slices = read_staged(0, plan, reader, telling, report, cancelled)
    return _Read(slices, case_to_look_at(slices.plan, slices.volume, reader, slices.failed))


def _find(
    study: Study, _report: Callable[[int, int], None], cancelled: Callable[[], bool]
) -> StackPlan:
    """Return the volume of a line of the worklist.

    Raises
    ------
    Problem
        When it is not where it was.
    """
    _, plans = worklist_case.volumes_of(study, cancelled)
    number = worklist_case.find(study, plans)
    if number is None:
        number = worklist_case.find_source(study, plans)
    if number is None:
        raise Problem(
            translate("beside", "This study is not among the images found there."),
            translate("beside", "Open it from the worklist, where its folder can be located."),
        )
    return plans[number]
