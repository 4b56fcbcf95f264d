"""What a reader can do to a case, in the words of reading; each is one edit. No Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from inference.findings import Findings, Mask, ModelStamp, Outline
from inference.volume import Volume
from resources import labels
from resources.problem import Problem
from resources.text import translate
from viewer.annotate import (
    boxes,
    copied,
    edits,
    locks,
    makers,
    pointing,
    refined,
    reshaping,
    thresholds,
)
from viewer.annotate.boxes import Bounds
from viewer.annotate.document import AnnotationDocument, Change
from viewer.annotate.journal import utc_now
from viewer.annotate.lesion import Lesion, Point, Reader, SegmentState, Verdict
from viewer.annotate.rerun import add_findings_edit
from viewer.export.tracking import tracking_uid
from viewer.imports import taking
from viewer.second_reading import Which
from viewer.tools.brush import Brush, Stroke
from viewer.tools.lasso import Lasso, Mode, Sheet


class Editing(ABC):
    """The edits of a case.

    Attributes
    ----------
    volume, document, reader, read_only_problem, blind, which, threshold
        As in ``session.Case``.
    """

    volume: Volume
    document: AnnotationDocument
    reader: Reader
    read_only_problem: Problem | None
    blind: bool
    which: Which
    threshold: float

    @abstractmethod
    def apply(self, edit: edits.Edit, tool: str = "") -> Change:
        """Apply an edit and keep it."""

    def add_findings(self, findings: Findings) -> Change:
        """Take in one run of a model."""
        return self.apply(add_findings_edit(self.document, findings, utc_now()))

    def set_verdict(
        self, lesion_id: str, verdict: Verdict | None, reason: str = ""
    ) -> Change | None:
        """Decide on a lesion, None takes the decision back; None when it stands already."""
        doc, utc = self.document, utc_now()
        made = makers.verdict_edit(doc, lesion_id, verdict, self.reader, utc, reason)
        return self._apply_if(made)

    def add_outlined(self, outline: Outline, model: ModelStamp, point_lps_mm: Point) -> Change:
        """Take in what a model outlined where the reader pointed (LPS mm)."""
        made = pointing.outlined_edit(self.document, self.volume, outline, model, point_lps_mm)
        return self.apply(made)

    def add_outlined_in_box(self, outline: Outline, model: ModelStamp, bounds: Bounds) -> Change:
        """Take in what a model outlined in a box for a new finding, whose box it then is."""
        at = bounds.centre_lps_mm(self.volume.affine)
        made = pointing.outlined_edit(self.document, self.volume, outline, model, at)
        drawn = self.document.notes(boxes.TOPIC).get(boxes.NEW)
        known = self.document.notes(boxes.TOPIC).get(made.lesion_id)
        parts: list[edits.Edit] = [
            edits.SetNote(boxes.TOPIC, made.lesion_id, known, bounds.note()),
            made,
        ]
        if drawn is not None:
            parts.insert(0, edits.SetNote(boxes.TOPIC, boxes.NEW, drawn, None))
        return self.apply(edits.Together("box-new", tuple(parts)))

    def bring_back(self, lesion_id: str) -> Change | None:
        """List a lesion that is deleted or that the threshold hides; None when it is listed."""
        return self._apply_if(pointing.back_in_list_edit(self.document.lesion(lesion_id)))

    def add_missed(self, centre_lps_mm: Point, label: str = "nodule") -> Change:
        """Put a lesion that the model missed, at a point in LPS mm; it is drawn afterwards."""
        made = makers.missed_edit(self.document, centre_lps_mm, label, blind=self.blind)
        return self.apply(made)

    def delete(self, lesion_id: str) -> Change | None:
        """Take a lesion off the list; None when it is off already."""
        return self._apply_if(makers.delete_edit(self.document, lesion_id))

    def set_label(self, lesion_id: str, label: str) -> Change | None:
        """Call a lesion something else; None when it is called so already."""
        return self._apply_if(makers.label_edit(self.document, lesion_id, label))

    def move(self, lesion_id: str, delta_lps_mm: Point) -> Change | None:
        """Move a lesion by whole voxels, no farther than the volume's edge.

        Parameters
        ----------
        delta_lps_mm
            Way in patient space, LPS mm; rounded to voxels.

        Returns
        -------
        Change or None
            None when that is less than a voxel.
        """
        return self._apply_if(makers.move_edit(self.document, lesion_id, delta_lps_mm))

    def set_note(self, topic: str, note_id: str, note: edits.Note, tool: str = "") -> Change | None:
        """Put a note (see ``edits.SetNote``), None takes it away; None when it stands already."""
        before = self.document.notes(topic).get(note_id)
        if before == note:
            return None
        return self.apply(edits.SetNote(topic, note_id, before, note), tool)

    def keep_threshold(self) -> Change | None:
        """Make the threshold of the list a step that can be undone; None when it is one."""
        return self._apply_if(thresholds.edit(self.document, self.threshold))

    def set_lock(self, target_id: str, locked: bool) -> Change | None:
        """Lock a lesion or segment against all changes, or unlock it; None when it is so."""
        return self._apply_if(locks.lock_edit(self.document, target_id, locked))

    def start_stroke(self, target_id: str, brush: Brush) -> Stroke:
        """Begin a stroke on a lesion or segment; nothing changes before it is committed."""
        self._check_free(target_id)
        mask = self.document.target(target_id).mask
        volume = self.volume
        return Stroke(volume.shape_kji, volume.affine, brush, target_id, mask, volume.voxels)

    def commit_stroke(self, stroke: Stroke) -> Change | None:
        """Apply a stroke as one edit; None when it changes nothing.

        A target that was changed since the stroke began, by an undo for instance, is drawn on
        as it is now.

        Raises
        ------
        Problem
            When the target is no longer in the list.
        """
        delta = stroke.delta(self._drawn_on(stroke.target_id).mask)
        if delta is None:
            return None
        brush = stroke.brush
        rule = "" if brush.rule is None else brush.rule.text
        return self.apply(
            edits.PaintStroke(
                stroke.target_id, delta, brush.mode, brush.shape, brush.diameter_mm, rule
            )
        )

    def start_lasso(
        self, target_id: str, mode: Mode, axis: int | None, index: int, sheet: Sheet | None
    ) -> Lasso:
        """Begin a lasso on a slice (see ``Lasso``); nothing changes before it is committed."""
        self._check_free(target_id)
        mask = self.document.target(target_id).mask
        volume = self.volume
        return Lasso(volume.shape_kji, volume.affine, mode, target_id, mask, axis, index, sheet)

    def commit_lasso(self, lasso: Lasso) -> Change | None:
        """Apply a lasso as one edit; None when it changes nothing. As ``commit_stroke``."""
        delta = lasso.delta(self._drawn_on(lasso.target_id).mask)
        if delta is None:
            return None
        where = {} if lasso.axis is None else {"axis": lasso.axis, "slice": lasso.index}
        return self.apply(edits.Reshape(lasso.target_id, delta, f"lasso-{lasso.mode}", where))

    def reshape(
        self, target_id: str, before: Mask, after: Mask, made_by: str, settings: Mapping[str, Any]
    ) -> Change | None:
        """Give a lesion or segment the outline that a tool made of it; None when it is the same.

        Raises
        ------
        Problem
            When its outline is no longer ``before``, of which the tool made ``after``.
        """
        self._check_still(target_id, before)
        made = reshaping.reshape_edit(self.document, target_id, after, made_by, settings)
        return self._apply_if(made)

    def refine(
        self,
        target_id: str,
        before: Mask,
        after: Mask,
        pointed: refined.Pointed,
        model: ModelStamp,
    ) -> Change | None:
        """Give an outline the form that a model made of it by a point; see ``reshape``."""
        self._check_still(target_id, before)
        made = refined.refine_edit(self.document, target_id, after, pointed, model)
        return self._apply_if(made)

    def split(self, lesion_id: str, before: Mask, pieces: Sequence[Mask]) -> Change | None:
        """Make several lesions of one, in one step; see ``reshape``."""
        self._check_still(lesion_id, before)
        made = reshaping.split_edit(self.document, lesion_id, pieces, blind=self.blind)
        return self._apply_if(made)

    def copy(self, outlines: Sequence[copied.Copied]) -> Change | None:
        """Take in outlines of another series, in one step; None when none of them is new."""
        made = copied.copy_edit(self.document, outlines, blind=self.blind)
        for part in () if made is None else made.parts:
            if isinstance(part, edits.Reshape):
                self._check_free(part.target_id)
        return self._apply_if(made)

    def take_in(self, chosen: Sequence[taking.Chosen], series_uid: str) -> Change | None:
        """Take outlines of other files in, in one step; None when there is nothing to take.

        Raises
        ------
        Problem
            When the case is read blind, or cannot be changed.
        """
        if self.blind or self.which == "second":
            raise taking.read_blind()
        targets: tuple[Lesion | SegmentState, ...] = (
            *self.document.record,
            *self.document.segments,
        )
        tracked = {tracking_uid(series_uid, one.id): one.id for one in targets}
        for one in targets:
            came = self.document.imported(one.id)
            if came is not None and came.outline.about.get("tracking_uid"):
                tracked[str(came.outline.about["tracking_uid"])] = one.id
        made = taking.import_edit(self.document, chosen, tracked)
        if made is not None:
            labels.remember(made.terms)
        return self._apply_if(made)

    def merge(self, lesion_id: str, other_id: str) -> Change | None:
        """Make one lesion of two, in one step: the other leaves the list."""
        for each in (lesion_id, other_id):
            self._drawn_on(each)
        return self._apply_if(reshaping.merge_edit(self.document, lesion_id, other_id))

    # ------------------------------------------------------------------ inside

    def _check_still(self, target_id: str, before: Mask) -> None:
        if self._drawn_on(target_id).mask is not before:
            raise Problem(
                translate("annotate", "The outline was changed meanwhile."),
                translate("annotate", "Use the tool again."),
                f"target {target_id}",
            )

    def _drawn_on(self, target_id: str) -> Lesion | SegmentState:
        """Return what a tool draws on, as it is now."""
        self._check_free(target_id)
        listed: tuple[Lesion | SegmentState, ...] = (
            *self.document.lesions,
            *self.document.segments,
        )
        target = next((target for target in listed if target.id == target_id), None)
        if target is None:
            raise Problem(
                translate("annotate", "What you drew on is no longer in the list."),
                translate("annotate", "Choose a finding and draw again."),
                f"target {target_id}",
            )
        return target

    def _apply_if(self, edit: edits.Edit | None) -> Change | None:
        self._check_writable()
        if edit is None:
            return None
        for target_id in locks.changes(edit):
            self._check_free(target_id)
        return self.apply(edit)

    def _check_free(self, target_id: str) -> None:
        """Raise the reason why an outline may not be changed."""
        self._check_writable()
        if locks.is_locked(self.document, target_id):
            raise locks.refusal(target_id)

    def _check_writable(self) -> None:
        if self.read_only_problem is not None:
            # A new one each time: an exception that is raised twice grows its traceback.
            told = self.read_only_problem
            raise Problem(told.sentence, told.remedy, told.detail)
