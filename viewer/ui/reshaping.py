"""Tools that change a whole outline: shown before they are applied, never in the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QThreadPool, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from inference.findings import Mask
from inference.geometry import voxel_volume_mm3
from resources.text import translate
from viewer.annotate import boxes, locks
from viewer.annotate.mask import Bools
from viewer.tools.between import gaps
from viewer.ui.jobs import Job
from viewer.ui.panel import words
from viewer.ui.reshape_ops import SETS, Given, Op, ops, parts_of, set_op

if TYPE_CHECKING:
    from viewer.annotate.lesion import Lesion, SegmentState
    from viewer.session import Case
    from viewer.ui.corrections import Corrections
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

# Those that work on findings alone: anatomy is not counted in pieces.
_FINDINGS = ("split", "merge")
_ALL = (*ops(), *SETS, *_FINDINGS)


@dataclass(eq=False)
class Proposal:
    """What a tool would make of an outline; views show it in the place of a stroke.

    Attributes
    ----------
    given
        What it is made of.
    value
        What the tool is set to; ``made_for`` is the value that ``after`` was made for.
    """

    op: Op
    case: Case
    target_id: str
    given: Given
    value: float
    after: Mask
    made_for: float | None = None
    apply_when_made: bool = False

    def slice_of(self, axis: int, index: int) -> tuple[Bools, tuple[int, int]]:
        """Return one slice of the outline as it would be; as ``brush.Stroke.slice_of``."""
        mask = self.after
        at = index - mask.origin_kji[axis]
        if not mask.voxels.size or not 0 <= at < mask.voxels.shape[axis]:
            return np.zeros((0, 0), dtype=np.bool_), (0, 0)
        first, second = (mask.origin_kji[a] for a in range(3) if a != axis)
        return mask.voxels[(slice(None),) * axis + (at,)], (first, second)


class Reshaping(QObject):
    """The commands of these tools, and what one of them proposes; a ``Part`` of the window.

    A tool with a setting shows what it would do until it is applied (Enter) or given up (Esc); one
    without acts at once. None runs in the GUI thread.
    """

    changed = Signal()  # what is proposed, or its value
    told = Signal(str)
    failed = Signal(object)  # a Problem

    def __init__(
        self,
        reading: Reading,
        corrections: Corrections,
        active: Callable[[], SliceView],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._corrections = corrections
        self._active = active
        self._window = parent
        self._ops = ops()
        self._job: Job | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self.proposal: Proposal | None = None
        reading.case_changed.connect(self.give_up)
        reading.tool_changed.connect(self._on_tool)
        reading.selection_changed.connect(self._on_selection)

    def attach(self, view: SliceView) -> None:
        """Let Enter in a view apply what is proposed."""
        view.closers.append(self.apply)

    # ------------------------------------------------------------------ part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        ways: dict[str, Callable[[], object]] = {
            name: partial(self.begin, op) for name, op in self._ops.items()
        }
        ways |= {how: partial(self._ask_other, how) for how in SETS}
        return ways | {"split": self.split, "merge": partial(self._ask_other, "merge")}

    def reasons(self) -> Mapping[str, str]:
        """Return why a tool cannot be used now."""
        case = self._reading.case
        if case is None:
            return {}
        why = dict.fromkeys(_ALL, self._why_none())
        if why["margin"]:
            return why
        if case.volume.colours is not None:
            none = translate("reshape", "A colour image has no single values to go by.")
            why["grow"] = why["walk"] = none
        target = self._target()
        if target is not None and boxes.standing(case.document, target.id) is None:
            text = translate("reshape", "There is no box round it: {key} draws one.")
            why["box_keep"] = text.format(key=self._reading.keys.name("box"))
        if self._reading.lesion is None:
            none = translate("reshape", "Anatomy is not counted: choose a finding.")
            why |= dict.fromkeys(_FINDINGS, none)
        elif len(self._reading.lesions) < 2:
            why["merge"] = translate("reshape", "There is no other finding.")
        if not self._others():
            none = translate("reshape", "There is no other outline.")
            why |= dict.fromkeys(SETS, none)
        return why

    def checked(self) -> Mapping[str, bool]:
        """Return its switches: none."""
        return {}

    def _why_none(self) -> str:
        case, target = self._reading.case, self._target()
        if case is not None and case.read_only:
            return str(case.read_only_problem)
        if target is None:
            return translate("reshape", "Select a finding or a structure first.")
        if case is not None and locks.is_locked(case.document, target.id):
            text = translate("reshape", "It is locked: {key} unlocks it.")
            return text.format(key=self._reading.keys.name("lock"))
        if not target.mask.voxels.size:
            return translate("reshape", "It has no outline yet: draw one first.")
        return ""

    def _target(self) -> Lesion | SegmentState | None:
        reading = self._reading
        if reading.case is None or reading.selected is None:
            return None
        if reading.lesion is not None:
            return reading.lesion
        if reading.ai_hidden:
            return None
        segments = reading.case.document.segments
        return next((each for each in segments if each.id == reading.selected), None)

    def _others(self) -> list[tuple[str, str]]:
        """Return ids and names of the other outlines that may be seen."""
        reading, chosen = self._reading, self._reading.selected
        assert reading.case is not None
        found = [(x.id, words.title(x)) for x in reading.lesions if not x.empty]
        if not reading.ai_hidden:
            found += [(s.id, words.label_name(s.label)) for s in reading.case.document.segments]
        return [pair for pair in found if pair[0] != chosen]

    # ------------------------------------------------------------------ begin

    def begin(self, op: Op, other_id: str | None = None) -> None:
        """Work out what a tool makes of the selected outline."""
        self.give_up()
        case, target = self._reading.case, self._target()
        if case is None or target is None or (why := self._why_none()):
            self.told.emit(why if target is not None else self._why_none())
            return
        given = self._given(case, target, other_id)
        if op.id == "fill_between" and not gaps(given.mask, given.axis):
            self.told.emit(
                translate(
                    "reshape",
                    "In this plane no empty slice lies between drawn ones. Draw every few slices.",
                )
            )
            return
        self._reading.reveal(target.id)
        if op.setting is not None and self._reading.tool != "window":
            self._reading.set_tool("window")
        value = 0.0 if op.setting is None else op.setting.first
        self.proposal = Proposal(op, case, target.id, given, value, given.mask)
        self.proposal.apply_when_made = op.setting is None
        self._work()
        self._say()
        self.changed.emit()

    def _given(self, case: Case, target: Lesion | SegmentState, other_id: str | None) -> Given:
        plane = self._active().plane
        volume, document = case.volume, case.document
        rest = (x.mask for x in self._reading.lesions if x.id != target.id and not x.empty)
        bounds = boxes.standing(document, target.id)
        return Given(
            target.mask,
            volume.affine,
            volume.shape_kji,
            volume.voxels,
            plane.axis if plane is not None and plane.straight else 0,
            None if other_id is None else document.target(other_id).mask,
            tuple(rest),
            None if bounds is None else bounds.box,
        )

    def set_value(self, value: float) -> None:
        """Set the tool that is proposed to another value."""
        proposal = self.proposal
        if proposal is None or proposal.op.setting is None:
            return
        setting = proposal.op.setting
        steps = round((value - setting.low) / setting.step)
        proposal.value = round(min(setting.low + steps * setting.step, setting.high), 6)
        self._work()
        self.changed.emit()

    # ------------------------------------------------------------------- work

    def _work(self) -> None:
        proposal = self.proposal
        if proposal is None or self._job is not None:
            return  # the running one is followed by the latest value
        value, op, given = proposal.value, proposal.op, proposal.given

        def work(_report: Any, cancelled: Callable[[], bool]) -> object:
            return proposal, value, op.make(given, value, cancelled)

        self._start(work, self._on_made)

    def _start(self, work: Callable[..., object], then: Callable[[object], None]) -> None:
        self._job = job = Job(work, self)
        job.succeeded.connect(then)
        job.failed.connect(self.failed)
        job.ended.connect(lambda: self._on_end(job))
        job.start(self._pool)

    def _on_made(self, found: object) -> None:
        assert isinstance(found, tuple)
        proposal, value, after = found
        if not isinstance(proposal, Proposal) or proposal is not self.proposal:
            return
        proposal.after, proposal.made_for = after, value
        if proposal.op.setting is not None:
            self._reading.stroke = proposal
            self._reading.stroke_changed.emit()
        self.changed.emit()

    def _on_end(self, job: Job) -> None:
        if job is not self._job:
            return  # one that was given up for another
        self._job = None
        proposal = self.proposal
        if proposal is None:
            return
        if proposal.made_for != proposal.value:
            self._work()
        elif proposal.apply_when_made:
            self._keep(proposal)

    # ---------------------------------------------------------------- applying

    def apply(self) -> bool:
        """Apply what is proposed, as soon as it is worked out; tell whether there was anything."""
        proposal = self.proposal
        if proposal is None:
            return False
        if proposal.made_for == proposal.value:
            self._keep(proposal)
        else:
            proposal.apply_when_made = True
        return True

    def _keep(self, proposal: Proposal) -> None:
        self._drop()
        op, given = proposal.op, proposal.given
        settings: dict[str, Any] = {}
        if op.setting is not None:
            settings = {op.setting.key: proposal.value}
        if op.id == "fill_between":
            settings = {"axis": given.axis}
        if given.box is not None:
            settings["box_kji"] = [[side.start, side.stop] for side in given.box]
        change = self._corrections.change(
            lambda case: case.reshape(
                proposal.target_id, given.mask, proposal.after, op.made_by, settings
            )
        )
        if change is None:
            self.told.emit(translate("reshape", "Nothing to change there."))
        else:
            self.told.emit(self._changed_text(proposal))
        self.changed.emit()

    def _changed_text(self, proposal: Proposal) -> str:
        text = translate("reshape", "{before} → {after} mL. {key} takes it back.")
        millilitre = voxel_volume_mm3(proposal.given.affine) / 1000
        before, after = (m.count * millilitre for m in (proposal.given.mask, proposal.after))
        key = self._reading.keys.name("undo")
        return text.format(before=f"{before:.2f}", after=f"{after:.2f}", key=key)

    def give_up(self) -> bool:
        """Drop what is proposed and stop working; tell whether there was anything."""
        had = self.proposal is not None or self._job is not None
        if self._job is not None:
            self._job.cancel()
        if had:
            self._drop()
            self.changed.emit()
        return had

    def _drop(self) -> None:
        proposal, self.proposal = self.proposal, None
        if proposal is not None and self._reading.stroke is proposal:
            self._reading.stroke = None
            self._reading.stroke_changed.emit()

    def _on_tool(self) -> None:
        if self.proposal is not None and self._reading.tool != "window":
            self.give_up()

    def _on_selection(self) -> None:
        if self.proposal is not None and self._reading.selected != self.proposal.target_id:
            self.give_up()

    def _say(self) -> None:
        proposal = self.proposal
        if proposal is None:
            return
        keys = self._reading.keys
        if proposal.op.setting is None:
            text = translate("reshape", "Working… {esc} stops.")
        else:
            text = translate("reshape", "Shown, not applied: Enter applies, {esc} gives it up.")
        self.told.emit(text.format(esc=keys.name("abort")))

    # ------------------------------------------------------------ two outlines

    def _ask_other(self, how: str) -> None:
        """Let the reader choose the other outline from a menu under the pointer."""
        if self._reading.case is None or self._why_none():
            return
        menu = QMenu(self._window)
        menu.aboutToHide.connect(menu.deleteLater)
        lesions = {lesion.id for lesion in self._reading.lesions}
        for other_id, name in self._others():
            if how != "merge" or other_id in lesions:
                act = partial(self.combine, how, other_id)
                menu.addAction(name).triggered.connect(_without_argument(act))
        menu.popup(QCursor.pos())

    def combine(self, how: str, other_id: str) -> None:
        """Add another outline to the selected one, cut it off, keep what both share, or merge."""
        reading = self._reading
        if how != "merge":
            self.begin(set_op(how), other_id)
            return
        self.give_up()
        chosen = reading.selected
        if chosen is None:
            return
        if self._corrections.change(lambda case: case.merge(chosen, other_id)) is not None:
            self.told.emit(
                translate("reshape", "Merged into one finding. {key} takes it back.").format(
                    key=reading.keys.name("undo")
                )
            )

    def split(self) -> None:
        """Make lesions of the pieces of the selected one, or part it at its waist."""
        self.give_up()
        case, lesion = self._reading.case, self._reading.lesion
        if case is None or lesion is None or self._why_none():
            return
        given = self._given(case, lesion, None)
        lesion_id = lesion.id

        def work(_report: Any, _cancelled: Any) -> object:
            return case, lesion_id, given, parts_of(given)

        self._start(work, self._on_parts)
        self.told.emit(
            translate("reshape", "Working… {esc} stops.").format(
                esc=self._reading.keys.name("abort")
            )
        )

    def _on_parts(self, found: object) -> None:
        assert isinstance(found, tuple)
        case, lesion_id, given, parts = found
        if case is not self._reading.case:
            return
        if len(parts) < 2:
            self.told.emit(
                translate("reshape", "It is of one piece and has no waist to part it at.")
            )
            return
        change = self._corrections.change(lambda case: case.split(lesion_id, given.mask, parts))
        if change is not None:
            self.told.emit(
                translate("reshape", "Split into {count} findings. {key} takes it back.").format(
                    count=len(parts), key=self._reading.keys.name("undo")
                )
            )


def _without_argument(act: Callable[[], object]) -> Callable[..., None]:
    def call(*_checked: object) -> None:
        act()

    return call
