"""What a press does while something is measured, or on a measurement that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from PySide6.QtCore import QPointF, Qt

from resources.text import translate
from viewer.annotate.measurements import KINDS, Kind
from viewer.tools.measures import shapes
from viewer.ui.gesture import Gesture
from viewer.ui.gestures_look import WindowDrag
from viewer.ui.measuring import TURN

if TYPE_CHECKING:
    import numpy.typing as npt

    from viewer.ui.measuring import Measuring
    from viewer.ui.slice_view import SliceView

    Floats = npt.NDArray[np.float64]

_SAME_PX = 5.0
_STEP_DEG = 5


def begin(measuring: Measuring, view: SliceView, at: QPointF) -> Gesture | None:
    """Return the gesture that a press of the left button starts, or None when it is not ours."""
    tool = view.reading.tool
    if tool not in ("window", *KINDS):
        return None
    if measuring.draft is not None and measuring.draft.view is view and tool in KINDS:
        return DrawDrag(measuring, view, at, tool)
    found = measuring.hit(view, at)
    if found is not None and found.handle is not None:
        return HandleDrag(measuring, view, at, found.measurement_id, found.handle)
    if found is not None and found.measurement_id == measuring.selected:
        return HandleDrag(measuring, view, at, found.measurement_id, None)
    if tool == "window":
        if found is None and measuring.selected is None:
            return None
        return ChooseDrag(measuring, view, at, None if found is None else found.measurement_id)
    why = measuring.why_not()
    if why:
        measuring.told.emit(why)
        return WindowDrag(view, Qt.MouseButton.LeftButton, at)
    over = None if found is None else found.measurement_id
    return DrawDrag(measuring, view, at, cast("Kind", tool), over)


class DrawDrag(Gesture):
    """Puts the points of a new measurement: press, drag and release, or click by click.

    What is drawn stays on its slice; released on another one, it is given up.
    """

    def __init__(
        self,
        measuring: Measuring,
        view: SliceView,
        start: QPointF,
        kind: Kind,
        over: str | None = None,
    ) -> None:
        super().__init__(view, Qt.MouseButton.LeftButton, start)
        self._measuring = measuring
        self._over = over  # a measurement under the press: a click chooses it
        draft = measuring.draft
        if draft is not None and not measuring.is_on_its_slice(draft):
            measuring.told.emit(
                translate("measure", "The slice is another one: drawing begins anew.")
            )
            draft = None
        self._draft = draft if draft is not None else measuring.start(view, kind)
        point = measuring.point_at(view, start)
        self._opened = self._draft.starts
        if self._opened:
            self._draft.fix(point)
        else:
            self._draft.rubber = point
        measuring.moved.emit()

    def drag(self, delta: QPointF, to: QPointF) -> None:
        self._draft.rubber = self._measuring.point_at(self.view, to)
        self._measuring.moved.emit()

    def end(self, at: QPointF) -> None:
        measuring, draft = self._measuring, self._draft
        if measuring.draft is not draft:
            return  # given up meanwhile
        if not measuring.is_on_its_slice(draft):
            measuring.give_up()
            measuring.told.emit(
                translate("measure", "The slice is another one: the measurement was given up.")
            )
            return
        if self._opened and not self.moved:
            if self._over is not None:
                measuring.give_up()
                measuring.select(self._over)
            else:
                self._say()
            return
        point = measuring.point_at(self.view, at)
        if draft.kind == "polygon" and self._closes(at):
            measuring.close_polygon()
            return
        draft.fix(point)
        if draft.finished:
            measuring.finish()
        else:
            self._say()
            measuring.moved.emit()

    def _closes(self, at: QPointF) -> bool:
        """Tell whether a release ends a polygon: on its first corner, or twice on the last."""
        if not self._draft.can_close or self.moved:
            return False
        px = self._measuring.pixels(self.view, self._draft.fixed)
        away = np.linalg.norm(px - (at.x(), at.y()), axis=1)
        return bool(min(away[0], away[-1]) <= _SAME_PX)

    def _say(self) -> None:
        kind, count = self._draft.kind, len(self._draft.fixed)
        if kind == "bidirectional" and count == 2:
            text = translate("measure", "Now drag the short axis across it.")
        elif kind == "angle":
            text = (
                translate("measure", "Click the vertex.")
                if count == 1
                else translate("measure", "Click the end of the other arm.")
            )
        elif kind == "polygon":
            text = translate("measure", "Click the corners; a double click or Enter closes it.")
        else:
            text = translate("measure", "Click where it ends.")
        self._measuring.told.emit(text)

    def abort(self) -> None:
        self._measuring.give_up()


class HandleDrag(Gesture):
    """Moves one handle of a measurement, or the whole of it by its line; a click chooses it."""

    def __init__(
        self,
        measuring: Measuring,
        view: SliceView,
        start: QPointF,
        measurement_id: str,
        handle: int | None,
    ) -> None:
        super().__init__(view, Qt.MouseButton.LeftButton, start)
        self._measuring = measuring
        self._id = measurement_id
        self._handle = handle
        self._before = np.asarray(measuring.kept.by_id[measurement_id].points_lps_mm)
        measuring.select(measurement_id)
        # The handle keeps its distance from the pointer: a press alone moves nothing.
        self._grip = measuring.point_at(view, start)

    def drag(self, delta: QPointF, to: QPointF) -> None:
        measuring = self._measuring
        one = measuring.kept.by_id.get(self._id)
        if one is None:
            return
        normal = np.asarray(one.normal_lps)
        way = measuring.point_at(self.view, to) - self._grip
        # In the plane of the measurement, should the view have been scrolled meanwhile.
        way = way - normal * float(way @ normal)
        points = self._before + way
        if self._handle == TURN:
            points = self._turned(normal, way)
        elif self._handle is not None:
            target = points[self._handle]
            points = shapes.moved(one.kind, self._before, self._handle, target, normal)
        measuring.edited = (self._id, points)
        measuring.moved.emit()

    def _turned(self, normal: Floats, way: Floats) -> Floats:
        """Turn the shape with its handle; with Shift in steps."""
        first = self._grip - self._before.mean(axis=0)
        degrees = np.degrees(shapes.angle_between(first, first + way, normal))
        if self.keys & Qt.KeyboardModifier.ShiftModifier:
            degrees = round(degrees / _STEP_DEG) * _STEP_DEG
        text = translate("measure", "Turned by {degrees}°; Shift turns in steps of {step}°.")
        self._measuring.told.emit(text.format(degrees=f"{abs(degrees):.0f}", step=_STEP_DEG))
        return shapes.turned(self._before, float(np.radians(degrees)), normal)

    def end(self, at: QPointF) -> None:
        edited = self._measuring.edited
        if self.moved and edited is not None and edited[0] == self._id:
            self._measuring.change(self._id, edited[1], self.view)
        else:
            self._measuring.give_up()

    def abort(self) -> None:
        self._measuring.give_up()


class ChooseDrag(WindowDrag):
    """Windows when dragged; a click chooses the measurement under it, or lets the chosen one go."""

    def __init__(
        self, measuring: Measuring, view: SliceView, start: QPointF, measurement_id: str | None
    ) -> None:
        super().__init__(view, Qt.MouseButton.LeftButton, start)
        self._measuring = measuring
        self._id = measurement_id

    def click(self, at: QPointF) -> None:
        self._measuring.select(self._id)
        if self._id is None:
            super().click(at)
