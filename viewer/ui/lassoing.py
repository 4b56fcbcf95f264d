"""The lasso: a line drawn round a part of a slice adds it, cuts it off, or keeps it alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QPointF, Qt, Signal

from resources.problem import Problem
from resources.text import translate
from viewer.tools.lasso import MODES, Lasso, Mode, Sheet
from viewer.ui.gesture import Gesture, keep

if TYPE_CHECKING:
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

Floats = npt.NDArray[np.float64]

_SAME_PX = 6.0
_OPPOSITE: dict[Mode, Mode] = {"add": "subtract", "subtract": "add", "intersect": "subtract"}


@dataclass(eq=False)
class Draft:
    """A lasso being drawn in one view, on one slice.

    Attributes
    ----------
    lasso
        What it would change.
    index
        The slice of the view.
    fixed
        Corners that stand, LPS mm.
    rubber
        The point under the pointer, LPS mm; None before it moved.
    """

    view: SliceView
    plane: object
    index: int
    lasso: Lasso
    fixed: list[Floats] = field(default_factory=list)
    rubber: Floats | None = None

    @property
    def on_its_slice(self) -> bool:
        """Whether the view still shows the slice that it is drawn on."""
        return self.view.plane is self.plane and self.view.index == self.index

    @property
    def corners(self) -> list[Floats]:
        """All corners, that under the pointer last."""
        return [*self.fixed, *([] if self.rubber is None else [self.rubber])]


class Lassoing(QObject):
    """The commands of the lasso, and the line being drawn; a ``Part`` of the window.

    Dragged, it is drawn free-hand and closes at the release; clicked, corner by corner, it closes
    at a double click, at its first corner or by Enter. Both can be mixed.
    """

    changed = Signal()  # what a lasso does now
    told = Signal(str)

    def __init__(self, reading: Reading, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reading = reading
        self.mode: Mode = "add"
        self.draft: Draft | None = None
        reading.case_changed.connect(self._on_case)
        reading.tool_changed.connect(self._on_tool)

    def attach(self, view: SliceView) -> None:
        """Let a view draw lassos."""
        from viewer.ui import lasso_layer

        view.lassoing = self
        view.extras.append(lasso_layer.paint)
        view.closers.append(self.close)

    # ------------------------------------------------------------------ part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do; the tool itself is one of the reading's."""
        return {f"lasso_{mode}": partial(self.set_mode, mode) for mode in MODES}

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be drawn now."""
        case = self.reading.case
        if case is None or not case.read_only:
            return {}
        return dict.fromkeys(("lasso", *self.handlers()), str(case.read_only_problem))

    def checked(self) -> Mapping[str, bool]:
        """Return what a lasso does now."""
        return {f"lasso_{mode}": mode == self.mode for mode in MODES}

    def set_mode(self, mode: Mode) -> None:
        """Choose what a lasso does, and take it into the hand."""
        self.mode = mode
        if self.reading.tool != "lasso":
            self.reading.set_tool("lasso")
        self.changed.emit()
        self._show()

    # --------------------------------------------------------------- drawing

    def begin(self, view: SliceView, button: Qt.MouseButton, at: QPointF) -> Gesture | None:
        """Return the gesture of a press: it begins a lasso, or goes on with the one there is."""
        draft = self.draft
        if draft is not None and (draft.view is not view or not draft.on_its_slice):
            self.give_up()
            self.told.emit(translate("lasso", "The slice is another one: drawing begins anew."))
            draft = None
        if draft is None:
            draft = self.draft = self._start(view)
        return None if draft is None else LassoDrag(self, draft, button, at)

    def _start(self, view: SliceView) -> Draft | None:
        case, plane, target = view.case, view.plane, self.reading.selected
        assert case is not None
        assert plane is not None
        assert target is not None
        sheet = None
        if not plane.straight:
            origin = plane.lps_at(0.0, 0.0, view.index)
            sheet = Sheet(origin, plane.across_lps, plane.down_lps, plane.step_mm)
        try:
            lasso = case.start_lasso(
                target, self.mode, plane.axis if plane.straight else None, view.index, sheet
            )
        except (Problem, KeyError) as problem:
            self.told.emit(
                str(problem)
                if isinstance(problem, Problem)
                else translate("view", "This finding is no longer in the list.")
            )
            return None
        self.reading.reveal(target)
        return Draft(view, plane, view.index, lasso)

    def hover(self, view: SliceView, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        """Follow the pointer between two clicks."""
        if self.draft is not None and self.draft.view is view:
            self.stretch(at, keys)

    def stretch(self, at: QPointF, keys: Qt.KeyboardModifier) -> None:
        """Lead the line to the pointer; Ctrl has it do the opposite."""
        draft = self.draft
        if draft is None or not draft.on_its_slice:
            return
        draft.rubber = np.asarray(draft.view.lps_at(at), dtype=np.float64)
        self._show(keys)

    def _show(self, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Show what the lasso would do now."""
        draft = self.draft
        if draft is None:
            return
        inverted = bool(keys & Qt.KeyboardModifier.ControlModifier)
        draft.lasso.mode = _OPPOSITE[self.mode] if inverted else self.mode
        draft.lasso.draw(draft.corners)
        self.reading.stroke = draft.lasso
        self.reading.stroke_changed.emit()

    def close(self) -> bool:
        """Close the line and apply it; tell whether there was one."""
        draft = self.draft
        if draft is None:
            return False
        draft.rubber = None
        draft.lasso.draw(draft.fixed)
        lasso, view, on_its_slice = draft.lasso, draft.view, draft.on_its_slice
        self.give_up()
        if not on_its_slice:
            self.told.emit(translate("lasso", "The slice is another one: the lasso was given up."))
        elif not lasso.inside.voxels.size:
            self.told.emit(translate("lasso", "The lasso holds no voxel; nothing was changed."))
        elif keep(view, lambda case: case.commit_lasso(lasso)) is None:
            self.told.emit(translate("lasso", "Nothing to change there."))
        return True

    def give_up(self) -> bool:
        """Drop the line; tell whether there was one."""
        had, self.draft = self.draft, None
        if had is None:
            return False
        if self.reading.stroke is had.lasso:
            self.reading.stroke = None
        self.reading.stroke_changed.emit()
        return True

    # ---------------------------------------------------------------- follow

    def _on_case(self) -> None:
        self.give_up()

    def _on_tool(self) -> None:
        if self.reading.tool != "lasso":
            self.give_up()


