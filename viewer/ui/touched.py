"""Which part of a view a stroke, an edit or the pointer touches: the rest is not painted again.

To paint a view whole takes some milliseconds, most of them for what did not change. A part that
is too large costs time; one that is too small would leave old pixels, so each reaches as far as
what is drawn can: outlines, their rims, the number and the ring beside them.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF

from viewer.tools.brush import Stroke
from viewer.ui import view_corners

if TYPE_CHECKING:
    from collections.abc import Iterable

    from viewer.annotate.change import Change
    from viewer.annotate.mask import Box
    from viewer.ui.slice_view import SliceView

# The number of a finding stands beside its outline, and so does what marks a small one.
_AROUND_PX = 48
_NUMBER = 0.36  # of the longer side, see ``view_text``
_RIM_PX = 4


def by_boxes(view: SliceView, boxes: Iterable[Box]) -> QRect:
    """Return where voxels of index boxes are drawn, with what stands beside them.

    Parameters
    ----------
    boxes
        Slices along k, j and i; one without voxels is passed over.
    """
    held = [box for box in boxes if _holds(box)]
    if not held or view.plane is None:
        return QRect()
    low = [min(box[axis].start for box in held) - 0.5 for axis in range(3)]
    high = [max(box[axis].stop for box in held) - 0.5 for axis in range(3)]
    # Along the axes of the volume two corners are those of the rectangle.
    corners = [low, high] if view.plane.straight else list(product(*zip(low, high, strict=True)))
    points = view.plane.view_mm(corners)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    room = QRectF(view.px_of_mm(left, top), view.px_of_mm(right, bottom))
    room = room.normalized()
    # The number of a long thin outline stands as far from its middle as if it were round.
    beside, over = (_NUMBER * side for side in (room.height(), room.width()))
    return _whole_px(room.adjusted(-beside, -over, beside, over), _AROUND_PX)


def by_stroke(view: SliceView) -> QRect | None:
    """Return what the stroke of a brush may have changed so far; None when nobody knows."""
    stroke = view.reading.stroke
    if not isinstance(stroke, Stroke):
        return None
    reached = stroke.box
    return by_boxes(view, (stroke.mask.box, *(() if reached is None else (reached,))))


def by_change(view: SliceView, change: Change) -> QRect | None:
    """Return what an edit of voxels changed; None for any other edit: it may change anything."""
    if change.kind != "paint" or change.note is not None or view.case is None:
        return None
    document = view.case.document
    now = [document.target(each).mask.box for each in (*change.lesion_ids, *change.segment_ids)]
    if any(box in change.boxes or not _holds(box) for box in now):
        return None  # without voxels, before or now, it is a point, which may lie elsewhere
    return by_boxes(view, (*change.boxes, *now))


def by_brush(view: SliceView, before: QPointF | None) -> QRect | None:
    """Return what a move of the pointer changes while brush or eraser is held.

    Its ring, where it was and where it is, and the words at the lower left. None with any other
    tool.
    """
    if view.reading.tool not in ("brush", "erase"):
        return None
    radius = view.reading.brush_mm / 2 / view.mm_per_px
    part = view_corners.lower_left(view)
    for at in (before, view.pointer_px):
        if at is not None:
            ring = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
            part |= _whole_px(ring, _RIM_PX)
    return part


def _holds(box: Box) -> bool:
    return all(side.start < side.stop for side in box)


def _whole_px(room: QRectF, around_px: float) -> QRect:
    return room.normalized().adjusted(-around_px, -around_px, around_px, around_px).toAlignedRect()
