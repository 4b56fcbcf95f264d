"""The rooms of what was done to a case: AI against corrected, and what the journal tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from viewer.ui.comparing import Comparing
from viewer.ui.panel.changes import ChangesSection

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow
    from viewer.ui.part import Part


class Record(QObject):
    """Holds the rooms, and brings their commands along.

    Attributes
    ----------
    comparing
        AI against corrected.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.comparing = Comparing(window.reading, self)
        self._rooms: tuple[Part, ...] = (self.comparing,)

    def attach(self) -> None:
        """Join the parts of the window, which are there now."""
        window = self._window
        window.panel.add_section(ChangesSection(window.reading, self.comparing))

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
