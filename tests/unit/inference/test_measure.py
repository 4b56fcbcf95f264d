"""Measurements against shapes whose size is known."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

import inference.measure as measure_module
from inference.findings import Mask
from inference.geometry import lps_mm_to_kji
from inference.measure import axes_lps_mm, measure
from tests.grids import random_axes


def _affine(spacing_kji, rotation=None, origin=(10.0, -20.0, 30.0)):
    affine = np.eye(4)
    axes = np.eye(3)[:, ::-1] if rotation is None else rotation[:, ::-1]
    affine[:3, :3] = axes * np.asarray(spacing_kji)
    affine[:3, 3] = origin
    return affine


def _ellipse(shape_kji, spacing_kji, centre_kji, semi_mm, angle=0.0):
    """Voxels whose centre lies in an ellipsoid with semi-axes (k, a, b) mm, turned in-plane."""
    k, j, i = (
        (np.arange(n) - c) * s for n, c, s in zip(shape_kji, centre_kji, spacing_kji, strict=True)
    )
    y, x = j[None, :, None], i[None, None, :]
    a = np.cos(angle) * x + np.sin(angle) * y
    b = -np.sin(angle) * x + np.cos(angle) * y
    return (k[:, None, None] / semi_mm[0]) ** 2 + (a / semi_mm[1]) ** 2 + (
        b / semi_mm[2]
    ) ** 2 <= 1.0


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, 1.2])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_turned_ellipsoid_in_oblique_anisotropic_voxels_has_its_axes(angle, seed):
    spacing = (2.0, 0.6, 0.6)
    affine = _affine(spacing, None if seed is None else random_axes(seed))
    array = _ellipse((20, 90, 90), spacing, (9.3, 44.6, 45.2), (12.0, 20.0, 10.0), angle)
    found = measure(Mask.from_array(array), affine)
    assert found.diameter_mm == pytest.approx(40.0, abs=0.6)
    assert found.short_axis_mm == pytest.approx(20.0, abs=0.6)
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * 12 * 20 * 10 / 1000, rel=0.02)
    expected = affine[:3, :3] @ (9.3, 44.6, 45.2) + affine[:3, 3]
    assert np.linalg.norm(np.subtract(found.centre_lps_mm, expected)) < 0.25


def test_discs_are_measured_within_a_pixel_on_average():
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(60):
        radius = rng.uniform(3.0, 12.0)
        centre = (0.0, *rng.uniform(19.0, 20.0, 2))
        array = _ellipse((1, 40, 40), (1.0, 0.7, 0.7), centre, (1.0, radius, radius))
        found = measure(Mask.from_array(array), _affine((1.0, 0.7, 0.7)))
        errors.append((found.diameter_mm - 2 * radius, found.short_axis_mm - 2 * radius))
    assert (np.abs(np.mean(errors, axis=0)) < (0.7, 0.35)).all()
    assert np.abs(errors).max() < 0.9


def test_unequal_pixel_sides_count():
    array = np.zeros((3, 10, 10), dtype=bool)
    array[1, 2:6, 5] = True
    found = measure(Mask.from_array(array), _affine((3.0, 2.0, 0.5)))
    assert found.diameter_mm == pytest.approx(8.0)
    assert found.short_axis_mm == pytest.approx(0.5)
    assert found.volume_ml == pytest.approx(4 * 3.0 / 1000)


def test_the_slice_with_the_longest_chord_gives_both_axes():
    array = np.zeros((3, 30, 30), dtype=bool)
    array[0, 10:20, 10:20] = True
    array[1, 5:25, 12] = True
    found = measure(Mask.from_array(array), np.eye(4))
    assert found.diameter_mm == pytest.approx(20.0)
    assert found.short_axis_mm == pytest.approx(1.0)


def test_a_bar_along_rows_does_not_hide_a_longer_one_along_columns():
    array = np.zeros((2, 40, 40), dtype=bool)
    array[0, 3, 2:32] = True
    array[1, 2:20, 2:22] = True
    found = measure(Mask.from_array(array), _affine((1.0, 1.0, 1.0)))
    assert found.diameter_mm == pytest.approx(30.0)


def test_one_voxel_is_one_spacing_long():
    found = measure(Mask((4, 5, 6), np.ones((1, 1, 1), dtype=bool)), _affine((2.5, 0.8, 0.7)))
    assert found.diameter_mm == pytest.approx(0.8)
    assert 0 < found.short_axis_mm <= 0.8
    assert found.centre_lps_mm == pytest.approx((10 + 6 * 0.7, -20 + 5 * 0.8, 30 + 4 * 2.5))


def test_mean_value_is_that_of_the_volume_under_the_mask():
    voxels = np.random.default_rng(3).integers(-1000, 3000, (6, 7, 8)).astype(np.int16)
    array = np.zeros(voxels.shape, dtype=bool)
    array[2:4, 3:6, 1:5] = True
    array[2, 3, 1] = False
    found = measure(Mask.from_array(array), np.eye(4), voxels)
    assert found.mean_value == pytest.approx(voxels[array].mean())
    assert np.isnan(measure(Mask.from_array(array), np.eye(4)).mean_value)


def test_an_empty_mask_is_refused():
    with pytest.raises(ValueError, match="empty"):
        measure(Mask((0, 0, 0), np.zeros((2, 2, 2), dtype=bool)), np.eye(4))


def test_the_ends_of_the_axes_are_as_long_as_they_are_said_to_be():
    rng = np.random.default_rng(11)
    for n in range(30):
        array = rng.random((4, 11, 9)) < 0.15
        array[1, 4, 4] = True
        turned, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        affine = np.eye(4)
        affine[:3, :3] = turned * (2.5, 0.7, 0.9)
        affine[:3, 3] = rng.normal(size=3) * 100
        mask = Mask((3, 20, 30), array)
        ends = axes_lps_mm(mask, affine)
        found = measure(mask, affine)
        assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(found.diameter_mm), n
        assert np.linalg.norm(ends[3] - ends[2]) == pytest.approx(found.short_axis_mm), n
        assert (ends[1] - ends[0]) @ (ends[3] - ends[2]) == pytest.approx(0, abs=1e-6)
        kji = lps_mm_to_kji(affine, ends)
        assert np.ptp(kji[:, 0]) < 1e-6  # in one slice of the volume
        low, high = np.array(mask.origin_kji), np.array(mask.origin_kji) + array.shape
        assert ((kji >= low - 0.5 - 1e-6) & (kji <= high - 0.5 + 1e-6)).all()
        # Both meet: the ends of the short axis lie on either side of the long one, beside it.
        along = (ends[1] - ends[0]) / found.diameter_mm
        share = (ends[2] - ends[0]) @ along
        assert -1e-6 <= share <= found.diameter_mm + 1e-6
        foot = ends[0] + along * share
        assert (ends[2] - foot) @ (ends[3] - foot) <= 1e-6


@given(st.integers(0, 10_000), st.integers(1, 24), st.integers(1, 24), st.floats(0.02, 1.0))
def test_the_hull_is_that_of_scipy(seed, rows, columns, share):
    generator = np.random.default_rng(seed)
    plane = generator.random((rows, columns)) < share
    if not plane.any():
        plane[0, 0] = True
    step_mm = np.linalg.qr(generator.normal(size=(3, 2)))[1]
    hull = measure_module._hull_mm(plane, step_mm)
    middles = np.argwhere(plane)[:, None] + [(0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)]
    theirs = ConvexHull(middles.reshape(-1, 2) @ step_mm.T)
    assert area_of(hull) == pytest.approx(theirs.volume, abs=1e-9)
    (x, y), (u, v) = (
        (np.roll(hull, -1, 0) - hull).T,
        (np.roll(hull, -2, 0) - np.roll(hull, -1, 0)).T,
    )
    turns = x * v - y * u
    assert (turns > 0).all() or (turns < 0).all(), "corners alone, in order"


def area_of(polygon):
    """Return the area of a polygon, by the shoelace formula."""
    x, y = polygon.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def test_measuring_imports_no_scipy():
    code = (
        "import sys, numpy as np\n"
        "from inference.findings import Mask\n"
        "from inference.measure import measure\n"
        "measure(Mask((0, 0, 0), np.ones((3, 4, 5), bool)), np.eye(4))\n"
        "assert 'scipy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
