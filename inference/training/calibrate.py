"""Choose on the validation patients what turns logits into chances, and the thresholds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from inference.geometry import axial_affine
from inference.runtime.chances import cut_out
from inference.runtime.crop import heat_of_crop, search_crop
from inference.runtime.detect import detect
from inference.runtime.engine import Engine
from inference.runtime.grid import Grid, box_of, to_voxels
from inference.runtime.look import Scan
from inference.runtime.outline import chances_at
from inference.runtime.stack import Stack
from inference.training.data import READERS, Crops, Lungs, Nodule

Floats = npt.NDArray[np.float64]
Tell = Callable[[int, int], None]

FACTORS = tuple(round(0.7 + 0.05 * n, 2) for n in range(13))
# Heat that a candidate must reach. On validation no nodule that is a candidate from 0.15 on is
# cooler than 0.2 (one of 170 is cooler than 0.25), and a quarter of the others are; on a whole
# scan these cost seconds.
PEAK = 0.2
# The default threshold shows at most so many false findings in a crop of some centimetres, and
# in a whole scan that was kept for this; there, some may be true.
MOST_FALSE_A_CROP = 0.1
MOST_FALSE_A_SCAN = 4
# How many of four readers see a nodule differs from patient to patient more than the heat net
# differs between those that it was and was not trained on: of every third of the former the heat
# is counted too, or a few large nodules of the validation patients would decide.
_TRAINED_EVERY = 3
# Mean Dices of the validation patients that differ by less are taken for the same.
_ALIKE = 0.001
_BINS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Candidates of validation data.

    Attributes
    ----------
    logit, peak
        (n,): of the outliner, and of the hottest heat 0..1.
    true
        (n,): whether the outline touches what any reader outlined.
    crop
        (n,): number of the crop, -1 in a scan.
    """

    logit: Floats
    peak: Floats
    true: npt.NDArray[np.bool_]
    crop: npt.NDArray[np.intp]


def calibrate(
    engine: Engine, crops: Crops, lungs: Sequence[Lungs], least: float, tell: Tell
) -> dict[str, Any]:
    """Fit everything on the validation patients, the heat on those of the training as well.

    The calibration of ``engine`` is set on the way, and is told in the returned document.

    Parameters
    ----------
    engine
        With the nets ``heatmap`` and ``outliner``.
    crops
        Of which the validation patients are looked at; for the heat, some of the others as well.
    lungs
        Scans kept for validation, every finding of which counts as false.
    least
        The lowest threshold that may be chosen.

    Returns
    -------
    dict
        ``heat``, ``score`` and ``outline`` as in ``nets.Calibration``; ``threshold`` and
        ``floor`` as in the manifest; and the figures that they were chosen by.
    """
    nodules = crops.of("validation")
    others = crops.of("train")[::_TRAINED_EVERY]
    total = 2 * len(nodules) + len(lungs) + len(others)
    dices, biases = _outline_factors(engine, crops, nodules, lambda done: tell(done, total))
    best = choose_factor(dices, biases)
    engine.calibration.outline[0] = best
    judged, histogram = _look(
        engine, crops, nodules, lungs, lambda d: tell(len(nodules) + d, total)
    )
    done = total - len(others)
    histogram += _heats(engine, crops, others, lambda d: tell(done + d, total))
    heat = fit_heat(histogram)
    score = fit_score(judged)
    engine.calibration.heat[:] = engine.calibration.heat.new_tensor(heat)
    engine.calibration.score[:] = engine.calibration.score.new_tensor(score)
    scores = chances(score, judged)
    threshold = choose_threshold(scores, judged, len(nodules), len(lungs), least)
    shown = scores >= threshold
    return {
        "heat": heat,
        "score": score,
        "outline": [best],
        "threshold": threshold,
        "floor": PEAK,
        "chosen_by": {
            "validation_crops": len(nodules),
            "training_crops_for_the_heat": len(others),
            "validation_scans": [scan.name for scan in lungs],
            "dice_by_outline_factor": {str(k): round(v, 4) for k, v in dices.items()},
            "volume_bias_percent_by_outline_factor": {
                str(k): round(v, 2) for k, v in biases.items()
            },
            "candidates": len(scores),
            "false_a_crop_at_threshold": round(
                int((shown & ~judged.true & (judged.crop >= 0)).sum()) / len(nodules), 4
            ),
            "false_in_scans_at_threshold": int((shown & (judged.crop < 0)).sum()),
            "crops_found_at_threshold": len(set(judged.crop[shown & judged.true].tolist())),
        },
    }


