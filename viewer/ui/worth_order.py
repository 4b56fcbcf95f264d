"""The worklist by worth for training: what saved work says is read off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThreadPool, QTimer, Slot

from resources.text import translate
from viewer import folders, second_reading
from viewer.saved_facts import Facts, read_facts, state_of
from viewer.ui.jobs import Job, Report
from viewer.ui.who import reader_of
from viewer.worklist import Study
from viewer.worth import Readings, Who, rated

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow

_COMMAND = "worth_order"
_FOLLOW_MS, _CLOSE_MS = 400, 3000

# What was read of a journal, and the state that its files had then.
Kept = dict[Path, tuple[tuple[tuple[int, int], ...], Facts | None]]


class WorthOrder(QObject):
    """Sorts the worklist by what its cases are worth for training, or by the last opening."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._job: Job | None = None
        self._kept: Kept = {}
        self.on = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_FOLLOW_MS)
        self._later.timeout.connect(self._read)

    def attach(self) -> None:
        """Follow the list, the reader and read-first, once the window is made."""
        window = self._window
        window.worklist.keeper.changed.connect(self._ask_again)
        window.reading.preferences.changed.connect(lambda _key: self.forget())
        window.reading.shown_changed.connect(self._ask_again)

    # ------------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its key does."""
        return {_COMMAND: self.toggle}

    def reasons(self) -> Mapping[str, str]:
        """Return why the list cannot be sorted."""
        if hasattr(self._window, "worklist") and self._window.worklist.listing:
            return {_COMMAND: ""}
        return {_COMMAND: translate("worth", "Open the worklist first.")}

    def checked(self) -> Mapping[str, bool]:
        """Return whether the list is sorted by worth."""
        return {_COMMAND: self.on}

    def toggle(self) -> None:
        """Sort by worth for training, or by the last opening again."""
        self.on = not self.on
        page = self._window.worklist.page
        page.show_worths({} if self.on else None)
        if self.on:
            self._read()
        self._window.follow()

    # -------------------------------------------------------------------- reading

    def forget(self) -> None:
        """Show nothing of before: the reader, or what he may know, is another."""
        if self.on:
            self._window.worklist.page.show_worths({})
            self._ask_again()

    def _ask_again(self) -> None:
        if self.on:
            self._later.start()

    @Slot()
    def _read(self) -> None:
        if self._job is not None:
            self._later.start()
            return
        studies = self._window.worklist.keeper.studies
        home = folders.place("data") / "cases"
        work = partial(_facts_of, studies, home, dict(self._kept))
        self._job = job = Job(work, self)
        job.succeeded.connect(self._on_read)
        job.ended.connect(self._on_end)
        job.start(self._pool)

    @Slot(object)
    def _on_read(self, read: object) -> None:
        assert isinstance(read, dict)
        self._kept = read
        if not self.on:
            return
        window = self._window
        home = folders.place("data") / "cases"
        studies = window.worklist.keeper.studies
        cases = {
            study.case_key: Readings(
                *(
                    self._kept.get(second_reading.folder_of(home / study.case_key, which), _NONE)[1]
                    for which in ("first", "second")
                )
            )
            for study in studies
        }
        # Who reads now, not who did when the reading of the journals began.
        who = Who(reader_of(window.settings).name, window.read_first.on)
        states = {study.case_key: study.state for study in studies}
        window.worklist.page.show_worths(rated(cases, states, who))

    @Slot()
    def _on_end(self) -> None:
        self._job = None

    def close(self) -> None:
        """Stop reading."""
        self._later.stop()
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(_CLOSE_MS)


_NONE: tuple[tuple[tuple[int, int], ...], Facts | None] = ((), None)


def _facts_of(
    studies: Sequence[Study],
    home: Path,
    kept: Kept,
    _report: Report,
    cancelled: Callable[[], bool],
) -> Kept:
    """Return what the journals of some studies say; those that are as they were are not read."""
    out: Kept = {}
    for study in studies:
        if cancelled():
            break
        for which in ("first", "second"):
            folder = second_reading.folder_of(home / study.case_key, which)
            state = state_of(folder)
            known = kept.get(folder)
            if known is not None and known[0] == state:
                out[folder] = known
            elif state:
                out[folder] = (state, read_facts(folder))
    return out
