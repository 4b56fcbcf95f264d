"""Two models on the same nodules: each figure of both, and their difference, patient by patient.

Only patients that neither model learned from or was tuned on count. What a new model may lose
is said by ``resources/tables/promotion.json``: the worse end of the 95 % interval of each
difference must not lie beyond its limit, or the old model stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation import calibration, decision, detection
from inference.evaluation.folder import AGREED, INDEX, MASKS, Folder, digests
from inference.evaluation.judged import Judged, judge
from inference.evaluation.predictions import Predictions
from inference.evaluation.promotion import promotion
from inference.evaluation.statistics import DRAWS, Sample, average, interval_of_patients, rounded
from resources.problem import Problem
from resources.text import translate

FORMAT = 1
Tell = Callable[[str, int, int], None]


def compare(
    folder: Folder,
    old: Predictions,
    new: Predictions,
    numbers: Sequence[int],
    tell: Tell = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Return every figure of two models, the paired differences and whether the new one may lead.

    Parameters
    ----------
    folder, numbers
        The nodules, by their numbers; those of fewer readers than ``least_readers`` says and
        those that one of the models was not asked for are left out.
    old, new
        What the models said.
    tell
        Called with stage, done and total.

    Raises
    ------
    Problem
        When no nodule is left.
    """
    asked = chosen(folder, old, new, numbers)
    if not asked:
        raise Problem(
            translate("evaluation", "No nodule is left on which both models can be compared."),
            translate("evaluation", "Give a folder with patients that are new to both."),
        )
    first = judge(folder, old, asked, lambda done: tell("measure", done, 2 * len(asked)))
    second = judge(
        folder, new, asked, lambda done: tell("measure", len(asked) + done, 2 * len(asked))
    )
    differences = differences_of(first, second)
    data = _data(folder, asked)
    return {
        "format": FORMAT,
        "data": data,
        "intervals": f"95 %, from {DRAWS} draws of the patients with replacement, seed 0",
        "old": figures(first),
        "new": figures(second),
        "new_minus_old": differences,
        "promotion": promotion(differences, data["patients"]),
        "nodules": _rows(first, second),
    }


def chosen(folder: Folder, old: Predictions, new: Predictions, numbers: Sequence[int]) -> list[int]:
    """Return the numbers of the nodules that count."""
    least = least_readers(folder, numbers)
    return [
        n
        for n in numbers
        if old.measured[n] and new.measured[n] and folder.lesions[n].n_readers >= least
    ]


def least_readers(folder: Folder, numbers: Sequence[int]) -> int:
    """Return how many readers a nodule needs to count: three, where any has as many.

    The cases of one department are read by one person as a rule. There, one is enough, and the
    figures say so: what the models are compared with is then that person, not an agreement.
    """
    return AGREED if any(folder.lesions[n].n_readers >= AGREED for n in numbers) else 1


def figures(one: Judged) -> dict[str, Any]:
    """Return the figures of one model, by the names of ``differences_of``."""
    return {
        "model": dict(one.predictions.model) or None,
        "threshold": rounded(one.threshold),
        "dice": average(_sample(one, _dice)),
        "without_outline": sum(each.empty for each in one.outlined),
        "sensitivity": average(_sample(one, _hit)),
        "false_blobs_a_crop": average(_sample(one, _false)),
        "long_axis_error_mm": average(_sample(one, _axis_error)),
        "heat_calibration_error": None if one.heat is None else one.heat.error(),
        "decision": decision.figures(one.cases, one.threshold),
    }


Value = Callable[[Judged, int], float]


def _dice(one: Judged, n: int) -> float:
    return one.outlined[n].dice


def _hit(one: Judged, n: int) -> float:
    return float(detection.found_at(one.found[n], one.threshold))


def _false(one: Judged, n: int) -> float:
    return float(sum(score >= one.threshold for score in one.found[n].false))


def _axis_error(one: Judged, n: int) -> float:
    own, readers = one.outlined[n].axis_mm[:2]
    return abs(own - readers)


def _sample(one: Judged, value: Value) -> Sample:
    return Sample.of(
        [value(one, n) for n in range(len(one.outlined))],
        [each.lesion.patient for each in one.outlined],
    )


def _paired(old: Judged, new: Judged, value: Value) -> dict[str, Any]:
    """Return the mean of the differences of nodules that both models have a value for."""
    return average(
        Sample.of(
            [value(new, n) - value(old, n) for n in range(len(old.outlined))],
            [each.lesion.patient for each in old.outlined],
        )
    )


def differences_of(old: Judged, new: Judged) -> dict[str, Any]:
    """Return the mean or the value of each figure's difference, new less old, with its interval."""
    return {
        "dice": _paired(old, new, _dice),
        "sensitivity": _paired(old, new, _hit),
        "false_blobs_a_crop": _paired(old, new, _false),
        "long_axis_error_mm": _paired(old, new, _axis_error),
        "heat_calibration_error": _heat_difference(old.heat, new.heat),
        **decision.differences(old.cases, old.threshold, new.cases, new.threshold),
    }


def _heat_difference(
    old: calibration.HeatCalibration | None, new: calibration.HeatCalibration | None
) -> dict[str, Any]:
    if old is None or new is None:
        return {"mean": None, "ci95": [None, None]}
    both = np.stack([new.sums(), old.sums()], axis=1)

    def apart(sums: npt.NDArray[np.float64]) -> float | None:
        after, before = (calibration.error_of(part) for part in sums)
        return None if after is None or before is None else rounded(after - before)

    return {"mean": apart(both.sum(axis=0)), "ci95": interval_of_patients(both, apart)}


def _data(folder: Folder, asked: Sequence[int]) -> dict[str, Any]:
    """Name the nodules and the very files, so that a figure can be traced to what it rests on."""
    lesions = [folder.lesions[n] for n in asked]
    patients = sorted({one.patient for one in lesions})
    return {
        "nodules": len(lesions),
        "least_readers": min(AGREED, *(one.n_readers for one in lesions)),
        "patients": len(patients),
        "patient_names": patients,
        "sha256": digests(folder.path, (INDEX, MASKS)),
    }


def _rows(old: Judged, new: Judged) -> list[dict[str, Any]]:
    """Return what became of each nodule, the greatest change of the Dice first."""
    rows = []
    for n, (before, after) in enumerate(zip(old.outlined, new.outlined, strict=True)):
        rows.append(
            {
                "number": before.number,
                "patient": before.lesion.patient,
                "nodule": before.lesion.name,
                "diameter_mm": rounded(before.lesion.diameter_mm),
                "dice": [rounded(before.dice), rounded(after.dice)],
                "found": [bool(_hit(old, n)), bool(_hit(new, n))],
                "false_blobs": [int(_false(old, n)), int(_false(new, n))],
            }
        )

    def change(row: dict[str, Any]) -> float:
        first, second = row["dice"]
        return 0.0 if first is None or second is None else -abs(second - first)

    return sorted(rows, key=change)
