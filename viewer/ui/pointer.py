"""The shape of the pointer over a view: it says what a press would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from viewer.annotate.measurements import KINDS
from viewer.ui.gestures import LOOKING
from viewer.ui.time_points import why_no_work

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView


def shape_of(view: SliceView) -> Qt.CursorShape:
    """Return the shape for the tool in use; where it can do nothing, a press says why."""
    tool = view.reading.tool
    measures = view.measuring is not None and tool in KINDS
    refused = (view.looks_only and not measures) or bool(why_no_work(view))
    if refused and tool not in LOOKING:
        return Qt.CursorShape.ForbiddenCursor
    return {
        "window": Qt.CursorShape.ArrowCursor,
        "pan": Qt.CursorShape.OpenHandCursor,
        "move": Qt.CursorShape.SizeAllCursor,
    }.get(tool, Qt.CursorShape.CrossCursor)
