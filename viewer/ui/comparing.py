"""AI against corrected: one key shows what readers made of the AI result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from resources.text import translate
from viewer.annotate.comparison import Compared, Comparison

if TYPE_CHECKING:
    from viewer.ui.reading import Reading

_COMMAND = "changes"


class Comparing(QObject):
    """Holds the comparison of the open case; computed when it is asked for, and kept."""

    changed = Signal()

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._comparison = Comparison()
        self._compared: tuple[Compared, ...] | None = None
        reading.compared = self.compared
        reading.document_changed.connect(self._stale)
        reading.threshold_changed.connect(self._stale)
        reading.case_changed.connect(self._on_case)

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {_COMMAND: self.toggle}

    def reasons(self) -> Mapping[str, str]:
        """Return why there is nothing to compare."""
        return {_COMMAND: self.why_not()}

    def checked(self) -> Mapping[str, bool]:
        """Return whether it is shown."""
        return {_COMMAND: self.shows}

    # --------------------------------------------------------------- showing

    @property
    def shows(self) -> bool:
        """Whether the comparison is on the screen now."""
        return self._reading.shown.changes and not self.why_not()

    def why_not(self) -> str:
        """Return why it cannot be shown, in a sentence; empty when it can."""
        reading = self._reading
        if reading.case is None:
            return translate("window", "Open a series first.")
        if reading.ai_locked:
            return translate("comparing", "The AI is locked until the first impression.")
        if not reading.case.document.runs:
            return translate("window", "Run the model first.")
        return ""

    def toggle(self) -> None:
        """Show it, or the findings as usual."""
        self._reading.show(changes=not self._reading.shown.changes)

    def compared(self) -> tuple[Compared, ...]:
        """Return what is to be shown of the open case; nothing while it is off."""
        reading = self._reading
        if not self.shows or reading.ai_hidden or reading.case is None:
            return ()
        if self._compared is None:
            case = reading.case
            self._compared = self._comparison.of(case.document, case.threshold)
        return self._compared

    def _stale(self, *_args: Any) -> None:
        self._compared = None
        if self.shows:
            self.changed.emit()

    def _on_case(self) -> None:
        self._comparison.forget()
        self._reading.shown.changes = False
        self._stale()
        self.changed.emit()
