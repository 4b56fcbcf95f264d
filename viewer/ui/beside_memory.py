"""Which series stood beside a case and how it was looked at: kept with the case, and brought back.

What is kept names nobody: a volume goes by the salted key that its own work has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resources.problem import Problem
from viewer import saved_work
from viewer.beside import Candidate
from viewer.study.order import StackPlan
from viewer.ui.layouts import BESIDE

if TYPE_CHECKING:
    from viewer.ui.beside import Beside
    from viewer.ui.links import Links
    from viewer.ui.mpr import MprViews

_LARGEST = 1e9


class BesideMemory:
    """Tells what stands beside, and brings it back when it is there again."""

    def __init__(self, views: MprViews, beside: Beside, links: Links) -> None:
        self._views, self._beside, self._links = views, beside, links
        self._wanted: dict[str, Any] = {}
        self._held: dict[str, Any] | None = None  # while the window is being closed

    def capture(self) -> dict[str, Any] | None:
        """Return what stands beside as what JSON can hold; None when nothing does."""
        beside = self._beside
        plan, view = beside.plan, beside.view
        relation = beside.relation
        if self._held is not None:
            return self._held
        if plan is None or self._views.arranged.layout != BESIDE:
            return None
        key = _key(plan)
        # A series of somebody else comes back by nobody's hand but the reader's.
        if key is None or relation is None or relation.heeded:
            return None
        if beside.case is None or beside.case.is_being_read or view.plane is None:
            return {"series": key}
        reading = beside.reading
        same = reading.window == reading.first_window
        return {
            "series": key,
            "plane": view.plane.name,
            "cursor_lps_mm": [round(float(x), 4) for x in reading.cursor_lps_mm],
            "window": None if same else [reading.window.centre, reading.window.width],
            "look": view.look,
            "link": self._links.capture(),
        }

    def hold(self) -> None:
        """Answer from now on as of now: the window goes, and the series beside before the case."""
        self._held = self.capture() or {}

    def restore(self, state: Any) -> None:
        """Wish for the series that stood beside; it is taken when there is room for one."""
        self._wanted = state if isinstance(state, dict) else {}

    def forget(self) -> None:
        """Wish for nothing: another case, or the reader has chosen."""
        self._wanted = {}

    def among(self, offered: Sequence[Candidate], plans: Sequence[StackPlan]) -> Candidate | None:
        """Return the candidate that is wished for, or None."""
        wanted = self._wanted.get("series")
        if not isinstance(wanted, str):
            return None
        for each in offered:
            key = each.study.case_key if each.study is not None else None
            if each.number is not None:
                key = _key(plans[each.number])
            if key == wanted:
                return each
        return None

    def look_as_before(self) -> None:
        """Show the series that is there now as it was left, if it is the one wished for."""
        plan, wanted = self._beside.plan, self._wanted
        if plan is None or not wanted or wanted.get("series") != _key(plan):
            return
        self._wanted = {}
        reading, view = self._beside.reading, self._beside.view
        try:
            self._beside.set_plane(str(wanted["plane"]))
            self._links.unlink()
            if wanted["window"] is not None:
                reading.set_window(reading.first_window.moved(*_numbers(wanted["window"], 2)))
            reading.move_cursor(_numbers(wanted["cursor_lps_mm"], 3))
            if wanted["look"] is not None:
                x, y, mm_per_px = _numbers(wanted["look"], 3)
                view.look_at((x, y), max(mm_per_px, 1e-3))
            self._links.restore(wanted["link"])
        except (KeyError, TypeError, ValueError):
            return  # of another version, or damaged: as the program would show it


def _key(plan: StackPlan) -> str | None:
    try:
        return saved_work.key_of(plan)
    except Problem:
        return None


def _numbers(values: Any, count: int) -> list[float]:
    numbers = [float(value) for value in values]
    if len(numbers) != count or not all(abs(n) <= _LARGEST for n in numbers):
        raise ValueError("not what was kept")
    if not all(math.isfinite(n) for n in numbers):
        raise ValueError("no number")
    return numbers
