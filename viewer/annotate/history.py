"""Undo and redo as a plain stack over the document; both are records of the journal too."""

from __future__ import annotations

import json
from collections import Counter
from typing import Literal

from viewer.annotate.document import AnnotationDocument, Change
from viewer.annotate.edits import SEALED_TOPICS, Edit, PaintStroke, Reshape, SetNote, Together
from viewer.annotate.names import edit_text

Step = Literal["edit", "undo", "redo"]

# What undo may keep in memory: fifty thousand strokes and more. The journal keeps them all.
MOST_BYTES = 64 << 20
_EDIT_BYTES = 300  # of an edit without voxels, and beside them


class History:
    """Applies edits to one document and knows the way back.

    The same three calls, in the same order, lead to the same document and the same
    stacks: that is how a journal is replayed and why undo outlives a session.
    """

    def __init__(self, document: AnnotationDocument, most_bytes: int = MOST_BYTES) -> None:
        self.document = document
        self._most_bytes = most_bytes
        self._bytes = 0
        self._dropped: Counter[str] = Counter()
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._kept: int | None = None

    def apply(self, edit: Edit) -> Change:
        """Apply a new edit; what was undone can no longer be redone."""
        change = self.document.apply(edit)
        self._done.append(edit)
        self._bytes += bytes_of(edit) - sum(map(bytes_of, self._undone))
        self._undone.clear()
        return change

    def trim(self) -> None:
        """Forget the oldest steps beyond what may be kept in memory.

        Not during a replay: what follows may take them back.
        """
        first = 0
        while self._bytes > self._most_bytes and first < len(self._done) - 1:
            self._bytes -= bytes_of(self._done[first])
            self._dropped[self._done[first].kind] += 1
            first += 1
        del self._done[:first]
        if self._kept is not None:
            self._kept = max(0, self._kept - first)

    @property
    def counts(self) -> Counter[str]:
        """How many edits of each kind stand, also of those that undo no longer reaches."""
        return self._dropped + Counter(edit.kind for edit in self._done)

    @property
    def done_names(self) -> tuple[str, ...]:
        """Translated names of what ``undo`` would take back in turn, the latest first."""
        names = []
        for edit in reversed(self._done):
            if isinstance(edit, SetNote) and edit.topic in SEALED_TOPICS:
                break
            names.append(edit_text(self.document, edit))
        return tuple(names)

    @property
    def undone_names(self) -> tuple[str, ...]:
        """Translated names of what ``redo`` would do again in turn, the next first."""
        return tuple(_name(self.document, edit) for edit in reversed(self._undone))

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


def bytes_of(edit: Edit) -> int:
    """Return about how many bytes the undo of an edit keeps that the document does not."""
    match edit:
        case PaintStroke() | Reshape():
            return _EDIT_BYTES + len(edit.delta.bits)
        case Together():
            return sum(map(bytes_of, edit.parts))
        case SetNote():
            return _EDIT_BYTES + len(json.dumps([edit.before, edit.after], default=str))
    return _EDIT_BYTES


def _name(document: AnnotationDocument, edit: Edit) -> str:
    try:
        return edit_text(document, edit)
    except KeyError:
        return edit.kind  # on a lesion that is itself undone