def _outline_factors(
    engine: Engine, crops: Crops, nodules: Sequence[Nodule], tell: Callable[[int], None]
) -> tuple[dict[float, float], dict[float, float]]:
    """Return what outlines are like against the majority of three or more readers, by factor.

    The first is their mean Dice, the second their mean difference in volume, in per cent of the
    mean of both; where nothing was outlined there is no volume.
    """
    rng = np.random.default_rng(0)
    dices: dict[float, list[float]] = {factor: [] for factor in FACTORS}
    biases: dict[float, list[float]] = {factor: [] for factor in FACTORS}
    for done, nodule in enumerate(nodules):
        tell(done)
        if nodule.n_readers < 3:
            continue
        rows = slice(nodule.start, nodule.stop)
        half = 2 * crops.votes[rows] >= nodule.n_readers
        scan = Scan(crops.hu(rows), affine_of(nodule))
        point = _point(half, nodule, rng)
        chances = chances_at(engine, scan, point)
        for factor in FACTORS:
            if chances is None:
                dices[factor].append(0.0)
                continue
            mask = cut_out(scan, chances, point, factor).to_array(scan.voxels.shape)
            ours, theirs = int(mask.sum()), int(half.sum())
            dices[factor].append(2 * int((mask & half).sum()) / (ours + theirs))
            if ours:
                biases[factor].append(200 * (ours - theirs) / (ours + theirs))
    return (
        {factor: float(np.mean(found)) for factor, found in dices.items()},
        {factor: float(np.mean(found)) if found else 0.0 for factor, found in biases.items()},
    )


def choose_factor(dices: Mapping[float, float], biases: Mapping[float, float]) -> float:
    """Return the factor that is best for the Dice; of those alike, the one truest in volume."""
    enough = max(dices.values()) - _ALIKE
    return min((x for x in dices if dices[x] >= enough), key=lambda factor: abs(biases[factor]))


def affine_of(nodule: Nodule) -> Floats:
    """Return (k, j, i, 1) to mm of a crop; rows run to the back, columns to the left."""
    return axial_affine(nodule.pixel_mm, nodule.gap_mm)


