"""The rooms of the window that change outlines otherwise than by a stroke, held together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.ui import marker_layer
from viewer.ui.boxing import Boxing
from viewer.ui.brush_rules import BrushRules
from viewer.ui.copying import Copying
from viewer.ui.importing import Importing
from viewer.ui.lassoing import Lassoing
from viewer.ui.locking import Locking
from viewer.ui.nudging import Nudging
from viewer.ui.refining import Refining
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
        pointer = lambda: window.views.point_for_new_lesion()  # noqa: E731
        self.refining = Refining(reading, window.ai, corrections, pointer, window)
        self.boxing = Boxing(reading, window.ai, corrections, window)
        self.copying = Copying(window)
        self.importing = Importing(window)
        self.nudging = Nudging(
            reading, corrections, self.boxing, lambda: window.views.active, window
        )

    @property
    def parts(self) -> tuple[Part, ...]:
        """The rooms, for their commands."""
        return (
            self.lassoing,
            self.brush_rules,
            self.reshaping,
            self.locking,
            self.refining,
            self.boxing,
            self.nudging,
            self.copying,
            self.importing,
        )

    def attach(self) -> None:
        """Connect the rooms with views and status line, once these are there."""
        window = self._window
        for view in window.views.views:
            self.lassoing.attach(view)
            self.reshaping.attach(view)
            self.refining.attach(view)
            self.boxing.attach(view)
            view.extras.append(marker_layer.paint)
        for room in (
            self.lassoing,
            self.brush_rules,
            self.reshaping,
            self.refining,
            self.boxing,
        ):
            room.changed.connect(window.follow)
            room.told.connect(window.status.hint)
        self.locking.told.connect(window.status.hint)
        self.nudging.told.connect(window.status.hint)
        self.copying.told.connect(window.status.hint)
        self.importing.told.connect(window.status.hint)
        self.importing.attach()
        for asking in (
            self.reshaping,
            self.refining,
            self.boxing,
            self.copying,
            self.importing,
        ):
            asking.failed.connect(window.message.show_problem)

    def give_up(self) -> bool:
        """Drop what is drawn or proposed; tell whether there was anything."""
        ways = (
            self.lassoing.give_up, self.reshaping.give_up,
            self.refining.escape, self.boxing.escape, self.copying.escape,
            self.importing.escape,
        )  # fmt: skip
        return any(way() for way in ways)
