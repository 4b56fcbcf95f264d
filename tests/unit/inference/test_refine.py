"""Outlines corrected by points: the point has its way, and nothing elsewhere is touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from inference.refine import BEYOND, INSIDE, OUTSIDE, Click, refine, why_not

SHAPE = (16, 40, 40)
SPACING = np.array([1.5, 0.7, 0.7])
MIDDLE = (8, 20, 20)


def ball(radius_mm, middle=MIDDLE):
    away = (np.moveaxis(np.indices(SHAPE), 0, -1) - middle) * SPACING
    return np.linalg.norm(away, axis=-1) <= radius_mm


def chance(*bodies):
    """Return what a net says that sees bodies, each with its chance; air elsewhere."""
    out = np.full(SHAPE, 0.02, dtype=np.float32)
    for body, value in bodies:
        out[body] = value
    return ndimage.gaussian_filter(out, 0.7)


def test_a_point_beside_the_outline_takes_in_what_the_net_half_saw():
    small, whole = ball(4.0), ball(7.0)
    half = chance((whole, 0.35), (small, 0.9))
    at = (8, 20, 28)
    assert whole[at] and not small[at]
    after = refine(small, half, 0.5, [Click(at, True)], SPACING)
    assert after[at]
    assert not (small & ~after).any()
    # Of what it takes in nearly all is what the net half saw.
    new = after & ~small
    assert (new & ndimage.binary_dilation(whole)).sum() > 0.9 * new.sum()
    assert new.sum() > 50


def test_a_point_in_the_outline_cuts_the_vessel_and_leaves_the_body():
    body = ball(5.0)
    vessel = np.zeros(SHAPE, dtype=bool)
    vessel[7:10, 19:22, 26:38] = True
    before = body | vessel
    half = chance((vessel, 0.6), (body, 0.95))
    after = refine(before, half, 0.5, [Click((8, 20, 31), False)], SPACING)
    assert not after[8, 20, 31]
    assert (after & body).sum() > 0.97 * body.sum()
    # What was behind the cut has no hold any more.
    assert not after[:, :, 33:].any()


def test_an_earlier_point_holds_what_it_said():
    before = ball(6.0)
    half = chance((before, 0.7))
    kept, cut = (8, 20, 24), (8, 20, 26)
    alone = refine(before, half, 0.5, [Click(cut, False)], SPACING)
    assert not alone[kept]
    both = refine(before, half, 0.5, [Click(kept, True), Click(cut, False)], SPACING)
    assert both[kept] and not both[cut]


def test_a_hole_that_is_there_or_that_a_point_keeps_open_is_not_filled():
    before = ball(6.0)
    before[8, 20, 20] = False
    half = chance((ball(9.0), 0.45), (before, 0.9))
    after = refine(before, half, 0.5, [Click((8, 20, 31), True)], SPACING)
    assert after[8, 20, 31] and not after[8, 20, 20]
    ring = ball(9.0) & ~ball(5.0)
    ring[:, 18:23, 26:] = False
    open_at = Click((8, 20, 25), False)
    half = chance((ball(9.0), 0.6))
    after = refine(ring, half, 0.5, [open_at, Click((8, 20, 29), True)], SPACING)
    assert after[8, 20, 29] and not after[8, 20, 25]


def test_a_part_that_a_point_holds_stays_after_a_cut_behind_it():
    body, tail = ball(4.0), np.zeros(SHAPE, dtype=bool)
    tail[8, 20, 20:36] = True
    before = body | tail
    half = chance((tail, 0.6), (body, 0.9))
    cut = Click((8, 20, 29), False)
    assert not refine(before, half, 0.5, [cut], SPACING)[8, 20, 35]
    after = refine(before, half, 0.5, [Click((8, 20, 35), True), cut], SPACING)
    assert after[8, 20, 35] and not after[8, 20, 29]


def test_a_second_piece_that_was_apart_before_is_left_alone():
    body, other = ball(4.0), ball(3.0, (8, 8, 8))
    before = body | other
    after = refine(before, chance((before, 0.9)), 0.5, [Click((8, 20, 24), False)], SPACING)
    assert np.array_equal(after & other, other)


def test_why_a_point_changes_nothing():
    body = ball(4.0)
    assert why_not(body, Click(MIDDLE, True)) == INSIDE
    assert why_not(body, Click((0, 0, 0), False)) == BEYOND
    assert why_not(body, Click((8, 20, 40), True)) == OUTSIDE
    assert why_not(body, Click((-1, 20, 20), False)) == OUTSIDE
    assert why_not(body, Click(MIDDLE, False)) == ""


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(
        st.tuples(*(st.integers(0, n - 1) for n in SHAPE)), min_size=1, max_size=5, unique=True
    ),
)
def test_the_latest_point_always_has_its_way_and_changes_one_piece(seed, places):
    dice = np.random.default_rng(seed)
    before = ball(5.0)
    half = dice.random(SHAPE).astype(np.float32)
    clicks = []
    for at in places:
        click = Click(at, not before[at])
        clicks = [one for one in clicks if before[one.at_kji] == one.belongs]
        after = refine(before, half, 0.5, [*clicks, click], SPACING)
        assert after[at] == click.belongs
        assert all(after[one.at_kji] == one.belongs for one in clicks)
        changed = after ^ before
        if click.belongs:
            assert not (before & ~after).any()
            assert ndimage.label(changed, np.ones((3, 3, 3)))[1] >= 1
        else:
            assert not (after & ~before).any()
        clicks.append(click)
        before = after
        if not before.any():
            break


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 0.5, 0.5)])
def test_distances_are_millimetres(spacing):
    before = np.zeros((21, 41, 41), dtype=bool)
    before[10, 20, 20] = True
    half = np.full(before.shape, 0.4, dtype=np.float32)
    after = refine(before, half, 0.5, [Click((10, 20, 22), True)], np.array(spacing))
    reach = [np.ptp(np.flatnonzero(after.any(axis=axes))) + 1 for axes in ((1, 2), (0, 1))]
    assert reach[0] * spacing[0] <= reach[1] * spacing[2] + 2 * spacing[0]
