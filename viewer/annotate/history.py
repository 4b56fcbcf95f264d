"""Undo and redo as a plain stack over the document; both are records of the journal too."""

from __future__ import annotations

from typing import Literal

from viewer.annotate.document import AnnotationDocument, Change
from viewer.annotate.edits import SEALED_TOPICS, Edit, SetNote
from viewer.annotate.names import edit_text

Step = Literal["edit", "undo", "redo"]


class History:
    """Applies edits to one document and knows the way back.

    The same three calls, in the same order, lead to the same document and the same
    stacks: that is how a journal is replayed and why undo outlives a session.
    """

    def __init__(self, document: AnnotationDocument) -> None:
        self.document = document
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._kept: int | None = None

    def apply(self, edit: Edit) -> Change:
        """Apply a new edit; what was undone can no longer be redone."""
        change = self.document.apply(edit)
        self._done.append(edit)
        self._undone.clear()
        return change

    def apply_unkept(self, edit: Edit) -> Change:
        """Apply an edit that no journal keeps, to a case that can only be looked at."""
        if self._kept is None:
            self._kept = len(self._done)
        return self.apply(edit)

    @property
    def undoes_unkept(self) -> bool:
        """Whether ``undo`` would take back an edit that no journal keeps."""
        return self._kept is not None and len(self._done) > self._kept

    @property
    def redoes_unkept(self) -> bool:
        """Whether ``redo`` would apply such an edit."""
        return self._kept is not None and bool(self._undone)

    @property
    def is_sealed(self) -> bool:
        """Whether ``undo`` ends here: what a reader has committed is not taken back."""
        last = self._done[-1] if self._done else None
        return isinstance(last, SetNote) and last.topic in SEALED_TOPICS

    def undo(self) -> Change | None:
        """Take the latest edit back; None when there is none, or when it is sealed."""
        if not self._done or self.is_sealed:
            return None
        change = self.document.apply(self._done[-1].inverse())
        self._undone.append(self._done.pop())
        return change

    def redo(self) -> Change | None:
        """Apply again what was undone last; None when there is nothing."""
        if not self._undone:
            return None
        change = self.document.apply(self._undone[-1])
        self._done.append(self._undone.pop())
        return change

    @property
    def done(self) -> tuple[Edit, ...]:
        """The edits that stand, in order."""
        return tuple(self._done)

    @property
    def undo_edit(self) -> Edit | None:
        """The edit that ``undo`` would take back."""
        return self._done[-1] if self._done and not self.is_sealed else None

    @property
    def redo_edit(self) -> Edit | None:
        """The edit that ``redo`` would apply."""
        return self._undone[-1] if self._undone else None

    @property
    def undo_name(self) -> str | None:
        """Translated name of the step that ``undo`` would take back."""
        step = self.undo_edit
        return edit_text(self.document, step) if step is not None else None

    @property
    def redo_name(self) -> str | None:
        """Translated name of the step that ``redo`` would apply again."""
        return edit_text(self.document, self._undone[-1]) if self._undone else None
