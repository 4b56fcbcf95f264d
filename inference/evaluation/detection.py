"""Found without a point: sensitivity against false positives a crop, and how true scores are.

A blob hits when it touches the voxels of at least half of the nodule's readers. It is false
when it touches nothing that any reader outlined. What touches only the voxels of a minority
is neither, nor is a second blob on the same nodule. A crop may show other nodules that the
index does not list, so false positives are an upper bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.folder import Bools, Folder, Lesion
from inference.evaluation.outlines import dice
from inference.evaluation.predictions import Blob
from inference.evaluation.statistics import SIZES, Sample, group_of, rounded, share, spread

Floats = npt.NDArray[np.float64]
FROC_AT = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
THRESHOLDS = tuple(round(0.05 * n, 2) for n in range(1, 20))
BINS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found in one crop.

    Attributes
    ----------
    lesion
        The crop's nodule.
    score
        Of the best blob that hits; 0 without one.
    dice
        3-D Dice of that blob with the voxels of at least half of the readers.
    false
        Scores of the false blobs.
    judged
        (score, touches what any reader outlined) of every blob.
    """

    lesion: Lesion
    score: float
    dice: float
    false: tuple[float, ...]
    judged: tuple[tuple[float, bool], ...]


def judge(folder: Folder, number: int, blobs: Sequence[Blob]) -> Found:
    """Judge the blobs of one crop; those of others are left out."""
    lesion = folder.lesions[number]
    half, anyone = folder.majority(lesion), folder.votes(lesion) > 0
    best, overlap = 0.0, 0.0
    false, judged = [], []
    for blob in blobs:
        if blob.lesion != number or not blob.mask.count:
            continue
        box, voxels = blob.mask.box, blob.mask.voxels
        touches = bool((anyone[box] & voxels).any())
        judged.append((blob.score, touches))
        if not touches:
            false.append(blob.score)
        elif blob.score > best and (half[box] & voxels).any():
            best, overlap = blob.score, dice(blob.mask.to_array(_shape(half)), half)
    return Found(lesion, best, overlap, tuple(false), tuple(judged))


def _shape(mask: Bools) -> tuple[int, int, int]:
    k, j, i = mask.shape
    return k, j, i


def threshold_at(results: Sequence[Found], rate: float) -> float:
    """Return the lowest threshold with at most ``rate`` false blobs a crop."""
    scores = np.sort([score for one in results for score in one.false])[::-1]
    allowed = int(np.floor(rate * len(results) + 1e-9))
    if allowed >= len(scores):
        return 0.0
    return float(np.nextafter(scores[allowed], 2.0))


def found_at(one: Found, threshold: float) -> bool:
    """Tell whether the nodule of a crop was found at a threshold."""
    return one.score > 0 and one.score >= threshold


def froc(results: Sequence[Found]) -> dict[str, Any]:
    """Return the sensitivity at fixed false blobs a crop, and the mean of those."""
    out: dict[str, Any] = {}
    for rate in FROC_AT:
        threshold = threshold_at(results, rate)
        out[f"{rate:g}"] = {"threshold": rounded(threshold), **_sensitivity(results, threshold)}
    hits = [out[f"{rate:g}"]["share"] for rate in FROC_AT]
    return {
        "false_blobs_a_crop": out,
        "mean_sensitivity": rounded(float(np.mean(hits))) if results else None,
    }


def curve(results: Sequence[Found]) -> tuple[Floats, Floats, Floats]:
    """Return every threshold that matters, falling, with false blobs a crop and sensitivity."""
    scores = [one.score for one in results if one.score > 0]
    false = [score for one in results for score in one.false]
    thresholds = np.unique([*scores, *false])[::-1]
    hits = (np.array(scores)[None] >= thresholds[:, None]).sum(axis=1)
    wrong = (np.array(false)[None] >= thresholds[:, None]).sum(axis=1)
    count = max(len(results), 1)
    return thresholds, wrong / count, hits / count


def _sensitivity(results: Sequence[Found], threshold: float) -> dict[str, Any]:
    hits = [float(found_at(one, threshold)) for one in results]
    return share(Sample.of(hits, [one.lesion.patient for one in results]))


def _false(results: Sequence[Found], threshold: float) -> Sample:
    counts = [float(sum(s >= threshold for s in one.false)) for one in results]
    return Sample.of(counts, [one.lesion.patient for one in results])


def figures(results: Sequence[Found], threshold: float) -> dict[str, Any]:
    """Return the figures of some crops at the default threshold, and the FROC."""
    false = _false(results, threshold)
    found = [one for one in results if found_at(one, threshold)]
    overlaps = Sample.of([one.dice for one in found], [one.lesion.patient for one in found])
    return {
        "crops": len(results),
        "threshold": rounded(threshold),
        "sensitivity": _sensitivity(results, threshold),
        "false_blobs_a_crop": rounded(false.values.mean()) if len(false) else None,
        "false_blobs_a_crop_ci95": false.mean_interval(),
        "sensitivity_by_size": {
            name: _sensitivity(own, threshold)
            for name, _, _ in SIZES
            if (own := [o for o in results if group_of(o.lesion.diameter_mm, SIZES) == name])
        },
        "dice_of_the_found": spread(overlaps),
        "froc": froc(results),
        "by_threshold": [_at(results, threshold) for threshold in THRESHOLDS],
    }


def _at(results: Sequence[Found], threshold: float) -> dict[str, Any]:
    hits = [found_at(one, threshold) for one in results]
    false = _false(results, threshold)
    return {
        "threshold": threshold,
        "sensitivity": rounded(float(np.mean(hits))) if hits else None,
        "false_blobs_a_crop": rounded(false.values.mean()) if len(false) else None,
    }


def advised_threshold(results: Sequence[Found], wanted: float = 0.9) -> float:
    """Return the highest threshold, two digits, that finds a share of these nodules.

    False positives cannot advise it: a crop is a few centimetres of lung, and a whole scan
    with every nodule marked is not among the training data.
    """
    scores = np.sort([one.score for one in results])[::-1]
    return float(np.floor(scores[int(np.ceil(wanted * len(scores))) - 1] * 100) / 100)


def score_calibration(results: Sequence[Found]) -> dict[str, Any]:
    """Compare the scores of blobs with how many of them touch what any reader outlined."""
    judged = [pair for one in results for pair in one.judged]
    if not judged:
        return {"blobs": 0}
    scores = np.array([score for score, _ in judged])
    true = np.array([float(touches) for _, touches in judged])
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    table = [
        {
            "blobs": int(own.sum()),
            "score": rounded(scores[own].mean()),
            "true": rounded(true[own].mean()),
        }
        for n in range(BINS)
        if (own := place == n).any()
    ]
    sums = [np.bincount(place, weights=values, minlength=BINS) for values in (scores, true)]
    error = float(np.abs(sums[0] - sums[1]).sum()) / len(judged)
    return {
        "true": "the blob touches what any reader outlined",
        "blobs": len(judged),
        "brier": rounded(np.mean((scores - true) ** 2)),
        "expected_calibration_error": rounded(error),
        "bins": table,
    }
