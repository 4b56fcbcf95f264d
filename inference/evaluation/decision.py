"""How well scores tell what to accept from what to reject.

The cases are the blobs that a model found in crops without a point; right is one that touches
what any reader outlined. A nodule without a blob is no case: ``detection`` counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.detection import Found
from inference.evaluation.statistics import drawn, interval_of_patients, rounded

Floats = npt.NDArray[np.float64]
Figure = Callable[[Floats], float | None]


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

    def table(self, threshold: float, names: Sequence[str]) -> Floats:
        """Return how many cases of each patient (patient, 4) were what, see ``TABLE``."""
        row = {name: n for n, name in enumerate(names)}
        out = np.zeros((len(names), 4))
        wrong = ~self.right
        column = 2 * (self.scores < threshold) + wrong
        owner = np.array([row[name] for name in self.patients], dtype=np.intp)
        np.add.at(out, (owner, column), 1)
        return out


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
    table = cases.table(threshold, sorted(set(cases.patients)))
    whole = table.sum(axis=0)
    return {
        "case": "a blob of the model; right is one that touches what any reader outlined",
        "threshold": rounded(threshold),
        **dict(zip(TABLE, map(int, whole), strict=True)),
        **{name: figure(whole) for name, figure in FIGURES.items()},
        "ci95": {name: interval_of_patients(table, figure) for name, figure in FIGURES.items()}
        | {"auc": _interval(drawn_aucs((cases,))[:, 0])},
        "auc": rounded(auc(cases.scores, cases.right)),
        "roc": roc(cases),
    }


def differences(
    old: Cases, old_threshold: float, new: Cases, new_threshold: float
) -> dict[str, dict[str, Any]]:
    """Return each figure of the new model less that of the old, with its 95 % interval.

    In each draw both models see the same patients, each at its own threshold.
    """
    names = sorted({*old.patients, *new.patients})
    both = np.stack([new.table(new_threshold, names), old.table(old_threshold, names)], axis=1)
    aucs = drawn_aucs((old, new))
    apart = auc(new.scores, new.right) - auc(old.scores, old.right)
    return {
        **{name: _paired(both, figure) for name, figure in FIGURES.items()},
        "auc": {"mean": rounded(apart), "ci95": _interval(aucs[:, 1] - aucs[:, 0])},
    }


def _paired(both: Floats, figure: Figure) -> dict[str, Any]:
    def apart(sums: Floats) -> float | None:
        after, before = (figure(part) for part in sums)
        return None if after is None or before is None else rounded(after - before)

    return {"mean": apart(both.sum(axis=0)), "ci95": interval_of_patients(both, apart)}


def _interval(values: Floats) -> list[float | None]:
    known = values[np.isfinite(values)]
    return [rounded(q) for q in np.percentile(known, [2.5, 97.5])] if len(known) else [None, None]


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


def _share(part: float, whole: float) -> float | None:
    return rounded(part / whole) if whole else None


# Columns of ``Cases.table``, and what is made of them.
TABLE = ("accepted_right", "accepted_wrong", "rejected_right", "rejected_wrong")
FIGURES: dict[str, Figure] = {
    "accuracy": lambda n: _share(n[0] + n[3], n.sum()),
    "precision": lambda n: _share(n[0], n[0] + n[1]),
    "recall": lambda n: _share(n[0], n[0] + n[2]),
    "f1": lambda n: _share(2 * n[0], 2 * n[0] + n[1] + n[2]),
}
