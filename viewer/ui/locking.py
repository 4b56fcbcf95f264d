"""Locking the outline of the selected finding or structure, so that nothing changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from resources.text import translate
from viewer.annotate import locks
from viewer.annotate.names import target_text

if TYPE_CHECKING:
    from viewer.ui.corrections import Corrections
    from viewer.ui.reading import Reading


class Locking(QObject):
    """The command that locks and unlocks; a ``Part`` of the window."""

    told = Signal(str)

    def __init__(self, reading: Reading, corrections: Corrections, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._corrections = corrections

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its command does."""
        return {"lock": self.toggle}

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be locked now."""
        case = self._reading.case
        if case is None:
            return {}
        if case.read_only:
            return {"lock": str(case.read_only_problem)}
        if self._target() is None:
            return {"lock": translate("lock", "Select a finding or a structure first.")}
        return {}

    def checked(self) -> Mapping[str, bool]:
        """Return whether the selected outline is locked."""
        case, target = self._reading.case, self._target()
        locked = case is not None and target is not None and locks.is_locked(case.document, target)
        return {"lock": locked}

    def _target(self) -> str | None:
        """Return the id of what is selected, if it may be seen."""
        reading = self._reading
        if reading.case is None or reading.selected is None:
            return None
        if reading.lesion is not None:
            return reading.selected
        segments = () if reading.ai_hidden else reading.case.document.segments
        return next((s.id for s in segments if s.id == reading.selected), None)

    def toggle(self) -> None:
        """Lock what is selected, or unlock it."""
        target = self._target()
        if target is not None:
            self.toggle_of(target)

    def toggle_of(self, target: str) -> None:
        """Lock a finding or structure, or unlock it: as the padlock of its row asks."""
        case = self._reading.case
        if case is None:
            return
        wanted = not locks.is_locked(case.document, target)
        if self._corrections.change(lambda case: case.set_lock(target, wanted)) is None:
            return
        text = (
            translate("lock", "{what} is locked: no tool and no run of the AI changes it.")
            if wanted
            else translate("lock", "{what} is unlocked.")
        )
        what = target_text(case.document, target)
        self.told.emit(text.format(what=what[:1].upper() + what[1:]))
