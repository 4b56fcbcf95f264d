"""A missed lesion in one gesture: the reader points, the model outlines, it is in the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from inference import registry
from inference.findings import ModelStamp, Outline
from resources.problem import Problem
from resources.text import translate
from viewer.annotate import pointing
from viewer.ui.panel import words

if TYPE_CHECKING:
    from inference.manifest import ModelPack
    from viewer.annotate.lesion import Lesion, Point
    from viewer.session import Case
    from viewer.ui.ai_runner import AiRunner
    from viewer.ui.corrections import Corrections
    from viewer.ui.engine import Task
    from viewer.ui.reading import Reading

# A second M so near to the first one means the same place.
_SAME_PLACE_MM = 5.0


@dataclass(eq=False)
class _Asked:
    """One outline that the model works on."""

    point_lps_mm: Point
    case: Case
    pack: ModelPack
    task: Task


class Outliner(QObject):
    """Asks the model for outlines and lays them into the case; the window never waits.

    Points under way stand in ``Reading.outlining``; several may wait for their turn.
    """

    told = Signal(str)
    failed = Signal(object)  # a Problem

    def __init__(
        self, reading: Reading, ai: AiRunner, corrections: Corrections, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._ai = ai
        self._corrections = corrections
        self._asked: list[_Asked] = []
        self._refused: Point | None = None
        self.pointer: Callable[[], Any] = lambda: reading.cursor_lps_mm
        reading.outline_asked.connect(self.ask)
        reading.case_changed.connect(self._on_case)

    # ------------------------------------------------------------------ the part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what the keys of this room do."""
        return {"missed": lambda: self.missed(self.pointer())}

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be outlined now."""
        return {"outline": self.why_not()}

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def why_not(self) -> str:
        """Return why the model cannot outline now; empty when it can."""
        return why_no_outline(self._reading, self._ai)

    # -------------------------------------------------------------------- asking

    def missed(self, point_lps_mm: Any) -> None:
        """Add what the AI missed at a point: outlined by it, or as a point for the brush.

        A point it is where the model may not run, and at the second time of asking.
        """
        point = _point(point_lps_mm)
        again = self._refused is not None and _apart_mm(point, self._refused) <= _SAME_PLACE_MM
        if again or self.why_not():
            self._refused = None
            self._corrections.add_missed(point)
        else:
            self.ask(point)

    def ask(self, point_lps_mm: Any) -> None:
        """Have the model outline what lies at a point, LPS mm."""
        point, why = _point(point_lps_mm), self.why_not()
        if why:
            self.told.emit(why)
            return
        case, pack = self._reading.case, self._ai.pack
        assert case is not None
        assert pack is not None
        if any(_apart_mm(point, asked.point_lps_mm) < 1.0 for asked in self._asked):
            return  # the second half of a double click
        self._reading.move_cursor(point)
        known = pointing.lesion_at(case.document, point)
        if known is not None:
            self._show_known(case, known, point)
            return
        engine = self._ai.engine
        task = engine.outline(case.volume, pack, self._ai.device, point)
        asked = _Asked(point, case, pack, task)
        self._asked.append(asked)
        task.succeeded.connect(lambda outline: self._on_outline(asked, outline))
        task.failed.connect(self._on_failure)
        task.ended.connect(lambda: self._on_end(asked))
        self._follow()
        self.told.emit(
            translate("outline", "The model outlines what lies here. {key} stops it.").format(
                key=self._reading.keys.name("abort")
            )
        )

    def escape(self) -> bool:
        """Stop all outlines under way; tell whether there were any."""
        waiting, self._asked = self._asked, []
        for asked in waiting:
            asked.task.cancel()
        if waiting:
            self._follow()
            self.told.emit(translate("outline", "Stopped. Nothing was outlined."))
        return bool(waiting)

    def _on_case(self) -> None:
        self._refused = None
        if any(asked.case is not self._reading.case for asked in self._asked):
            waiting, self._asked = self._asked, []
            for asked in waiting:
                asked.task.cancel()
            self._follow()

    def _follow(self) -> None:
        self._reading.outlining = tuple(asked.point_lps_mm for asked in self._asked)
        self._reading.tool_changed.emit()  # the views mark where the model works

    # ------------------------------------------------------------------- answers

    def _on_end(self, asked: _Asked) -> None:
        if asked in self._asked:
            self._asked.remove(asked)
            self._follow()

    def _on_failure(self, problem: object) -> None:
        self.failed.emit(problem)

    def _on_outline(self, asked: _Asked, outline: object) -> None:
        case = self._reading.case
        if case is not asked.case or asked not in self._asked or not isinstance(outline, Outline):
            return
        assert case is not None
        if self._reading.ai_locked:
            return  # asked for before the reader locked it away
        if not outline.mask.count:
            self._refuse(asked.point_lps_mm, outline.reason)
            return
        known = pointing.same_lesion(case.document, outline)
        if known is not None:
            self._show_known(case, known, asked.point_lps_mm)
            return
        pack = asked.pack
        stamp = ModelStamp(pack.id, pack.version, pack.weights.sha256)
        change = self._corrections.change(
            lambda case: case.add_outlined(outline, stamp, asked.point_lps_mm)
        )
        if change is None:
            return
        lesion = self._choose(change.lesion_ids[0])
        keys = self._reading.keys
        self.told.emit(
            translate(
                "outline",
                "{finding}: outlined by the AI, not reviewed. {accept} accepts, {brush} draws.",
            ).format(
                finding=words.title(lesion), accept=keys.name("accept"), brush=keys.name("brush")
            )
        )

    def _refuse(self, point: Point, reason: str) -> None:
        self._refused = point
        if reason == "outside":
            said = translate("outline", "This point lies outside the images.")
        else:
            said = translate("outline", "The model sees nothing here that it would outline.")
        by_hand = translate("outline", "{key} here puts a point for the brush.").format(
            key=self._reading.keys.name("missed")
        )
        self.told.emit(f"{said} {by_hand}")

    def _show_known(self, case: Case, lesion: Lesion, point: Point) -> None:
        """Show the finding that lies there already, rather than a second one."""
        deleted, listed = lesion.deleted, lesion.id in {x.id for x in case.shown}
        if not listed:
            self._corrections.change(lambda case: case.bring_back(lesion.id))
        self._choose(lesion.id)
        if deleted:
            text = translate("outline", "{finding} was deleted; it is in the list again.")
        elif not listed:
            text = translate("outline", "{finding} was below the threshold; now it is listed.")
        else:
            # Beside a finding there may be another one: the reader knows better.
            self._refused = point
            text = translate("outline", "{finding} lies here. {key} puts a point for another one.")
        key = self._reading.keys.name("missed")
        self.told.emit(text.format(finding=words.title(lesion), key=key))

    def _choose(self, lesion_id: str) -> Lesion:
        reading = self._reading
        assert reading.case is not None
        reading.reveal(lesion_id)
        if reading.stroke is None:  # a stroke under way keeps its target
            reading.select(lesion_id, centre=False)
        return reading.case.document.lesion(lesion_id)


def why_no_outline(reading: Reading, ai: AiRunner) -> str:
    """Return why the model cannot outline or refine anything now; empty when it can."""
    case = reading.case
    if case is None:
        return translate("outline", "Open a series first.")
    if case.read_only:
        return str(case.read_only_problem)
    if reading.ai_hidden:
        return translate("outline", "The AI is hidden: it outlines nothing now.")
    if ai.reasons or ai.pack is None:
        return " ".join(ai.reasons) or translate("outline", "No model is installed.")
    try:
        registry.check_outlines(ai.pack)
    except Problem as problem:
        return str(problem)
    if ai.engine.running:
        return translate("outline", "The model is running; outline when it has ended.")
    return ""


def _point(point_lps_mm: Any) -> Point:
    x, y, z = (float(value) for value in point_lps_mm)
    return x, y, z


def _apart_mm(a: Point, b: Point) -> float:
    return float(np.linalg.norm(np.subtract(a, b)))
