"""How a case is shown, as text that the worklist keeps, and back again.

Text of another version or a damaged one is no error: what cannot be read of it is left as the
program would show it. Hidden findings are never brought back: they would be overlooked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from viewer.ui import layouts, rotating

if TYPE_CHECKING:
    from viewer.ui.mpr import MprViews
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

_SWITCHES = ("heatmap", "uncertainty", "fill")
_LARGEST = 1e9


def capture(reading: Reading, views: MprViews) -> str:
    """Return how the open case is shown: JSON; empty when none is open."""
    case = reading.case
    if case is None:
        return ""
    return json.dumps(
        {
            "turned": rotating.capture(reading),
            "cursor_lps_mm": [round(float(x), 4) for x in reading.cursor_lps_mm],
            "window": _window(reading),
            "shown": {name: bool(getattr(reading.shown, name)) for name in (*_SWITCHES, "invert")},
            "segments": sorted(reading.visible_segments),
            "selected": reading.selected,
            # The threshold is that of a run: another run brings its own.
            "threshold": case.threshold,
            "runs": len(case.document.runs),
            "layout": views.arranged.to_json(),
            "enlarged": views.enlarged,
            "beside": views.beside_memory.capture() if views.beside_memory is not None else None,
            "zoom": {
                view.plane.name: view.look
                for view in views.views
                if view.plane is not None and view.look is not None
            },
        }
    )


def restore_findings(text: str, reading: Reading) -> None:
    """Show what lies over the images, and the list, as they were when ``text`` was made."""
    case, state = reading.case, _read(text)
    if case is None:
        return
    if state.get("runs") == len(case.document.runs):
        _try(lambda: reading.set_threshold(_number(state["threshold"])))
    _try(lambda: _show(reading, state["shown"]))
    _try(lambda: _show_segments(reading, state["segments"]))
    _try(lambda: _select(reading, state["selected"]))


def restore_images(text: str, reading: Reading, views: MprViews) -> None:
    """Show the images as they were when ``text`` was made: slice, window, layout, zoom."""
    state = _read(text)
    if reading.case is None:
        return
    _try(lambda: _set_window(reading, state["window"]))
    _try(lambda: reading.show(invert=state["shown"]["invert"] is True))
    _try(lambda: _wish_for(views, state["beside"]))
    _try(lambda: _lay_out(views, state["layout"]))
    _try(lambda: _enlarge(views, state["enlarged"]))
    _try(lambda: rotating.restore(reading, state.get("turned")))
    _try(lambda: reading.move_cursor(_numbers(state["cursor_lps_mm"], 3)))
    for view in views.views:
        _try(partial(_look, view, state.get("zoom")))


def _read(text: str) -> dict[str, Any]:
    try:
        state = json.loads(text) if text else {}
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def _try(act: Callable[[], None]) -> None:
    try:
        act()
    except (KeyError, TypeError, ValueError, OverflowError):
        return  # not there, or of another version


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise ValueError("no number to show anything by")
    return number


def _numbers(values: Any, count: int) -> list[float]:
    numbers = [_number(value) for value in values]
    if len(numbers) != count:
        raise ValueError("too many numbers or too few")
    return numbers


def _window(reading: Reading) -> list[float] | None:
    """Return centre and width; None for that of the file, which may be a table."""
    window = reading.window
    return None if window == reading.first_window else [window.centre, window.width]


def _set_window(reading: Reading, window: Any) -> None:
    if window is not None:
        centre, width = _numbers(window, 2)
        first = reading.first_window
        # The function is that of the file, as after a drag.
        reading.set_window(first.moved(centre, width))


def _show(reading: Reading, shown: dict[str, Any]) -> None:
    assert reading.case is not None
    findings = reading.case.document.findings
    switches = {name: shown[name] is True for name in _SWITCHES if name in shown}
    if findings is None or findings.heatmap is None:
        switches |= {"heatmap": False, "uncertainty": False}
    reading.show(**switches)


def _show_segments(reading: Reading, names: list[str]) -> None:
    assert reading.case is not None
    reading.visible_segments = {s.id for s in reading.case.document.segments} & set(names)
    reading.show()


def _select(reading: Reading, wanted: str | None) -> None:
    assert reading.case is not None
    document = reading.case.document
    if wanted in {*(x.id for x in document.lesions), *(x.id for x in document.segments)}:
        reading.select(wanted, centre=False)


def _lay_out(views: MprViews, layout: Any) -> None:
    arranged = layouts.from_json(layout)
    if arranged is not None and arranged != views.arranged and not views.keeps_layout:
        views.set_arranged(arranged)


def _wish_for(views: MprViews, beside: Any) -> None:
    if views.beside_memory is not None and not views.keeps_layout:
        views.beside_memory.restore(beside)


def _enlarge(views: MprViews, plane_name: str | None) -> None:
    names = [view.plane.name for view in views.views if view.plane is not None]
    if plane_name in names and views.enlarged is None:
        views.toggle_enlarged(plane_name)


def _look(view: SliceView, looks: Any) -> None:
    if view.plane is None:
        return
    x, y, mm_per_px = _numbers(looks[view.plane.name], 3)
    if mm_per_px <= 0:
        raise ValueError("no scale")
    view.look_at((x, y), mm_per_px)
