"""The state of one case: what the models said, and what readers made of it.

``AnnotationDocument.apply`` is the only way to change it. Findings are never changed: a
lesion starts with the model's own mask object and gets another one on its first edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from inference.findings import Mask
from viewer.annotate import edits, figures, importing, locks, mask
from viewer.annotate.attributes import TERMS
from viewer.annotate.change import Change as Change
from viewer.annotate.change import Run as Run
from viewer.annotate.change import together
from viewer.annotate.document_state import FIRST_BLIND_NUMBER, DocumentState
from viewer.annotate.imported import Imported
from viewer.annotate.lesion import Decision, Lesion, SegmentState
from viewer.annotate.mask import Box

__all__ = ["FIRST_BLIND_NUMBER", "AnnotationDocument", "Change", "DocumentState", "Run", "run_id"]


class AnnotationDocument(DocumentState):
    """Lesions and segments of one volume, and the AI runs under them; see ``DocumentState``."""

    # ----------------------------------------------------------------- changing

    def apply(self, edit: edits.Edit) -> Change:
        """Change the document. The only mutator.

        Raises
        ------
        ValueError
            When the document does not stand as the edit expects it, or when the edit would
            change what is locked; nothing is changed.
        """
        locks.refuse(self, edit)
        match edit:
            case edits.PaintStroke() | edits.Reshape():
                return self._paint(edit)
            case edits.Together():
                return self._together(edit)
            case edits.SetVerdict():
                return self._set_verdict(edit)
            case edits.AddLesion():
                return self._add_lesion(edit)
            case edits.RemoveLesion():
                return self._remove_lesion(edit)
            case edits.AddOutlined():
                return self._add_outlined(edit)
            case edits.RemoveOutlined():
                return self._remove_outlined(edit)
            case edits.AddImported():
                return self._add_imported(edit)
            case edits.RemoveImported():
                return self._remove_imported(edit)
            case edits.DeleteLesion():
                return self._delete(edit)
            case edits.CallUp():
                return self._call_up(edit)
            case edits.MoveLesion():
                return self._move(edit)
            case edits.SetLabel():
                return self._set_label(edit)
            case edits.AddFindings():
                return self._add_findings(edit)
            case edits.RemoveFindings():
                return self._remove_findings(edit)
            case edits.SetNote():
                return self._set_note(edit)
            case _:
                raise ValueError(f"unknown edit {edit.kind}")

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Measure once at the end, not after each edit: for the replay of a journal."""
        self._waiting = set()
        try:
            yield
        finally:
            for target_id in tuple(self._strokes):
                self._draw(target_id)
            waiting, self._waiting = self._waiting, None
            for lesion_id in waiting & self._lesions.keys():
                self._lesions[lesion_id] = self._measured(self._lesions[lesion_id])

    def _set_verdict(self, edit: edits.SetVerdict) -> Change:
        lesion = self._known(edit.lesion_id)
        if lesion.decision != edit.before:
            raise ValueError("another verdict stands")
        self._lesions[lesion.id] = replace(lesion, decision=edit.after)
        return Change("verdict", (lesion.id,), boxes=_boxes(lesion.mask))

    def _set_label(self, edit: edits.SetLabel) -> Change:
        lesion = self._known(edit.lesion_id)
        if lesion.label != edit.before:
            raise ValueError("another label stands")
        self._lesions[lesion.id] = replace(lesion, label=edit.after)
        return Change("label", (lesion.id,), boxes=_boxes(lesion.mask))

    def _add_lesion(self, edit: edits.AddLesion) -> Change:
        if edit.lesion_id in self._lesions or edit.lesion_id in self._segments:
            raise ValueError("the id is taken")
        self._lesions[edit.lesion_id] = Lesion(
            id=edit.lesion_id,
            number=edit.number,
            label=edit.label,
            origin="human",
            run=0,
            score=None,
            decision=Decision(),
            missed_by_ai=edit.missed_by_ai,
            mask=mask.empty_mask(),
            anchor_lps_mm=edit.centre_lps_mm,
            centre_lps_mm=edit.centre_lps_mm,
            diameter_mm=0.0,
            short_axis_mm=0.0,
            volume_ml=0.0,
            mean_value=None,
        )
        return Change("add", (edit.lesion_id,))

    def _remove_lesion(self, edit: edits.RemoveLesion) -> Change:
        lesion = self._drawn(edit.added.lesion_id)
        if lesion.origin != "human" or not lesion.empty or lesion.verdict or lesion.deleted:
            raise ValueError("the lesion is no longer as it was added")
        del self._lesions[lesion.id]
        return Change("add", (lesion.id,))

    def _add_outlined(self, edit: edits.AddOutlined) -> Change:
        drawn = edit.outlined
        if edit.lesion_id in self._lesions or edit.lesion_id in self._segments:
            raise ValueError("the id is taken")
        if not drawn.mask.voxels.any() or not mask.inside(drawn.mask.box, self.shape_kji):
            raise ValueError("an outline is empty or leaves the volume")
        if not figures.finite(drawn):
            raise ValueError("an outline has a figure that is no number")
        lesion = figures.ai_lesion(edit.lesion_id, edit.number, 0, drawn)
        self._detections[lesion.id], self._outlined[lesion.id] = drawn, edit
        self._lesions[lesion.id] = replace(lesion, missed_by_ai=edit.missed_by_ai)
        return Change("add", (lesion.id,), boxes=_boxes(drawn.mask))

    def _remove_outlined(self, edit: edits.RemoveOutlined) -> Change:
        lesion = self._drawn(edit.added.lesion_id)
        if lesion.origin != "ai-pointed" or lesion.verdict or lesion.deleted:
            raise ValueError("the lesion is no longer as it was outlined")
        del self._lesions[lesion.id], self._detections[lesion.id], self._outlined[lesion.id]
        return Change("add", (lesion.id,), boxes=_boxes(lesion.mask))

    def _add_imported(self, edit: edits.AddImported) -> Change:
        importing.check(self, edit)
        for one in edit.outlines:
            self._imported[one.target_id] = Imported(one, edit.source_of(one.target_id))
            if one.anatomy:
                segment = importing.segment(one, self._voxel_ml)
                self._anatomy[one.target_id] = segment, segment.mask.count
                self._segments[one.target_id] = importing.state(segment)
            else:
                self._store(importing.lesion(one))
        self._notes[TERMS] = {**self._notes.get(TERMS, {}), **edit.terms}
        return importing.change(edit)

    def _remove_imported(self, edit: edits.RemoveImported) -> Change:
        added = edit.added
        for one in added.outlines:
            self._draw(one.target_id)
        importing.check_untouched(self, added)
        for one in added.outlines:
            of: dict[str, Any] = self._segments if one.anatomy else self._lesions
            del self._imported[one.target_id], of[one.target_id]
            self._anatomy.pop(one.target_id, None)
        terms = self._notes[TERMS]
        self._notes[TERMS] = {key: term for key, term in terms.items() if key not in added.terms}
        return importing.change(added)

    def _call_up(self, edit: edits.CallUp) -> Change:
        lesion = self._known(edit.lesion_id)
        if lesion.called_up == edit.called_up:
            raise ValueError("the lesion is so already")
        self._lesions[lesion.id] = replace(lesion, called_up=edit.called_up)
        return Change("add", (lesion.id,), boxes=_boxes(lesion.mask))

    def _delete(self, edit: edits.DeleteLesion) -> Change:
        lesion = self._known(edit.lesion_id)
        if lesion.deleted == edit.deleted:
            raise ValueError("the lesion is so already")
        self._lesions[lesion.id] = replace(lesion, deleted=edit.deleted)
        return Change("delete", (lesion.id,), boxes=_boxes(lesion.mask))

    def _move(self, edit: edits.MoveLesion) -> Change:
        lesion = self._drawn(edit.lesion_id)
        if lesion.anchor_lps_mm != edit.before_lps_mm:
            raise ValueError("the lesion lies elsewhere")
        moved = mask.shift(lesion.mask, edit.offset_kji)
        if moved.voxels.size and not mask.inside(moved.box, self.shape_kji):
            raise ValueError("the lesion would leave the volume")
        self._store(replace(lesion, mask=moved, anchor_lps_mm=edit.after_lps_mm))
        return Change("move", (lesion.id,), boxes=_boxes(lesion.mask) + _boxes(moved))

    def _together(self, edit: edits.Together) -> Change:
        changes: list[Change] = []
        for part in edit.parts:
            try:
                changes.append(self.apply(part))
            except ValueError:
                for done in reversed(edit.parts[: len(changes)]):
                    self.apply(done.inverse())
                raise
        return together(changes)

    def _paint(self, edit: edits.PaintStroke | edits.Reshape) -> Change:
        if not mask.inside(edit.delta.box, self.shape_kji):
            raise ValueError("the stroke leaves the volume")
        if self._waiting is not None:
            return self._paint_later(edit.target_id, edit.delta)
        if edit.target_id in self._segments:
            segment = self._segments[edit.target_id]
            painted, grown = mask.xor(segment.mask, edit.delta)
            self._segments[segment.id] = self._counted(segment, painted, segment.count + grown)
            return Change("paint", segment_ids=(segment.id,), boxes=(edit.delta.box,))
        lesion = self._known(edit.target_id)
        self._store(replace(lesion, mask=mask.xor(lesion.mask, edit.delta)[0]))
        return Change("paint", (lesion.id,), boxes=(edit.delta.box,))

    def _paint_later(self, target_id: str, delta: mask.Delta) -> Change:
        """Take a stroke in while a journal is replayed: no mask is made before it is needed."""
        lesion = self._lesions.get(target_id)
        if lesion is None and target_id not in self._segments:
            raise ValueError(f"there is no lesion {target_id}")
        growing = self._strokes.get(target_id)
        if growing is None:
            growing = mask.Growing(self.target(target_id).mask, self.shape_kji)
        growing.xor(delta)
        self._strokes[target_id] = growing
        return Change("paint", () if lesion is None else (target_id,))

    def _set_note(self, edit: edits.SetNote) -> Change:
        notes = self._notes.get(edit.topic, {})
        if notes.get(edit.note_id) != edit.before:
            raise ValueError("another note stands")
        # A new mapping each time: who holds the old one sees no change.
        after = {
            key: note
            for key, note in notes.items()
            if key != edit.note_id or edit.after is not None
        }
        if edit.after is not None:
            after[edit.note_id] = edit.after
        self._notes[edit.topic] = after
        return Change("note", note=(edit.topic, edit.note_id))

    # ------------------------------------------------------------------ AI runs

    def _add_findings(self, edit: edits.AddFindings) -> Change:
        if edit.run != len(self._runs) + 1:
            raise ValueError("the runs of a case are numbered from 1")
        known = {new for new, _ in edit.known}
        detections = {
            run_id(edit.run, d.id): d for d in edit.findings.detections if d.id not in known
        }
        segments = {run_id(edit.run, s.id): s for s in edit.findings.segments if s.id not in known}
        taken = [*self._lesions, *self._segments, *detections, *segments]
        if len(set(taken)) != len(taken):
            raise ValueError("an id is taken")
        masks = [d.mask for d in edit.findings.detections]
        masks += [s.mask for s in edit.findings.segments]
        if not all(mask.inside(m.box, self.shape_kji) for m in masks):
            raise ValueError("a mask leaves the volume")
        if not all(map(figures.finite, edit.findings.detections)):
            # A journal holds no NaN, and a document nothing that its journal cannot hold.
            raise ValueError("a detection has a figure that is no number")
        if not set(edit.supersedes) <= self._lesions.keys() | self._segments.keys():
            raise ValueError("an id is unknown")
        superseded = self._supersede(edit.supersedes, True)
        self._runs = (*self._runs, Run(edit.run, edit.findings, edit.utc))
        self._former_names.append(self._names)
        self._names = {old: new for new, old in edit.known}
        self._names |= {lesion_id: d.id for lesion_id, d in detections.items()}
        self._detections |= detections
        for number, (lesion_id, detection) in enumerate(detections.items(), edit.first_number):
            self._lesions[lesion_id] = figures.ai_lesion(lesion_id, number, edit.run, detection)
        for segment_id, segment in segments.items():
            count = segment.mask.count
            self._anatomy[segment_id] = (segment, count)
            self._segments[segment_id] = SegmentState(
                segment_id, segment.label, segment.volume_ml, segment.mask, "ai", edit.run, count
            )
        return Change("findings", (*superseded, *detections), tuple(segments))

    def _remove_findings(self, edit: edits.RemoveFindings) -> Change:
        run = edit.added.run
        if run != len(self._runs):
            raise ValueError("only the latest run can be taken back")
        for target_id in tuple(self._strokes):
            self._draw(target_id)
        lesions = [lesion for lesion in self._lesions.values() if lesion.run == run]
        segments = [s for s in self._segments.values() if s.run == run]
        if any(x.touched or x.deleted for x in lesions) or any(s.origin != "ai" for s in segments):
            raise ValueError("the run's lesions are no longer as it drew them")
        for lesion in lesions:
            del self._lesions[lesion.id], self._detections[lesion.id]
        for segment in segments:
            del self._segments[segment.id], self._anatomy[segment.id]
        self._runs = self._runs[:-1]
        self._names = self._former_names.pop()
        restored = self._supersede(edit.added.supersedes, False)
        ids = (*restored, *(lesion.id for lesion in lesions))
        return Change("findings", ids, tuple(s.id for s in segments))

    def _supersede(self, ids: tuple[str, ...], superseded: bool) -> tuple[str, ...]:
        for each in ids:
            if each in self._lesions:
                self._lesions[each] = replace(self._lesions[each], superseded=superseded)
        segments = frozenset(ids) & self._segments.keys()
        if superseded:
            self._superseded_segments |= segments
        else:
            self._superseded_segments -= segments
        return tuple(each for each in ids if each in self._lesions)

    # ---------------------------------------------------------------- measuring

    def _known(self, lesion_id: str) -> Lesion:
        try:
            return self._lesions[lesion_id]
        except KeyError:
            raise ValueError(f"there is no lesion {lesion_id}") from None

    def _drawn(self, lesion_id: str) -> Lesion:
        """Return a lesion whose mask is to be looked at, also in the midst of a replay."""
        self._known(lesion_id)
        self._draw(lesion_id)
        return self._lesions[lesion_id]

    def _draw(self, target_id: str) -> None:
        growing = self._strokes.pop(target_id, None)
        if growing is None:
            return
        painted = growing.mask
        if target_id in self._segments:
            segment = self._segments[target_id]
            self._segments[target_id] = self._counted(segment, painted, painted.count)
        else:
            self._store(replace(self._lesions[target_id], mask=painted))

    def _store(self, lesion: Lesion) -> None:
        if self._waiting is None:
            lesion = self._measured(lesion)
        else:
            self._waiting.add(lesion.id)
        self._lesions[lesion.id] = lesion

    def _measured(self, lesion: Lesion) -> Lesion:
        came = self._imported.get(lesion.id)
        mask_then = None if came is None else came.outline.mask
        return figures.measured(lesion, self._detections.get(lesion.id), self._sizes, mask_then)

    def _counted(self, segment: SegmentState, painted: Mask, count: int) -> SegmentState:
        # Anatomy has millions of voxels: only the count is kept up, never measured anew.
        original, original_count = self._anatomy[segment.id]
        came = segment.id in self._imported
        if count == original_count and mask.equal(painted, original.mask):
            return replace(
                segment,
                mask=original.mask,
                volume_ml=original.volume_ml,
                origin="imported" if came else "ai",
                count=count,
            )
        return replace(
            segment,
            mask=painted,
            volume_ml=count * self._voxel_ml,
            origin="imported-edited" if came else "ai-edited",
            count=count,
        )


def run_id(run: int, finding_id: str) -> str:
    """Return the id in the case of what run number ``run`` calls ``finding_id``."""
    return finding_id if run == 1 else f"r{run}{finding_id}"


def _boxes(of: Mask) -> tuple[Box, ...]:
    return (of.box,) if of.voxels.size else ()
