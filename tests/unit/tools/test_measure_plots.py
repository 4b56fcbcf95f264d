"""Profiles and histograms of measurements, against closed forms and SimpleITK."""

from __future__ import annotations

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm
from inference.volume import Volume
from viewer.tools.measures.plots import histogram, profile

AFFINE = np.array(
    [[0.0, 0.0, 0.7, -40.0], [0.0, 0.8, 0.0, 15.0], [2.5, 0.0, 0.0, -100.0], [0, 0, 0, 1.0]]
)


def a_volume(voxels: np.ndarray, affine: np.ndarray = AFFINE) -> Volume:
    voxels = np.ascontiguousarray(voxels)
    voxels.setflags(write=False)
    return Volume(voxels, affine, "CT", "HU")


def test_a_profile_of_a_ramp_is_the_ramp() -> None:
    k, j, i = np.indices((6, 20, 30))
    volume = a_volume((10 * k + 3 * j - 2 * i).astype(np.int16))
    a, b = (kji_to_lps_mm(AFFINE, p) for p in ((1.0, 2.0, 4.0), (4.5, 17.0, 21.0)))
    line = profile(volume, a, b)
    length = float(np.linalg.norm(np.subtract(b, a)))
    assert line.at_mm[0] == 0
    assert line.at_mm[-1] == pytest.approx(length)
    share = line.at_mm / length
    kji = np.array([1.0, 2.0, 4.0]) + share[:, None] * np.array([3.5, 15.0, 17.0])
    np.testing.assert_allclose(line.values, kji @ [10, 3, -2], atol=1e-9)
    assert len(line.at_mm) >= 2 * 17


def test_a_profile_equals_that_of_simpleitk() -> None:
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(3)
    voxels = rng.integers(-1000, 1000, (8, 16, 18)).astype(np.int16)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * [2.0, 0.9, 0.6]
    affine[:3, 3] = 5, -7, 30
    line = profile(
        a_volume(voxels, affine),
        kji_to_lps_mm(affine, (1.2, 2.3, 3.1)),
        kji_to_lps_mm(affine, (6.4, 12.0, 15.5)),
    )
    image = sitk.GetImageFromArray(voxels.astype(np.float64))
    for place, value in zip(
        np.linspace((1.2, 2.3, 3.1), (6.4, 12.0, 15.5), len(line.values)), line.values, strict=True
    ):
        by_itk = image.EvaluateAtContinuousIndex(place[::-1].tolist(), sitk.sitkLinear)
        assert value == pytest.approx(by_itk, abs=1e-6)


def test_a_line_that_leaves_the_volume_has_no_values_there() -> None:
    volume = a_volume(np.full((4, 5, 6), 7, dtype=np.int16))
    a, b = (kji_to_lps_mm(AFFINE, p) for p in ((1.0, 2.0, 2.0), (1.0, 2.0, 12.0)))
    line = profile(volume, a, b)
    outside = 2 + 10 * line.at_mm / line.at_mm[-1] > 5.5
    assert np.isnan(line.values[outside]).all()
    assert (line.values[~outside] == 7).all()


def test_a_point_has_no_profile() -> None:
    with pytest.raises(ValueError, match="line"):
        profile(a_volume(np.zeros((2, 2, 2), dtype=np.int16)), (0, 0, 0), (0, 0, 0))


def test_a_histogram_counts_every_voxel_once() -> None:
    rng = np.random.default_rng(5)
    voxels = rng.integers(-900, 300, (4, 8, 8)).astype(np.int16)
    where = np.argwhere(voxels > -2000)
    counted = histogram(a_volume(voxels), where)
    assert counted.counts.sum() == voxels.size
    assert len(counted.counts) <= 64
    for low, high, count in zip(counted.edges[:-1], counted.edges[1:], counted.counts, strict=True):
        assert count == ((voxels > low) & (voxels < high)).sum()


def test_few_whole_numbers_have_a_bin_each_and_padding_none() -> None:
    voxels = np.array([[[1, 1, 2, 4, -2000]]], dtype=np.int16)
    counted = histogram(a_volume(voxels), np.argwhere(voxels < 9), padding=(-2000.0, -2000.0))
    assert counted.edges.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert counted.counts.tolist() == [2, 1, 0, 1]


def test_fractions_and_one_value_alone_have_a_histogram() -> None:
    voxels = np.full((1, 2, 2), 0.25, dtype=np.float32)
    counted = histogram(a_volume(voxels), np.argwhere(voxels < 9))
    assert counted.counts.sum() == 4
    with pytest.raises(ValueError, match="value"):
        histogram(a_volume(voxels), np.zeros((0, 3), dtype=np.int64))
