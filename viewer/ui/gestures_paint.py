"""Drags that change the work: strokes of the brush and the eraser, moving a lesion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt

from resources.problem import Problem
from resources.text import translate
from viewer.ui import marker_layer
from viewer.ui.gesture import Gesture, keep

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView


class PaintDrag(Gesture):
    """One stroke of the brush or the eraser: one edit, one undo step.

    Scrolling with the button held begins a new stroke: what is drawn is on the slice shown.
    """

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        super().__init__(view, button, start)
        self._stroke: Any = None
        self._target = view.reading.selected
        view.reading.reveal(self._target)
        self._begin(start)

    def _begin(self, start: QPointF) -> None:
        from viewer.tools.brush import Brush

        view = self.view
        reading, case, plane = view.reading, view.case, view.plane
        assert case is not None
        assert plane is not None
        assert self._target is not None
        self._index = view.index
        brush = Brush(
            diameter_mm=reading.brush_mm,
            shape="ball" if reading.brush_ball else "disc",
            axis=plane.axis if plane.straight else 0,  # a ball has none
            mode="erase" if reading.tool == "erase" else "add",
            rule=reading.brush_rule,
        )
        try:
            self._stroke = case.start_stroke(self._target, brush)
        except (Problem, KeyError) as problem:
            view.told.emit(
                str(problem)
                if isinstance(problem, Problem)
                else translate("view", "This finding is no longer in the list.")
            )
            return
        reading.stroke = self._stroke
        self._dab(start)

    def _dab(self, at: QPointF) -> None:
        plane = self.view.plane
        assert plane is not None
        point = plane.kji_at(*self.view.mm_of_px(at), self.view.index)
        if self._stroke.move_to(tuple(float(v) for v in point)) is not None:
            self.view.reading.stroke_changed.emit()

    def move(self, to: QPointF) -> None:
        if self._stroke is not None and self.view.index != self._index:
            self.end(to)
            self._begin(to)
        elif self._stroke is not None:
            self._dab(to)
        self.last = to

    def end(self, at: QPointF) -> None:
        stroke, self._stroke = self._stroke, None
        reading = self.view.reading
        reading.stroke = None
        if stroke is None or reading.case is None:
            return
        change = keep(self.view, lambda case: case.commit_stroke(stroke))
        if change is None:
            reading.stroke_changed.emit()

    def abort(self) -> None:
        self._stroke = None
        self.view.reading.stroke = None
        self.view.reading.stroke_changed.emit()


class MoveDrag(Gesture):
    """Carries a lesion, by its outline or its marker, to where the pointer is let go.

    It goes by whole voxels, also while it is carried; how far is said in mm.
    """

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        super().__init__(view, button, start)
        lesion = marker_layer.held_at(view, start)
        if lesion is None:
            lesion = view.overlay.lesion_at(*view.mm_of_px(start), reach_mm=4 * view.mm_per_px)
        if lesion is not None:
            view.reading.select(lesion, centre=False)
        self._lesion = lesion
        if lesion is None:
            view.told.emit(translate("view", "Press on a finding's outline or marker to move it."))

    def drag(self, delta: QPointF, to: QPointF) -> None:
        case = self.view.case
        if self._lesion is None or case is None:
            return
        way = self._way(to)
        plane = self.view.plane
        assert plane is not None
        (x0, y0), (x1, y1) = plane.view_of_lps(np.zeros(3)), plane.view_of_lps(way)
        self.view.overlay.carry((self._lesion, x1 - x0, y1 - y0))
        text = translate("view", "Moved by {mm} mm.")
        self.view.told.emit(text.format(mm=f"{float(np.linalg.norm(way)):.1f}"))

    def _way(self, to: QPointF) -> npt.NDArray[np.float64]:
        """Return the way to a pixel by whole voxels, LPS mm."""
        case = self.view.case
        assert case is not None
        steps = case.volume.affine[:3, :3]
        way = np.asarray(self.view.lps_at(to)) - np.asarray(self.view.lps_at(self.start))
        return np.asarray(steps @ np.rint(np.linalg.inv(steps) @ way))

    def abort(self) -> None:
        self.view.overlay.carry(None)
        self.view.viewport().update()

    def end(self, at: QPointF) -> None:
        reading = self.view.reading
        self.view.overlay.carry(None)
        self.view.update()
        if self._lesion is None or not self.moved or reading.case is None:
            return
        delta = np.asarray(self.view.lps_at(at)) - np.asarray(self.view.lps_at(self.start))
        x, y, z = (float(v) for v in delta)
        lesion = self._lesion
        keep(self.view, lambda case: case.move(lesion, (x, y, z)))
