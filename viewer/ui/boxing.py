"""A box round a finding, with faces that can be moved in every plane: what may be changed.

The box belongs to the selected finding; one that is drawn elsewhere is for a new finding, which
the model outlines in it. Tools that change outlines leave alone what lies outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from inference.findings import Mask, ModelStamp, Outline
from resources.text import translate
from viewer.annotate import boxes, locks, refined
from viewer.annotate.boxes import NEW, TOPIC, Bounds
from viewer.tools.limits import clipped, limited
from viewer.ui.outliner import why_no_outline
from viewer.ui.panel import words

if TYPE_CHECKING:
    from viewer.annotate.document import Change
    from viewer.annotate.lesion import Lesion
    from viewer.session import Case
    from viewer.ui.ai_runner import AiRunner
    from viewer.ui.corrections import Corrections
    from viewer.ui.engine import Task
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

# Round an outline, mm; half of the side of a box round a point.
_MARGIN_MM = 4.0
_HALF_MM = 10.0
_ENTER = "⏎"


class Boxing(QObject):
    """The box that is shown, and what is done with it; a ``Part`` of the window.

    Attributes
    ----------
    draft
        The box while it is drawn or one of its faces is dragged.
    handle
        What the keys move: None the whole box, else index axis and whether it is the far face.
    """

    changed = Signal()
    told = Signal(str)
    failed = Signal(object)  # a Problem

    def __init__(
        self, reading: Reading, ai: AiRunner, corrections: Corrections, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.reading = reading
        self._ai = ai
        self._corrections = corrections
        self.draft: Bounds | None = None
        self.handle: tuple[int, bool] | None = None
        self._task: Task | None = None
        self._tool = reading.tool
        reading.case_changed.connect(self._on_case)
        reading.selection_changed.connect(self._on_selection)
        reading.document_changed.connect(self._on_document)
        reading.tool_changed.connect(self._on_tool)

    def attach(self, view: SliceView) -> None:
        """Show the box in a view; Enter there has the model outline in it."""
        from viewer.ui import box_layer

        view.boxing = self
        view.extras.append(partial(box_layer.paint, self))
        view.closers.append(self.enter)
        self.changed.connect(view.update)

    # ------------------------------------------------------------------ part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do; the tool itself is one of the reading's."""
        return {
            "box_fit": self.fit,
            "box_outline": self.outline,
            "box_remove": self.remove,
            "box_handle": self.next_handle,
        }

    def reasons(self) -> Mapping[str, str]:
        """Return why its commands cannot be used now."""
        case = self.reading.case
        if case is None:
            return {}
        names = ("box", *self.handlers())
        if case.read_only:
            return dict.fromkeys(names, str(case.read_only_problem))
        why = dict.fromkeys(names, "")
        if self.reading.lesion is None:
            why["box_fit"] = translate("box", "Select the finding that the box is to be put round.")
        if self.current is None:
            none = translate("box", "There is no box: {key}, then drag one over a lesion.")
            none = none.format(key=self.reading.keys.name("box"))
            why |= dict.fromkeys(("box_outline", "box_remove", "box_handle"), none)
        else:
            why["box_outline"] = self._why_no_outline()
        return why

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def _why_no_outline(self) -> str:
        if why := why_no_outline(self.reading, self._ai):
            return why
        case, current = self.reading.case, self.current
        if case is not None and current is not None and current[0] != NEW:
            if self.reading.lesion is None:
                return translate("box", "Anatomy is not outlined by a box: choose a finding.")
            if locks.is_locked(case.document, current[0]):
                text = translate("box", "Its outline is locked: {key} unlocks it.")
                return text.format(key=self.reading.keys.name("lock"))
        return ""

    # ------------------------------------------------------------------- box

    @property
    def current(self) -> tuple[str, Bounds] | None:
        """The box that counts now, and whose it is: the selected finding's, else a new one's."""
        case = self.reading.case
        if case is None:
            return None
        selected = self.reading.selected
        box_id = NEW if selected is None else selected
        bounds = boxes.standing(case.document, box_id)
        return None if bounds is None else (box_id, bounds)

    @property
    def shown(self) -> Bounds | None:
        """The box as it is drawn: what is dragged comes first."""
        if self.draft is not None:
            return self.draft
        return None if self.current is None else self.current[1]

    def show_draft(self, bounds: Bounds | None) -> None:
        """Show a box while it is dragged, in all views, with its size."""
        self.draft = bounds
        if bounds is not None:
            self.told.emit(self.size_text(bounds))
        self.changed.emit()

    def size_text(self, bounds: Bounds) -> str:
        """Return the sides of a box in mm: across, down and through the acquired slices."""
        case = self.reading.case
        assert case is not None
        k, j, i = bounds.size_mm(case.volume.affine)
        return translate("box", "{i} × {j} × {k} mm").format(
            i=f"{i:.1f}", j=f"{j:.1f}", k=f"{k:.1f}"
        )

    def keep(self, bounds: Bounds, box_id: str) -> Change | None:
        """Make a box the one of a finding, or of a new one: a step to undo."""
        self.draft = None
        change: Change | None = self._corrections.change(
            lambda case: case.set_note(TOPIC, box_id, bounds.note(), "box")
        )
        self.changed.emit()
        return change

    def keep_drawn(self, bounds: Bounds) -> None:
        """Keep a box that was drawn: round the selected finding, or for a new one."""
        lesion = self.reading.lesion
        self.handle = None
        keys = self.reading.keys
        if lesion is not None and self._is_round(bounds, lesion):
            self.keep(bounds, lesion.id)
            text = translate(
                "box", "Box of {finding}: tools change nothing outside it; {key} outlines in it."
            ).format(finding=words.title(lesion), key=_ENTER)
        else:
            self.keep(bounds, NEW)
            self.reading.select(None, centre=False)
            text = translate(
                "box",
                "Box for a new finding: {key} has the model outline in it, {undo} takes it back.",
            ).format(key=_ENTER, undo=keys.name("undo"))
        self.told.emit(text)

    def _is_round(self, bounds: Bounds, lesion: Lesion) -> bool:
        """Tell whether a box holds any of a finding."""
        case = self.reading.case
        if case is None or not lesion.empty:
            return bool(clipped(lesion.mask, bounds.box).voxels.size)
        at = refined.voxel(case.document, lesion.anchor_lps_mm)
        return all(side.start <= n < side.stop for n, side in zip(at, bounds.box, strict=True))

    def fit(self) -> None:
        """Put the box round the selected finding, and take the box tool."""
        case, lesion = self.reading.case, self.reading.lesion
        if case is None or lesion is None:
            return
        volume = case.volume
        if lesion.empty:
            voxel = refined.voxel(case.document, lesion.anchor_lps_mm)
            point = Mask(voxel, np.ones((1, 1, 1), dtype=np.bool_))
            bounds = boxes.round_of(point, _HALF_MM, volume.affine, volume.shape_kji)
        else:
            bounds = boxes.round_of(lesion.mask, _MARGIN_MM, volume.affine, volume.shape_kji)
        self.reading.set_tool("box")
        self.handle = None
        self.keep(bounds, lesion.id)
        self.told.emit(self.size_text(bounds))

    def remove(self) -> None:
        """Take the box away."""
        current = self.current
        if current is None:
            return
        self.draft = None
        self._corrections.change(lambda case: case.set_note(TOPIC, current[0], None, "box"))
        self.told.emit(
            translate("box", "The box is gone. {key} brings it back.").format(
                key=self.reading.keys.name("undo")
            )
        )
        self.changed.emit()

    # ---------------------------------------------------------------- handles

    def next_handle(self) -> None:
        """Let the keys move the next face of the box, and after the last the whole of it."""
        order: list[tuple[int, bool] | None] = [None]
        order += [(axis, far) for axis in (2, 1, 0) for far in (False, True)]
        self.handle = order[(order.index(self.handle) + 1) % len(order)]
        if self.reading.tool != "box":
            self.reading.set_tool("box")
        whole = translate("box", "The keys move the whole box.")
        one = translate("box", "The keys move the marked face: the arrows across it.")
        self.told.emit(whole if self.handle is None else one)
        self.changed.emit()

    def nudge(self, axis: int, step: int) -> None:
        """Move the box, or the marked face of it, by voxels along one axis."""
        case, current = self.reading.case, self.current
        if case is None or current is None:
            return
        box_id, bounds = current
        shape = case.volume.shape_kji
        if self.handle is None:
            by = [0, 0, 0]
            by[axis] = step
            moved = bounds.moved((by[0], by[1], by[2]), shape)
        elif self.handle[0] != axis:
            self.told.emit(translate("box", "The marked face moves across itself only."))
            return
        else:
            far = self.handle[1]
            at = (bounds.high_kji if far else bounds.low_kji)[axis] + step
            moved = bounds.with_face(axis, far=far, at=at, shape_kji=shape)
        if self.keep(moved, box_id) is not None:
            self.told.emit(self.size_text(moved))

    # --------------------------------------------------------------- outlining

    def enter(self) -> bool:
        """Outline in the box when its tool is held; tell whether Enter was meant for it."""
        if self.reading.tool != "box" or self.current is None:
            return False
        self.outline()
        return True

    def outline(self) -> None:
        """Have the model outline what lies in the box."""
        case, current, pack = self.reading.case, self.current, self._ai.pack
        if case is None or current is None or self._task is not None:
            return
        if why := self._why_no_outline():
            self.told.emit(why)
            return
        assert pack is not None
        box_id, bounds = current
        before = None if box_id == NEW else case.document.lesion(box_id).mask
        centre = bounds.centre_lps_mm(case.volume.affine)
        engine, volume = self._ai.engine, case.volume
        self._task = task = engine.outline(volume, pack, self._ai.device, centre, bounds.box)
        model = ModelStamp(pack.id, pack.version, pack.weights.sha256)
        task.succeeded.connect(partial(self._on_outline, case, box_id, bounds, before, model))
        task.failed.connect(self.failed)
        task.ended.connect(partial(self._on_end, task))
        self.told.emit(
            translate("box", "The model outlines what lies in the box. {key} stops it.").format(
                key=self.reading.keys.name("abort")
            )
        )
        self.changed.emit()

    @property
    def outlining(self) -> bool:
        """Whether the model works on the box."""
        return self._task is not None

    def escape(self) -> bool:
        """Stop the model, or give up what is dragged; tell whether there was anything."""
        task, self._task = self._task, None
        dragged, self.draft = self.draft is not None, None
        if task is not None:
            task.cancel()
            self.told.emit(translate("box", "Stopped. Nothing was outlined."))
        if task is not None or dragged:
            self.changed.emit()
        return task is not None or dragged

    def _on_end(self, task: Task) -> None:
        if task is self._task:
            self._task = None
            self.changed.emit()

    def _on_outline(
        self,
        case: Case,
        box_id: str,
        bounds: Bounds,
        before: Mask | None,
        model: ModelStamp,
        outline: object,
    ) -> None:
        reading = self.reading
        if reading.case is not case or self._task is None or reading.ai_locked:
            return
        assert isinstance(outline, Outline)
        drawn = clipped(outline.mask, bounds.box)
        if not drawn.voxels.size:
            self.told.emit(translate("box", "The model sees nothing in the box to outline."))
            return
        if before is None:
            found = replace(outline, mask=drawn)
            change = self._corrections.change(
                lambda case: case.add_outlined_in_box(found, model, bounds)
            )
        else:
            others = tuple(x.mask for x in reading.lesions if x.id != box_id and not x.empty)
            after = limited(before, drawn, bounds.box, others)
            settings = {"box": bounds.note(), "model": [model.id, model.version, model.sha256]}
            change = self._corrections.change(
                lambda case: case.reshape(box_id, before, after, "box-outline", settings)
            )
        if change is None:
            self.told.emit(translate("box", "The model outlines what is outlined already."))
            return
        lesion_id = change.lesion_ids[0]
        reading.reveal(lesion_id)
        reading.select(lesion_id, centre=False)
        lesion = case.document.lesion(lesion_id)
        self.told.emit(
            translate(
                "box", "{finding}: outlined in its box, {volume} mL. {key} takes it back."
            ).format(
                finding=words.title(lesion),
                volume=f"{lesion.volume_ml:.2f}",
                key=reading.keys.name("undo"),
            )
        )

    # ----------------------------------------------------------------- follow

    def _on_case(self) -> None:
        self.handle = None
        self.escape()
        self.changed.emit()

    def _on_selection(self) -> None:
        self.draft = None
        self.changed.emit()

    def _on_document(self, change: Change) -> None:
        if change.note is not None and change.note[0] == TOPIC:
            self.changed.emit()

    def _on_tool(self) -> None:
        tool, self._tool = self._tool, self.reading.tool
        if self._tool == "box" and tool != "box":
            keys = self.reading.keys
            if self.current is None:
                text = translate(
                    "box", "Drag a box over a lesion, or {fit} puts one round the selected finding."
                ).format(fit=keys.name("box_fit"))
            else:
                text = translate(
                    "box",
                    "Drag faces or corners in any view; Enter outlines in it, {handle} chooses a "
                    "face for the keys.",
                ).format(handle=keys.name("box_handle"))
            self.told.emit(text)
        self.changed.emit()
