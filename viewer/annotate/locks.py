"""Locks: an outline that a reader has locked cannot be changed, by nobody and no tool.

A lock is a note of the case, so it is one step to undo and outlives the session. The document
itself refuses every edit that would change what is locked: there is no way round it.
"""

from __future__ import annotations

from resources.problem import Problem
from resources.text import translate
from viewer.annotate import edits
from viewer.annotate.document_state import DocumentState

TOPIC = "lock"


def is_locked(document: DocumentState, target_id: str) -> bool:
    """Tell whether a lesion or segment is locked."""
    return target_id in document.notes(TOPIC)


def lock_edit(document: DocumentState, target_id: str, locked: bool) -> edits.SetNote | None:
    """Lock a lesion or segment, or unlock it; None when it is so already."""
    before = document.notes(TOPIC).get(target_id)
    after = {"locked": True} if locked else None
    return (
        None
        if (before is None) == (after is None)
        else edits.SetNote(TOPIC, target_id, before, after)
    )


def changes(edit: edits.Edit) -> tuple[str, ...]:
    """Return whose voxels, place, name or being in the list an edit changes.

    A verdict may be given on what is locked: it is an opinion on the outline, no change of it.
    """
    match edit:
        case edits.PaintStroke() | edits.Reshape():
            return (edit.target_id,)
        case edits.MoveLesion() | edits.DeleteLesion() | edits.SetLabel():
            return (edit.lesion_id,)
        case edits.RemoveLesion() | edits.RemoveOutlined():
            return (edit.added.lesion_id,)
        case edits.RemoveImported():
            return tuple(one.target_id for one in edit.added.outlines)
        case edits.AddFindings():
            return edit.supersedes
        case edits.Together():
            return tuple(target_id for part in edit.parts for target_id in changes(part))
        case _:
            return ()


def refuse(document: DocumentState, edit: edits.Edit) -> None:
    """Raise ValueError when an edit would change what is locked."""
    held = document.notes(TOPIC)
    if held and any(target_id in held for target_id in changes(edit)):
        raise ValueError("a locked outline cannot be changed")


def refusal(target_id: str) -> Problem:
    """Return what is said when a reader wants to change what is locked."""
    return Problem(
        translate("annotate", "This outline is locked."),
        translate("annotate", "Unlock it first, or choose another one."),
        f"target {target_id}",
    )
