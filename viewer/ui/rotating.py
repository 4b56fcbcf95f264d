"""Turning the planes about the crosshair, and making them straight again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtWidgets import QApplication

from inference.geometry import lps_mm_to_kji
from resources.text import translate
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.display.planes import Plane
from viewer.ui import crosshair
from viewer.ui.gesture import Gesture, select_or_centre
from viewer.ui.gestures_look import WindowDrag

if TYPE_CHECKING:
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

_STEP_DEG = 5.0


class Rotating(QObject):
    """The commands of turning planes; a ``Part`` of the window."""

    changed = Signal()

    def __init__(
        self, reading: Reading, fit: Callable[[], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._fit = fit
        self._turned = False
        reading.planes_changed.connect(self._on_planes)
        reading.case_changed.connect(self._on_planes)

    def _on_planes(self) -> None:
        # Not with every step of a drag: what can be done is the same all along it.
        if is_turned(self._reading) != self._turned:
            self._turned = not self._turned
            self.changed.emit()

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what each command does."""
        return {"straight": self.straighten, "fit": self.reset}

    def reasons(self) -> Mapping[str, str]:
        """Return why a command cannot be used now."""
        if self._reading.case is None:
            return {}
        straight = (
            "" if is_turned(self._reading) else translate("rotate", "All planes are straight.")
        )
        return {"rotate": why_not(self._reading), "straight": straight}

    def checked(self) -> Mapping[str, bool]:
        """Return which switches are on: it has none."""
        return {}

    def straighten(self) -> None:
        """Show the planes of the volume again."""
        if is_turned(self._reading):
            self._reading.turn(self._reading.straight)

    def reset(self) -> None:
        """Make all planes straight and fit the views."""
        self.straighten()
        self._fit()


def is_turned(reading: Reading) -> bool:
    """Tell whether any plane is oblique."""
    return not all(plane.straight for plane in reading.planes.values())


def why_not(reading: Reading) -> str:
    """Return why planes cannot be turned, or an empty text."""
    case = reading.case
    if case is None:
        return translate("window", "Open a series first.")
    if case.is_being_read:
        return _being_read()
    if len(reading.planes) < 2 or min(case.volume.shape_kji) < 2:
        return translate("rotate", "Planes can be turned in regular stacks of slices only.")
    return ""


def _being_read() -> str:
    return translate("rotate", "The images are still being read.")


class TurnDrag(Gesture):
    """Turns the two other planes about the crosshair, with the line that is dragged.

    With Shift in steps of 5 degrees. The plane of the view itself stays as it is.
    """

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        super().__init__(view, button, start)
        assert view.plane is not None
        self._before: dict[str, Plane] = dict(view.reading.planes)
        self._pivot = np.array(view.reading.cursor_lps_mm)
        self._axis = view.plane.normal_lps
        self._own = view.plane.name
        self._at = view.cursor_px()
        self._last = self._pointing(start)
        self._angle = 0.0

    def _pointing(self, at: QPointF) -> float:
        away = at - self._at
        return math.atan2(away.y(), away.x())

    def drag(self, delta: QPointF, to: QPointF) -> None:
        now = self._pointing(to)
        # Step by step, so that a full circle is one.
        self._angle += math.remainder(now - self._last, math.tau)
        self._last = now
        self._turn(quick=True)

    def _turn(self, *, quick: bool) -> None:
        angle = math.degrees(self._angle)
        if QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            angle = round(angle / _STEP_DEG) * _STEP_DEG
        self.view.turned_deg = math.remainder(angle, 360.0) if quick else None
        reading = self.view.reading
        reading.turn(
            {
                name: plane
                if name == self._own
                else cut_plane(
                    reading.straight[name],
                    turned(frame_of(plane), self._axis, math.radians(angle)),
                    self._pivot,
                    quick=quick,
                )
                for name, plane in self._before.items()
            }
        )

    def end(self, at: QPointF) -> None:
        if self.moved:
            self._turn(quick=False)

    def abort(self) -> None:
        self.view.turned_deg = None
        if self.moved:
            self.view.reading.turn(self._before)


class CentreDrag(Gesture):
    """Carries the point where all planes meet."""

    def __init__(self, view: SliceView, button: Qt.MouseButton, start: QPointF) -> None:
        super().__init__(view, button, start)
        self._first = np.array(view.reading.cursor_lps_mm)
        self._grip = view.cursor_px() - start

    def drag(self, delta: QPointF, to: QPointF) -> None:
        self.view.reading.move_cursor(self.view.lps_at(to + self._grip))

    def click(self, at: QPointF) -> None:
        select_or_centre(self.view, at)

    def abort(self) -> None:
        self.view.reading.move_cursor(self._first)


def begin_turn(view: SliceView, button: Qt.MouseButton, at: QPointF) -> Gesture:
    """Return what a press does: turn by a handle, carry the centre, else window."""
    reason = why_not(view.reading)
    if reason:
        view.told.emit(reason)
    elif crosshair.handle_at(view, at) is not None:
        return TurnDrag(view, button, at)
    elif crosshair.near_centre(view, at):
        return CentreDrag(view, button, at)
    return WindowDrag(view, button, at)


def capture(reading: Reading) -> dict[str, list[list[float]]]:
    """Return how the planes are turned, as JSON: across, down and a point of each; LPS, mm."""
    state = {}
    for name, plane in reading.planes.items():
        if not plane.straight:
            index = plane.index_of_lps(reading.cursor_lps_mm)
            point = plane.on_slice(reading.cursor_lps_mm, index)
            state[name] = [
                [round(float(v), 6) for v in vector] for vector in (*frame_of(plane), point)
            ]
    return state


def restore(reading: Reading, state: Any) -> None:
    """Turn the planes as ``capture`` found them.

    Raises
    ------
    KeyError, TypeError, ValueError
        When ``state`` is not of this kind.
    """
    if not state or why_not(reading) not in ("", _being_read()):
        return
    if not isinstance(state, dict):
        raise TypeError("planes go by their names")
    planes = dict(reading.straight)
    last = np.array(next(iter(planes.values())).shape_kji) - 1
    for name, vectors in state.items():
        across, down, point = (np.array(vector, dtype=np.float64) for vector in vectors)
        kji = lps_mm_to_kji(planes[name].affine, point)
        right = abs(np.linalg.norm([across, down], axis=1) - 1).max() + abs(across @ down)
        if not right < 1e-3 or not (np.abs(kji - np.clip(kji, 0, last)) < 1).all():
            raise ValueError("no frame, or one of another volume")
        planes[name] = cut_plane(planes[name], turned((across, down), across, 0.0), point)
    reading.turn(planes)
