"""What the open file says for the screen: read off the GUI thread once all images are there."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QThreadPool, Slot

from viewer.study.display_facts import DisplayFacts, display_facts
from viewer.study.order import StackPlan
from viewer.ui.jobs import Job
from viewer.ui.reading import Reading

_CLOSE_MS = 3000


class FileFacts(QObject):
    """Keeps ``Reading.facts`` those of the open case."""

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._planes: object = None
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        reading.case_changed.connect(self._on_case)

    @Slot()
    def _on_case(self) -> None:
        case = self._reading.case
        planes = case.plan.planes if case is not None else None
        if planes is not self._planes:
            self._planes = planes
            self._give_up()
            self._reading.set_facts(DisplayFacts())
            asked = False
        else:
            asked = self._job is not None or self._reading.facts != DisplayFacts()
        # Not before the images: the first slice waits for nothing else.
        if case is not None and not case.is_being_read and not asked:
            self._job = Job(partial(_read, case.plan), self)
            self._job.succeeded.connect(self._on_read)
            self._job.start(self._pool)

    @Slot(object)
    def _on_read(self, found: object) -> None:
        assert isinstance(found, DisplayFacts)
        self._job = None
        self._reading.set_facts(found)

    def _give_up(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def close(self) -> None:
        """Wait for the thread."""
        self._give_up()
        self._pool.waitForDone(_CLOSE_MS)


def _read(plan: StackPlan, _report: Any, _cancelled: Any) -> DisplayFacts:
    return display_facts(plan)
