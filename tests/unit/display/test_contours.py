"""Borders of masks, beside scikit-image's."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import find_contours

from viewer.display.contours import contours


def turned(line):
    """Leave out what lies on straight lines of a closed line, and begin at its least point."""
    points = line[:-1]
    back, ahead = points - np.roll(points, 1, 0), np.roll(points, -1, 0) - points
    points = points[back[:, 0] * ahead[:, 1] != back[:, 1] * ahead[:, 0]]
    ways = []
    for way in (points, points[::-1]):
        first = min(range(len(way)), key=lambda n: tuple(way[n]))
        ways.append(tuple(map(tuple, np.roll(way, -first, axis=0).tolist())))
    return min(ways)


def theirs(mask):
    return [line - 1 for line in find_contours(np.pad(mask, 1).astype(np.float32), 0.5)]


def check(mask):
    ours = contours(mask)
    for line in ours:
        np.testing.assert_array_equal(line[0], line[-1])
    assert sorted(map(turned, ours)) == sorted(map(turned, theirs(mask)))


@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14))))
def test_the_lines_are_those_of_scikit_image(mask):
    check(mask)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_large_and_ragged_masks_too(share):
    check(np.random.default_rng(1).random((70, 90)) < share)


def test_a_mask_with_holes_that_fills_its_box():
    mask = np.ones((30, 41), dtype=np.bool_)
    mask[3:9, 4:7] = mask[12:20, 20:30] = False
    mask[14, 25] = True
    check(mask)
    assert len(contours(mask)) == 4


def test_one_pixel_is_a_diamond():
    (line,) = contours(np.ones((1, 1), dtype=np.bool_))
    assert {tuple(point) for point in line} == {(-0.5, 0), (0, 0.5), (0.5, 0), (0, -0.5)}
    assert len(line) == 5


def test_straight_borders_keep_their_ends_only():
    (line,) = contours(np.ones((20, 30), dtype=np.bool_))
    assert len(line) == 9  # four cut corners


def test_nothing_has_no_border():
    assert contours(np.zeros((5, 6), dtype=np.bool_)) == []


def test_views_that_run_backwards_are_traced_where_they_lie():
    mask = np.random.default_rng(2).random((20, 25)) < 0.5
    check(mask.T[::-1])
