"""Shapes stay what they are, whichever of their handles is moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.tools.measures.lines import cross_of, length_mm
from viewer.tools.measures.regions import Region
from viewer.tools.measures.shapes import (
    box,
    distance_to,
    ellipse,
    moved,
    ordered,
    outlines,
)

from .test_measures import turned

number = st.floats(-50, 50)
pair = st.tuples(number, number)


def frame(seed):
    return turned(seed).T


@given(pair, pair, st.integers(0, 3), pair, st.integers(0, 20))
@settings(deadline=None)
def test_a_rectangle_stays_one_and_its_opposite_corner_stays(a, b, handle, to, seed):
    across, down, normal = frame(seed)
    a, b, to = (p[0] * across + p[1] * down for p in (a, b, to))
    if min(abs((b - a) @ across), abs((b - a) @ down)) < 0.1:
        return
    before = box(a, b, across, down)
    after = moved("rectangle", before, handle, to, normal)
    np.testing.assert_allclose(after[(handle + 2) % 4], before[(handle + 2) % 4])
    np.testing.assert_allclose(after[handle], to)
    sides = np.roll(after, -1, axis=0) - after
    np.testing.assert_allclose(sides[0], -sides[2], atol=1e-9)
    assert sides[0] @ sides[1] == pytest.approx(0, abs=1e-6)


@given(pair, pair, st.integers(0, 3), pair, st.integers(0, 20))
@settings(deadline=None)
def test_an_ellipse_keeps_its_directions_and_the_end_opposite(a, b, handle, to, seed):
    across, down, normal = frame(seed)
    a, b, to = (p[0] * across + p[1] * down for p in (a, b, to))
    if min(abs((b - a) @ across), abs((b - a) @ down)) < 0.1:
        return
    before = ellipse(a, b, across, down)
    assert length_mm(before[0], before[1]) >= length_mm(before[2], before[3]) - 1e-9
    after = moved("ellipse", before, handle, to, normal)
    np.testing.assert_allclose(after[handle ^ 1], before[handle ^ 1])
    one, other = after[1] - after[0], after[3] - after[2]
    assert one @ other == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(after[:2].mean(axis=0), after[2:].mean(axis=0), atol=1e-9)


@given(pair, pair, st.floats(0, 1), st.floats(0, 20), st.floats(0, 20), st.integers(0, 3), pair)
@settings(deadline=None)
def test_the_axes_of_a_bidirectional_cross_after_any_move(a, b, share, up, down_mm, handle, to):
    across, down, normal = frame(4)
    a, b, to = (p[0] * across + p[1] * down for p in (a, b, to))
    if np.linalg.norm(b - a) < 0.1:
        return
    along = (b - a) / np.linalg.norm(b - a)
    side, foot = np.cross(normal, along), a + (b - a) * share
    before = np.stack([a, b, foot + side * up, foot - side * down_mm])
    after = ordered("bidirectional", moved("bidirectional", before, handle, to, normal), normal)
    one, other = after[1] - after[0], after[3] - after[2]
    assert np.linalg.norm(one) >= np.linalg.norm(other) - 1e-9
    assert one @ other == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(cross_of(after, normal).points_lps_mm(normal), after, atol=1e-6)


def test_the_line_of_an_ellipse_lies_on_it_and_the_pointer_finds_it():
    across, down = np.eye(3)[0], np.eye(3)[1]
    points = ellipse((0, 0, 5), (8, 6, 5), across, down)
    (line,) = outlines("ellipse", points)
    shares = ((line[:, 0] - 4) / 4) ** 2 + ((line[:, 1] - 3) / 3) ** 2
    np.testing.assert_allclose(shares, 1)
    assert distance_to([line], (8, 3, 5)) == pytest.approx(0, abs=1e-9)
    assert distance_to([line], (4, 3, 5)) == pytest.approx(3, abs=0.01)
    assert distance_to([], (0, 0, 0)) == float("inf")
    assert Region("ellipse", points, np.eye(3)[2]).area_mm2() == pytest.approx(np.pi * 12)


def test_a_shape_without_size_is_left_as_it_was():
    flat = np.array([(0, 0, 0), (4, 0, 0), (4, 0, 0), (0, 0, 0)], dtype=float)
    np.testing.assert_array_equal(moved("rectangle", flat, 2, (9, 9, 0), np.eye(3)[2]), flat)
    line = np.array([(0, 0, 0), (4, 0, 0), (2, 1, 0), (2, -1, 0)], dtype=float)
    np.testing.assert_allclose(moved("bidirectional", line, 1, (0, 0, 0), np.eye(3)[2]), line)
