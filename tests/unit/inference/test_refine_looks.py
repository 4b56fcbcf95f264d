"""Refining and outlining in a box with nets that outline what is bright."""

from __future__ import annotations

import numpy as np
import pytest

from inference.refine import BEYOND, INSIDE, OUTSIDE, Click
from inference.runtime.outline import outline_in
from inference.runtime.refine import refine_at

from .test_outline import Bright, affine_of, ball, engine

SHAPE = (24, 90, 96)
MIDDLE = np.array([12.0, 45.0, 48.0])


def lung(affine, radius_mm=9.0):
    from inference.geometry import kji_to_lps_mm

    return ball(SHAPE, affine, kji_to_lps_mm(affine, MIDDLE), radius_mm)


@pytest.mark.parametrize("turned", [False, True])
def test_half_an_outline_gets_what_was_left_out_of_the_ball(turned):
    affine = affine_of(2.0, 0.8, 0.7, turned)
    hu, whole = lung(affine)
    before = whole & (np.indices(SHAPE)[2] < 50)
    at = (12, 45, 55)
    assert whole[at] and not before[at]
    found = refine_at(engine(), hu, affine, before, [Click(at, True)])
    after = found.mask.to_array(SHAPE)
    assert found.reason == ""
    assert not (before & ~after).any()
    outside = after & ~whole
    assert outside.sum() < 0.05 * whole.sum()
    assert (after & whole).sum() > (before & whole).sum() + 0.5 * (whole & ~before).sum()


def test_a_cut_looks_at_the_outline_and_what_is_taken_in_from_the_point_too():
    affine = affine_of(2.0, 0.8, 0.7)
    hu, whole = lung(affine)
    cut, added = Bright(), Bright()
    found = refine_at(engine(cut), hu, affine, whole, [Click((12, 45, 54), False)])
    assert 0 < found.mask.count < whole.sum()
    assert not found.mask.to_array(SHAPE)[12, 45, 54]
    before = whole & (np.indices(SHAPE)[2] < 50)
    refine_at(engine(added), hu, affine, before, [Click((12, 45, 55), True)])
    windows = [sum(shape[0] for shape in one.windows) for one in (cut, added)]
    assert windows == [2, 2]  # two places take no longer than one


@pytest.mark.parametrize(
    ("click", "reason"),
    [
        (Click((12, 45, 48), True), INSIDE),
        (Click((2, 5, 5), False), BEYOND),
        (Click((24, 45, 48), True), OUTSIDE),
    ],
)
def test_a_point_that_changes_nothing_is_not_looked_at(click, reason):
    affine = affine_of(2.0, 0.8, 0.7)
    hu, whole = lung(affine)
    asked = Bright()
    found = refine_at(engine(asked), hu, affine, whole, [click])
    assert (found.reason, found.mask.count, asked.windows) == (reason, 0, [])


@pytest.mark.parametrize("turned", [False, True])
def test_in_a_box_the_ball_is_outlined_without_a_first_look(turned):
    affine = affine_of(2.0, 0.8, 0.7, turned)
    hu, whole = lung(affine)
    asked = Bright()
    box = (slice(6, 19), slice(32, 59), slice(33, 64))
    found = outline_in(engine(asked), hu, affine, box)
    after = found.mask.to_array(SHAPE)
    assert 2 * (after & whole).sum() / (after.sum() + whole.sum()) > 0.9
    assert sum(shape[0] for shape in asked.windows) == 2


def test_in_an_empty_box_there_is_nothing():
    affine = affine_of(2.0, 0.8, 0.7)
    hu, _ = lung(affine)
    found = outline_in(engine(), hu, affine, (slice(6, 9), slice(2, 12), slice(2, 12)))
    assert found.mask.count == 0 and found.reason == "nothing"
