"""The score threshold that a reader chose, kept as a note: a step that can be undone."""

from __future__ import annotations

import math

from viewer.annotate.document_state import DocumentState
from viewer.annotate.small_edits import SetNote

TOPIC = "threshold"
# Topic and id of the one note.
NOTE = (TOPIC, "list")


def standing(document: DocumentState, otherwise: float) -> float:
    """Return the threshold that stands: the one kept for the latest run, else the run's own.

    Parameters
    ----------
    otherwise
        What stands without a run.
    """
    if document.findings is None:
        return otherwise
    note = document.notes(TOPIC).get(NOTE[1])
    if note is not None and note.get("run") == len(document.runs):
        score = note.get("score")
        if isinstance(score, int | float) and math.isfinite(score) and 0 <= score <= 1:
            return float(score)
    return document.findings.threshold


def edit(document: DocumentState, score: float) -> SetNote | None:
    """Return the step of keeping a threshold for the latest run; None when it stands."""
    if document.findings is None or standing(document, score) == score:
        return None
    before = document.notes(TOPIC).get(NOTE[1])
    if score == document.findings.threshold:
        return SetNote(TOPIC, NOTE[1], before, None)
    after = {"score": round(score, 6), "run": len(document.runs)}
    return SetNote(TOPIC, NOTE[1], before, after)
