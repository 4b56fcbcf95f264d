"""How well scores tell what to accept from what to reject.

The cases are the blobs that a model found in crops without a point; right is one that touches
what any reader outlined. A nodule without a blob is no case: ``detection`` counts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.detection import Found
from inference.evaluation.statistics import drawn, rounded

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """Blobs of one model.

    Attributes
    ----------
    scores
        (n,) 0 to 1.
    right
        (n,) bool.
    patients
        (n,) names.
    """

    scores: Floats
    right: npt.NDArray[np.bool_]
    patients: tuple[str, ...]

    @classmethod
    def of(cls, results: Sequence[Found]) -> Cases:
        """Return all blobs of some crops."""
        rows = [(*pair, one.lesion.patient) for one in results for pair in one.judged]
        return cls(
            np.array([score for score, _, _ in rows], dtype=np.float64),
            np.array([right for _, right, _ in rows], dtype=np.bool_),
            tuple(patient for _, _, patient in rows),
        )


def auc(scores: Floats, right: npt.NDArray[np.bool_], weights: Floats | None = None) -> float:
    """Return the area under the ROC curve: the chance that what is right scores higher.

    Ties count half (Hanley and McNeil, Radiology 1982). NaN where one kind is missing.

    Parameters
    ----------
    weights
        How often each case counts; once each when None.
    """
    each = np.ones(len(scores)) if weights is None else weights
    _, place = np.unique(scores, return_inverse=True)
    levels = int(place.max()) + 1 if len(place) else 0
    good = np.bincount(place, weights=each * right, minlength=levels)
    bad = np.bincount(place, weights=each * ~right, minlength=levels)
    pairs = good.sum() * bad.sum()
    below = np.cumsum(bad) - bad / 2
    return float((good * below).sum() / pairs) if pairs else float("nan")


def drawn_aucs(models: Sequence[Cases]) -> Floats:
    """Return the area under the curve of each model (draw, model), patients drawn again.

    In each draw the models see the same patients.
    """
    names = sorted({patient for one in models for patient in one.patients})
    if not names:
        return np.zeros((0, len(models)))
    number = {name: n for n, name in enumerate(names)}
    owners = [np.array([number[name] for name in one.patients], dtype=np.intp) for one in models]
    return np.array(
        [
            [
                auc(one.scores, one.right, counts[own].astype(np.float64))
                for one, own in zip(models, owners, strict=True)
            ]
            for counts in drawn(len(names))
        ]
    )


def figures(cases: Cases, threshold: float) -> dict[str, Any]:
    """Return accuracy, precision, recall and F1 at a threshold, the ROC and the area under it."""
    shown = cases.scores >= threshold
    table = {
        "accepted_right": int((shown & cases.right).sum()),
        "accepted_wrong": int((shown & ~cases.right).sum()),
        "rejected_right": int((~shown & cases.right).sum()),
        "rejected_wrong": int((~shown & ~cases.right).sum()),
    }
    hits, wrong = table["accepted_right"], table["accepted_wrong"]
    missed = table["rejected_right"]
    return {
        "case": "a blob of the model; right is one that touches what any reader outlined",
        "threshold": rounded(threshold),
        **table,
        "accuracy": _share(hits + table["rejected_wrong"], len(cases.scores)),
        "precision": _share(hits, hits + wrong),
        "recall": _share(hits, hits + missed),
        "f1": _share(2 * hits, 2 * hits + wrong + missed),
        "auc": rounded(auc(cases.scores, cases.right)),
        "roc": roc(cases),
    }


def roc(cases: Cases) -> list[dict[str, float | None]]:
    """Return each point of the ROC curve with its threshold, from (0, 0) to (1, 1)."""
    good, bad = int(cases.right.sum()), int((~cases.right).sum())
    if not good or not bad:
        return []
    points: list[dict[str, float | None]] = [
        {"threshold": None, "false_positive_share": 0.0, "true_positive_share": 0.0}
    ]
    for threshold in np.unique(cases.scores)[::-1]:
        shown = cases.scores >= threshold
        points.append(
            {
                "threshold": rounded(threshold),
                "false_positive_share": rounded((shown & ~cases.right).sum() / bad),
                "true_positive_share": rounded((shown & cases.right).sum() / good),
            }
        )
    return points


def _share(part: int, whole: int) -> float | None:
    return rounded(part / whole) if whole else None
