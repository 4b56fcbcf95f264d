"""What a reader changes: verdicts, missed lesions, deleting, undo. All through the case."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from resources.problem import Problem
from resources.text import translate
from viewer.annotate.edits import SetVerdict
from viewer.annotate.lesion import Verdict
from viewer.ui.panel import words
from viewer.ui.reading import Reading

if TYPE_CHECKING:
    from viewer.annotate.document import Change
    from viewer.annotate.lesion import Lesion
    from viewer.session import Case


class Corrections(QObject):
    """Turns commands into edits of the open case and tells the views."""

    told = Signal(str)
    failed = Signal(object)
    judged = Signal(str, object)  # id of a lesion, and its verdict now

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading

    def change(self, act: Callable[[Case], Any]) -> Any:
        """Change the open case and tell the views; None when nothing changed."""
        case = self._reading.case
        if case is None:
            return None
        try:
            change = act(case)
        except Problem as problem:
            self.failed.emit(problem)
            return None
        if change is not None:
            self._reading.document_changed.emit(change)
        return change

    def _selected(self) -> Lesion | None:
        lesion = self._reading.lesion
        if lesion is None and self._reading.case is not None:
            self.told.emit(translate("corrections", "Select a finding first: J goes to the next."))
        return lesion

    def judge(self, verdict: Verdict) -> None:
        """Accept, reject or mark unsure the selected finding; the same again takes it back."""
        lesion = self._selected()
        if lesion is None:
            return
        wanted: Verdict | None = None if lesion.verdict == verdict else verdict
        if self.change(lambda case: case.set_verdict(lesion.id, wanted)) is None:
            return
        said = {
            "accepted": translate("corrections", "{finding} accepted."),
            "rejected": translate("corrections", "{finding} rejected; it stays in the list."),
            "unsure": translate("corrections", "{finding} marked unsure."),
            None: translate("corrections", "Verdict on {finding} taken back."),
        }[wanted]
        self.told.emit(said.format(finding=words.title(lesion)))
        self.judged.emit(lesion.id, wanted)

    def give_reason(self, lesion_id: str, reason: str) -> None:
        """Say why a lesion was rejected; together with the rejection it is one step to undo."""
        case = self._reading.case
        if case is None:
            return
        last = case.undo_edit
        just_rejected = (
            isinstance(last, SetVerdict)
            and last.lesion_id == lesion_id
            and last.after.verdict == "rejected"
            and last.after.reader == case.reader.name
        )
        if just_rejected:
            self.change(lambda case: case.undo())
        self.change(lambda case: case.set_verdict(lesion_id, "rejected", reason))
        lesion = case.document.lesion(lesion_id)
        self.told.emit(
            translate("corrections", "{finding} rejected: {reason}.").format(
                finding=words.title(lesion), reason=words.reason(reason).lower()
            )
        )

    def add_missed(self, point_lps_mm: Any) -> None:
        """Add a lesion that the AI missed, select it and take the brush."""
        x, y, z = (float(v) for v in point_lps_mm)
        point = (x, y, z)
        change = self.change(lambda case: case.add_missed(point))
        if change is None:
            return
        self._reading.reveal(change.lesion_ids[0])
        self._reading.select(change.lesion_ids[0], centre=False)
        self._reading.move_cursor(point)
        self._reading.set_tool("brush")
        keys = self._reading.keys
        self.told.emit(
            translate(
                "corrections", "Lesion added. Paint it; {smaller} and {larger} change the brush."
            ).format(smaller=keys.name("smaller"), larger=keys.name("larger"))
        )

    def delete(self) -> None:
        """Delete the selected finding; undo brings it back."""
        lesion = self._selected()
        if lesion is None:
            return
        if self.change(lambda case: case.delete(lesion.id)) is not None:
            self._reading.select(None)
            self.told.emit(
                translate("corrections", "{finding} deleted. {key} brings it back.").format(
                    finding=words.title(lesion), key=self._reading.keys.name("undo")
                )
            )

    def undo(self) -> None:
        """Take back the last step."""
        self._step(lambda case: case.undo())

    def redo(self) -> None:
        """Do the step that was taken back again."""
        self._step(lambda case: case.redo())

    def _step(self, act: Callable[[Case], Any]) -> None:
        with self._reading.settling.held():
            self._take_step(act)

    def _take_step(self, act: Callable[[Case], Any]) -> None:
        change = self.change(act)
        if change is None or self._reading.case is None:
            return
        live = {lesion.id for lesion in self._reading.case.document.lesions}
        segments = {segment.id for segment in self._reading.case.document.segments}
        if self._reading.selected not in live | segments:
            self._reading.select(None)
        for lesion_id in change.lesion_ids[:1]:
            in_sight = self._in_sight(change)
            chosen = in_sight and self._reading.selected == lesion_id  # nothing new to say
            if lesion_id in live and change.kind != "findings" and not chosen:
                # What is taken back in sight is not carried out of it.
                self._reading.select(lesion_id, centre=not in_sight)

    def _in_sight(self, change: Change) -> bool:
        """Tell whether the shown acquired slice meets what changed."""
        k = round(self._reading.cursor_kji()[0])
        return any(box[0].start <= k < box[0].stop for box in change.boxes)
