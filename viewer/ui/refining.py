"""Click to refine: a point that belongs to the selected outline, or one that does not.

The model looks again and the outline changes at the point, see ``inference.refine``; one step to
undo a point. Points wait for their turn; the window never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from inference import refine
from inference.findings import Mask, ModelStamp, Outline
from inference.refine import Click
from resources.text import translate
from viewer.annotate import boxes, locks, refined
from viewer.annotate.boxes import Bounds
from viewer.annotate.refined import Pointed
from viewer.tools.limits import limited
from viewer.ui.outliner import why_no_outline
from viewer.ui.panel import words

if TYPE_CHECKING:
    from viewer.annotate.lesion import Lesion
    from viewer.session import Case
    from viewer.ui.ai_runner import AiRunner
    from viewer.ui.corrections import Corrections
    from viewer.ui.engine import Task
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView


@dataclass(eq=False)
class _Asked:
    """One point that waits or is worked on; ``task`` is None while it waits."""

    pointed: Pointed
    lesion_id: str
    case: Case
    before: Mask | None = None
    task: Task | None = None


class Refining(QObject):
    """Asks the model to correct the selected outline at points; a ``Part`` of the window."""

    changed = Signal()  # which points there are
    told = Signal(str)
    failed = Signal(object)  # a Problem

    def __init__(
        self,
        reading: Reading,
        ai: AiRunner,
        corrections: Corrections,
        pointer: Callable[[], Any],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._ai = ai
        self._corrections = corrections
        self._pointer = pointer
        self._asked: list[_Asked] = []
        self._tool = reading.tool
        reading.refine_asked.connect(self.ask)
        reading.case_changed.connect(self._on_case)
        reading.tool_changed.connect(self._on_tool)

    def attach(self, view: SliceView) -> None:
        """Show the points in a view."""
        from functools import partial

        from viewer.ui import refine_layer

        view.extras.append(partial(refine_layer.paint, self))

    # ------------------------------------------------------------------ part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do; the tool itself is one of the reading's."""
        return {
            "refine_add": lambda: self.ask(self._pointer(), True),
            "refine_cut": lambda: self.ask(self._pointer(), False),
        }

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be refined now."""
        return dict.fromkeys(("refine", "refine_add", "refine_cut"), self.why_not())

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def why_not(self) -> str:
        """Return why the selected outline cannot be refined now; empty when it can."""
        if why := why_no_outline(self._reading, self._ai):
            return why
        case, lesion = self._reading.case, self._reading.lesion
        assert case is not None
        if lesion is None:
            return translate("refine", "Select the finding whose outline is to be corrected.")
        if locks.is_locked(case.document, lesion.id):
            text = translate("refine", "Its outline is locked: {key} unlocks it.")
            return text.format(key=self._reading.keys.name("lock"))
        if lesion.empty:
            text = translate("refine", "It has no outline yet: {key} has the model draw one.")
            return text.format(key=self._reading.keys.name("outline"))
        return ""

    # ---------------------------------------------------------------- points

    @property
    def points(self) -> tuple[Pointed, ...]:
        """The points that stand for the selected outline."""
        case, lesion = self._reading.case, self._reading.lesion
        if case is None or lesion is None or self._reading.ai_hidden:
            return ()
        return refined.points(case.document, lesion.id)

    @property
    def under_way(self) -> tuple[Pointed, ...]:
        """The points that are worked on or wait."""
        return tuple(asked.pointed for asked in self._asked)

    def ask(self, point_lps_mm: Any, belongs: bool) -> None:
        """Have the selected outline corrected at a point, LPS mm."""
        if why := self.why_not():
            self.told.emit(why)
            return
        case, lesion = self._reading.case, self._reading.lesion
        assert case is not None
        assert lesion is not None
        x, y, z = (float(value) for value in point_lps_mm)
        pointed = Pointed((x, y, z), belongs)
        at = refined.voxel(case.document, pointed.at_lps_mm)
        if any(
            asked.lesion_id == lesion.id
            and refined.voxel(case.document, asked.pointed.at_lps_mm) == at
            for asked in self._asked
        ):
            return  # the second half of a double click
        if not self._asked and (why := self._refusal(case, lesion, Click(at, belongs))):
            self.told.emit(why)
            return
        self._reading.reveal(lesion.id)
        self._asked.append(_Asked(pointed, lesion.id, case))
        self._begin_next()
        self._follow()
        self.told.emit(
            translate("refine", "The model corrects the outline here. {key} stops it.").format(
                key=self._reading.keys.name("abort")
            )
        )

    def escape(self) -> bool:
        """Stop all points under way; tell whether there were any."""
        waiting, self._asked = self._asked, []
        for asked in waiting:
            if asked.task is not None:
                asked.task.cancel()
        if waiting:
            self._follow()
            self.told.emit(translate("refine", "Stopped. The outline is as it was."))
        return bool(waiting)

    def _refusal(self, case: Case, lesion: Lesion, click: Click) -> str:
        """Return why a point changes nothing, as far as it can be known without the model."""
        shape = case.volume.shape_kji
        if any(not 0 <= at < size for at, size in zip(click.at_kji, shape, strict=True)):
            return self._said(refine.OUTSIDE)
        bounds = boxes.standing(case.document, lesion.id)
        if bounds is not None and not _lies_in(click, bounds):
            return translate("refine", "This point lies outside the box of the finding.")
        inside = refined.holds(lesion.mask, click.at_kji)
        if inside == click.belongs:
            return self._said(refine.INSIDE if inside else refine.BEYOND)
        for other in self._reading.lesions:
            if click.belongs and refined.holds(other.mask, click.at_kji):
                return translate(
                    "refine", "{finding} lies here: Shape merges two findings into one."
                ).format(finding=words.title(other))
        return ""

    def _begin_next(self) -> None:
        """Hand the first point to the model, unless it has one."""
        while self._asked and self._asked[0].task is None:
            asked = self._asked[0]
            lesion = self._reading.lesion
            pack, document = self._ai.pack, asked.case.document
            if lesion is None or lesion.id != asked.lesion_id or self.why_not() or pack is None:
                self._asked.pop(0)
                continue
            new = Click(refined.voxel(document, asked.pointed.at_lps_mm), asked.pointed.belongs)
            if why := self._refusal(asked.case, lesion, new):
                self._asked.pop(0)
                self.told.emit(why)
                continue
            clicks = (*refined.clicks(document, lesion.id), new)
            volume, device = asked.case.volume, self._ai.device
            asked.before = lesion.mask
            asked.task = self._ai.engine.refine(volume, pack, device, lesion.mask, clicks)
            stamp = ModelStamp(pack.id, pack.version, pack.weights.sha256)
            asked.task.succeeded.connect(
                lambda outline, asked=asked, stamp=stamp: self._on_outline(asked, outline, stamp)
            )
            asked.task.failed.connect(self.failed)
            asked.task.ended.connect(lambda asked=asked: self._on_end(asked))

    # --------------------------------------------------------------- answers

    def _on_end(self, asked: _Asked) -> None:
        if asked in self._asked:
            self._asked.remove(asked)
            self._begin_next()
            self._follow()

    def _on_outline(self, asked: _Asked, outline: object, model: ModelStamp) -> None:
        reading = self._reading
        if reading.case is not asked.case or asked not in self._asked or reading.ai_locked:
            return
        assert isinstance(outline, Outline)
        assert asked.before is not None
        if not outline.mask.count:
            self.told.emit(self._said(outline.reason))
            return
        before, bounds = asked.before, boxes.standing(asked.case.document, asked.lesion_id)
        others = (x for x in reading.lesions if x.id != asked.lesion_id and not x.empty)
        kept_out = tuple(other.mask for other in others)
        box = None if bounds is None else bounds.box
        after = limited(before, outline.mask, box, kept_out)
        change = self._corrections.change(
            lambda case: case.refine(asked.lesion_id, before, after, asked.pointed, model)
        )
        if change is None:
            return
        lesion = asked.case.document.lesion(asked.lesion_id)
        text = (
            translate("refine", "{finding}: taken in, {volume} mL now. {key} takes it back.")
            if asked.pointed.belongs
            else translate("refine", "{finding}: cut off, {volume} mL now. {key} takes it back.")
        )
        self.told.emit(
            text.format(
                finding=words.title(lesion),
                volume=f"{lesion.volume_ml:.2f}",
                key=reading.keys.name("undo"),
            )
        )

    def _said(self, reason: str) -> str:
        keys = self._reading.keys
        texts = {
            refine.OUTSIDE: translate("refine", "This point lies outside the images."),
            refine.INSIDE: translate(
                "refine", "This point is in the outline already; {cut} takes it out."
            ).format(cut=keys.name("refine_cut")),
            refine.BEYOND: translate(
                "refine", "This point is not in the outline; {add} takes it in."
            ).format(add=keys.name("refine_add")),
            refine.ALL: translate(
                "refine", "Nothing of the outline would be left: delete the finding instead."
            ),
            refine.APART: translate(
                "refine",
                "What lies here does not hang together with the outline: {key} outlines it as a "
                "finding of its own, or draw it with the brush.",
            ).format(key=keys.name("outline")),
        }
        return texts.get(reason, translate("refine", "The model changes nothing here."))

    # ---------------------------------------------------------------- follow

    def _on_case(self) -> None:
        if any(asked.case is not self._reading.case for asked in self._asked):
            waiting, self._asked = self._asked, []
            for asked in waiting:
                if asked.task is not None:
                    asked.task.cancel()
            self._follow()

    def _on_tool(self) -> None:
        tool, self._tool = self._tool, self._reading.tool
        if self._tool == "refine" and tool != "refine":
            self.told.emit(
                translate(
                    "refine",
                    "Click what belongs to the outline, Ctrl and click what does not: "
                    "{add} and {cut} do the same at the pointer.",
                ).format(
                    add=self._reading.keys.name("refine_add"),
                    cut=self._reading.keys.name("refine_cut"),
                )
            )

    def _follow(self) -> None:
        self.changed.emit()
        self._reading.tool_changed.emit()  # the views mark where the model works


def _lies_in(click: Click, bounds: Bounds) -> bool:
    return all(
        side.start <= at < side.stop for at, side in zip(click.at_kji, bounds.box, strict=True)
    )
