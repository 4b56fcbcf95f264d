"""What is chosen on the validation patients: lines on logits, and thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from inference.training.calibrate import (
    Judged,
    affine_of,
    chances,
    choose_factor,
    choose_threshold,
    fit_heat,
    fit_score,
)
from inference.training.data import Nodule


def logistic(x):
    return 1 / (1 + np.exp(-x))


def test_heat_that_is_too_warm_is_cooled_to_the_share_of_readers() -> None:
    heat = (np.arange(1024) + 0.5) / 1024
    share = logistic(0.7 * np.log(heat / (1 - heat)) - 0.8)
    count = np.linspace(10_000, 500, 1024)
    slope, level = fit_heat(np.stack([count, count * share]))
    assert slope == pytest.approx(0.7, abs=0.02)
    assert level == pytest.approx(-0.8, abs=0.02)


def test_scores_become_the_share_that_is_true() -> None:
    rng = np.random.default_rng(0)
    logit, peak = rng.normal(1, 2, 4000), rng.uniform(0.15, 0.99, 4000)
    chance = logistic(0.8 * logit + 0.5 * np.log(peak / (1 - peak)) - 1.5)
    judged = Judged(logit, peak, rng.random(4000) < chance, np.zeros(4000, dtype=np.intp))
    weights = fit_score(judged)
    assert weights == pytest.approx([0.8, 0.5, -1.5], abs=0.15)
    scores = chances(weights, judged)
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1)):
        own = (scores >= low) & (scores < high)
        assert judged.true[own].mean() == pytest.approx(scores[own].mean(), abs=0.05)


def test_the_threshold_is_the_lowest_with_few_false_findings() -> None:
    # Ten crops, a false finding allowed in one; a scan, four allowed.
    scores = np.array([0.95, 0.9, 0.5, 0.4, 0.85, 0.8, 0.7, 0.6, 0.55])
    true = np.array([True, True, False, False, False, False, False, False, False])
    crop = np.array([0, 1, 2, 3, -1, -1, -1, -1, -1])
    judged = Judged(scores, scores, true, crop.astype(np.intp))
    assert choose_threshold(scores, judged, 10, 1) == pytest.approx(0.56)
    assert choose_threshold(scores, judged, 10, 1, 0.7) == pytest.approx(0.7)
    none_in_scan = Judged(scores, scores, true, np.abs(crop).astype(np.intp))
    # Now all seven false findings are in crops, and one may stay.
    assert choose_threshold(scores, none_in_scan, 10, 1) == pytest.approx(0.81)


def test_a_crop_lies_as_a_patient_does() -> None:
    nodule = Nodule("LIDC-IDRI-0000", "nodule-0", 0, 4, 4, 0.7, 2.5, 9.0, 3.0, 4.0)
    x, y, z = (affine_of(nodule) @ np.array([2.0, 3.0, 5.0, 1.0]))[:3]
    # Columns run to the left, rows to the back, slices to the head.
    assert (x, y, z) == pytest.approx((3.5, 2.1, 5.0))


def test_nets_that_find_nothing_are_left_as_they_are() -> None:
    nothing = np.zeros(0)
    judged = Judged(nothing, nothing, nothing.astype(bool), nothing.astype(np.intp))
    assert fit_score(judged) == [1.0, 0.0, 0.0]
    assert fit_heat(np.zeros((2, 1024))) == [1.0, 0.0]


def test_of_factors_alike_in_dice_the_one_truest_in_volume_is_chosen():
    dices = {0.3: 0.81, 0.4: 0.8402, 0.45: 0.8405, 0.5: 0.8396, 0.6: 0.83}
    biases = {0.3: 0.0, 0.4: 4.0, 0.45: -3.0, 0.5: -2.0, 0.6: 0.1}
    assert choose_factor(dices, biases) == 0.5
    assert choose_factor({0.3: 0.0, 0.5: 0.0}, {0.3: 2.0, 0.5: -1.0}) == 0.5
