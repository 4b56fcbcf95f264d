"""The shape of the pointer over a view: it says what a press would do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from viewer.annotate.measurements import KINDS
from viewer.ui.gestures import LOOKING
from viewer.ui.gestures_box import grip_at
from viewer.ui.time_points import why_no_work

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

# To the right, then on clockwise; the other half of the circle has the same.
_TOWARDS = (
    Qt.CursorShape.SizeHorCursor,
    Qt.CursorShape.SizeFDiagCursor,
    Qt.CursorShape.SizeVerCursor,
    Qt.CursorShape.SizeBDiagCursor,
)


def shape_of(view: SliceView) -> Qt.CursorShape:
    """Return the shape for the tool in use; where it can do nothing, a press says why."""
    tool = view.reading.tool
    measures = view.measuring is not None and tool in KINDS
    refused = (view.looks_only and not measures) or bool(why_no_work(view))
    if refused and tool not in LOOKING:
        return Qt.CursorShape.ForbiddenCursor
    if tool == "box" and (shape := _over_box(view)) is not None:
        return shape
    return {
        "window": Qt.CursorShape.ArrowCursor,
        "pan": Qt.CursorShape.OpenHandCursor,
        "move": Qt.CursorShape.SizeAllCursor,
    }.get(tool, Qt.CursorShape.CrossCursor)


def _over_box(view: SliceView) -> Qt.CursorShape | None:
    """Return the shape over a side, a corner or the inside of the box; None beside it."""
    at, plane = view.pointer_px, view.plane
    current = None if view.boxing is None else view.boxing.current
    if at is None or plane is None or current is None:
        return None
    grip = grip_at(view, current[1], at)
    if grip is None:
        return None
    if not grip.faces:
        return Qt.CursorShape.SizeAllCursor
    shape = Qt.CursorShape
    shapes = (
        shape.SizeHorCursor,
        shape.SizeFDiagCursor,
        shape.SizeVerCursor,
        shape.SizeBDiagCursor,
    )
    across, down = grip.towards
    return shapes[round(math.atan2(down, across) / (math.pi / 4)) % 4]
