"""Moving by keys: the selected finding with its marker, or the box, a voxel at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from resources.text import translate
from viewer.annotate import locks
from viewer.ui.panel import words

if TYPE_CHECKING:
    from viewer.display.planes import Plane
    from viewer.ui.boxing import Boxing
    from viewer.ui.corrections import Corrections
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

# Across and down the screen, and through the slices in reading order.
_WAYS = {
    "nudge_left": (-1, 0, 0),
    "nudge_right": (1, 0, 0),
    "nudge_up": (0, -1, 0),
    "nudge_down": (0, 1, 0),
    "nudge_before": (0, 0, -1),
    "nudge_after": (0, 0, 1),
}


class Nudging(QObject):
    """Keys for what is moved by the mouse otherwise; a ``Part`` of the window."""

    told = Signal(str)

    def __init__(
        self,
        reading: Reading,
        corrections: Corrections,
        boxing: Boxing,
        active: Callable[[], SliceView],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._corrections = corrections
        self._boxing = boxing
        self._active = active

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        return {name: partial(self.nudge, *way) for name, way in _WAYS.items()}

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be moved now."""
        return dict.fromkeys(_WAYS, self._why_not())

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def _why_not(self) -> str:
        reading = self._reading
        case, keys = reading.case, reading.keys
        if case is None:
            return translate("nudge", "Open a series first.")
        if case.read_only:
            return str(case.read_only_problem)
        if reading.tool == "box":
            if self._boxing.current is not None:
                return ""
            return translate("nudge", "There is no box to be moved: drag one over a lesion.")
        if reading.tool != "move":
            text = translate("nudge", "Keys move a finding while {move} is held, a box with {box}.")
            return text.format(move=keys.name("move"), box=keys.name("box"))
        if reading.lesion is None:
            return translate("nudge", "Select the finding that is to be moved.")
        if locks.is_locked(case.document, reading.lesion.id):
            text = translate("nudge", "It is locked: {key} unlocks it.")
            return text.format(key=keys.name("lock"))
        return ""

    def nudge(self, across: int, down: int, through: int) -> None:
        """Move by one voxel as the active view shows it."""
        plane = self._active().plane
        if self._reading.case is None or plane is None:
            return
        if why := self._why_not():
            self.told.emit(why)
            return
        axis, step = _step(plane, across, down, through)
        if self._reading.tool == "box":
            self._boxing.nudge(axis, step)
        else:
            self._move(plane, axis, step)

    def _move(self, plane: Plane, axis: int, step: int) -> None:
        lesion = self._reading.lesion
        assert lesion is not None
        x, y, z = (float(v) for v in plane.affine[:3, axis] * step)
        change = self._corrections.change(lambda case: case.move(lesion.id, (x, y, z)))
        if change is None:
            self.told.emit(translate("nudge", "It lies at the edge of the images."))
            return
        mm = float(np.linalg.norm((x, y, z)))
        text = translate("nudge", "{finding}: {mm} mm; {key} takes it back.")
        key = self._reading.keys.name("undo")
        self.told.emit(text.format(finding=words.title(lesion), mm=f"{mm:.2f}", key=key))


def _step(plane: Plane, across: int, down: int, through: int) -> tuple[int, int]:
    """Return the index axis and the step along it of a way on the screen.

    In a turned plane it is the axis that lies nearest to the way; the three ways have three.
    """
    middle = plane.count // 2
    on = plane.step_index(middle, through) - middle
    if plane.straight:
        if across:
            return plane.across, -across if plane.flip_across else across
        if down:
            return plane.down, -down if plane.flip_down else down
        return plane.axis, on
    axes = plane.affine[:3, :3] / np.linalg.norm(plane.affine[:3, :3], axis=0)
    along = np.array([plane.across_lps, plane.down_lps, plane.normal_lps]) @ axes
    best = max(
        permutations(range(3)), key=lambda order: sum(abs(along[n, order[n]]) for n in range(3))
    )
    number, sign = (0, across) if across else (1, down) if down else (2, on)
    return best[number], sign if along[number, best[number]] > 0 else -sign
