"""Two readers: the second reads without what the first did, then both are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from resources.problem import Problem
from resources.text import translate
from viewer import second_reading
from viewer.annotate.agreement import Agreement, compare
from viewer.session import Case, Reader
from viewer.ui.agreement_view import AgreementDialog
from viewer.ui.availability import why_no_journal
from viewer.ui.jobs import Job

if TYPE_CHECKING:
    from pathlib import Path

    from viewer.second_reading import SecondReading
    from viewer.ui.main_window import MainWindow

_SECOND, _AGREEMENT = "second_reading", "agreement"
_FLUSH_S = 1.0


@dataclass(frozen=True, slots=True)
class Compared:
    """Two readings compared, and by whom they are."""

    agreement: Agreement
    first: str
    second: str


class Readers(QObject):
    """Begins, commits and shows the second reading of the open case."""

    compared = Signal()  # the agreement is shown

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reading = window.reading
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._standing: SecondReading | None = None
        self.dialog: AgreementDialog | None = None
        window.reading.case_changed.connect(self._on_case)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        return {_SECOND: self.go_on, _AGREEMENT: self.compare}

    def reasons(self) -> Mapping[str, str]:
        """Return why they cannot be used now."""
        general = self._why_no_case()
        return {
            _SECOND: general or self._why_not_second(),
            _AGREEMENT: general or self._why_not_agreement(),
        }

    def checked(self) -> Mapping[str, bool]:
        """Return whether the second reading is open."""
        case = self._reading.case
        return {_SECOND: case is not None and case.second}

    def _why_no_case(self) -> str:
        why = why_no_journal(self._reading.case)
        if not why and self._reading.ai_locked:
            why = translate("comparing", "The AI is locked until the first impression.")
        return why

    def _why_not_second(self) -> str:
        case = self._reading.case
        assert case is not None
        if self._standing is not None and self._standing.committed:
            return ""
        if case.second:
            done, total = case.progress
            if done < total:
                return translate(
                    "readers", "To commit the second reading, judge all findings: {n} are left."
                ).format(n=total - done)
            return ""
        if self._standing is not None:
            return translate("readers", "A second reading by {reader} is under way.").format(
                reader=", ".join(self._standing.readers) or "?"
            )
        if case.read_only_problem is not None:
            return str(case.read_only_problem)
        if not case.document.runs:
            return translate("window", "Run the model first.")
        name = self._window.settings.text("reader")
        if not name or name in case.readers:
            return translate(
                "readers", "The second reading is by somebody else: name that reader first ({key})."
            ).format(key=self._reading.keys.name("reader"))
        return ""

    def _why_not_agreement(self) -> str:
        if self._standing is None:
            return translate("readers", "There is no second reading of this case.")
        if not self._standing.committed:
            return translate("readers", "The second reading is not committed yet.")
        return ""

    # ------------------------------------------------------------ the reading

    def go_on(self) -> None:
        """Begin the second reading, commit it, or show the other one, as it stands."""
        case = self._reading.case
        if case is None or self.reasons()[_SECOND]:
            self._window.follow()
            return
        if case.second and not (self._standing is not None and self._standing.committed):
            self._commit(case)
            return
        self._window.study.open_reading("first" if case.second else "second")

    def _commit(self, case: Case) -> None:
        case.note_event("second-committed")
        case.flush(_FLUSH_S)
        self._stand()
        self._window.status.hint(
            translate("readers", "Second reading committed. {key} compares both.").format(
                key=self._reading.keys.name(_AGREEMENT)
            )
        )
        self._window.follow()

    def _stand(self) -> None:
        home = self._home()
        self._standing = second_reading.standing(home) if home is not None else None
        case = self._reading.case
        if self._standing is None and case is not None and case.second:
            # Begun, and nothing of it has reached the disk yet.
            self._standing = second_reading.SecondReading(tuple(case.readers), False)

    def _home(self) -> Path | None:
        case = self._reading.case
        if case is None or case.folder is None:
            return None
        return case.folder.parent if case.second else case.folder

    def _on_case(self) -> None:
        self.close()
        self._stand()
        case = self._reading.case
        if case is not None and case.second:
            committed = self._standing is not None and self._standing.committed
            self._window.message.show_note(
                translate("readers", "Second reading, committed.")
                if committed
                else translate(
                    "readers",
                    "Second reading: what the first reader did is not shown."
                    " {key} commits it when every finding is judged.",
                ).format(key=self._reading.keys.name(_SECOND))
            )

    # ---------------------------------------------------------- the agreement

    def compare(self) -> None:
        """Read both readings from the disk and compare them, off this thread."""
        case = self._reading.case
        if case is None or self.reasons()[_AGREEMENT] or self._job is not None:
            return
        case.flush(_FLUSH_S)
        reader, threshold = case.reader, case.threshold
        series, plan, volume = case.series, case.plan, case.volume

        def work(_report: object, _cancelled: object) -> Compared:
            both = [
                Case.open(series, plan, volume, reader=Reader(reader.name), which=which)
                for which in ("first", "second")
            ]
            try:
                names = [", ".join(sorted(filter(None, one.readers))) or "?" for one in both]
                found = compare(both[0].document, both[1].document, threshold)
                return Compared(found, *names)
            finally:
                for one in both:
                    one.close()

        self._job = Job(work, self)
        self._job.succeeded.connect(self._on_compared)
        self._job.failed.connect(self._on_failure)
        self._job.ended.connect(self._on_end)
        self._job.start(self._pool)

    @Slot(object)
    def _on_compared(self, found: object) -> None:
        if not isinstance(found, Compared) or self._reading.case is None:
            return
        if self.dialog is None:
            self.dialog = AgreementDialog(self._window)
            self.dialog.finished.connect(self._on_closed)
            self.dialog.chosen.connect(self._go_to)
        self.dialog.show_agreement(found.agreement, found.first, found.second)
        self.dialog.show()
        self.compared.emit()

    @Slot(object)
    def _on_failure(self, problem: object) -> None:
        if isinstance(problem, Problem):
            self._window.message.show_problem(problem)

    @Slot()
    def _on_end(self) -> None:
        self._job = None

    def _go_to(self, point_lps_mm: object) -> None:
        self._reading.move_cursor(point_lps_mm)

    def _on_closed(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()

    def close(self) -> None:
        """Close the window of the agreement; wait for what is being compared."""
        if self._job is not None:
            self._job.cancel()
        if self.dialog is not None:
            self.dialog.close()
        self._pool.waitForDone(5000)
