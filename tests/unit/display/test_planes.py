"""Sides, order and millimetres of the three views, for every acquisition direction."""

import itertools

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm
from viewer.display.planes import NAMES, make_planes

SHAPE = (7, 9, 11)
SPACING = np.array([2.5, 0.7, 0.8])


def _axis_aligned():
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            affine = np.eye(4)
            affine[:3, :3] = 0
            for index, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
                affine[axis, index] = sign * SPACING[index]
            affine[:3, 3] = (-31.0, 12.0, 77.0)
            yield affine


def _oblique(angle):
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, c, s], [0, -s, c]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, 0.8], [0, 0.7, 0], [2.5, 0, 0]])
    return affine


ALL = [*_axis_aligned(), _oblique(0.2), _oblique(-0.35)]


@pytest.mark.parametrize("affine", ALL)
def test_the_radiological_convention_holds_for_every_acquisition(affine):
    for name, plane in make_planes(SHAPE, affine).items():
        letters = plane.letters()
        expected = {"axial": "RLAP", "coronal": "RLHF", "sagittal": "APHF"}[name]
        shown = (letters.left[0], letters.right[0], letters.top[0], letters.bottom[0])
        assert "".join(shown) == expected


@pytest.mark.parametrize("affine", ALL)
def test_a_voxel_is_drawn_where_its_place_in_the_patient_says(affine):
    voxels = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    point = np.array([2, 6, 9])
    lps = kji_to_lps_mm(affine, point)
    for plane in make_planes(SHAPE, affine).values():
        index = plane.index_of_lps(lps)
        assert index == point[plane.axis]
        x, y = plane.view_of_lps(lps)
        row, column = int(y / plane.pixel_mm[1]), int(x / plane.pixel_mm[0])
        assert plane.slice_of(voxels, index)[row, column] == voxels[tuple(point)]
        np.testing.assert_allclose(plane.lps_at(x, y, index), lps, atol=1e-9)


@pytest.mark.parametrize("affine", ALL)
def test_a_box_lands_on_the_pixels_of_its_voxels(affine):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[2:5, 3:7, 1:6] = True
    for plane in make_planes(SHAPE, affine).values():
        index = [3, 4, 2][plane.axis]
        in_plane = [axis for axis in range(3) if axis != plane.axis]
        offset = tuple((2, 3, 1)[axis] for axis in in_plane)
        shape = tuple((3, 4, 5)[axis] for axis in in_plane)
        row, column = plane.corner_px(offset, shape)
        rows, columns = np.nonzero(plane.slice_of(mask, index))
        assert (rows.min(), columns.min()) == (row, column)


@pytest.mark.parametrize("affine", ALL)
def test_scrolling_down_moves_towards_feet_posterior_and_left(affine):
    wanted = {"axial": (2, -1), "coronal": (1, 1), "sagittal": (0, 1)}
    for name, plane in make_planes(SHAPE, affine).items():
        start = plane.count // 2
        after = plane.step_index(start, 1)
        axis, sign = wanted[name]
        assert np.sign(affine[axis, plane.axis] * (after - start)) == sign
        assert plane.number(after) == plane.number(start) + 1
        assert plane.number(plane.step_index(start, -100)) == 1
        assert plane.number(plane.step_index(start, 100)) == plane.count


def test_pixels_keep_their_millimetres():
    affine = next(_axis_aligned())
    planes = make_planes(SHAPE, affine)
    assert set(planes) == set(NAMES)
    for plane in planes.values():
        columns, rows = plane.size_px
        assert plane.size_mm == pytest.approx(
            (columns * SPACING[plane.across], rows * SPACING[plane.down])
        )
