"""The rooms of the window that change outlines otherwise than by a stroke, held together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.ui.brush_rules import BrushRules
from viewer.ui.lassoing import Lassoing
from viewer.ui.locking import Locking
from viewer.ui.reshaping import Reshaping

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow
    from viewer.ui.part import Part


class ToolRooms:
    """Lasso, rules of the brush, tools for whole outlines, locks."""

    def __init__(self, window: MainWindow) -> None:
        reading, corrections = window.reading, window.corrections
        self._window = window
        self.lassoing = Lassoing(reading, window)
        self.brush_rules = BrushRules(reading, lambda: window.views.point_for_new_lesion(), window)
        self.reshaping = Reshaping(reading, corrections, lambda: window.views.active, window)
        self.locking = Locking(reading, corrections, window)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The rooms, for their commands."""
        return (self.lassoing, self.brush_rules, self.reshaping, self.locking)

    def attach(self) -> None:
        """Connect the rooms with views and status line, once these are there."""
        window = self._window
        for view in window.views.views:
            self.lassoing.attach(view)
            self.reshaping.attach(view)
        for room in (self.lassoing, self.brush_rules, self.reshaping):
            room.changed.connect(window.follow)
            room.told.connect(window.status.hint)
        self.locking.told.connect(window.status.hint)
        self.reshaping.failed.connect(window.message.show_problem)

    def give_up(self) -> bool:
        """Drop what is drawn or proposed; tell whether there was anything."""
        return self.lassoing.give_up() or self.reshaping.give_up()
