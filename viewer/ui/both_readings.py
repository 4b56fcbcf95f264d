"""Reads both committed readings of the open case, and what is adjudicated, off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from resources.problem import Problem
from viewer import second_reading
from viewer.annotate.adjudication import Parent, Parents
from viewer.annotate.agreement import compare
from viewer.annotate.document_state import DocumentState
from viewer.second_reading import Which
from viewer.session import Case
from viewer.ui.jobs import Job

if TYPE_CHECKING:
    from viewer.ui.opener import Opener
    from viewer.ui.reading import Reading

_FLUSH_S = 1.0


@dataclass(frozen=True, eq=False)
class Both:
    """Both readings of a case, compared.

    Attributes
    ----------
    case_key
        Says nothing of the patient.
    parents
        Both, and how far they agree.
    adjudicated
        What was adjudicated of them as it is on the disk; None while nothing was.
    threshold
        Score from which the AI lists its findings.
    seen
        Whether the second reader had the first reading on the screen before his own.
    """

    case_key: str
    parents: Parents
    adjudicated: DocumentState | None
    threshold: float
    seen: bool

    @property
    def names(self) -> tuple[str, str]:
        """Who read first, and who read second."""
        first, second = (
            ", ".join(one.readers) or "?" for one in (self.parents.first, self.parents.second)
        )
        return first, second


class BothReadings(QObject):
    """One reading at a time of both; ``ready`` or ``failed`` follows."""

    ready = Signal(object)
    failed = Signal(object)

    def __init__(self, reading: Reading, opener: Opener, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._opener = opener
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether they are being read."""
        return self._job is not None

    def read(self) -> None:
        """Begin to read both."""
        case = self._reading.case
        if case is None or case.folder is None or self._job is not None:
            return
        case.flush(_FLUSH_S)
        self._job = Job(_work(case, second_reading.home_of(case.folder, case.which)), self)
        self._job.succeeded.connect(self._on_read)
        self._job.failed.connect(self._on_failure)
        self._job.ended.connect(self._on_end)
        self._opener.run_alone(self._job)

    @Slot(object)
    def _on_read(self, found: object) -> None:
        case = self._reading.case
        if isinstance(found, Both) and case is not None and case.key == found.case_key:
            self.ready.emit(found)

    @Slot(object)
    def _on_failure(self, problem: object) -> None:
        if isinstance(problem, Problem):
            self.failed.emit(problem)

    @Slot()
    def _on_end(self) -> None:
        if self.sender() is self._job:
            self._job = None

    def cancel(self) -> None:
        """Let what is being read come to nothing."""
        if self._job is not None:
            self._job.cancel()
            self._job = None


def _work(case: Case, home: Path) -> Callable[[object, object], Both]:
    series, plan, volume, reader, key = case.series, case.plan, case.volume, case.reader, case.key

    def closed(which: Which) -> Case:
        found = Case.open(series, plan, volume, reader=reader, folder=home.parent, which=which)
        found.close()
        return found

    def work(_report: object, _cancelled: object) -> Both:
        first, second = closed("first"), closed("second")
        there = second_reading.standing(home, "adjudicated") is not None
        begun = second_reading.standing(home)
        agreement = compare(first.document, second.document, first.threshold, second.threshold)
        parents = [
            Parent(tuple(sorted(filter(None, one.readers))), one.document, one.links)
            for one in (first, second)
        ]
        return Both(
            key,
            Parents(parents[0], parents[1], agreement),
            closed("adjudicated").document if there else None,
            first.threshold,
            begun is not None and begun.seen,
        )

    return work
