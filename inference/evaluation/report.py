"""From a folder and predictions to the document with every figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import stats

from inference.evaluation import detection, outlines
from inference.evaluation.folder import AGREED, Folder
from inference.evaluation.impression import impression_error
from inference.evaluation.judged import judge
from inference.evaluation.predictions import Predictions
from inference.evaluation.seen import Seen, chosen
from inference.evaluation.statistics import DRAWS, rounded
from resources.problem import Problem
from resources.text import translate

FORMAT = 1
Tell = Callable[[str, int, int], None]


def choose(folder: Folder, choice: str, seen: Seen) -> list[int]:
    """Return the numbers of the nodules of a split.

    Raises
    ------
    Problem
        When there is none.
    """
    numbers = [n for n, one in enumerate(folder.lesions) if chosen(one.patient, choice, seen)]
    if not numbers:
        raise Problem(
            translate("evaluation", "No patient of {folder} belongs to “{split}”.").format(
                folder=folder.path, split=choice
            ),
            translate("evaluation", "Add --split all to measure every patient."),
        )
    return numbers


def measure(
    folder: Folder,
    predictions: Predictions,
    numbers: Sequence[int],
    split: str,
    seen: Seen,
    tell: Tell = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Return every figure.

    Parameters
    ----------
    folder, predictions
        What the readers and the model said.
    numbers
        Of the nodules to measure; those that the model was not asked for are left out.
    split
        Its name, for the record.
    seen
        Whom the model was trained on, for the record.
    tell
        Called with stage, done and total.
    """
    asked = [n for n in numbers if predictions.measured[n]]
    if not asked:
        raise Problem(
            translate("evaluation", "The predictions hold none of the chosen nodules."),
            translate("evaluation", "Choose the split that they were made for."),
        )
    one_model = judge(folder, predictions, asked, lambda done: tell("measure", done, len(asked)))
    judged, found, heat = one_model.outlined, one_model.found, one_model.heat
    threshold = one_model.threshold
    agreed = [one for one in judged if one.lesion.n_readers >= AGREED]
    agreed_found = [one for one in found if one.lesion.n_readers >= AGREED]
    return {
        "format": FORMAT,
        "model": dict(predictions.model) or None,
        "measured": _measured(folder, asked, split, seen),
        "intervals": f"95 %, from {DRAWS} draws of the patients with replacement, seed 0",
        "outline": outlines.figures(agreed),
        "readers": outlines.reader_figures(agreed),
        "outline_all_nodules": outlines.figures(judged),
        "size": outlines.size_figures(agreed),
        "detection": {
            "blobs": "of the model"
            if predictions.blobs is not None
            else "pieces of the masks, each with its nodule's score",
            "nodules_of_3_or_more_readers": detection.figures(agreed_found, threshold),
            "all_nodules": detection.figures(found, threshold),
        },
        "impression": _impressions(folder, predictions, asked),
        "calibration": {
            "heatmap": None if heat is None else heat.figures(),
            "scores": detection.score_calibration(found),
        },
        "uncertainty": _uncertainty(predictions, agreed),
        "seconds_an_outline": _seconds(predictions, asked),
        "nodules": [_row(one, hit) for one, hit in zip(judged, found, strict=True)],
    }


def _measured(folder: Folder, asked: Sequence[int], split: str, seen: Seen) -> dict[str, Any]:
    lesions = [folder.lesions[n] for n in asked]
    patients = sorted({one.patient for one in lesions})
    uses = {patient: seen.use(patient) for patient in patients}
    return {
        "split": split,
        "nodules": len(lesions),
        "nodules_of_3_or_more_readers": sum(one.n_readers >= AGREED for one in lesions),
        "patients": len(patients),
        "patients_trained_on": sum(use == "train" for use in uses.values()),
        "patients_used_for_validation": sum(use == "validation" for use in uses.values()),
        "trained_on_is_known_from": "the names in the pack's record"
        if seen.by_name
        else "the hash of the name, as the split of the training data is",
        "in_the_folder": {
            "nodules": len(folder.lesions),
            "patients": len({one.patient for one in folder.lesions}),
        },
        "patient_names": patients,
    }


def _impressions(
    folder: Folder, predictions: Predictions, asked: Sequence[int]
) -> dict[str, Any] | None:
    names = [n for n in ("malignancy", "texture") if n in predictions.scalars]
    if not names:
        return None
    out: dict[str, Any] = {"scale": "1 to 5 as in LIDC, radiologists' impression, not pathology"}
    for name in names:
        out[name] = {}
        for group, least in (("nodules_of_3_or_more_readers", AGREED), ("all_nodules", 0)):
            own = [n for n in asked if folder.lesions[n].n_readers >= least]
            said = [float(predictions.scalars[name][n]) for n in own]
            out[name][group] = impression_error([folder.lesions[n] for n in own], name, said)
    return out


def _uncertainty(
    predictions: Predictions, agreed: Sequence[outlines.Outlined]
) -> dict[str, Any] | None:
    """Tell whether the model is less sure where it is worse, and where readers disagree."""
    if "uncertainty" not in predictions.scalars:
        return None
    rows = [
        (predictions.scalars["uncertainty"][one.number], one.dice, float(np.mean(one.readers)))
        for one in agreed
        if np.isfinite(one.dice) and one.readers and not one.empty
    ]
    values = np.array([row for row in rows if np.isfinite(row).all()]).reshape(-1, 3)
    if len(values) < 3 or np.ptp(values, axis=0).min() == 0:
        return None
    unsure, own, readers = values.T
    return {
        "nodules": len(values),
        "median": rounded(np.median(unsure)),
        "rank_correlation_with_1_minus_dice": rounded(stats.spearmanr(unsure, 1 - own).statistic),
        "rank_correlation_with_1_minus_readers_dice": rounded(
            stats.spearmanr(unsure, 1 - readers).statistic
        ),
    }


def _seconds(predictions: Predictions, asked: Sequence[int]) -> dict[str, Any] | None:
    if predictions.seconds is None:
        return None
    taken = predictions.seconds[list(asked)]
    taken = taken[np.isfinite(taken)]
    if not len(taken):
        return None
    return {
        "median": rounded(np.median(taken)),
        "percentile_95": rounded(np.percentile(taken, 95)),
    }


def _row(one: outlines.Outlined, hit: detection.Found) -> dict[str, Any]:
    return {
        "patient": one.lesion.patient,
        "nodule": one.lesion.name,
        "readers": one.lesion.n_readers,
        "diameter_mm": rounded(one.lesion.diameter_mm),
        "dice": rounded(one.dice),
        "dice_more_than_half": rounded(one.dice_strict),
        "readers_dice": [rounded(value) for value in one.readers],
        "two_points": rounded(one.repeat),
        "long_axis_mm": [rounded(value) for value in one.axis_mm[:2]],
        "volume_ml": [rounded(value) for value in one.volume_ml[:2]],
        "found_score": rounded(hit.score),
        "false_blobs": len(hit.false),
    }
