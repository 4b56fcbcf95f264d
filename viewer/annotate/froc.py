"""How an AI's scored findings stand to a reading taken as the reference: a FROC of one case.

Free-response receiver operating characteristic (Bunch and others, Proc SPIE 1977): how many of
the reference's lesions are found, against how many false findings a scan, at each threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from viewer.annotate.document_state import DocumentState
from viewer.annotate.lesion import Lesion
from viewer.annotate.rerun import dice


@dataclass(frozen=True, slots=True)
class Point:
    """What stands at one threshold: share of the lesions found, and false findings a scan."""

    threshold: float
    sensitivity: float
    false_a_scan: float


@dataclass(frozen=True, slots=True)
class Froc:
    """The scored findings of a case against one reference.

    Attributes
    ----------
    hits
        Scores of the findings that are lesions of the reference.
    false
        Scores of those that are none.
    missed
        How many lesions of the reference no finding shows, whatever its score.
    left_out
        How many findings the reference says nothing certain of: unsure, or not judged.
    """

    hits: tuple[float, ...]
    false: tuple[float, ...]
    missed: int
    left_out: int

    @property
    def lesions(self) -> int:
        """How many lesions the reference has."""
        return len(self.hits) + self.missed

    def at(self, threshold: float) -> tuple[int, int]:
        """Return how many lesions are found at a threshold, and how many findings are false."""
        found = sum(score >= threshold for score in self.hits)
        return found, sum(score >= threshold for score in self.false)

    @property
    def points(self) -> tuple[Point, ...]:
        """The curve, one point a threshold at which something changes, the highest first."""
        return curve(self.hits, self.false, self.lesions)


def curve(
    hits: Sequence[float], false: Sequence[float], lesions: int, scans: int = 1
) -> tuple[Point, ...]:
    """Return the FROC of scored hits and false findings; nothing without a lesion.

    Parameters
    ----------
    lesions
        How many there are in all scans, found or not.
    """
    if not lesions:
        return ()
    thresholds = np.unique([*hits, *false])[::-1]
    found = [float(sum(s >= t for s in hits)) / lesions for t in thresholds]
    wrong = [float(sum(s >= t for s in false)) / scans for t in thresholds]
    return tuple(Point(float(t), s, w) for t, s, w in zip(thresholds, found, wrong, strict=True))


def against(reference: DocumentState) -> Froc | None:
    """Return how the AI's findings stand to a reading; None when no model has run.

    A finding that is accepted is a hit, one that is rejected or deleted is false. Of others
    nothing is known, but for one that lies on a lesion which the reader drew himself.
    """
    if not reference.runs:
        return None
    scored = [x for x in reference.record if x.run and x.score is not None and not x.superseded]
    hits = [x.score for x in scored if x.verdict == "accepted" and not x.deleted]
    false = [x.score for x in scored if x.verdict == "rejected" or x.deleted]
    unknown = [x for x in scored if x.verdict in (None, "unsure") and not x.deleted]
    drawn = [x for x in reference.lesions if not x.run and x.verdict in (None, "accepted")]
    missed = 0
    for lesion in drawn:
        found = _best(lesion, unknown)
        if found is None:
            missed += 1
        else:
            unknown.remove(found)
            hits.append(found.score)
    return Froc(_known(hits), _known(false), missed, len(unknown))


def _best(lesion: Lesion, among: Sequence[Lesion]) -> Lesion | None:
    """Return the finding that lies on a lesion, of several the one with the highest score."""
    on = [one for one in among if dice(one.mask, lesion.mask) > 0]
    return max(on, key=lambda one: one.score or 0.0, default=None)


def _known(scores: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(sorted((score for score in scores if score is not None), reverse=True))
