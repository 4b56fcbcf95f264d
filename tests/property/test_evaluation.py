"""What holds of the figures whatever the masks, scores and values are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.evaluation import detection
from inference.evaluation.calibration import HeatCalibration
from inference.evaluation.outlines import dice
from inference.evaluation.statistics import Sample, agreement
from tests.evaluation_cases import lesion

MASKS = arrays(np.bool_, (2, 5, 6))
SCORES = st.floats(0.01, 1.0)


@given(MASKS, MASKS)
def test_dice_is_symmetric_within_0_and_1_and_1_only_for_equals(a, b):
    value = dice(a, b)
    assert value == dice(b, a)
    assert 0 <= value <= 1
    assert (value == 1) == bool((a == b).all())
    assert (value == 0) == (not (a & b).any() and bool((a | b).any()))
    assert dice(a[:, ::-1], b[:, ::-1]) == value


FOUND = st.builds(
    lambda score, false: detection.Found(
        lesion(), score, 0.0, tuple(false), tuple((s, False) for s in false)
    ),
    st.one_of(st.just(0.0), SCORES),
    st.lists(SCORES, max_size=4),
)


@given(st.lists(FOUND, min_size=1, max_size=12))
def test_froc_rises_with_what_it_allows_and_never_allows_more(found):
    shares = []
    for rate in detection.FROC_AT:
        threshold = detection.threshold_at(found, rate)
        false = sum(score >= threshold for one in found for score in one.false)
        assert false <= rate * len(found) + 1e-9
        shares.append(np.mean([detection.found_at(one, threshold) for one in found]))
    assert shares == sorted(shares)
    thresholds, false, hits = detection.curve(found)
    assert (np.diff(thresholds) < 0).all()
    assert (np.diff(false) >= 0).all() and (np.diff(hits) >= 0).all()
    if len(hits):
        assert hits[-1] == np.mean([one.score > 0 for one in found])


@given(st.lists(st.tuples(st.floats(-5, 5), st.sampled_from("abcde")), min_size=1, max_size=30))
def test_an_interval_lies_within_the_values(pairs):
    sample = Sample.of([v for v, _ in pairs], [p for _, p in pairs])
    low, high = sample.values.min() - 1e-4, sample.values.max() + 1e-4
    for ends in (sample.mean_interval(), sample.quantile_interval(0.1)):
        assert low <= ends[0] <= ends[1] <= high
    # The order of the nodules changes nothing.
    back = Sample.of([v for v, _ in pairs][::-1], [p for _, p in pairs][::-1])
    assert np.allclose(back.mean_interval(), sample.mean_interval(), atol=2e-4)


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=20), st.floats(-3, 3))
def test_a_constant_error_is_all_bias(values, error):
    truth = np.array(values)
    found = agreement(truth + error, truth, [str(n) for n in range(len(truth))])
    assert np.isclose(found["bias"], error, atol=1e-4)
    assert np.allclose(found["limits_of_agreement"], error, atol=2e-4)
    assert np.isclose(found["median_absolute"], abs(error), atol=1e-4)


@given(arrays(np.uint8, 40), arrays(np.uint8, 40, elements=st.integers(0, 4)))
def test_a_calibration_error_is_a_mean_difference_of_shares(heat, votes):
    calibration = HeatCalibration()
    calibration.add(heat, votes, 4, "a")
    every = calibration.figures()["expected_calibration_error"]["all_voxels"]
    whole = abs(float((heat / 255 - votes / 4).mean()))
    # Bins can only find more than the whole does, and never more than every voxel's own error.
    assert whole - 1e-4 <= every <= float(np.abs(heat / 255 - votes / 4).mean()) + 1e-4
