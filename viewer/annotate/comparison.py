"""What readers made of the AI result: per finding whose it is, and which voxels came and went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inference import geometry
from inference.findings import Mask
from viewer.annotate.document_state import DocumentState
from viewer.annotate.lesion import IMPORTED, Lesion, SegmentState
from viewer.annotate.mask import crop, cut, empty_mask

Outcome = Literal["ai", "ai-edited", "human", "imported", "rejected", "deleted", "missed"]

# One object, so that a mask that is not there is the same the next time.
_EMPTY = empty_mask()
OUTCOMES: tuple[Outcome, ...] = (
    "ai", "ai-edited", "missed", "human", "imported", "rejected", "deleted",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The voxels of two masks: only in the second, only in the first, in both."""

    added: Mask
    removed: Mask
    kept: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One finding, or one structure of anatomy, in the AI result and as it stands now.

    Attributes
    ----------
    target_id, number, label
        As in ``Lesion``; number None for anatomy.
    outcome
        ``"ai"`` as the model drew it; ``"ai-edited"``; ``"missed"`` by the AI and added by a
        reader; ``"human"`` added before the AI was run or seen; ``"imported"`` from another file;
        ``"rejected"`` or ``"deleted"`` from what the model had drawn.
    reason
        Why it was rejected: key of ``resources/tables/rejection_reasons.json``, or empty.
    decided
        Whether it is accepted.
    parts
        Voxels that readers added to the AI result, took from it, left in it.
    added_ml, removed_ml, kept_ml
        Their volumes.
    moved_mm
        How far it was carried, mm.
    """

    target_id: str
    number: int | None
    label: str
    outcome: Outcome
    reason: str
    decided: bool
    parts: Parts
    added_ml: float
    removed_ml: float
    kept_ml: float
    moved_mm: float

    @property
    def dice(self) -> float | None:
        """Overlap of AI and corrected, 0 to 1; None where neither holds a voxel."""
        return dice(self.kept_ml, self.added_ml, self.removed_ml)

    @property
    def same(self) -> bool:
        """Whether the corrected result holds exactly what the model drew."""
        return not (self.added_ml or self.removed_ml)


def dice(kept: float, added: float, removed: float) -> float | None:
    """Return 2 |A and B| / (|A| + |B|); None when both are empty."""
    whole = 2.0 * kept + added + removed
    return None if whole == 0 else 2.0 * kept / whole


def parts_of(before: Mask, after: Mask) -> Parts:
    """Return which voxels came, went and stayed between two masks of one volume."""
    if before is after:
        return Parts(empty_mask(), empty_mask(), before)
    if not before.voxels.size or not after.voxels.size:
        return Parts(after, before, empty_mask())
    origin = np.minimum(before.origin_kji, after.origin_kji)
    end = np.maximum(*(np.add(m.origin_kji, m.voxels.shape) for m in (before, after)))
    k, j, i = (slice(int(a), int(b)) for a, b in zip(origin, end, strict=True))
    first, second = cut(before, (k, j, i)), cut(after, (k, j, i))
    corner = (k.start, j.start, i.start)
    return Parts(
        crop(second & ~first, corner), crop(first & ~second, corner), crop(first & second, corner)
    )


class Comparison:
    """Compares a document with the AI results under it; what did not change is not done again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Mask, Mask, Parts]] = {}

    def forget(self) -> None:
        """Let go of the masks of a case that is left."""
        self._known.clear()

    def of(self, document: DocumentState, threshold: float) -> tuple[Compared, ...]:
        """Return every finding that is listed, was rejected or deleted, and changed anatomy.

        Parameters
        ----------
        threshold
            Score that a finding of the AI must reach to be listed.
        """
        listed = {lesion.id for lesion in document.shown(threshold)}
        found = [
            self._lesion(document, lesion)
            for lesion in document.record
            if lesion.id in listed or (lesion.deleted and lesion.run and not lesion.superseded)
        ]
        found += [
            self._segment(document, segment)
            for segment in document.segments
            if segment.origin != "ai"
        ]
        self._known = {
            key: value for key, value in self._known.items() if key in {c.target_id for c in found}
        }
        return tuple(found)

    def _lesion(self, document: DocumentState, lesion: Lesion) -> Compared:
        outcome = outcome_of(lesion)
        drawn = document.ai_mask(lesion.id) if lesion.run else None
        gone = outcome in ("rejected", "deleted")
        detection = document.detection(lesion.id)
        moved = 0.0
        if detection is not None and lesion.run:
            way = np.subtract(lesion.anchor_lps_mm, detection.centre_lps_mm)
            moved = float(np.linalg.norm(way))
        return self._compared(
            document,
            lesion,
            outcome,
            before=_EMPTY if drawn is None else drawn,
            after=_EMPTY if gone else lesion.mask,
            moved_mm=moved,
        )

    def _segment(self, document: DocumentState, segment: SegmentState) -> Compared:
        drawn = document.ai_mask(segment.id)
        before = _EMPTY if drawn is None else drawn
        outcome: Outcome = "imported" if segment.origin in IMPORTED else "ai-edited"
        return self._compared(document, segment, outcome, before=before, after=segment.mask)

    def _compared(
        self,
        document: DocumentState,
        target: Lesion | SegmentState,
        outcome: Outcome,
        *,
        before: Mask,
        after: Mask,
        moved_mm: float = 0.0,
    ) -> Compared:
        known = self._known.get(target.id)
        if known is None or known[0] is not before or known[1] is not after:
            known = self._known[target.id] = (before, after, parts_of(before, after))
        parts = known[2]
        voxel_ml = geometry.voxel_volume_mm3(document.affine) / 1000.0
        lesion = target if isinstance(target, Lesion) else None
        return Compared(
            target_id=target.id,
            number=None if lesion is None else lesion.number,
            label=target.label,
            outcome=outcome,
            reason="" if lesion is None else lesion.decision.reason,
            decided=lesion is not None and lesion.verdict == "accepted",
            parts=parts,
            added_ml=parts.added.count * voxel_ml,
            removed_ml=parts.removed.count * voxel_ml,
            kept_ml=parts.kept.count * voxel_ml,
            moved_mm=moved_mm,
        )


def outcome_of(lesion: Lesion) -> Outcome:
    """Return what became of a finding, or where it comes from."""
    if lesion.verdict == "rejected":
        return "rejected"
    if lesion.deleted:
        return "deleted"
    if lesion.origin in IMPORTED:
        return "imported"
    if lesion.missed_by_ai or lesion.origin == "ai-pointed":
        return "missed" if lesion.missed_by_ai else "human"
    return "human" if lesion.run == 0 else "ai-edited" if lesion.origin == "ai-edited" else "ai"


def totals(of: Iterable[Compared]) -> tuple[float, float, float]:
    """Return the volumes that were added, removed and kept of all, mL."""
    compared = tuple(of)
    return (
        sum(one.added_ml for one in compared),
        sum(one.removed_ml for one in compared),
        sum(one.kept_ml for one in compared),
    )
