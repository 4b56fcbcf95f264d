"""Agreement of two readings, against SimpleITK, MONAI and published figures."""

import numpy as np
import pytest

from inference.findings import Mask
from tests.annotate_cases import affine, ball, findings, open_case, paint, volume
from viewer.annotate.agreement import cohen_kappa, compare, hausdorff_95_mm, stands
from viewer.tools.brush import Brush

SPACING = (2.0, 0.7, 0.8)


@pytest.fixture
def readings(tmp_path):
    """Two readings that rest on the same result of the AI."""
    cases = []
    for name in "ab":
        case = open_case(folder=tmp_path / name)
        case.add_findings(findings(volume()))
        cases.append(case)
    yield cases
    for case in cases:
        case.close()


def _compared(readings):
    first, second = readings
    return compare(first.document, second.document, first.threshold)


def test_two_readings_that_say_the_same_agree_wholly(readings):
    for case in readings:
        case.set_verdict("d1", "accepted")
        case.set_verdict("d2", "rejected")
    found = _compared(readings)
    assert (found.judged, found.same_verdicts, found.kappa) == (2, 2, 1.0)
    assert (found.both, found.only_first, found.only_second) == (1, 0, 0)
    assert (found.mean_dice, found.mean_hd95_mm) == (1.0, 0.0)
    assert all(pair.agreed for pair in found.pairs)


def test_what_differs_is_counted(readings):
    first, second = readings
    first.set_verdict("d1", "accepted")
    second.set_verdict("d1", "rejected")
    first.set_verdict("d2", "accepted")
    second.set_verdict("d2", "accepted")
    paint(second, "d2", [(7, 12, 20)], Brush(2.0, "ball", 0, "erase"))
    for case, shift in ((first, 0.0), (second, 0.6)):
        change = case.add_missed((-20.0, 30.0, -26.0))
        paint(case, change.lesion_ids[0], [(8, 18 + shift, 8)], Brush(4.0, "ball", 0, "add"))
    second.add_missed((-25.0, 22.0, -10.0))
    found = _compared(readings)
    assert (found.judged, found.same_verdicts) == (2, 1)
    assert (found.both, found.only_first, found.only_second) == (2, 1, 1)
    assert len(found.pairs) == 4
    drawn = [pair for pair in found.pairs if pair.dice is not None]
    assert len(drawn) == 2
    assert all(0 < pair.dice < 1 for pair in drawn)
    assert found.mean_dice == pytest.approx(np.mean([pair.dice for pair in drawn]))
    assert [pair.agreed for pair in found.pairs].count(False) == 2


def test_what_one_reader_deleted_is_the_others_alone(readings):
    readings[0].delete("d1")
    found = _compared(readings)
    assert found.only_second == 1
    (gone,) = [pair for pair in found.pairs if pair.first is None]
    assert gone.second.id == "d1"
    assert stands(gone.second)


def test_points_near_each_other_are_one_finding(readings):
    readings[0].add_missed((0.0, 25.0, -20.0))
    readings[1].add_missed((1.0, 25.0, -21.0))
    found = _compared(readings)
    assert found.both == 3
    assert found.only_first == found.only_second == 0


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # Cohen, Educ Psychol Meas 1960, 20(1), table 1, as proportions of 200.
        ([[88, 14, 18], [10, 40, 10], [2, 6, 12]], 0.492),
        # Altman, Practical Statistics for Medical Research 1991, and others: 45 15 25 15.
        ([[45, 15], [25, 15]], 0.130),
        ([[25, 35], [5, 35]], 0.259),
        ([[20, 5], [10, 15]], 0.400),
        ([[0, 10], [10, 0]], -1.0),
    ],
)
def test_kappa_is_that_of_the_textbooks(table, kappa):
    pairs = [
        (row, column)
        for row, counts in enumerate(table)
        for column, count in enumerate(counts)
        for _ in range(count)
    ]
    assert cohen_kappa(pairs) == pytest.approx(kappa, abs=5e-4)


def test_kappa_has_no_value_where_there_is_nothing_to_tell_apart():
    assert cohen_kappa([]) is None
    assert cohen_kappa([("accepted", "accepted")] * 5) is None
    assert cohen_kappa([("accepted", "rejected")] * 5) == 0


def _random_masks(seed):
    rng = np.random.default_rng(seed)
    shape = (12, 24, 28)
    arrays = [
        ball(rng.uniform((4, 8, 8), (7, 15, 18)), rng.uniform(3, 6), shape, SPACING)
        ^ (ball(rng.uniform((4, 8, 8), (7, 15, 18)), 2.0, shape, SPACING))
        for _ in range(2)
    ]
    return arrays


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
@pytest.mark.parametrize("seed", range(8))
def test_hausdorff_distance_is_that_of_monai(seed):
    import torch
    from monai.metrics import compute_hausdorff_distance

    a, b = _random_masks(seed)
    theirs = compute_hausdorff_distance(
        torch.from_numpy(b[None, None]),
        torch.from_numpy(a[None, None]),
        include_background=True,
        percentile=95,
        spacing=SPACING,
    )
    ours = hausdorff_95_mm(Mask.from_array(a), Mask.from_array(b), affine(SPACING))
    assert ours == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_dice_is_that_of_simpleitk(seed):
    import SimpleITK as sitk

    from viewer.annotate.comparison import dice, parts_of

    a, b = _random_masks(seed)
    measure = sitk.LabelOverlapMeasuresImageFilter()
    measure.Execute(*(sitk.GetImageFromArray(x.astype(np.uint8)) for x in (a, b)))
    parts = parts_of(Mask.from_array(a), Mask.from_array(b))
    ours = dice(parts.kept.count, parts.added.count, parts.removed.count)
    assert ours == pytest.approx(measure.GetDiceCoefficient())
    shape = a.shape
    assert np.array_equal(parts.added.to_array(shape), b & ~a)
    assert np.array_equal(parts.removed.to_array(shape), a & ~b)
    assert np.array_equal(parts.kept.to_array(shape), a & b)


def test_masks_without_voxels_have_no_distance():
    empty = Mask((0, 0, 0), np.zeros((0, 0, 0), bool))
    one = Mask.from_array(_random_masks(0)[0])
    assert hausdorff_95_mm(empty, one, affine()) is None
    assert hausdorff_95_mm(one, empty, affine()) is None
