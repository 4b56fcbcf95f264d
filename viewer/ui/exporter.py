"""Exporting the open case off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from resources.problem import Problem
from resources.text import translate
from viewer.export.formats import DEFAULT, Format
from viewer.export.report import ExportReport
from viewer.ui.jobs import Job, Report
from viewer.ui.reading import Reading

if TYPE_CHECKING:
    from viewer.export.leaving import Leave
    from viewer.export.snapshot import CaseSnapshot


class Exporter(QObject):
    """One export at a time, from a frozen snapshot: work on the case goes on."""

    started = Signal()
    progressed = Signal(int, int)
    ended = Signal(object, object)  # folder or None, Problem or None

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._job: Job | None = None
        self._closed = False
        self.formats: tuple[Format, ...] = DEFAULT
        self.report: ExportReport | None = None  # of the last export that was done
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    def why_not(self) -> str:
        """Return why nothing can be exported now; empty when it can."""
        case = self._reading.case
        if case is None:
            return translate("export", "Open a series first.")
        if case.viewing_only is not None:
            return str(case.viewing_only)
        if case.plan.resampled:
            return translate("export", "A resampled copy is not exported: no scanner made it.")
        if self._job is not None:
            return translate("export", "An export is under way.")
        return ""

    def start(self, folder: Path, *, leave: Leave | None, replace: bool = False) -> None:
        """Export the open case as a folder; ``replace`` renews an earlier export there.

        ``leave``: how identity goes; None when somebody wants it to stay.
        """
        case = self._reading.case
        if case is None or self.why_not():
            return
        work = partial(_export, case.snapshot(), folder, replace, self.formats, leave)
        self._job = Job(work, self)
        self._job.progressed.connect(self.progressed)
        self._job.succeeded.connect(self._on_success)
        self._job.failed.connect(self._on_failure)
        self._job.ended.connect(self._on_end)
        self._job.start(self._pool)
        self.started.emit()

    @Slot(object)
    def _on_success(self, report: ExportReport) -> None:
        self._job, self.report = None, report
        self.ended.emit(report.folder, None)

    @Slot(object)
    def _on_failure(self, problem: object) -> None:
        self._job = None
        self.ended.emit(None, problem)

    @Slot()
    def _on_end(self) -> None:
        """Give the room free after a defect, too, which is told apart from this."""
        if self._job is None:
            return
        self._job = None
        if not self._closed:
            self.ended.emit(
                None,
                Problem(
                    translate("export", "Something in Overread went wrong."),
                    translate("export", "Nothing was exported, and your work is safe."),
                ),
            )

    def close(self) -> None:
        """Stop an export (it leaves nothing half) and wait for the thread."""
        self._closed = True
        if self._job is not None:
            self._job.cancel()
        self._pool.waitForDone(5000)


def _export(
    snapshot: CaseSnapshot,
    folder: Path,
    replace: bool,
    formats: tuple[Format, ...],
    leave: Leave | None,
    report: Report,
    cancelled: Callable[[], bool],
) -> ExportReport:
    from viewer.export import export_case

    if leave is not None:
        snapshot = leave.take_out(snapshot)
    return export_case(
        snapshot,
        folder,
        replace=replace,
        progress=report,
        cancelled=cancelled,
        apart=True,
        formats=formats,
    )
