"""What the window itself does for its commands; its rooms bring along theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from viewer.ui import availability
from viewer.ui.reading import TEXT_NONE, TOOLS

if TYPE_CHECKING:
    from viewer.ui.main_window import MainWindow

_ALL = 1_000_000  # slices: farther than any series reaches


def handlers_of(window: MainWindow) -> dict[str, Callable[[], object]]:
    """Return what every command does, by its id, those of the rooms too."""
    handlers = {**_of_the_work(window), **_of_the_views(window), **_of_the_case(window)}
    for tool in TOOLS:
        handlers[tool] = partial(window.reading.set_tool, tool)
    for switch in availability.SWITCHES:
        handlers[switch] = partial(_toggle, window, switch)
    for part in window.parts:
        handlers |= part.handlers()
    return handlers


def _toggle(window: MainWindow, switch: str) -> None:
    shown = window.reading.shown
    window.reading.show(**{switch: not getattr(shown, switch)})


def _of_the_work(window: MainWindow) -> dict[str, Callable[[], object]]:
    corrections, reading = window.corrections, window.reading
    return {
        "accept": partial(corrections.judge, "accepted"),
        "reject": partial(corrections.judge, "rejected"),
        "unsure": partial(corrections.judge, "unsure"),
        "sort": lambda: window.panel.controls.show_orders(),
        "filter": lambda: window.panel.controls.show_kinds(),
        "comment": lambda: window.panel.comment.begin(),
        "smaller": lambda: reading.set_brush(size_mm=reading.brush_mm - 1),
        "larger": lambda: reading.set_brush(size_mm=reading.brush_mm + 1),
        "ball": lambda: reading.set_brush(ball=not reading.brush_ball),
        "delete": corrections.delete,
        "undo": corrections.undo,
        "redo": corrections.redo,
        "abort": window.abort,
    }


def _of_the_views(window: MainWindow) -> dict[str, Callable[[], object]]:
    reading = window.reading

    def scroll(steps: int) -> Callable[[], object]:
        return lambda: window.views.active.scroll_slices(steps)

    return {
        "text": lambda: reading.show(text=(reading.shown.text + 1) % (TEXT_NONE + 1)),
        "fit": lambda: window.views.fit_all(),
        "rail": window.toggle_rail,
        "panel": lambda: window.panel.setVisible(not window.panel.isVisible()),
        "slice_up": scroll(-1),
        "slice_down": scroll(1),
        "slice_up_10": scroll(-10),
        "slice_down_10": scroll(10),
        "slice_first": scroll(-_ALL),
        "slice_last": scroll(_ALL),
        "series_before": lambda: window.study.step_series(-1),
        "series_after": lambda: window.study.step_series(1),
    }


def _of_the_case(window: MainWindow) -> dict[str, Callable[[], object]]:
    asking = window.asking
    return {
        "open": asking.folder,
        "open_file": asking.files,
        "sample": window.open_sample,
        "worklist": lambda: window.worklist.toggle(),
        "run": window.ai.run,
        "export": asking.export,
        "reader": asking.reader,
        "trust": asking.trust,
        "card": asking.card,
        "keys": asking.keys,
        "edit_keys": asking.edit_keys,
        "quit": window.close,
    }
