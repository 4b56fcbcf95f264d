"""What every viewer of images is expected to have: cine, what the file says, and its like.

One part for the window; each room inside knows only the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction

from viewer.ui.cine import Cine
from viewer.ui.file_facts import FileFacts
from viewer.ui.key_images import KeyImages
from viewer.ui.windows import Windows

if TYPE_CHECKING:
    from viewer.ui.mpr import MprViews
    from viewer.ui.part import Part
    from viewer.ui.reading import Reading
    from viewer.ui.settings import Settings
    from viewer.ui.slice_view import SliceView


class Conventions(QObject):
    """Makes the rooms and speaks for them."""

    told = Signal(str)
    changed = Signal()

    def __init__(
        self,
        reading: Reading,
        settings: Settings,
        active: Callable[[], SliceView],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.facts = FileFacts(reading, self)
        self.cine = Cine(reading, active, self)
        self.windows = Windows(reading, settings, active, self)
        self.key_images = KeyImages(reading, active, self)
        self._rooms: tuple[Part, ...] = (self.cine, self.windows, self.key_images)
        for room in (self.cine, self.windows, self.key_images):
            room.told.connect(self.told)
            room.changed.connect(self.changed)

    def attach(self, actions: Mapping[str, QAction]) -> None:
        """Name the actions as the open case demands."""
        self.windows.attach(actions)

    def follow_views(self, views: MprViews) -> None:
        """Let the digits be for the series of the view that keys act on."""
        views.activated.connect(self.windows.follow_active)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what each command of the rooms does."""
        return {name: act for room in self._rooms for name, act in room.handlers().items()}

    def reasons(self) -> dict[str, str]:
        """Return why a command cannot be used now."""
        return {name: why for room in self._rooms for name, why in room.reasons().items()}

    def checked(self) -> dict[str, bool]:
        """Return which of the switches are on."""
        return {name: on for room in self._rooms for name, on in room.checked().items()}

    def close(self) -> None:
        """Stop what plays and wait for the threads."""
        self.cine.stop()
        self.facts.close()
