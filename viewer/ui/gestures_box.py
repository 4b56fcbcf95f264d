"""What a press does while the box tool is held: a new box, a face or a corner, or the whole box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, Qt

from resources.text import translate
from viewer.annotate import boxes
from viewer.annotate.boxes import Bounds
from viewer.ui.box_layer import rectangle_of
from viewer.ui.gesture import Gesture

if TYPE_CHECKING:
    from viewer.display.planes import Plane
    from viewer.ui.boxing import Boxing
    from viewer.ui.slice_view import SliceView

_GRIP_PX = 7.0

# Sides of the screen that a press takes along: (-1, 0, 1) across and down; None: the whole box.
Grip = tuple[int, int] | None


def begin(boxing: Boxing, view: SliceView, button: Qt.MouseButton, at: QPointF) -> Gesture:
    """Return the gesture of a press with the box tool, in a straight plane."""
    plane, current = view.plane, boxing.current
    assert plane is not None
    if current is not None:
        box_id, bounds = current
        found = grip_at(view, bounds, at)
        if found != NOWHERE:
            return BoxDrag(boxing, view, button, at, bounds, box_id, found)
    return NewBoxDrag(boxing, view, button, at)


NOWHERE: Grip = (9, 9)


def grip_at(view: SliceView, bounds: Bounds, at: QPointF) -> Grip:
    """Return what of a box lies under the pointer; ``NOWHERE`` when nothing does."""
    plane = view.plane
    assert plane is not None
    if not bounds.low_kji[plane.axis] <= view.index < bounds.high_kji[plane.axis]:
        return NOWHERE
    box = rectangle_of(view, bounds)
    if not box.adjusted(-_GRIP_PX, -_GRIP_PX, _GRIP_PX, _GRIP_PX).contains(at):
        return NOWHERE
    # In a small box the inner half is for the whole of it.
    reach_x, reach_y = (min(_GRIP_PX, side / 4) for side in (box.width(), box.height()))
    across = -1 if at.x() <= box.left() + reach_x else int(at.x() >= box.right() - reach_x)
    down = -1 if at.y() <= box.top() + reach_y else int(at.y() >= box.bottom() - reach_y)
    return None if (across, down) == (0, 0) else (across, down)


def faces_of(plane: Plane, grip: tuple[int, int]) -> list[tuple[int, bool]]:
    """Return the faces, index axis and whether the far one, at sides of the screen."""
    sides = ((grip[0], plane.across, plane.flip_across), (grip[1], plane.down, plane.flip_down))
    return [(axis, (side > 0) != flipped) for side, axis, flipped in sides if side]


class BoxDrag(Gesture):
    """Moves one face, two at a corner, or the whole box, by whole voxels."""

    def __init__(
        self,
        boxing: Boxing,
        view: SliceView,
        button: Qt.MouseButton,
        start: QPointF,
        bounds: Bounds,
        box_id: str,
        grip: Grip,
    ) -> None:
        super().__init__(view, button, start)
        self._boxing, self._before, self._id, self._grip = boxing, bounds, box_id, grip
        plane = view.plane
        assert plane is not None
        self._plane, self._index = plane, view.index
        faces = faces_of(plane, grip) if grip is not None else []
        boxing.handle = faces[0] if len(faces) == 1 else None

    def drag(self, delta: QPointF, to: QPointF) -> None:
        plane, case = self._plane, self.view.case
        if case is None or self.view.plane is not plane:
            return
        first, last = (
            plane.kji_at(*self.view.mm_of_px(point), self._index) for point in (self.start, to)
        )
        steps = np.rint(last - first).astype(int)
        shape = case.volume.shape_kji
        if self._grip is None:
            k, j, i = (int(n) for n in steps)
            moved = self._before.moved((k, j, i), shape)
        else:
            moved = self._before
            for axis, far in faces_of(plane, self._grip):
                ends = self._before.high_kji if far else self._before.low_kji
                at = ends[axis] + int(steps[axis])
                moved = moved.with_face(axis, far=far, at=at, shape_kji=shape)
        self._boxing.show_draft(moved)

    def end(self, at: QPointF) -> None:
        draft = self._boxing.draft
        if self.moved and draft is not None and draft != self._before:
            self._boxing.keep(draft, self._id)
        else:
            self._boxing.show_draft(None)

    def abort(self) -> None:
        self._boxing.show_draft(None)


class NewBoxDrag(Gesture):
    """Draws a box over the slice; it is as deep as it is wide."""

    def drag(self, delta: QPointF, to: QPointF) -> None:
        self._boxing.show_draft(self._spanned(to))

    def __init__(
        self, boxing: Boxing, view: SliceView, button: Qt.MouseButton, start: QPointF
    ) -> None:
        super().__init__(view, button, start)
        assert view.plane is not None
        self._boxing, self._plane, self._index = boxing, view.plane, view.index

    def _spanned(self, to: QPointF) -> Bounds | None:
        plane, case = self._plane, self.view.case
        if case is None or self.view.plane is not plane:
            return None
        first, last = (
            plane.kji_at(*self.view.mm_of_px(point), self._index) for point in (self.start, to)
        )
        volume = case.volume
        return boxes.spanned(first, last, plane.axis, volume.affine, volume.shape_kji)

    def end(self, at: QPointF) -> None:
        drawn = self._spanned(at) if self.moved else None
        self._boxing.show_draft(None)
        if drawn is not None:
            self._boxing.keep_drawn(drawn)
        else:
            self._boxing.told.emit(
                translate("box", "Drag a box over a lesion; its faces can be moved afterwards.")
            )

    def abort(self) -> None:
        self._boxing.show_draft(None)
