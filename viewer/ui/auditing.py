"""Opens the audit log of the open case, follows it, and saves it as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal, Slot

from resources.text import translate
from viewer.annotate.audit import Audit, KnownNames, as_csv, read_audit
from viewer.ui.audit_view import AuditDialog
from viewer.ui.availability import why_no_journal
from viewer.ui.jobs import Job, Report
from viewer.ui.places import ask_save
from viewer.ui.saving import save_text

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow

_COMMAND = "audit"
_FOLLOW_MS = 400


class Auditing(QObject):
    """One window with the log of the case that is open; closed with the case."""

    read = Signal()  # a log is shown

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reading = window.reading
        self._job: Job | None = None
        self._again = False
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_FOLLOW_MS)
        self._later.timeout.connect(self.reload)
        self.dialog: AuditDialog | None = None
        self._reading.document_changed.connect(self._on_change)
        self._reading.case_changed.connect(self.close)
        self._reading.shown_changed.connect(self._on_shown)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {_COMMAND: self.open}

    def reasons(self) -> Mapping[str, str]:
        """Return why there is no log to show."""
        return {_COMMAND: self.why_not()}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def why_not(self) -> str:
        """Return why there is no log to show, in a sentence; empty when there is one."""
        why = why_no_journal(self._reading.case)
        if not why and self._reading.ai_locked:
            why = translate("audit", "The log would tell of the AI: commit the impression first.")
        return why

    # --------------------------------------------------------------- showing

    def open(self) -> None:
        """Show the log, or bring its window to the front."""
        if self.why_not():
            return
        if self.dialog is None:
            self.dialog = AuditDialog(self._window, self.reload)
            self.dialog.save_asked.connect(self.ask_save)
            self.dialog.closed.connect(self._on_closed)
            self.dialog.show()
        else:
            self.dialog.activateWindow()  # it lies above its window anyway
        self.reload()

    def reload(self) -> None:
        """Read the log from the disk, off this thread."""
        case = self._reading.case
        if self.dialog is None or case is None or case.folder is None:
            return
        if self._job is not None:
            self._again = True
            return
        self._job = Job(partial(_read, case.folder, KnownNames(case.document)), self)
        self._job.succeeded.connect(self._on_read)
        self._job.failed.connect(self._on_failure)
        self._job.ended.connect(self._on_end)
        self._job.start(self._pool)

    @Slot(object)
    def _on_read(self, log: object) -> None:
        case = self._reading.case
        if self.dialog is not None and case is not None and isinstance(log, Audit):
            self.dialog.show_log(log, case.unsaved)
            self.read.emit()
            if case.unsaved:
                self._later.start()

    @Slot(object)
    def _on_failure(self, problem: object) -> None:
        if self.dialog is not None:
            self.dialog.show_text(str(problem), failed=True)

    @Slot()
    def _on_end(self) -> None:
        self._job = None
        if self._again:
            self._again = False
            self.reload()

    def _on_change(self, _change: object) -> None:
        if self.dialog is not None:
            self._later.start()

    def _on_shown(self) -> None:
        if self._reading.ai_locked:
            self.close()

    def _on_closed(self) -> None:
        dialog, self.dialog = self.dialog, None
        self._later.stop()
        if dialog is not None:
            dialog.deleteLater()

    def close(self) -> None:
        """Close the window of the log; wait for what is being read."""
        if self._job is not None:
            self._job.cancel()
        if self.dialog is not None:
            self.dialog.close()
        self._pool.waitForDone(5000)

    # ---------------------------------------------------------------- saving

    def ask_save(self) -> None:
        """Ask for a file and save what the filter shows."""
        if self.dialog is None:
            return
        file = ask_save(
            self.dialog, translate("audit", "Save the log"), "audit-log.csv", "CSV (*.csv)"
        )
        if file is not None:
            self.save_to(file)

    def save_to(self, file: Path) -> None:
        """Save the entries that are shown as CSV, oldest first."""
        case = self._reading.case
        if self.dialog is None or case is None:
            return
        rows = tuple(reversed(self.dialog.model.shown))
        problem = save_text(file, as_csv(rows))
        if problem is not None:
            self.dialog.show_text(str(problem), failed=True)
            return
        case.note_event("log-saved")
        self.dialog.show_text(translate("audit", "{n} entries saved.").format(n=len(rows)))
        self._later.start()


def _read(
    folder: Path, names: KnownNames, _report: Report, _cancelled: Callable[[], bool]
) -> Audit:
    return read_audit(folder, names)
