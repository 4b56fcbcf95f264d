"""Hiding everything of the AI for as long as a key is held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from resources.text import translate

if TYPE_CHECKING:
    from viewer.ui.reading import Reading

_COMMAND = "hold_ai"
_LEFT = frozenset([QEvent.Type.WindowDeactivate, QEvent.Type.Hide, QEvent.Type.Close])


class Holding(QObject):
    """Hides outlines, marks, scores and maps of the AI while its key is down.

    The key is that of the command, whatever the reader made it. It never sticks: letting it go
    in another window, or the window losing the keyboard while it is down, shows all again.
    """

    def __init__(self, reading: Reading, window: QWidget) -> None:
        super().__init__(window)
        self._reading = reading
        self._window = window

    # -------------------------------------------------------------- the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what the command does: on its press; the filter sees its release."""
        return {_COMMAND: self._hold}

    def reasons(self) -> Mapping[str, str]:
        """Return why there is nothing to hide."""
        case = self._reading.case
        if case is None:
            return {_COMMAND: translate("window", "Open a series first.")}
        if case.document.findings is None and not self._reading.shown.ai_held_back:
            return {_COMMAND: translate("window", "Run the model first.")}
        return {_COMMAND: ""}

    def checked(self) -> Mapping[str, bool]:
        """Return nothing: it is no switch."""
        return {}

    # --------------------------------------------------------------- the key

    def _hold(self) -> None:
        if not self._reading.shown.ai_held_back:
            # Only as long as it is held: a filter of all events costs time at each of them.
            QCoreApplication.instance().installEventFilter(self)  # type: ignore[union-attr]
            self._reading.show(ai_held_back=True)

    def release(self) -> None:
        """Show all again."""
        QCoreApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
        if self._reading.shown.ai_held_back:
            self._reading.show(ai_held_back=False)

    def _is_key(self, event: QKeyEvent) -> bool:
        for key in self._reading.keys.keys_of(_COMMAND):
            pressed: QKeyCombination = QKeySequence(key)[0]  # type: ignore[index]
            if pressed.key().value == event.key():
                return True
        return False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.KeyRelease:
            # A key that repeats is let go and pressed again all the time, by its own account.
            if isinstance(event, QKeyEvent) and not event.isAutoRepeat() and self._is_key(event):
                self.release()
        elif kind == QEvent.Type.ApplicationStateChange:
            if QGuiApplication.applicationState() != Qt.ApplicationState.ApplicationActive:
                self.release()
        elif kind in _LEFT and watched is self._window:
            self.release()
        return False
