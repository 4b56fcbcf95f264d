"""The shape of the pointer over a view: it says what a press would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from viewer.annotate.measurements import KINDS
from viewer.ui.gestures import LOOKING

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView


def shape_of(view: SliceView) -> Qt.CursorShape:
    """Return the shape for the tool in use; where it can do nothing, a press says why."""
    tool = view.reading.tool
    measures = view.measuring is not None and tool in KINDS
    if view.looks_only and tool not in LOOKING and not measures:
        return Qt.CursorShape.ForbiddenCursor
    return {
        "window": Qt.CursorShape.ArrowCursor,
        "pan": Qt.CursorShape.OpenHandCursor,
        "move": Qt.CursorShape.SizeAllCursor,
    }.get(tool, Qt.CursorShape.CrossCursor)
