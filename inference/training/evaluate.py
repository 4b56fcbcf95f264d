"""Every figure of the model card: crops of held-out patients, and whole scans."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.runtime.detect import detect
from inference.runtime.engine import Engine
from inference.runtime.prepare import Stack, to_voxels
from inference.training.data import READERS, Crops, Nodule
from inference.training.mine import whole

Bools = npt.NDArray[np.bool_]
_FROC_AT = (0.125, 0.25, 0.5, 1.0, 2.0)
_BINS = 10


@dataclass(frozen=True, slots=True)
class CropResult:
    """What was found in one crop.

    Attributes
    ----------
    nodule
        The crop's nodule.
    score
        Of the best detection that touches what at least half of its readers outlined; 0
        when there is none.
    dice
        3-D Dice of that detection with the voxels of at least half of the readers.
    false_scores
        Of the detections that touch nothing that any reader outlined.
    """

    nodule: Nodule
    score: float
    dice: float
    false_scores: tuple[float, ...]


def dice(a: Bools, b: Bools) -> float:
    """Return twice the overlap by the sum; 1 when both are empty."""
    total = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / total if total else 1.0


class Calibration:
    """Mean heat against the mean share of readers, by bins of heat, over all crop voxels."""

    def __init__(self) -> None:
        self._count = np.zeros(_BINS)
        self._heat = np.zeros(_BINS)
        self._share = np.zeros(_BINS)

    def add(self, heat: npt.NDArray[Any], share: npt.NDArray[Any]) -> None:
        """Count the voxels of one crop."""
        bins = np.minimum((heat * _BINS).astype(int), _BINS - 1).ravel()
        self._count += np.bincount(bins, minlength=_BINS)
        self._heat += np.bincount(bins, weights=heat.ravel(), minlength=_BINS)
        self._share += np.bincount(bins, weights=share.ravel(), minlength=_BINS)

    def table(self) -> list[dict[str, float]]:
        """Return a row a bin."""
        rows = []
        for count, heat, share in zip(self._count, self._heat, self._share, strict=True):
            if count:
                row = {"voxels": int(count), "heat": heat / count, "readers": share / count}
                rows.append({key: round(value, 4) for key, value in row.items()})
        return rows


def run_crops(
    engine: Engine,
    crops: Crops,
    nodules: Sequence[Nodule],
    floor: float,
    tell: Callable[[int, int], None],
) -> tuple[list[CropResult], Calibration]:
    """Run detection, without the lungs' help, over whole crops."""
    results, calibration = [], Calibration()
    for done, nodule in enumerate(nodules):
        rows = slice(nodule.start, nodule.stop)
        hu = crops.hu(rows)
        stack = Stack(hu, whole(hu, nodule))
        heat = engine.heat(stack)
        votes = crops.votes[rows]
        calibration.add(to_voxels(heat, stack.grid), votes.astype(np.float32) / READERS)
        results.append(_judge(engine, stack, heat, floor, nodule, votes))
        tell(done + 1, len(nodules))
    return results, calibration


def _judge(
    engine: Engine,
    stack: Stack,
    heat: npt.NDArray[np.float32],
    floor: float,
    nodule: Nodule,
    votes: npt.NDArray[np.uint8],
) -> CropResult:
    half = 2 * votes >= nodule.n_readers
    best, overlap, false = 0.0, 0.0, []
    for one in detect(engine, stack, heat, floor):
        mask = one.mask.to_array(votes.shape)
        if (mask & half).any():
            if one.score > best:
                best, overlap = one.score, dice(mask, half)
        elif not votes[mask].any():
            false.append(one.score)
    return CropResult(nodule, best, overlap, tuple(false))


def summary(results: Sequence[CropResult], threshold: float) -> dict[str, Any]:
    """Return the figures of one split at a threshold, and the FROC."""
    agreed = [one for one in results if one.nodule.n_readers >= 3]
    found = [one.dice for one in agreed if one.score >= threshold]
    everything = [one.dice if one.score >= threshold else 0.0 for one in agreed]
    false = sum(score >= threshold for one in results for score in one.false_scores)
    return {
        "patients": len({one.nodule.patient for one in results}),
        "nodules": len(results),
        "nodules_3_or_4_readers": len(agreed),
        "threshold": round(threshold, 4),
        "sensitivity": _share(one.score >= threshold for one in results),
        "sensitivity_3_or_4_readers": _share(one.score >= threshold for one in agreed),
        "sensitivity_by_diameter_mm": _by_size(results, threshold),
        "false_positives_per_crop": round(false / len(results), 3),
        "dice_found_mean": _round(np.mean(found)),
        "dice_found_median": _round(np.median(found)),
        "dice_missed_as_0_mean": _round(np.mean(everything)),
        "dice_missed_as_0_ci95": _interval(everything),
        "froc": froc(results),
        "by_threshold": by_threshold(results),
    }


def _round(value: Any) -> float:
    return round(float(value), 3)


def _share(hits: Any) -> float:
    return _round(np.mean([bool(hit) for hit in hits]))


def _by_size(results: Sequence[CropResult], threshold: float) -> dict[str, list[float]]:
    out = {}
    for low, high in ((0, 6), (6, 10), (10, 20), (20, 100)):
        own = [r for r in results if low <= r.nodule.mean_diameter_mm < high]
        if own:
            out[f"{low}-{high}"] = [_share(r.score >= threshold for r in own), len(own)]
    return out


def _interval(values: Sequence[float]) -> list[float]:
    rng = np.random.default_rng(0)
    draws = rng.choice(np.asarray(values), (2000, len(values))).mean(axis=1)
    return [_round(q) for q in np.percentile(draws, [2.5, 97.5])]


def froc(results: Sequence[CropResult]) -> dict[str, float]:
    """Return the sensitivity of all nodules at fixed false positives a crop."""
    return {
        str(rate): _share(one.score >= threshold_at(results, rate) for one in results)
        for rate in _FROC_AT
    }


def threshold_at(results: Sequence[CropResult], rate: float) -> float:
    """Return the lowest threshold with at most ``rate`` false positives a crop."""
    scores = np.sort([score for one in results for score in one.false_scores])[::-1]
    allowed = int(rate * len(results))
    if allowed >= len(scores):
        return 1e-6
    return float(np.nextafter(np.float32(scores[allowed]), np.float32(1)))


def advised_threshold(results: Sequence[CropResult], share: float = 0.9) -> float:
    """Return the highest threshold that finds ``share`` of what three or four readers saw.

    False positives cannot advise it: a crop is a few centimetres of lung, and a whole scan
    with every nodule marked is not among the training data.
    """
    scores = np.sort([one.score for one in results if one.nodule.n_readers >= 3])[::-1]
    return float(np.floor(scores[int(np.ceil(share * len(scores))) - 1] * 100) / 100)


def by_threshold(results: Sequence[CropResult]) -> list[dict[str, float]]:
    """Return sensitivity and false positives a crop at round thresholds."""
    agreed = [one for one in results if one.nodule.n_readers >= 3]
    return [
        {
            "threshold": threshold,
            "sensitivity": _share(one.score >= threshold for one in results),
            "sensitivity_3_or_4_readers": _share(one.score >= threshold for one in agreed),
            "false_positives_per_crop": _round(
                sum(s >= threshold for one in results for s in one.false_scores) / len(results)
            ),
        }
        for threshold in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    ]


def write(path: Path, value: dict[str, Any]) -> None:
    """Write figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
