"""What a room of the window brings along: what its commands do, and when they cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class Part(Protocol):
    """One room of the window, such as measuring or the layouts.

    Its commands stand in ``commands.commands``; ``MainWindow.parts`` names all rooms.
    """

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what each of its commands does, by the command's id."""

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now; one that can may be left out, or be empty.

        Asked at every change of the window's state: it must be quick.
        """

    def checked(self) -> Mapping[str, bool]:
        """Return which of its switches are on."""
