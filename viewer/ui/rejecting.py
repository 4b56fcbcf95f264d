"""Why a finding is rejected: asked for after the rejection, with one key, never waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

import resources
from resources.text import translate
from viewer.ui.panel import words

if TYPE_CHECKING:
    from viewer.ui.corrections import Corrections
    from viewer.ui.reading import Reading

NO_REASON_KEY = "0"


class Rejecting(QObject):
    """Holds which finding was just rejected, and takes the reason.

    The rejection stands from its own key on; the digits give its reason as long as nothing else
    is asked of the window, and then mean what they meant before.

    Attributes
    ----------
    lesion_id
        The finding that waits for a reason, or None.
    actions
        What the digits do meanwhile: key of the reason (empty: none) to its action.
    """

    changed = Signal()
    answered = Signal(str)  # id of the lesion; a reason was given, or that there is none

    def __init__(self, reading: Reading, corrections: Corrections, window: QWidget) -> None:
        super().__init__(window)
        self._reading = reading
        self._corrections = corrections
        self.lesion_id: str | None = None
        self.actions: dict[str, QAction] = {}
        reasons = {key: row["key"] for key, row in resources.table("rejection_reasons").items()}
        for reason, key in (*reasons.items(), ("", NO_REASON_KEY)):
            self.actions[reason] = self._action(window, reason, key)
        corrections.judged.connect(self._on_judged)
        reading.selection_changed.connect(self._on_selection)
        reading.document_changed.connect(self._on_document)
        reading.case_changed.connect(self.leave)

    def _action(self, window: QWidget, reason: str, key: str) -> QAction:
        name = words.reason(reason) if reason else translate("rejecting", "No reason")
        action = QAction(name, window)
        action.setShortcut(QKeySequence(key))
        action.setToolTip(f"{name}  {key}")
        action.setAutoRepeat(False)
        action.setEnabled(False)
        action.triggered.connect(lambda: self.choose(reason))
        window.addAction(action)
        return action

    def watch(self, actions: Mapping[str, QAction]) -> None:
        """Let any other command end the asking."""
        for name, action in actions.items():
            if name != "reject":
                action.triggered.connect(self.leave)

    # ------------------------------------------------------------------ the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do: it has none of its own."""
        return {}

    def reasons(self) -> Mapping[str, str]:
        """Return which commands lend their keys while a reason is asked for."""
        if self.lesion_id is None:
            return {}
        why = translate("rejecting", "These keys give the reason now; Esc ends that.")
        keys = [action.shortcut().toString() for action in self.actions.values()]
        owners = [self._reading.keys.owner(key) for key in keys]
        return {owner.id: why for owner in owners if owner is not None}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    # -------------------------------------------------------------------- asking

    def choose(self, reason: str) -> None:
        """Take the reason; empty for none."""
        lesion_id = self.lesion_id
        if lesion_id is None:
            return
        self.leave()
        if reason:
            self._corrections.give_reason(lesion_id, reason)
        self.answered.emit(lesion_id)

    def leave(self, *_args: Any) -> None:
        """Ask no longer; the rejection stands without a reason."""
        self._set(None)

    def escape(self) -> bool:
        """Ask no longer; tell whether it was asked."""
        asked = self.lesion_id is not None
        self.leave()
        return asked

    def _set(self, lesion_id: str | None) -> None:
        if lesion_id == self.lesion_id:
            return
        self.lesion_id = lesion_id
        if lesion_id is None:
            for action in self.actions.values():
                action.setEnabled(False)
        self.changed.emit()  # those who had the digits follow
        if lesion_id is not None:
            for action in self.actions.values():
                action.setEnabled(True)

    def _on_judged(self, lesion_id: str, verdict: str | None) -> None:
        self._set(lesion_id if verdict == "rejected" else None)

    def _on_selection(self) -> None:
        if self._reading.selected != self.lesion_id:
            self.leave()

    def _on_document(self, _change: object) -> None:
        case = self._reading.case
        if self.lesion_id is None or case is None:
            return
        if case.document.lesion(self.lesion_id).verdict != "rejected":
            self.leave()
