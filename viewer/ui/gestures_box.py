"""What a press does while the box tool is held: a new box, a face or a corner, or the whole box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt

from inference.geometry import lps_mm_to_kji
from resources.text import translate
from viewer.annotate import boxes
from viewer.annotate.boxes import Bounds
from viewer.display.box_cut import Face, is_within
from viewer.ui.box_layer import rectangle_of, sides_of
from viewer.ui.gesture import Gesture

if TYPE_CHECKING:
    from viewer.display.planes import Plane
    from viewer.ui.boxing import Boxing
    from viewer.ui.slice_view import SliceView

_GRIP_PX = 7.0


@dataclass(frozen=True, slots=True)
class Grip:
    """What of a box a press takes along.

    Attributes
    ----------
    faces
        Its faces; none for the whole box.
    towards
        Where they lie from its middle, across and down the screen.
    """

    faces: tuple[Face, ...]
    towards: tuple[float, float]


_WHOLE = Grip((), (0.0, 0.0))


def begin(boxing: Boxing, view: SliceView, button: Qt.MouseButton, at: QPointF) -> Gesture:
    """Return the gesture of a press with the box tool."""
    current = boxing.current
    if current is not None:
        box_id, bounds = current
        found = grip_at(view, bounds, at)
        if found is not None:
            return BoxDrag(boxing, view, button, at, bounds, box_id, found.faces)
    return NewBoxDrag(boxing, view, button, at)


def grip_at(view: SliceView, bounds: Bounds, at: QPointF) -> Grip | None:
    """Return what of a box lies under the pointer; None when nothing does."""
    plane = view.plane
    assert plane is not None
    if not plane.straight:
        return _grip_turned(view, bounds, at)
    if not bounds.low_kji[plane.axis] <= view.index < bounds.high_kji[plane.axis]:
        return None
    box = rectangle_of(view, bounds)
    if not box.adjusted(-_GRIP_PX, -_GRIP_PX, _GRIP_PX, _GRIP_PX).contains(at):
        return None
    # In a small box the inner half is for the whole of it.
    reach_x, reach_y = (min(_GRIP_PX, side / 4) for side in (box.width(), box.height()))
    across = -1 if at.x() <= box.left() + reach_x else int(at.x() >= box.right() - reach_x)
    down = -1 if at.y() <= box.top() + reach_y else int(at.y() >= box.bottom() - reach_y)
    return Grip(faces_of(plane, (across, down)), (across, down))


def _grip_turned(view: SliceView, bounds: Bounds, at: QPointF) -> Grip | None:
    """Return what lies under the pointer of the polygon in which a turned plane cuts a box."""
    sides = sides_of(view, bounds)
    if not sides:
        return None
    here = view.mm_of_px(at)
    middle = np.mean([side.start for side in sides], axis=0)
    inner = min(side.away_mm((float(middle[0]), float(middle[1]))) for side in sides)
    away = sorted((side.away_mm(here), side.face) for side in sides)
    grip_mm = _GRIP_PX * view.mm_per_px
    if not is_within(sides, here):
        near = [face for mm, face in away if mm <= grip_mm]
        if not near:
            return None
    else:
        near = [face for mm, face in away if mm <= min(grip_mm, inner / 2)]
    if not near:
        return _WHOLE
    across, down = (float(v) for v in np.subtract(here, middle))
    return Grip(tuple(near[:2]), (across, down))


def faces_of(plane: Plane, grip: tuple[int, int]) -> tuple[Face, ...]:
    """Return the faces, index axis and whether the far one, at sides of the screen."""
    sides = ((grip[0], plane.across, plane.flip_across), (grip[1], plane.down, plane.flip_down))
    return tuple((axis, (side > 0) != flipped) for side, axis, flipped in sides if side)


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
        faces: tuple[Face, ...],
    ) -> None:
        super().__init__(view, button, start)
        self._boxing, self._before, self._id, self._faces = boxing, bounds, box_id, faces
        plane = view.plane
        assert plane is not None
        self._plane, self._index = plane, view.index
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
        if not self._faces:
            k, j, i = (int(n) for n in steps)
            moved = self._before.moved((k, j, i), shape)
        else:
            moved = self._before
            for axis, far in self._faces:  # each keeps up with the pointer, however it slants
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
        ends = self.view.mm_of_px(self.start), self.view.mm_of_px(to)
        volume = case.volume
        if not plane.straight:
            return boxes.holding(_deep(plane, self._index, *ends), volume.shape_kji)
        first, last = (plane.kji_at(*point, self._index) for point in ends)
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


def _deep(
    plane: Plane, index: int, first_mm: tuple[float, float], last_mm: tuple[float, float]
) -> npt.NDArray[np.float64]:
    """Return the corners of a rectangle on a slice, made as deep as it is wide on the mean, kji."""
    (x0, y0), (x1, y1) = first_mm, last_mm
    reach = (abs(x1 - x0) + abs(y1 - y0)) / 4
    flat = np.array([plane.lps_at(x, y, index) for x in (x0, x1) for y in (y0, y1)])
    deep = [flat + sign * reach * plane.normal_lps for sign in (-1, 1)]
    return lps_mm_to_kji(plane.affine, np.concatenate(deep))
