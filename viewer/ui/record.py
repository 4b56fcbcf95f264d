"""The rooms of what was done to a case: AI against corrected, and what the journal tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from resources.problem import Problem
from viewer.ui.adjudicating import Adjudicating
from viewer.ui.attending import Attending
from viewer.ui.auditing import Auditing
from viewer.ui.comparing import Comparing
from viewer.ui.labelling import Labelling
from viewer.ui.panel.adjudication import AdjudicationSection
from viewer.ui.panel.changes import ChangesSection
from viewer.ui.pooling import Pooling
from viewer.ui.readers import Readers
from viewer.ui.steps import Steps

if TYPE_CHECKING:
    from viewer.session import Case
    from viewer.ui.main_window import MainWindow
    from viewer.ui.part import Part


class Record(QObject):
    """Holds the rooms, and brings their commands along.

    Attributes
    ----------
    comparing, auditing, steps, readers, adjudicating, labelling, pooling, attending
        AI against corrected; the audit log; steps by name; the readings of a case; what they say
        otherwise; what findings are called; agreement over many cases; the time taken.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.comparing = Comparing(window.reading, self)
        self.auditing = Auditing(window)
        self.steps = Steps(window)
        self.readers = Readers(window)
        self.adjudicating = Adjudicating(window)
        self.labelling = Labelling(window)
        self.pooling = Pooling(window)
        self._rooms: tuple[Part, ...] = (
            self.comparing,
            self.auditing,
            self.steps,
            self.readers,
            self.adjudicating,
            self.labelling,
            self.pooling,
        )
        self.attending = Attending(window)
        self._exporting: Case | None = None

    def attach(self) -> None:
        """Join the parts of the window, which are there now."""
        window = self._window
        window.panel.add_section(ChangesSection(window.reading, self.comparing))
        section = AdjudicationSection(window.reading, self.adjudicating, window.actions_by_id)
        window.panel.add_section(section)
        self.labelling.attach()
        self.steps.attach()
        window.exporter.started.connect(self._on_export)
        window.exporter.ended.connect(self._on_exported)
        window.reading.case_changed.connect(self._on_case)

    def close(self) -> None:
        """Let go of windows and threads."""
        self.auditing.close()
        self.readers.close()

    def _on_export(self) -> None:
        self._exporting = self._window.reading.case

    def _on_exported(self, folder: Path | None, _problem: Problem | None) -> None:
        case, self._exporting = self._exporting, None
        # One that was left meanwhile is closed: its journal takes no more entries.
        if folder is not None and case is not None and case is self._window.reading.case:
            case.note_event("exported")

    def _on_case(self) -> None:
        case = self._window.reading.case
        if case is not None and case.taken_over and not case.recovered:
            self._window.status.hint(case.taken_over)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        return {name: act for room in self._rooms for name, act in room.handlers().items()}

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now."""
        return {name: why for room in self._rooms for name, why in room.reasons().items()}

    def checked(self) -> Mapping[str, bool]:
        """Return which switches are on."""
        return {name: on for room in self._rooms for name, on in room.checked().items()}
