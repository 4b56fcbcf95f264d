"""Every figure on cases that are small enough to be worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inference.evaluation import detection, outlines, report
from inference.evaluation.calibration import HeatCalibration
from inference.evaluation.impression import TRAINING_MEANS, impression_error
from inference.evaluation.predictions import Blob, blobs_of
from inference.evaluation.seen import Seen
from inference.evaluation.statistics import (
    SIZES,
    TEXTURES,
    Sample,
    agreement,
    group_of,
    share,
    spread,
)
from inference.findings import Mask
from tests.evaluation_cases import ball, folder_of, lesion, majority, said

NOBODY = Seen(True, {"train": frozenset(), "validation": frozenset()})


def box(low: int, high: int, slices: int = 2) -> np.ndarray:
    out = np.zeros((slices, 128, 128), dtype=bool)
    out[:, 10:12, low:high] = True
    return out


# ------------------------------------------------------------------- Dice


def test_dice_of_known_masks():
    assert outlines.dice(box(0, 4), box(2, 6)) == 0.5
    assert outlines.dice(box(0, 4), box(0, 4)) == 1.0
    assert outlines.dice(box(0, 4), box(4, 8)) == 0.0
    assert outlines.dice(box(0, 0), box(0, 0)) == 1.0


def test_the_majority_is_half_of_the_readers_or_more_than_half():
    folder = folder_of([[box(0, 8), box(0, 6), box(0, 4), box(0, 2)]])
    (one,) = folder.lesions
    assert (folder.majority(one) == box(0, 6)).all()
    assert (folder.majority(one, strict=True) == box(0, 4)).all()
    assert folder.votes(one).max() == 4 and len(folder.readers(one)) == 4


def test_an_outline_is_compared_with_both_majorities():
    folder = folder_of([[box(0, 8), box(0, 6), box(0, 4), box(0, 2)]])
    one = outlines.judge(folder, said(folder, box(0, 6)), 0)
    assert one.dice == 1.0
    assert one.dice_strict == pytest.approx(2 * 4 / 10)
    # Reader 1 drew 8, the others 6, 4 and 2: at least half of them 4, more than half 4.
    assert one.readers[0] == pytest.approx(2 * 4 / 12)
    assert one.readers_strict[0] == one.readers[0]
    # Reader 4 drew 2, the others 8, 6 and 4: two of three 6.
    assert one.readers[3] == pytest.approx(2 * 2 / 8)
    assert one.against_others[3] == 1.0


def test_of_three_readers_half_of_the_others_is_any_of_the_two():
    folder = folder_of([[box(0, 8), box(0, 6), box(0, 4)]])
    one = outlines.judge(folder, said(folder, box(0, 6)), 0)
    assert one.readers == pytest.approx((2 * 6 / 14, 2 * 6 / 14, 2 * 4 / 12))
    assert one.readers_strict == pytest.approx((2 * 4 / 12, 2 * 4 / 10, 2 * 4 / 10))


def test_an_empty_outline_counts_as_nothing_found():
    folder = folder_of([[box(0, 8)] * 3])
    one = outlines.judge(folder, said(folder, box(0, 0), other_masks=box(0, 0)), 0)
    assert one.empty and one.dice == 0.0
    # Twice nothing is no agreement.
    assert np.isnan(one.repeat)
    figures = outlines.figures([one])
    assert figures["empty"] == 1 and figures["dice"]["mean"] == 0.0
    assert outlines.size_figures([one])["without_outline"] == 1


def test_readers_who_share_no_voxel_leave_nothing_to_compare_with():
    folder = folder_of([[box(0, 4), box(20, 24), box(40, 44)]])
    one = outlines.judge(folder, said(folder, box(0, 4)), 0)
    assert np.isnan(one.dice) and np.isnan(one.dice_strict)
    assert outlines.figures([one])["dice"]["count"] == 0


def test_two_points_give_the_dice_of_the_two_outlines():
    folder = folder_of([[box(0, 4)] * 4])
    one = outlines.judge(folder, said(folder, box(0, 4), other_masks=box(2, 6)), 0)
    assert one.repeat == 0.5
    assert outlines.figures([one])["two_points"]["mean"] == 0.5


def test_groups():
    assert [group_of(mm, SIZES) for mm in (3.0, 5.99, 6.0, 10.0, 20.0, 60.0)] == [
        "under 6 mm", "under 6 mm", "6 to 10 mm", "10 to 20 mm",
        "20 mm and more", "20 mm and more",
    ]  # fmt: skip
    assert [group_of(t, TEXTURES) for t in (1.0, 2.25, 2.5, 3.25, 3.5, 5.0)] == [
        "ground-glass", "ground-glass", "part-solid", "part-solid", "solid", "solid",
    ]  # fmt: skip


# --------------------------------------------------------------- statistics


def test_a_sample_gives_mean_median_and_tenth_percentile():
    found = spread(Sample.of([0.0, 0.5, 1.0, float("nan")], ["a", "b", "c", "d"]))
    assert (found["count"], found["patients"]) == (3, 3)
    assert (found["mean"], found["median"], found["percentile_10"]) == (0.5, 0.5, 0.1)
    low, high = found["mean_ci95"]
    assert 0 <= low < 0.5 < high <= 1


def test_the_interval_draws_patients_and_not_nodules():
    values = [0.0] * 50 + [1.0] * 50
    # Two patients of fifty nodules each are two observations, not a hundred.
    two = Sample.of(values, ["a"] * 50 + ["b"] * 50).mean_interval()
    hundred = Sample.of(values, [str(n) for n in range(100)]).mean_interval()
    assert two == [0.0, 1.0]
    assert 0.35 < hundred[0] < 0.45 and 0.55 < hundred[1] < 0.65


def test_the_interval_is_that_of_scipys_bootstrap():
    from scipy.stats import bootstrap

    rng = np.random.default_rng(2)
    values = rng.normal(0.8, 0.1, 200)
    sample = Sample(values, tuple(map(str, range(200))))
    for statistic, own in (
        (np.mean, sample.mean_interval()),
        (np.median, sample.quantile_interval(0.5)),
    ):
        other = bootstrap((values,), statistic, n_resamples=4000, method="percentile", rng=1)
        assert own == pytest.approx(list(other.confidence_interval), abs=0.006)


def test_an_empty_sample_says_so():
    nothing = Sample.of([], [])
    assert spread(nothing)["mean"] is None and spread(nothing)["mean_ci95"] == [None, None]
    assert share(nothing)["share"] is None
    assert agreement(np.zeros(0), np.zeros(0), []) == {"count": 0}


def test_bland_and_altman_by_hand():
    found = agreement(np.array([11.0, 9.0, 13.0]), np.array([10.0, 10.0, 10.0]), ["a", "b", "c"])
    assert found["bias"] == 1.0
    # Differences 1, -1 and 3 have a standard deviation of 2.
    assert found["limits_of_agreement"] == [-2.92, 4.92]
    assert found["median_absolute"] == 1.0


def test_size_errors_of_an_outline_a_pixel_too_wide():
    half = ball(5, 6)
    folder = folder_of([[half] * 4])
    wide = half | np.roll(half, 1, axis=2)
    found = outlines.size_figures([outlines.judge(folder, said(folder, wide), 0)])
    assert 0 < found["long_axis_mm"]["bias"] < 1.0
    percent = 100 * (wide.sum() / half.sum() - 1)
    assert found["volume"]["all_together_percent"] == pytest.approx(percent, abs=1e-3)
    assert found["volume"]["percent_of_the_reference"]["mean"] == pytest.approx(percent, abs=1e-3)
    halves = 200 * (wide.sum() - half.sum()) / (wide.sum() + half.sum())
    bias = found["volume"]["percent_of_the_mean_of_both"]["bias"]
    assert bias == pytest.approx(halves, abs=1e-3)
    assert found["readers_volume"]["ml"]["bias"] == 0


# ---------------------------------------------------------------- detection


def mask_at(low: int, high: int) -> Mask:
    return Mask.from_array(box(low, high))


@pytest.fixture
def crops():
    """Four crops whose readers outlined 0 to 8, of three readers one only 8 to 12."""
    return folder_of([[box(0, 8), box(0, 8), box(0, 12)]] * 4)


def test_blobs_hit_are_false_or_are_neither(crops):
    blobs = [
        Blob(0, 0.7, mask_at(4, 8)),
        Blob(0, 0.9, mask_at(7, 9)),
        Blob(0, 0.4, mask_at(30, 40)),
        Blob(0, 0.8, mask_at(10, 12)),  # a minority outlined it
        Blob(1, 0.99, mask_at(0, 8)),
    ]
    one = detection.judge(crops, 0, blobs)
    assert one.score == 0.9
    assert one.dice == pytest.approx(2 * 1 / 10)
    assert one.false == (0.4,)
    assert sorted(one.judged) == [(0.4, False), (0.7, True), (0.8, True), (0.9, True)]


@pytest.fixture
def found(crops):
    scores = {0: (0.9, (0.2,)), 1: (0.6, (0.7, 0.1)), 2: (0.0, ()), 3: (0.3, ())}
    blobs = []
    for number, (hit, false) in scores.items():
        blobs += [Blob(number, hit, mask_at(0, 8))] if hit else []
        blobs += [Blob(number, score, mask_at(50 + n, 51 + n)) for n, score in enumerate(false)]
    return [detection.judge(crops, n, blobs) for n in range(4)]


def test_sensitivity_and_false_blobs_at_a_threshold(found):
    figures = detection.figures(found, 0.5)
    assert figures["sensitivity"]["share"] == 0.5
    assert figures["false_blobs_a_crop"] == 0.25
    assert figures["sensitivity_by_size"] == {"6 to 10 mm": figures["sensitivity"]}
    assert figures["dice_of_the_found"]["mean"] == 1.0
    row = next(row for row in figures["by_threshold"] if row["threshold"] == 0.65)
    assert row == {"threshold": 0.65, "sensitivity": 0.25, "false_blobs_a_crop": 0.25}


def test_froc_by_hand(found):
    # Falling: 0.9 hit, 0.7 false, 0.6 hit, 0.3 hit, 0.2 false, 0.1 false; four crops.
    rates = detection.froc(found)["false_blobs_a_crop"]
    assert rates["0.125"]["share"] == 0.25  # no false blob allowed
    assert rates["0.25"]["share"] == 0.75  # one
    assert rates["0.5"]["share"] == 0.75
    assert rates["8"]["share"] == 0.75  # the third crop has no hit at any threshold
    assert 0.2 < detection.threshold_at(found, 0.25) < 0.3
    thresholds, false, hits = detection.curve(found)
    assert thresholds.tolist() == [0.9, 0.7, 0.6, 0.3, 0.2, 0.1]
    assert false.tolist() == [0, 0.25, 0.25, 0.25, 0.5, 0.75]
    assert hits.tolist() == [0.25, 0.25, 0.5, 0.75, 0.75, 0.75]


def test_false_blobs_of_one_score_are_allowed_together_or_not_at_all():
    folder = folder_of([[box(0, 8)] * 3] * 4)
    blobs = [Blob(n, 0.5, mask_at(50, 60)) for n in range(4)]
    blobs += [Blob(n, 0.5, mask_at(0, 8)) for n in range(4)]
    found = [detection.judge(folder, n, blobs) for n in range(4)]
    rates = detection.froc(found)["false_blobs_a_crop"]
    assert rates["0.5"]["share"] == 0.0 and rates["1"]["share"] == 1.0


def test_the_advised_threshold_finds_the_share_that_was_wanted(found):
    assert detection.advised_threshold(found, 0.75) == pytest.approx(0.3)
    assert detection.advised_threshold(found, 0.5) == pytest.approx(0.6)


def test_calibration_of_scores_by_hand(found):
    figures = detection.score_calibration(found)
    pairs = [(0.9, 1), (0.2, 0), (0.6, 1), (0.7, 0), (0.1, 0), (0.3, 1)]
    assert figures["blobs"] == 6
    assert figures["brier"] == pytest.approx(np.mean([(s - t) ** 2 for s, t in pairs]), abs=1e-4)
    # Each blob lies in a bin of its own.
    wrong = np.mean([abs(s - t) for s, t in pairs])
    assert figures["expected_calibration_error"] == pytest.approx(wrong, abs=1e-4)
    assert detection.score_calibration([]) == {"blobs": 0}


def test_without_blobs_the_pieces_of_the_masks_are_taken(crops):
    masks = np.zeros(crops.bits.shape, dtype=bool)
    masks[0:2] = box(0, 8) | box(40, 44)
    blobs = blobs_of(said(crops, masks, [0.8, 0.5, 0.5, 0.5]), crops)
    assert [(b.lesion, b.score, b.mask.count) for b in blobs] == [(0, 0.8, 32), (0, 0.8, 16)]


# -------------------------------------------------------------- calibration


def test_heat_that_says_the_share_of_readers_is_calibrated():
    calibration = HeatCalibration()
    votes = np.array([0] * 96 + [1, 2, 3, 4], dtype=np.uint8)
    calibration.add(np.round(votes / 4 * 255).astype(np.uint8), votes, 4, "a")
    errors = calibration.figures()["expected_calibration_error"]
    assert errors["voxels_from_heat_0.1"] < 0.002 and errors["all_voxels"] < 0.002


def test_a_faint_voxel_that_a_reader_outlined_does_not_count_as_hot():
    calibration = HeatCalibration()
    # Of twenty voxels of heat 0.05 a reader outlined one: calibrated, in any choice by heat.
    votes = np.array([4] + [0] * 19, dtype=np.uint8)
    calibration.add(np.full(20, 13, dtype=np.uint8), votes, 4, "a")
    errors = calibration.figures()["expected_calibration_error"]
    assert errors["voxels_from_heat_0.1"] is None and errors["all_voxels"] < 0.002


def test_calibration_error_by_hand():
    calibration = HeatCalibration()
    heat = np.array([255, 255, 0, 0, 51, 0, 0, 0], dtype=np.uint8)
    votes = np.array([4, 0, 2, 0, 0, 0, 0, 0], dtype=np.uint8)
    calibration.add(heat[:3], votes[:3], 2, "a")
    calibration.add(heat[3:], votes[3:], 2, "b")
    figures = calibration.figures()
    # Bin 1.0: heat 1, share 0.5 (2 voxels). Bin 0.2: 0.2 and 0 (1). Bin 0: 0 and 0.5 / 5.
    # Of patient a alone the hot ones err by 0.5, of b alone by 0.2.
    assert figures["expected_calibration_error"] == {
        "voxels_from_heat_0.1": pytest.approx((2 * 0.5 + 0.2) / 3, abs=1e-4),
        "voxels_from_heat_0.1_ci95": [pytest.approx(0.2, abs=1e-4), pytest.approx(0.5, abs=1e-4)],
        "all_voxels": pytest.approx((2 * 0.5 + 0.2 + 0.5) / 8, abs=1e-4),
    }
    assert [row["voxels"] for row in figures["bins"]] == [5, 1, 2]


# --------------------------------------------------------------- impression


def test_impression_errors_by_hand():
    nodules = [lesion(malignancy=(1.0, 3.0)), lesion(malignancy=(4.0, 5.0, 3.0))]
    found = impression_error([*nodules, lesion(malignancy=(3.0,))], "malignancy", [2.5, 4.0, 1.0])
    assert (found["nodules"], found["without"]) == (2, 1)
    assert found["model"]["mean"] == 0.25
    constant = TRAINING_MEANS["malignancy"]
    assert found["training_mean"]["mean"] == pytest.approx(
        (constant - 2 + 4 - constant) / 2, abs=1e-4
    )
    # Readers: |1-3|, |3-1|, |4-4|, |5-3.5|, |3-4.5|; the model: 0.5, 1.5, 0, 0.5, 0.5.
    others = found["against_the_mean_of_the_other_readers"]
    assert others["reader"]["mean"] == pytest.approx(7 / 5)
    assert others["model"]["mean"] == pytest.approx((0.5 + 1.5 + 0 + 0.5 + 0.5) / 5)


def test_what_the_model_did_not_say_is_left_out():
    found = impression_error([lesion(), lesion()], "texture", [float("nan"), 4.75])
    assert (found["nodules"], found["without"]) == (1, 1)
    assert found["model"]["mean"] == 0.0


# ------------------------------------------------------------------- report


def test_perfect_predictions_are_perfect_in_every_figure():
    folder = folder_of([[ball(5, 5 + n % 4)] * 4 for n in range(6)], texture=(5.0,) * 4)
    masks = majority(folder)
    heat = np.where(masks, 255, 0).astype(np.uint8)
    scalars = {"malignancy": np.full(6, 3.0), "texture": np.full(6, 5.0)}
    perfect = said(
        folder, masks, np.ones(6), other_masks=masks, largest_masks=masks, heat=heat,
        scalars=scalars,
    )  # fmt: skip
    found = report.measure(folder, perfect, range(6), "all", NOBODY)
    json.dumps(found, allow_nan=False)
    for name in ("dice", "dice_more_than_half", "two_points", "dice_point_on_largest_slice"):
        assert found["outline"][name]["mean"] == 1.0
        assert found["outline"][name]["percentile_10_ci95"] == [1.0, 1.0]
    assert found["readers"]["model_minus_reader"]["mean"] == 0.0
    assert found["size"]["long_axis_mm"]["limits_of_agreement"] == [0.0, 0.0]
    assert found["size"]["volume"]["all_together_percent"] == 0.0
    agreed = found["detection"]["nodules_of_3_or_more_readers"]
    assert agreed["sensitivity"]["share"] == 1.0 and agreed["false_blobs_a_crop"] == 0.0
    assert agreed["froc"]["mean_sensitivity"] == 1.0
    assert found["calibration"]["scores"]["brier"] == 0.0
    assert found["calibration"]["heatmap"]["expected_calibration_error"]["all_voxels"] == 0.0
    assert found["impression"]["texture"]["all_nodules"]["model"]["mean"] == 0.0
    assert [row["dice"] for row in found["nodules"]] == [1.0] * 6


def test_nodules_of_two_readers_are_measured_apart():
    pair, four = [ball(3, 5), ball(3, 6)], [ball(3, 5)] * 4
    folder = folder_of([pair, four])
    found = report.measure(folder, said(folder, majority(folder)), [0, 1], "all", NOBODY)
    assert found["outline"]["dice"]["count"] == 1
    assert found["outline_all_nodules"]["dice"]["count"] == 2
    assert found["measured"]["nodules_of_3_or_more_readers"] == 1
    assert found["detection"]["all_nodules"]["crops"] == 2


def test_the_record_says_who_was_trained_on():
    folder = folder_of([[ball(3, 5)] * 4] * 3)
    seen = Seen(True, {"train": frozenset({"P0"}), "validation": frozenset({"P2"})})
    assert report.choose(folder, "unseen", seen) == [1]
    found = report.measure(folder, said(folder, majority(folder)), [0, 1, 2], "all", seen)
    measured = found["measured"]
    assert measured["patients_trained_on"] == measured["patients_used_for_validation"] == 1
    assert measured["patient_names"] == ["P0", "P1", "P2"]
