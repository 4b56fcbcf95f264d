"""Outlines enclose exactly the mask they were drawn round, however it is shaped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import points_in_poly

from viewer.export.contours import area, filled, outlines

RING = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1]], bool)


def _centred(corners):
    return [loop - 0.5 for loop in corners]


def test_a_pixel_is_a_square():
    plane = np.zeros((3, 4), bool)
    plane[1, 2] = True
    (loop,) = outlines(plane)
    assert {tuple(p) for p in loop.tolist()} == {(1, 2), (1, 3), (2, 3), (2, 2)}


def test_nothing_has_no_outline():
    assert outlines(np.zeros((3, 4), bool)) == []


def test_pixels_that_touch_by_a_corner_are_parted():
    assert len(outlines(np.eye(3, dtype=bool))) == 3


def test_a_hole_is_joined_to_what_is_round_it():
    (loop,) = outlines(RING)
    assert area([loop.astype(float)]) == RING.sum()
    assert np.array_equal(filled(_centred([loop]), RING.shape), RING)


def test_a_part_within_a_hole_is_a_part_of_its_own():
    plane = np.zeros((9, 9), bool)
    plane[1:8, 1:8] = True
    plane[2:7, 2:7] = False
    plane[4, 4] = True
    loops = outlines(plane)
    assert len(loops) == 2
    assert np.array_equal(filled(_centred(loops), plane.shape), plane)


@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_what_is_filled_again_is_the_mask(plane):
    loops = outlines(plane)
    if not loops:
        assert not plane.any()
        return
    assert np.array_equal(filled(_centred(loops), plane.shape), plane)
    assert area([loop.astype(float) for loop in loops]) == plane.sum()
    for loop in loops:
        steps = np.abs(np.diff(loop, axis=0, append=loop[:1]))
        assert (np.minimum(*steps.T) == 0).all(), "every edge runs along the pixels"


@given(arrays(bool, (7, 8)))
def test_others_fill_them_alike(plane):
    """The centre of each pixel, asked of scikit-image by the rule of even and odd crossings."""
    where = np.argwhere(np.ones_like(plane)).astype(float)
    inside = np.zeros(len(where), bool)
    for loop in outlines(plane):
        inside ^= points_in_poly(where, loop - 0.5)
    assert np.array_equal(inside.reshape(plane.shape), plane)


def test_a_polygon_that_follows_no_pixels_is_filled_as_others_do():
    """The reader of our check takes any polygon, not only those that we draw."""
    rng = np.random.default_rng(5)
    where = np.argwhere(np.ones((80, 80), bool)).astype(float)
    for _ in range(20):
        angles = np.sort(rng.random(9) * 2 * np.pi)
        radius = 20 + 15 * rng.random(9)
        polygon = np.stack([40 + radius * np.sin(angles), 40 + radius * np.cos(angles)], axis=1)
        theirs = points_in_poly(where, polygon).reshape(80, 80)
        assert np.array_equal(filled([polygon], (80, 80)), theirs)


@pytest.mark.parametrize("turn", range(4))
def test_a_spiral(turn):
    plane = np.zeros((11, 11), bool)
    plane[0], plane[:, 10], plane[10], plane[2:, 0], plane[2, :9] = (True,) * 5
    plane[2:9, 8] = plane[8, 2:9] = plane[4:9, 2] = True
    plane = np.rot90(plane, turn)
    loops = outlines(plane)
    assert np.array_equal(filled(_centred(loops), plane.shape), plane)