def _point(
    half: npt.NDArray[np.bool_], nodule: Nodule, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return a point (k, row, column) on one slice, up to a quarter of the diameter off."""
    k = int(rng.choice(np.flatnonzero(half.any(axis=(1, 2)))))
    row, column = np.argwhere(half[k]).mean(axis=0)
    reach = 0.25 * nodule.mean_diameter_mm / nodule.pixel_mm * np.sqrt(rng.random())
    angle = rng.uniform(0, 2 * np.pi)
    return float(k), float(row + reach * np.cos(angle)), float(column + reach * np.sin(angle))


def _look(
    engine: Engine,
    crops: Crops,
    nodules: Sequence[Nodule],
    lungs: Sequence[Lungs],
    tell: Callable[[int], None],
) -> tuple[Judged, Floats]:
    """Return the candidates, and (2, bins) voxels and sum of shares by raw heat in the crops."""
    rows: list[tuple[float, float, bool, int]] = []
    histogram = np.zeros((2, _BINS))
    for done, nodule in enumerate(nodules):
        tell(done)
        of = slice(nodule.start, nodule.stop)
        hu, votes = crops.hu(of), crops.votes[of]
        heat, found = search_crop(engine, hu, affine_of(nodule), PEAK)
        histogram += _count(heat, votes)
        for one in found:
            touches = bool((votes[one.mask.box][one.mask.voxels] > 0).any())
            rows.append((one.logit, one.peak, touches, done))
    for done, scan in enumerate(lungs):
        tell(len(nodules) + done)
        inside = np.zeros(scan.hu.shape, dtype=np.bool_)
        inside[tuple(scan.inside.T)] = True
        grid = Grid.over(box_of(inside, (0, 8, 8)), (scan.gap_mm, scan.pixel_mm, scan.pixel_mm))
        heat = engine.heat(Stack(scan.hu, grid))
        affine = axial_affine(scan.pixel_mm, scan.gap_mm)
        for one in detect(engine, Scan(scan.hu, affine), heat, grid, PEAK):
            rows.append((one.logit, one.peak, False, -1))
    logit, peak, true, crop = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return Judged(logit, peak, true.astype(np.bool_), crop.astype(np.intp)), histogram


def _heats(
    engine: Engine, crops: Crops, nodules: Sequence[Nodule], tell: Callable[[int], None]
) -> Floats:
    """Return (2, bins) voxels and sum of shares by raw heat in some crops."""
    out = np.zeros((2, _BINS))
    for done, nodule in enumerate(nodules):
        tell(done)
        of = slice(nodule.start, nodule.stop)
        heat, grid = heat_of_crop(engine, crops.hu(of), affine_of(nodule))
        out += _count(to_voxels(heat, grid), crops.votes[of])
    return out


def _count(heat: npt.NDArray[np.float32], votes: npt.NDArray[np.uint8]) -> Floats:
    place = np.minimum((np.clip(heat, 0, 1) * _BINS).astype(np.intp), _BINS - 1).ravel()
    shares = votes.ravel() / READERS
    return np.stack(
        [np.bincount(place, minlength=_BINS), np.bincount(place, weights=shares, minlength=_BINS)]
    )


def _logit(values: Floats) -> Floats:
    clipped = np.clip(values, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _chance(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -40, 40))))


def fit_heat(histogram: Floats) -> list[float]:
    """Return slope and level of the logit that bring heat to the mean share of readers.

    Bins weigh by the root of their voxels, and those below 0.05 not at all: nearly all of a
    crop is plainly no nodule, and would decide everything.
    """
    count, share = histogram
    heat = (np.arange(_BINS) + 0.5) / _BINS
    use = (count > 0) & (heat > 0.05)
    if not use.any():
        return [1.0, 0.0]
    x, y, weight = _logit(heat[use]), share[use] / count[use], np.sqrt(count[use])

    def loss(line: Floats) -> float:
        return float((weight * (_chance(line[0] * x + line[1]) - y) ** 2).sum() / weight.sum())

    # More heat never means fewer readers, whatever an untrained net says.
    bounds = [(0.1, 10.0), (-10.0, 10.0)]
    found = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", bounds=bounds)
    return [round(float(value), 5) for value in found.x]


def fit_score(judged: Judged) -> list[float]:
    """Return the logistic regression of being true on both logits; without any, no change."""
    if not len(judged.logit):
        return [1.0, 0.0, 0.0]
    x = np.stack([judged.logit, _logit(judged.peak), np.ones(len(judged.logit))])

    def loss(weights: Floats) -> float:
        chance = np.clip(_chance(weights @ x), 1e-9, 1 - 1e-9)
        entropy = -np.where(judged.true, np.log(chance), np.log(1 - chance)).mean()
        return float(entropy + 1e-4 * (weights**2).sum())

    bounds = [(0.0, 20.0), (0.0, 20.0), (-50.0, 50.0)]
    found = minimize(loss, np.array([1.0, 0.0, 0.0]), method="L-BFGS-B", bounds=bounds)
    return [round(float(value), 5) for value in found.x]


def chances(score: Sequence[float], judged: Judged) -> Floats:
    """Return the calibrated scores of candidates."""
    return _chance(score[0] * judged.logit + score[1] * _logit(judged.peak) + score[2])


def choose_threshold(
    scores: Floats, judged: Judged, crops: int, scans: int, least: float = 0.05
) -> float:
    """Return the lowest score of two digits, from ``least`` on, with few enough false findings."""
    wrong = scores[~judged.true & (judged.crop >= 0)]
    scan = scores[judged.crop < 0]
    for percent in range(round(100 * least), 100):
        threshold = percent / 100
        few = (wrong >= threshold).sum() <= MOST_FALSE_A_CROP * crops
        if few and (scan >= threshold).sum() <= MOST_FALSE_A_SCAN * scans:
            return threshold
    return 0.99
