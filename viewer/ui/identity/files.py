"""Copies of whole folders without identity: from where, to where, how far, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QThreadPool, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from resources.problem import Problem
from resources.text import translate
from viewer import logbook
from viewer.deid import said
from viewer.deid.dataset import Deidentifier
from viewer.deid.folder import deidentify
from viewer.deid.options import Options, options
from viewer.deid.report import Report
from viewer.deid.survey import FolderSurvey, look_through
from viewer.ui import theme
from viewer.ui.export_dialog import first_folder
from viewer.ui.identity import profile
from viewer.ui.identity.looking import PixelDialog, PixelWord
from viewer.ui.identity.passphrase import Opened
from viewer.ui.identity.profile import ProfileDialog
from viewer.ui.identity.report_view import ReportDialog
from viewer.ui.jobs import Job, finish_pools
from viewer.ui.places import ask_folder
from viewer.ui.settings import Settings
from viewer.ui.widgets import head, note, rule

_WIDE = 620
_CLOSE_MS = 5000


class FilesDialog(QDialog):
    """One run at a time; closing it stops what is under way, and nothing is left of that.

    Parameters
    ----------
    given
        What is to be copied until somebody chooses: what was opened last.
    pseudonyms
        Asks for the passphrase where need be; None when it is not given.

    Attributes
    ----------
    paths
        What is to be copied.
    into
        Where the new folder is made.
    report
        Of the last run that was done.
    """

    closed = Signal()
    ended = Signal()  # a run, well or not

    def __init__(
        self,
        given: Sequence[Path],
        settings: Settings,
        pseudonyms: Callable[[QWidget], Opened | None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("deid", "De-identify files"))
        self.setMinimumWidth(_WIDE)
        self.paths = tuple(given)
        self.into = first_folder()
        self.report: Report | None = None
        self._settings, self._pseudonyms = settings, pseudonyms
        self._opened: Opened | None = None
        self._next: Callable[[], None] | None = None
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._build()
        self._follow()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(8)
        column.addWidget(head(translate("deid", "Copy without identity")))
        self._from, self._to, self._kept = _line(), _line(), note()
        self.choose = self._row(
            column, self._from, translate("deid", "Choose…"), self._on_choose, "Ctrl+O"
        )
        column.addWidget(
            note(
                translate(
                    "deid",
                    "All DICOM files in it, of every patient. The originals stay as they are.",
                )
            )
        )
        column.addWidget(rule())
        column.addWidget(head(translate("deid", "Into a new folder in")))
        self.change = self._row(column, self._to, translate("deid", "Change…"), self._on_change)
        column.addWidget(rule())
        column.addWidget(head(translate("deid", "What stays")))
        self.stays = self._row(
            column, self._kept, translate("deid", "What stays…"), self._on_options
        )
        column.addWidget(rule())
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(4)
        column.addWidget(self.progress)
        self.state = note()
        column.addWidget(self.state)
        foot = QHBoxLayout()
        foot.addStretch(1)
        self.cancel = _button(translate("deid", "Close"), "plain", self._on_cancel)
        self.go = _button(translate("deid", "Copy"), "primary", self.start)
        self.go.setDefault(True)
        foot.addWidget(self.cancel)
        foot.addWidget(self.go)
        column.addLayout(foot)

    def _row(
        self,
        column: QVBoxLayout,
        line: QLabel,
        text: str,
        do: Callable[[], object],
        key: str = "",
    ) -> QPushButton:
        button = _button(text, "plain", do)
        if key:
            button.setShortcut(key)
            button.setToolTip(f"{text}  {key}")
        row = QHBoxLayout()
        row.addWidget(line, 1)
        row.addWidget(button)
        column.addLayout(row)
        return button

    # ---------------------------------------------------------------- choosing

    def _on_choose(self) -> None:
        folder = ask_folder(self, translate("deid", "De-identify a folder"))
        if folder is not None:
            self.paths = (folder,)
            self._follow()

    def _on_change(self) -> None:
        folder = ask_folder(self, translate("deid", "Put the copies into a folder"))
        if folder is not None:
            self.into = folder
            self._follow()

    def _on_options(self) -> None:
        dialog = ProfileDialog(self._settings, self)
        dialog.exec()
        dialog.deleteLater()
        self._follow()

    def _follow(self) -> None:
        running = self._job is not None
        nothing = translate("deid", "Nothing is chosen yet.")
        self._from.setText("\n".join(map(str, self.paths[:3])) or nothing)
        self._to.setText(str(self.into))
        self._kept.setText(profile.summary(self._settings))
        for button in (self.choose, self.change, self.stays):
            button.setEnabled(not running)
        self.go.setEnabled(bool(self.paths) and not running)
        self.go.setToolTip("" if self.paths else nothing)
        self.cancel.setText(translate("deid", "Cancel") if running else translate("deid", "Close"))
        self.progress.setVisible(running)

    # ----------------------------------------------------------------- running

    def start(self) -> None:
        """Look through the files, then copy them."""
        self._opened = self._pseudonyms(self)
        if self._opened is None:
            return
        self._say(translate("deid", "Reading headers…"))
        self._run(partial(_survey, self.paths), self._on_survey)

    def _run(self, work: Any, on_success: Callable[[Any], None]) -> None:
        job = self._job = Job(work, self)
        job.progressed.connect(self._on_progress)
        # What follows may ask; the job is to be over then.
        job.succeeded.connect(lambda found: setattr(self, "_next", partial(on_success, found)))
        job.failed.connect(self._on_failed)
        job.ended.connect(self._on_end)
        self._follow()
        job.start(self._pool)

    def _on_survey(self, found: FolderSurvey) -> None:
        word = PixelWord((), frozenset())
        if found.to_look_at:
            dialog = PixelDialog(found.to_look_at, (), said.doubt(found.doubts), self)
            accepted = bool(dialog.exec())
            word = dialog.word
            dialog.deleteLater()
            if not accepted:
                self._say(translate("deid", "Nothing was written."))
                self.ended.emit()
                return
        chosen = options(profile.remembered(self._settings), boxes=word.boxes, seen=word.seen)
        assert self._opened is not None
        # The time says nothing of the patient.
        now = datetime.now().strftime("%Y%m%d-%H%M%S")
        folder = self.into / f"overread-deidentified-{now}"
        self._say(translate("deid", "Copying, and reading each copy again…"))
        self._run(partial(_copy, self.paths, folder, self._opened, chosen), self._on_copied)

    def _on_copied(self, report: Report) -> None:
        self.report = report
        self._say(
            translate("deid", "{files} files of {patients} patients in {folder}.").format(
                files=report.files, patients=len(report.patients), folder=report.folder.name
            ),
            "accepted",
        )
        self.ended.emit()
        quiet = {"not-dicom", "directory"}
        told = [(path, why) for path, why in report.left_out if why not in quiet]
        dialog = ReportDialog(report.document(), report.folder, self, told)
        dialog.exec()
        dialog.deleteLater()

    @Slot(int, int)
    def _on_progress(self, done: int, total: int) -> None:
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    @Slot(object)
    def _on_failed(self, problem: object) -> None:
        assert isinstance(problem, Problem)
        logbook.note_problem(problem)
        self._say(str(problem), "failed")

    @Slot()
    def _on_end(self) -> None:
        go_on, self._job, self._next = self._next, None, None
        self._follow()
        if go_on is not None:
            go_on()
            self._follow()
        else:
            self.ended.emit()

    def _say(self, text: str, tone: str = "secondary") -> None:
        self.state.setText(text)
        theme.set_tone(self.state, tone)

    def _on_cancel(self) -> None:
        if self._job is None:
            self.close()
            return
        self._job.cancel()
        self._say(translate("deid", "Stopped: nothing was written."))

    def done(self, result: int) -> None:
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(_CLOSE_MS)
        finish_pools(self)
        super().done(result)
        self.closed.emit()


def _survey(paths: tuple[Path, ...], report: Any, cancelled: Any) -> FolderSurvey:
    return look_through(paths, progress=report, cancelled=cancelled)


def _copy(
    paths: tuple[Path, ...],
    folder: Path,
    opened: Opened,
    chosen: Options,
    report: Any,
    cancelled: Any,
) -> Report:
    return deidentify(
        paths,
        folder,
        Deidentifier(opened.keys, chosen),
        progress=report,
        cancelled=cancelled,
        remember=opened.remember,
    )


def _line() -> QLabel:
    line = QLabel()
    line.setTextFormat(Qt.TextFormat.PlainText)
    line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return line


def _button(text: str, role: str, do: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("role", role)
    button.setAutoDefault(False)
    button.clicked.connect(lambda: do())
    return button