class LassoDrag(Gesture):
    """A press while the lasso is held: a corner, or a piece drawn free-hand."""

    def __init__(
        self, lassoing: Lassoing, draft: Draft, button: Qt.MouseButton, start: QPointF
    ) -> None:
        super().__init__(draft.view, button, start)
        self._lassoing, self._draft = lassoing, draft
        self._fresh = not draft.fixed
        self._closes = not self._fresh and self._at_an_end(start)
        if not self._closes:
            self._fix(start)

    def _fix(self, at: QPointF) -> None:
        self._draft.fixed.append(np.asarray(self.view.lps_at(at), dtype=np.float64))

    def _at_an_end(self, at: QPointF) -> bool:
        plane, fixed = self.view.plane, self._draft.fixed
        assert plane is not None
        ends = (fixed[0], fixed[-1]) if len(fixed) > 2 else ()
        away = (self.view.px_of_mm(*plane.view_of_lps(end)) - at for end in ends)
        return any(way.manhattanLength() <= _SAME_PX for way in away)

    @property
    def _dropped(self) -> bool:
        return self._lassoing.draft is not self._draft

    def move(self, to: QPointF) -> None:
        super().move(to)
        if not self._dropped and not self.moved:
            self._lassoing.stretch(to, self.keys)

    def drag(self, delta: QPointF, to: QPointF) -> None:
        if self._dropped or not self._draft.on_its_slice:
            return
        self._closes = False
        self._fix(to)
        self._lassoing.stretch(to, self.keys)

    def end(self, at: QPointF) -> None:
        lassoing = self._lassoing
        if self._dropped:
            return
        lassoing.stretch(at, self.keys)
        if self._closes or (self.moved and (self._fresh or self._at_an_end(at))):
            lassoing.close()
        elif not self.moved and self._fresh:
            lassoing.told.emit(
                translate("lasso", "Click the corners; a double click or Enter closes it.")
            )

    def abort(self) -> None:
        self._lassoing.give_up()
