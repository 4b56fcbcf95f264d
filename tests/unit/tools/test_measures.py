"""Lengths, angles and regions against closed forms, scikit-image and SimpleITK."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import ellipse as sk_ellipse
from skimage.measure import grid_points_in_poly

from tests.grids import random_axes
from viewer.tools.measures.lines import (
    Cross,
    angle_degrees,
    cross_of,
    crossing,
    length_mm,
    long_first,
    outline_length_mm,
)
from viewer.tools.measures.regions import Region, voxels_in
from viewer.tools.measures.statistics import statistics

UP = np.array([0.0, 0.0, 1.0])


def turned(seed: int) -> np.ndarray:
    """Return a rotation matrix."""
    q = random_axes(seed)
    return q if np.linalg.det(q) > 0 else -q


def affine_of(spacing_kji, rotation=None, origin=(0.0, 0.0, 0.0)) -> np.ndarray:
    out = np.eye(4)
    out[:3, :3] = np.eye(3)[:, ::-1] * np.asarray(spacing_kji)
    if rotation is not None:
        out[:3, :3] = rotation @ out[:3, :3]
    out[:3, 3] = origin
    return out


def flat_region(shape, points_xy, z=0.0, rotation=None) -> Region:
    points = np.array([(x, y, z) for x, y in points_xy], dtype=float)
    normal = UP
    if rotation is not None:
        points, normal = points @ rotation.T, rotation @ UP
    return Region(shape, points, normal)


def test_a_right_angle_a_straight_one_and_one_that_is_hardly_one():
    assert angle_degrees((3, 0, 0), (0, 0, 0), (0, 0, 7)) == pytest.approx(90)
    assert angle_degrees((1, 0, 0), (0, 0, 0), (-5, 0, 0)) == pytest.approx(180)
    tiny = angle_degrees((1, 0, 0), (0, 0, 0), (1, 1e-7, 0))
    assert tiny == pytest.approx(math.degrees(1e-7), rel=1e-6)
    with pytest.raises(ValueError, match="arm"):
        angle_degrees((1, 1, 1), (1, 1, 1), (0, 0, 0))


numbers = st.floats(-80, 80)
points = st.tuples(numbers, numbers)


@settings(max_examples=200, deadline=None)
@given(points, points, points, points, st.integers(0, 50))
def test_the_axes_always_cross_at_a_right_angle(a, b, c, d, seed):
    rotation = turned(seed)
    normal = rotation @ UP
    a, b, c, d = (rotation @ (*p, 3.0) for p in (a, b, c, d))
    if np.linalg.norm(b - a) < 0.01:
        return
    cross = long_first(crossing(a, b, c, d, normal), normal)
    first, last, one, other = cross.points_lps_mm(normal)
    long_mm, short_mm = length_mm(first, last), length_mm(one, other)
    assert short_mm <= long_mm + 1e-9
    along = (last - first) / long_mm
    assert (other - one) @ along == pytest.approx(0, abs=1e-7)
    # The foot of the short axis lies on the long one, and between the short one's own ends.
    foot = first + along * ((one - first) @ along)
    assert -1e-7 <= (foot - first) @ along <= long_mm + 1e-7
    across = np.cross(normal, along)
    assert (one - foot) @ across >= -1e-7
    assert (other - foot) @ across <= 1e-7
    again = cross_of(cross.points_lps_mm(normal), normal).points_lps_mm(normal)
    np.testing.assert_allclose(again, cross.points_lps_mm(normal), atol=1e-6)


def test_axes_that_do_not_cross_are_no_cross():
    with pytest.raises(ValueError, match="cross"):
        Cross(np.zeros(3), np.ones(3), 1.2, 1.0, 1.0)
    with pytest.raises(ValueError, match="length"):
        crossing((1, 1, 1), (1, 1, 1), (0, 0, 0), (2, 2, 2), UP)


def test_areas_are_those_of_the_formulas():
    assert flat_region("ellipse", [(-3, 0), (3, 0), (0, -2), (0, 2)]).area_mm2() == pytest.approx(
        math.pi * 6
    )
    assert flat_region("rectangle", [(0, 0), (4, 0), (4, 3), (0, 3)]).area_mm2() == 12
    six = [(math.cos(t), math.sin(t)) for t in np.arange(6) * math.pi / 3]
    for seed in range(5):
        region = flat_region("polygon", six, 4.0, turned(seed))
        assert region.area_mm2() == pytest.approx(1.5 * math.sqrt(3))
        assert outline_length_mm(region.points_lps_mm) == pytest.approx(6)
    assert flat_region("polygon", [(0, 0), (2, 2), (2, 0), (0, 2)]).crosses_itself()
    assert not flat_region("polygon", [(0, 0), (2, 0), (2, 2), (1, 0.5), (0, 2)]).crosses_itself()


def test_the_voxels_of_an_ellipse_are_those_of_scikit_image():
    shape = (5, 60, 70)
    centre, radii = (2, 28.3, 33.4), (17.2, 9.6)  # rows, columns; no centre on the edge itself
    region = flat_region(
        "ellipse",
        [
            (centre[2] - radii[1], centre[1]),
            (centre[2] + radii[1], centre[1]),
            (centre[2], centre[1] - radii[0]),
            (centre[2], centre[1] + radii[0]),
        ],
        z=2.0,
    )
    found = voxels_in(region, affine_of((1, 1, 1)), shape, 1.0)
    wanted = np.stack(sk_ellipse(centre[1], centre[2], *radii, shape=shape[1:]), axis=1)
    assert set(map(tuple, found[:, 1:])) == set(map(tuple, wanted))
    assert (found[:, 0] == 2).all()


def test_the_voxels_of_a_polygon_are_those_of_scikit_image():
    rng = np.random.default_rng(5)
    angles = np.sort(rng.uniform(0, 2 * math.pi, 17))
    corners = [
        (30 + r * math.cos(t), 28 + r * math.sin(t))
        for r, t in zip(rng.uniform(8, 25, 17), angles, strict=True)
    ]
    found = voxels_in(flat_region("polygon", corners), affine_of((1, 1, 1)), (1, 60, 60), 1.0)
    grid = grid_points_in_poly((60, 60), [(y, x) for x, y in corners])
    assert set(map(tuple, found[:, 1:])) == set(map(tuple, np.argwhere(grid)))


def test_neighbouring_rectangles_count_their_shared_edge_and_neighbouring_polygons_do_not_twice():
    half = [(0.5, 0.5), (3.5, 0.5), (3.5, 3.5), (0.5, 3.5)]
    assert len(voxels_in(flat_region("rectangle", half), affine_of((1, 1, 1)), (1, 9, 9), 1)) == 9
    left, right = (
        flat_region("polygon", [(a, 0), (b, 0), (b, 4), (a, 4)]) for a, b in ((0, 2), (2, 4))
    )
    both = [
        set(map(tuple, voxels_in(r, affine_of((1, 1, 1)), (1, 9, 9), 1))) for r in (left, right)
    ]
    assert not both[0] & both[1]
    assert {x for _, _, x in both[0] | both[1]} == {0, 1, 2, 3}


@pytest.mark.parametrize("seed", range(6))
def test_statistics_in_any_plane_are_those_of_simpleitk(seed):
    """SimpleITK labels by world points, so it knows nothing of our axes."""
    rng = np.random.default_rng(seed)
    spacing, shape = (2.5, 0.7, 0.9), (22, 40, 36)
    affine = affine_of(spacing, turned(seed), (12.0, -40.0, 300.0))
    voxels = rng.integers(-1000, 1500, shape).astype(np.int16)
    plane = turned(seed + 100)  # oblique to the volume
    middle = affine[:3, :3] @ (np.array(shape) / 2 + rng.normal(size=3)) + affine[:3, 3]
    first, second, normal = plane.T
    a, b, slice_mm = 11.3, 7.9, 1.7
    ends = [middle - a * first, middle + a * first, middle - b * second, middle + b * second]
    found = voxels_in(Region("ellipse", np.array(ends), normal), affine, shape, slice_mm)

    image = sitk.GetImageFromArray(voxels)
    image.SetOrigin(affine[:3, 3])
    image.SetSpacing(spacing[::-1])
    image.SetDirection((affine[:3, 2::-1] / np.array(spacing[::-1])).ravel())
    label = np.zeros(shape, dtype=np.uint8)
    for kji in np.ndindex(shape):
        away = np.array(image.TransformIndexToPhysicalPoint([int(x) for x in kji[::-1]])) - middle
        inside = ((away @ first) / a) ** 2 + ((away @ second) / b) ** 2 <= 1
        label[kji] = inside and -slice_mm / 2 <= away @ normal < slice_mm / 2
    assert np.array_equal(np.argwhere(label), found[np.lexsort(found.T[::-1])])
    assert len(found) > 40
    labels = sitk.GetImageFromArray(label)
    labels.CopyInformation(image)
    theirs = sitk.LabelStatisticsImageFilter()
    theirs.Execute(image, labels)
    ours = statistics(voxels, found)
    n = theirs.GetCount(1)
    assert ours.n == n
    assert ours.mean == pytest.approx(theirs.GetMean(1))
    assert ours.sd == pytest.approx(theirs.GetSigma(1) * math.sqrt((n - 1) / n))
    assert (ours.low, ours.high) == (theirs.GetMinimum(1), theirs.GetMaximum(1))


def test_a_plane_of_the_volume_takes_the_voxels_of_its_slice_alone():
    affine = affine_of((3.0, 0.8, 0.8), turned(3), (5, 5, 5))
    for axis, (first, second) in enumerate(((2, 1), (2, 0), (1, 0))):
        steps = affine[:3, :3]
        corner = affine[:3, 3] + steps[:, axis] * 4 + (steps[:, first] + steps[:, second]) * 0.6
        one, other = steps[:, first] * 3.1, steps[:, second] * 2.2
        points = np.array([corner, corner + one, corner + one + other, corner + other])
        normal = steps[:, axis] / np.linalg.norm(steps[:, axis])
        slice_mm = float(np.linalg.norm(steps[:, axis]))
        found = voxels_in(Region("rectangle", points, normal), affine, (9, 9, 9), slice_mm)
        assert (found[:, axis] == 4).all()
        assert len(found) == 3 * 2  # 1, 2, 3 and 1, 2


def test_layers_of_a_tilted_plane_share_no_voxel_and_miss_none():
    affine, rotation = affine_of((2.0, 1.0, 1.0)), turned(8)
    slice_mm, seen = 1.3, []
    for n in range(-40, 40):
        square = [(-60, -60), (60, -60), (60, 60), (-60, 60)]
        region = flat_region("rectangle", square, n * slice_mm, rotation)
        seen += list(map(tuple, voxels_in(region, affine, (6, 12, 12), slice_mm)))
    assert len(seen) == len(set(seen)) == 6 * 12 * 12


def test_padding_and_nothing_count_for_nothing():
    voxels = np.array([[[-2000, 5, 7, np.nan]]], dtype=np.float32)
    every = np.argwhere(np.ones(voxels.shape, dtype=bool))
    found = statistics(voxels, every, (-2048, -1999))
    assert (found.n, found.mean, found.sd, found.low, found.high) == (2, 6, 1, 5, 7)
    assert statistics(voxels, every[:0]).n == 0
    outside = flat_region("rectangle", [(50, 50), (60, 50), (60, 60), (50, 60)])
    assert not len(voxels_in(outside, affine_of((1, 1, 1)), (3, 9, 9), 1.0))
    thin = flat_region("rectangle", [(1, 1), (1, 1), (1, 4), (1, 4)])
    assert not len(voxels_in(thin, affine_of((1, 1, 1)), (3, 9, 9), 1.0))
