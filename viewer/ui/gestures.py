"""Which gesture a press of the mouse begins. Each tool names its gesture in one table here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent

from resources.text import translate
from viewer.annotate.measurements import KINDS
from viewer.ui import gestures_box, measure_gestures
from viewer.ui.gesture import Gesture
from viewer.ui.gestures_look import PanDrag, RegionDrag, WindowDrag, ZoomDrag
from viewer.ui.gestures_outline import OutlineClick, RefineClick
from viewer.ui.gestures_paint import MoveDrag, PaintDrag
from viewer.ui.rotating import begin_turn
from viewer.ui.slabs import no_painting
from viewer.ui.time_points import why_no_work

if TYPE_CHECKING:
    from collections.abc import Callable

    from viewer.ui.slice_view import SliceView

__all__ = ["LOOKING", "Gesture", "begin"]

# Tools that change no work: they serve in cases that are only looked at, too.
LOOKING: dict[str, Callable[[SliceView, Qt.MouseButton, QPointF], Gesture]] = {
    "window": WindowDrag,
    "region": RegionDrag,
    "pan": PanDrag,
    "rotate": begin_turn,
}
# Tools that change work and need no selected finding.
_WORKING: dict[str, type[Gesture]] = {
    "move": MoveDrag,
    "outline": OutlineClick,
    "refine": RefineClick,
}
# Tools that change the selected finding.
_PAINTING: dict[str, type[Gesture]] = {"brush": PaintDrag, "erase": PaintDrag}


def begin(view: SliceView, event: QMouseEvent) -> Gesture | None:
    """Return the gesture that a press starts, or None."""
    button, at = event.button(), event.position()
    if button == Qt.MouseButton.MiddleButton:
        return PanDrag(view, button, at)
    if button == Qt.MouseButton.RightButton:
        return ZoomDrag(view, button, at)
    if button != Qt.MouseButton.LeftButton:
        return None
    tool = view.reading.tool
    if tool not in LOOKING and (reason := why_no_work(view)):
        view.told.emit(reason)
        return None
    if view.measuring is not None and not why_no_work(view):
        gesture = measure_gestures.begin(view.measuring, view, at)
        if gesture is not None:
            return gesture
    if tool in KINDS:
        view.told.emit(
            translate(
                "view",
                "A measurement is kept with its case, and this series is only looked at: "
                "open it to measure in it.",
            )
        )
        return None
    if tool in LOOKING:
        return LOOKING[tool](view, button, at)
    case = view.case
    if case is not None and case.read_only:
        view.told.emit(str(case.read_only_problem))
        return WindowDrag(view, button, at)
    if tool in ("outline", "refine", "box") and (reason := no_painting(view)):
        view.told.emit(reason)
        return None
    if tool == "box":
        if view.boxing is None:
            return None
        return gestures_box.begin(view.boxing, view, button, at)
    if tool in _WORKING:
        return _WORKING[tool](view, button, at)
    if view.reading.selected is None:
        text = translate(
            "view", "Select a finding to paint on, or press {key} to add a missed lesion."
        )
        view.told.emit(text.format(key=view.reading.keys.name("missed")))
        return None
    if tool == "lasso" and view.lassoing is not None:
        if reason := no_painting(view):
            view.told.emit(reason)
            return None
        return view.lassoing.begin(view, button, at)
    if view.plane is not None and not view.plane.straight and not view.reading.brush_ball:
        view.told.emit(_needs_straight(view))
        return None
    if reason := no_painting(view):
        view.told.emit(reason)
        return None
    return _PAINTING[tool](view, button, at)


def _needs_straight(view: SliceView) -> str:
    text = translate(
        "view", "A disc lies in a plane of the volume: {ball} takes the 3-D brush, {key} makes"
        " all straight."
    )  # fmt: skip
    keys = view.reading.keys
    return text.format(ball=keys.name("ball"), key=keys.name("straight"))
