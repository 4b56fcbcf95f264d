"""What becomes of a case's lesions when a model runs on it again."""

from __future__ import annotations

import numpy as np

from inference.findings import Findings, Mask
from viewer.annotate import locks
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.edits import AddFindings
from viewer.annotate.lesion import IMPORTED

# Of two outlines of one lesion by two runs or a reader; below it they may be neighbours.
SAME_DICE = 0.5


def add_findings_edit(document: AnnotationDocument, findings: Findings, utc: str) -> AddFindings:
    """Return the edit that takes in one run of a model.

    What no reader has touched gives way to the new run. What one has decided on, changed,
    drawn, locked or deleted stays so, and the same lesion or structure of the new run does not
    enter the list a second time.
    """
    locked = set(document.notes(locks.TOPIC))
    # What was deleted is not to come back either.
    stay = {x.id for x in document.record if x.touched or x.deleted} | locked
    kept = [x for x in document.record if x.id in stay and not x.superseded]
    kept_segments = [s for s in document.segments if s.origin != "ai" or s.id in locked]
    supersedes = [lesion.id for lesion in document.lesions if lesion.id not in stay]
    supersedes += [s.id for s in document.segments if s.origin == "ai" and s.id not in locked]
    known: list[tuple[str, str]] = []
    for detection in findings.detections:
        matched = {old for _, old in known}
        scores = [(dice(detection.mask, old.mask), old.id) for old in kept if old.id not in matched]
        best = max(scores, default=(0.0, ""))
        if best[0] >= SAME_DICE:
            known.append((detection.id, best[1]))
    # A structure of another file does not stand for the model's own.
    labels = {s.label: s.id for s in kept_segments if s.origin not in IMPORTED}
    known += [(s.id, labels[s.label]) for s in findings.segments if s.label in labels]
    return AddFindings(
        run=len(document.runs) + 1,
        findings=findings,
        utc=utc,
        first_number=document.next_number,
        supersedes=tuple(supersedes),
        known=tuple(known),
    )


def dice(a: Mask, b: Mask) -> float:
    """Return the Dice overlap of two masks, 0 to 1; 0 when either is empty."""
    low = np.maximum(a.origin_kji, b.origin_kji)
    high = np.minimum(np.add(a.origin_kji, a.voxels.shape), np.add(b.origin_kji, b.voxels.shape))
    if (low >= high).any():
        return 0.0
    parts = []
    for mask in (a, b):
        start, stop = low - mask.origin_kji, high - mask.origin_kji
        parts.append(mask.voxels[tuple(slice(m, n) for m, n in zip(start, stop, strict=True))])
    total = a.count + b.count
    return 2.0 * int(np.count_nonzero(parts[0] & parts[1])) / total if total else 0.0
