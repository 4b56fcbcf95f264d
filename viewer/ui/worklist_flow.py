"""The worklist in the window: when its page shows, and how a study is opened from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from resources.problem import Problem
from resources.text import translate
from viewer import worklist_case
from viewer.study.order import StackPlan
from viewer.ui import availability
from viewer.ui.places import ask_folder
from viewer.ui.worklist_keeper import WorklistKeeper
from viewer.worklist import Study, Worklist

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from viewer.ui.main_window import MainWindow
    from viewer.ui.opener import FoundStudy
    from viewer.ui.staging import ReadSlices
    from viewer.ui.worklist_page import WorklistPage

# What may be done while the page covers the open study: nothing that changes what nobody sees.
_ALLOWED = frozenset(
    (
        *("abort", "open", "open_file", "sample", "worklist", "reader", "card", "keys"),
        *("edit_keys", "quit", "settings", "light", "hide_patient", "read_first"),
        *("worth_order", "retrain", "batch", "batch_pause", "next_case"),
    )
)


class WorklistFlow(QObject):
    """Shows the page of the worklist on the stage and opens what is chosen there."""

    def __init__(self, window: MainWindow, worklist: Worklist) -> None:
        super().__init__(window)
        self._window = window
        self._wanted: Study | None = None
        self._copy_wanted = False
        self.opens_a_line = False  # or else what the reader has named himself
        self._hidden: list[object] = []
        self._listing = False
        self.page: WorklistPage = window.empty.page
        self.keeper = WorklistKeeper(
            worklist, window.reading, window.views, window.opener, window.exporter, self
        )
        self.page.keep_by(self.keeper)
        self.page.open_asked.connect(self.open)
        self.page.locate_asked.connect(self.locate)
        self.keeper.changed.connect(self._on_changed)
        self.keeper.noted.connect(window.message.show_note)
        self.keeper.failed.connect(window.message.show_problem)
        window.reading.case_changed.connect(self._on_case)
        window.stage.currentChanged.connect(self._follow_stage)
        window.empty.mode_changed.connect(self._follow_stage)
        self._on_case()

    @property
    def listing(self) -> bool:
        """Whether the page of the worklist is what the stage shows."""
        return self._listing

    # ------------------------------------------------------------------ the page

    def toggle(self) -> None:
        """Show the page, or go back to the open study."""
        window = self._window
        if self._listing:
            self._back()
        elif not window.opener.busy:
            window.views.abort_gesture()
            self.keeper.refresh()
            window.empty.show_list()
            window.stage.setCurrentWidget(window.empty)
        window.follow()

    def escape(self) -> bool:
        """Leave the search or the page; tell whether there was anything to leave."""
        return self._listing and (self.page.escape() or self._back())

    def _back(self) -> bool:
        window = self._window
        if window.reading.case is None:
            return False
        window.stage.setCurrentWidget(window.views)
        window.views.hold_focus()
        return True

    def _on_case(self) -> None:
        case = self._window.reading.case
        self.page.set_open(case.key if case is not None else "")
        if self._copy_wanted and case is not None and not case.is_being_read:
            self._copy_wanted = False
            QTimer.singleShot(0, self._window.study.open_copy)

    def _on_changed(self) -> None:
        self._window.empty.set_listed(bool(self.keeper.studies))

    @Slot()
    def _follow_stage(self, *_anything: object) -> None:
        window = self._window
        listing = window.stage.currentWidget() is window.empty and window.empty.listing
        if listing == self._listing:
            return
        self._listing = listing
        if listing:
            # The list has the whole width; series and findings are those of no line in it.
            self._hidden = [part for part in (window.rail, window.panel) if not part.isHidden()]
            for part in (window.rail, window.panel):
                part.hide()
            self.page.start()
        else:
            for part in (window.rail, window.panel):
                part.setVisible(part in self._hidden)
            window.fit_parts()
        window.follow()

    def follow_actions(self, actions: dict[str, QAction]) -> None:
        """Let no key change a study that the page covers."""
        actions["worklist"].setChecked(self._listing)
        if not self._listing:
            return
        why = translate("worklist", "Go back to the study first: Esc.")
        if self._window.reading.case is None:
            why = translate("window", "Open a series first.")
        for name, action in actions.items():
            if name not in _ALLOWED:
                availability.say(action, why, self._window.reading.keys.keys_of(name))

    # ------------------------------------------------------------------- opening

    def asked(self, paths: Sequence[Path]) -> None:
        """Note that the reader opens something else than a line of the list."""
        self._wanted = None
        self._copy_wanted = False
        self.keeper.asked(paths)

    @Slot(object)
    def open(self, study: Study) -> None:
        """Open a study of the list; say so when its files are gone."""
        case = self._window.reading.case
        if case is not None and case.key == study.case_key:
            self._back()
        else:
            self._window.status.hint(translate("worklist", "Looking for the files…"))
            self.keeper.find_files(study, lambda there: self._on_looked(study, there))

    def _on_looked(self, study: Study, there: bool) -> None:
        if not self._listing:
            return  # something else was opened meanwhile
        if there:
            self._open(study, [Path(path) for path in study.paths])
        else:
            self.page.tell_missing(study)

    def open_from_anywhere(self, study: Study) -> None:
        """Open a study of the list though its page does not show; say so when it is gone."""

        def answer(there: bool) -> None:
            if there:
                self._open(study, [Path(path) for path in study.paths])
            else:
                self._window.message.show_problem(
                    Problem(
                        translate("worklist", "The images of the next study are gone."),
                        translate("worklist", "Locate them in the worklist."),
                    )
                )

        self._window.status.hint(translate("worklist", "Looking for the files…"))
        self.keeper.find_files(study, answer)

    @Slot(object)
    def locate(self, study: Study) -> None:
        """Ask where the files of a study are now, and open it from there."""
        title = translate("worklist", "Locate the folder of the study")
        folder = ask_folder(self._window, title)
        if folder is not None:
            self._open(study, [folder])

    def _open(self, study: Study, paths: list[Path]) -> None:
        self.asked(paths)
        self._wanted = study
        self._window.study.open_paths(paths)

    def open_read(self, study: Study, found: FoundStudy, slices: ReadSlices) -> None:
        """Open a study of the list that was read ahead."""
        self.asked([Path(path) for path in study.paths])
        self._wanted = study
        self._window.study.open_read(found, slices)

    def choose(self, plans: Sequence[StackPlan]) -> int | None:
        """Return which of the volumes found is the one of the list that is being opened.

        Returns
        -------
        int or None
            None when the reader opened no line of the list.

        Raises
        ------
        Problem
            When it is not among them, or cannot be shown: never is another one opened for it.
        """
        wanted, self._wanted = self._wanted, None
        self.opens_a_line = wanted is not None
        if wanted is None:
            return None
        number = worklist_case.find(wanted, plans)
        if number is None:
            number = worklist_case.find_source(wanted, plans)
            if number is not None and worklist_case.is_copy(wanted):
                self._copy_wanted = True
            elif number is not None:
                QTimer.singleShot(0, self, partial(self._show_in_one, wanted, number))
        if number is None:
            raise Problem(
                translate("worklist", "This study is not among the images found there."),
                translate("worklist", "Locate another folder, or remove it from the list."),
            )
        refusal = plans[number].refusal
        if refusal is not None:
            raise refusal
        return number

    def _show_in_one(self, study: Study, number: int) -> None:
        self._wanted = study
        self._window.opener.regroup(number, split=False)

    def close(self) -> None:
        """Write what is left."""
        self.keeper.close()
