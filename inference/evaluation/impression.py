"""How far the model's impression is from the readers', and theirs from one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.evaluation.folder import Lesion
from inference.evaluation.statistics import Sample, average

# Mean over the nodules of the training patients of the mean of their readers: what a model
# that has learnt nothing of a nodule would say.
TRAINING_MEANS = {"malignancy": 2.8331, "texture": 4.3937}


def impression_error(lesions: Sequence[Lesion], name: str, said: Sequence[float]) -> dict[str, Any]:
    """Return mean absolute errors of one score, 1 to 5.

    Parameters
    ----------
    lesions
        The nodules.
    name
        ``"malignancy"`` or ``"texture"``.
    said
        By the model of each; NaN where it said nothing, which is counted and left out.

    Returns
    -------
    dict
        ``model`` and ``training_mean`` against the mean of a nodule's readers; then each
        reader against the mean of the others, and both again against those same means.
    """
    rows = [
        (lesion.patient, getattr(lesion, name), value)
        for lesion, value in zip(lesions, said, strict=True)
        if len(getattr(lesion, name)) > 1 and np.isfinite(value)
    ]
    constant = TRAINING_MEANS[name]
    patients = [patient for patient, _, _ in rows]
    means = [float(np.mean(scores)) for _, scores, _ in rows]
    off = [abs(value - centre) for (_, _, value), centre in zip(rows, means, strict=True)]
    owners, reader, model, mean = [], [], [], []
    for patient, scores, value in rows:
        for n, score in enumerate(scores):
            others = np.mean([*scores[:n], *scores[n + 1 :]])
            owners.append(patient)
            reader.append(abs(score - others))
            model.append(abs(value - others))
            mean.append(abs(constant - others))
    return {
        "nodules": len(rows),
        "without": len(lesions) - len(rows),
        "model": average(Sample.of(off, patients)),
        "training_mean": average(Sample.of([abs(constant - c) for c in means], patients)),
        "against_the_mean_of_the_other_readers": {
            "reader": average(Sample.of(reader, owners)),
            "model": average(Sample.of(model, owners)),
            "training_mean": average(Sample.of(mean, owners)),
        },
    }
