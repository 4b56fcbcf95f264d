"""What can be undone and redone in a case, by name. No Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod

from viewer.annotate import edits
from viewer.annotate.history import History


class Stepping(ABC):
    """The steps of a case."""

    _history: History

    @property
    @abstractmethod
    def read_only(self) -> bool:
        """Whether nothing can be changed."""

    @property
    def steps(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of what ``undo`` takes back in turn, and of what ``redo`` does again in turn."""
        return self._history.done_names, self._history.undone_names

    @property
    def can_undo(self) -> bool:
        """Whether ``undo`` has a step, and may take it."""
        return self._history.undoes_unkept or (bool(self.undo_name) and not self.read_only)

    @property
    def can_redo(self) -> bool:
        """Whether ``redo`` has a step, and may take it."""
        return self._history.redoes_unkept or (bool(self.redo_name) and not self.read_only)

    @property
    def undo_name(self) -> str | None:
        """Translated name of what ``undo`` takes back, or None."""
        return self._history.undo_name

    @property
    def undo_edit(self) -> edits.Edit | None:
        """What ``undo`` takes back, or None."""
        return self._history.undo_edit

    @property
    def redo_edit(self) -> edits.Edit | None:
        """What ``redo`` applies again, or None."""
        return self._history.redo_edit

    @property
    def redo_name(self) -> str | None:
        """Translated name of what ``redo`` applies again, or None."""
        return self._history.redo_name
