"""From a dropped folder to an open case: what the window shows on the way."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from resources.problem import Problem
from resources.text import translate
from viewer.beside import day_text
from viewer.imports.likely import is_outline
from viewer.second_reading import Which
from viewer.study.order import StackPlan
from viewer.study.resample import can_resample
from viewer.study.volumes import UNSPLIT
from viewer.ui import counts
from viewer.ui.opener import FoundStudy, OpenedCase, Opener
from viewer.ui.rail import SeriesCard
from viewer.ui.staging import ReadSlices, ShownCase
from viewer.ui.who import reader_of

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow


class StudyFlow(QObject):
    """Drives the opener and tells rail, stage, message bar and status line how it goes.

    Attributes
    ----------
    current
        Number in the rail of the series that is open or being read, or None.
    """

    def __init__(self, window: MainWindow, opener: Opener) -> None:
        super().__init__(window)
        self._window = window
        self._opener = opener
        self.current: int | None = None
        self._left_out = ""
        opener.found.connect(self._on_found)
        opener.thumbnail_ready.connect(self._on_thumbnail)
        opener.reading.connect(self._on_reading)
        opener.shown.connect(self._on_shown)
        opener.slices_ready.connect(self._on_slices)
        opener.progressed.connect(self._on_progress)
        window.reading.cursor_moved.connect(self._want_slice)
        opener.opened.connect(self._on_opened)
        opener.failed.connect(self._on_failed)
        opener.saved.connect(lambda _seq, _utc: window.panel.corrections.refresh())
        opener.store_failed.connect(window.message.show_problem)
        window.rail.menu_asked.connect(self.show_menu)

    # ------------------------------------------------------------------- ask

    def open_paths(self, paths: list[Path]) -> None:
        """Look for series in files and folders and open the best one."""
        if not self._window.everything_saved():
            return
        self._leave_half_read()
        self._show_loading(translate("window", "Looking for images…"))
        self._opener.scan(paths)

    def open_read(self, found: FoundStudy, slices: ReadSlices) -> None:
        """Open a study that was read ahead."""
        if not self._window.everything_saved():
            return
        self._leave_half_read()
        self._show_loading(translate("window", "Reading the images…"))
        self._opener.take(found, slices)

    def open_sample(self) -> None:
        """Open the synthetic chest CT, made on first use."""
        from viewer.phantom.sample import sample_study

        if not self._window.everything_saved():
            return
        self._leave_half_read()
        self._show_loading(translate("window", "Making the synthetic sample study…"))
        self._opener.scan_sample(lambda report: sample_study(progress=report))

    def open_series(self, number: int) -> None:
        """Read one series of the rail."""
        window = self._window
        case = window.reading.case
        if number == self.current and case is not None and not case.plan.resampled:
            return
        refusal = self._opener.study.plans[number].refusal
        if refusal is not None:
            window.message.show_problem(refusal)
            return
        if not window.everything_saved():
            return
        window.message.hide()
        self._leave_case()
        self.current = number
        self._opener.open(number, reader_of(window.settings))

    def open_copy(self) -> None:
        """Open a regular copy of the irregular slices that are open."""
        window = self._window
        case, number = window.reading.case, self.current
        if case is None or number is None or not can_resample(case.plan):
            return
        self._show_loading(translate("window", "Making a regular copy…"))
        self._opener.open_copy(number, case, reader_of(window.settings))

    def open_reading(self, which: Which) -> None:
        """Open another reading of the case that is open."""
        window = self._window
        case, number = window.reading.case, self.current
        if case is None or number is None or not window.everything_saved():
            return
        shown = window.reading.window
        self._leave_case()
        self.current = number
        self._show_loading(translate("window", "Opening the other reading…"))
        reader = reader_of(window.settings)
        self._opener.open_reading(OpenedCase(number, case, shown), reader, which=which)

    def show_menu(self, number: int, where: QPoint) -> None:
        """Offer what can be done with a series of the rail."""
        menu = self.menu_of(number)
        menu.popup(where)
        menu.aboutToHide.connect(menu.deleteLater)

    def menu_of(self, number: int) -> QMenu:
        """Return what can be done with a series of the rail."""
        plan = self._opener.study.plans[number]
        menu = QMenu(self._window)
        menu.addAction(translate("window", "Open")).triggered.connect(
            lambda: self.open_series(number)
        )
        beside = menu.addAction(translate("window", "Show beside"))
        beside.setEnabled(
            self._window.reading.case is not None
            and number != self.current
            and plan.refusal is None
        )
        beside.triggered.connect(lambda: self._window.layouts.show_beside(number))
        if plan.part:
            whole = plan.part.startswith(UNSPLIT)
            text = (
                translate("window", "Split into volumes again")
                if whole
                else translate("window", "Show the series in one, not split")
            )
            menu.addAction(text).triggered.connect(lambda: self._regroup(number, split=whole))
        return menu

    def _regroup(self, number: int, *, split: bool) -> None:
        if self._window.everything_saved():
            self.open_series(self._opener.regroup(number, split=split))

    def step_series(self, by: int) -> None:
        """Open the next (1) or previous (-1) series of the rail."""
        plans = self._opener.study.plans
        if self.current is None:
            return
        number = self.current + by
        while 0 <= number < len(plans):
            if plans[number].refusal is None:
                self.open_series(number)
                return
            number += by  # a series that cannot be shown bars no way

    def give_up(self) -> bool:
        """Stop what is being looked for or read; tell whether there was anything."""
        if not self._opener.busy:
            return False
        self._opener.cancel()
        self._leave_half_read()
        self._show_what_is_open()
        self._window.status.say(translate("window", "Opening was given up"))
        return True

    def _show_what_is_open(self) -> None:
        window = self._window
        if window.reading.case is None:
            self.current = None
            window.rail.set_current(None)
            window.stage.setCurrentWidget(window.empty)
            window.empty.show_idle()
        else:
            window.stage.setCurrentWidget(window.views)
        window.follow()

    def _leave_case(self) -> None:
        window = self._window
        previous = window.reading.case
        if previous is not None:
            window.views.abort_gesture()
            window.reading.set_case(None)
            self._opener.close_case(previous)
            gc.unfreeze()
        self.current = None

    def _leave_half_read(self) -> None:
        """Close what is only partly read: nobody will read the rest."""
        case = self._window.reading.case
        if case is not None and case.is_being_read:
            self._leave_case()
            self._window.status.end_progress()

    def _show_loading(self, text: str) -> None:
        window = self._window
        window.message.hide()
        window.stage.setCurrentWidget(window.empty)
        window.empty.show_loading(text)

    # ---------------------------------------------------------------- answers

    def _on_found(self, study: FoundStudy) -> None:
        window = self._window
        self._leave_case()
        days = {day_text(plan.series) for plan in study.plans}
        window.rail.set_cards([_card(plan, dated=len(days) > 1) for plan in study.plans])
        self._left_out = ""
        # Outlines are no images, yet not left out: the rail offers them.
        left = [each for each in study.skipped if not is_outline(each.other)]
        if left:
            self._left_out = counts.left_out(len(left), left[0].reason)
        usable = [n for n, plan in enumerate(study.plans) if plan.refusal is None]
        if not usable:
            window.empty.show_idle()
            refusal = study.plans[0].refusal if study.plans else None
            if refusal is not None:
                window.message.show_problem(refusal)
            return
        wanted = window.ai.pack.input.modality if window.ai.pack is not None else "CT"
        plans = study.plans
        try:
            best = window.worklist.choose(plans)
        except Problem as problem:
            self._show_what_is_open()
            window.message.show_problem(problem)
            return
        if best is None:
            best = max(usable, key=lambda n: _worth(plans[n], wanted))
        self.open_series(best)

    def _on_thumbnail(self, number: int, picture: object) -> None:
        rail = self._window.rail
        rail.card(number).thumbnail = picture  # type: ignore[assignment]
        rail.follow(number)

    def _on_reading(self, number: int) -> None:
        self._window.rail.set_current(number)
        self._show_loading(translate("window", "Reading the images…"))

    def _on_progress(self, done: int, total: int) -> None:
        window = self._window
        if window.reading.case is None or not window.reading.case.is_being_read:
            window.empty.show_progress(done, total)
            return
        window.status.show_progress(done, total)
        window.status.say(
            translate("window", "Reading the images, {done} of {total} · Esc gives up").format(
                done=done, total=total
            )
        )

    def _on_shown(self, shown: ShownCase) -> None:
        """Show a series of which the first slice is there."""
        window = self._window
        case = window.reading.case
        if case is not None and case.is_being_read:
            window.reading.complete_case(shown.case)  # the same, as another type
            return
        window.stage.setCurrentWidget(window.views)
        window.reading.set_case(shown.case, shown.window)
        window.views.hold_focus()
        self._want_slice()

    def _on_slices(self, first: int, last: int) -> None:
        for view in self._window.views.views:
            view.on_slices(first, last)

    def _want_slice(self) -> None:
        """Have the slice read next that the reader has scrolled to."""
        reading = self._window.reading
        if reading.case is not None and reading.case.is_being_read:
            k = round(reading.cursor_kji()[0])
            if not reading.case.slices.has(k):
                self._opener.want(k)

    def _on_opened(self, opened: OpenedCase) -> None:
        window, case = self._window, opened.case
        self.current = opened.number
        window.status.end_progress()
        # Headers and modules are many objects that stay: the collector need not walk them
        # (30 to 50 ms) in the middle of a stroke.
        gc.freeze()
        shown = window.reading.case
        if shown is not None and shown.is_being_read:
            window.reading.complete_case(case)
        else:
            window.stage.setCurrentWidget(window.views)
            window.reading.set_case(case, opened.window)
            window.views.hold_focus()
        problems = [problem.text for problem in case.plan.problems]
        if not case.volume.placed:
            pass  # a radiograph or a cine loop is no failed volume; the view says what it lacks
        elif case.read_only_problem is not None:
            window.message.show_problem(case.read_only_problem)
        elif case.recovered:
            window.message.show_note(case.recovered)
        elif problems:
            window.message.show_note(" ".join(problems))
        parts = [translate("window", "Ready")]
        if case.undo_name and case.which == "first":
            parts.append(translate("window", "your earlier work on this series is back"))
        if self._left_out:
            parts.append(self._left_out)
        window.status.say(" · ".join(parts))

    def _on_failed(self, problem: Problem) -> None:
        window = self._window
        number = self.current
        self._leave_half_read()
        if number is not None and window.reading.case is None:
            card = window.rail.card(number)
            card.state, card.failed = translate("window", "Cannot be read"), True
            window.rail.follow(number)
        self._show_what_is_open()
        window.message.show_problem(problem)


def _worth(plan: StackPlan, modality: str) -> tuple[bool, bool, int]:
    """Return by what the series to be shown first is chosen."""
    return plan.series.modality == modality, plan.irregularity is None, plan.shape_kji[0]


def _card(plan: StackPlan, *, dated: bool) -> SeriesCard:
    series = plan.series
    title = series.description or translate("window", "Series {number}").format(
        number=series.series_number if series.series_number is not None else "?"
    )
    # A volume that is one of several in its series has a name of its own.
    images = counts.images(plan.shape_kji[0])
    detail = f"{plan.name or series.modality} · {images}"
    if dated and not plan.name:
        # Of several studies it counts more from when a series is than what made it.
        detail = f"{images} · {day_text(series) or translate('window', 'no date')}"
    if plan.refusal is not None:
        return SeriesCard(title, detail, translate("window", "Cannot be shown"), failed=True)
    return SeriesCard(title, detail)
