"""The room of training sets: the open case goes into one, off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from resources.problem import Problem
from resources.text import translate
from viewer.deid import mapping
from viewer.deid.options import Options
from viewer.export.leaving import Leave
from viewer.export.sets.folder import NEW, name_of
from viewer.export.sets.formats import CROPS_TRAINING
from viewer.ui.export_dialog import first_folder
from viewer.ui.jobs import Job, Report
from viewer.ui.set_dialog import SETTING, SetDialog, own_secret, remembered

if TYPE_CHECKING:
    from viewer.export.sets.grow import Wish
    from viewer.export.sets.report import SetReport
    from viewer.export.snapshot import CaseSnapshot
    from viewer.session import Case
    from viewer.ui.main_window import MainWindow

_COMMAND = "training_set"
_CLOSE_MS = 5000


class TrainingSets(QObject):
    """One case at a time, from a frozen snapshot: work on it goes on."""

    ended = Signal(object, object)  # SetReport or None, Problem or None

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._job: Job | None = None
        self._folder: Path | None = None  # until the program ends: it may name a patient
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {_COMMAND: self.ask}

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be added now."""
        if self._job is not None:
            return {_COMMAND: translate("export", "An export is under way.")}
        return {_COMMAND: self._window.exporter.why_not()}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def close(self) -> None:
        """Stop what is under way; it leaves nothing half."""
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(_CLOSE_MS)

    # ----------------------------------------------------------------- doing

    def ask(self) -> None:
        """Ask which set, and add the open case to it."""
        window = self._window
        case = window.reading.case
        if case is None or self.reasons()[_COMMAND]:
            return
        snapshot = case.snapshot()
        folder = self._folder or first_folder() / NEW
        dialog = SetDialog(snapshot, remembered(window.settings.text(SETTING)), folder, window)
        accepted = bool(dialog.exec())
        folder, design, formats = dialog.folder, dialog.design, dialog.formats
        percent = dialog.test_percent
        dialog.deleteLater()
        if not accepted or window.reading.case is not case:
            return
        self._folder = folder
        wished: dict[str, Any] = {}
        if design is None:
            window.settings.put(SETTING, ",".join(formats))
            wished = {"formats": formats, "test_percent": percent}
        if own_secret(design, site=mapping.exists()):
            window.leaving.vouch(case, partial(self._start, case, snapshot, folder, wished, None))
            return
        opened = window.leaving.key.get(window)
        if opened is not None:
            site = Leave(opened.keys, opened.remember)
            window.leaving.vouch(case, partial(self._start, case, snapshot, folder, wished, site))

    def _start(
        self,
        case: Case,
        snapshot: CaseSnapshot,
        folder: Path,
        wished: Mapping[str, Any],
        site: Leave | None,
        said: Options,
    ) -> None:
        """Begin, once a person has vouched for the pixels where that was needed."""
        from viewer.export.sets.grow import Wish

        window = self._window
        if self._job is not None or window.reading.case is not case:
            return
        window.status.say(translate("export", "Adding to the training set…"))
        wish = Wish(**wished, site=site, options=said)
        job = self._job = Job(partial(_grow, snapshot, folder, wish), self)
        job.progressed.connect(window.status.show_progress)
        job.succeeded.connect(self._on_success)
        job.failed.connect(self._on_failure)
        job.ended.connect(self._on_end)
        job.start(self._pool)
        window.follow()

    @Slot(object)
    def _on_success(self, report: SetReport) -> None:
        from viewer.export.sets import words

        self._job = None
        window = self._window
        window.status.end_progress()
        added = report.version is not None
        window.status.say(
            translate("export", "Added and checked")
            if added
            else translate("export", "Nothing was added")
        )
        text = " ".join(words.told(report, command=False))
        crops = report.folder / name_of(report.version or 0) / CROPS_TRAINING
        if added and crops.is_dir():
            offer = translate("export", "Retrain the model…")
            window.message.show_offer(text, offer, partial(self._retrain, crops))
        else:
            window.message.show_note(text)
        self.ended.emit(report, None)

    def _retrain(self, crops: Path) -> None:
        """Open the room of retraining with the crops that were just written."""
        room = self._window.retraining
        if room.reasons().get("retrain"):
            return
        room.open()
        if room.dialog is not None and not room.phase:
            room.dialog.data.take(crops)

    @Slot(object)
    def _on_failure(self, problem: object) -> None:
        self._job = None
        window = self._window
        window.status.end_progress()
        window.status.say(translate("export", "Nothing was added"))
        assert isinstance(problem, Problem)
        window.message.show_problem(problem)
        self.ended.emit(None, problem)

    @Slot()
    def _on_end(self) -> None:
        """Give the room free, also after a cancel or a defect, which is told apart from this."""
        if self._job is not None:
            self._job = None
            self._window.status.end_progress()
            self.ended.emit(None, None)
        self._window.follow()


def _grow(
    snapshot: CaseSnapshot,
    folder: Path,
    wish: Wish,
    report: Report,
    cancelled: Callable[[], bool],
) -> SetReport:
    from viewer.export import apart
    from viewer.export.sets.grow import grow

    return grow(
        folder,
        [snapshot],
        wish,
        progress=report,
        cancelled=cancelled,
        write_case=apart.write_case,
    )
