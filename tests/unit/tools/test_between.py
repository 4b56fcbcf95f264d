"""Filling between slices, against bodies of known shape in mm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.findings import Mask
from tests.grids import make_affine
from viewer.annotate.mask import empty_mask, equal
from viewer.tools.between import fill_between, gaps, signed_mm, way_between

SHAPE = (25, 40, 36)


AFFINES = {
    "anisotropic": make_affine((1.5, 0.7, 1.0)),
    "flipped": make_affine((1.0, 0.8, 0.9), flips=(-1, 1, -1)),
    "oblique": make_affine((1.2, 0.6, 0.9), seed=4),
}


def body(affine, radii_mm, centre=(12, 20, 18)):
    """An ellipsoid along the index axes, radii in mm."""
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    grid = np.moveaxis(np.indices(SHAPE), 0, -1)
    return ((((grid - centre) * steps) / radii_mm) ** 2).sum(axis=-1) <= 1.0


def thinned(array, axis, step):
    """Keep every so many slices, the outermost too."""
    others = tuple(a for a in range(3) if a != axis)
    drawn = np.flatnonzero(array.any(axis=others))
    kept = {*drawn[::step].tolist(), int(drawn[-1])}
    out = array.copy()
    for at in drawn:
        if int(at) not in kept:
            out[(slice(None),) * axis + (at,)] = False
    return out, sorted(kept)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_an_ellipsoid_comes_back_from_every_third_slice(affine, axis):
    array = body(affine, (11.0, 9.0, 12.0))
    thin, kept = thinned(array, axis, 3)
    before = Mask.from_array(thin)
    found = fill_between(before, affine, axis)
    after = found.to_array(SHAPE)
    assert dice(after, array) > 0.96 > dice(thin, array)
    for at in kept:  # what was drawn is as it was drawn
        assert np.array_equal(np.take(after, at, axis=axis), np.take(thin, at, axis=axis))
    assert gaps(found, axis) == ()
    assert np.array_equal(before.to_array(SHAPE), thin)


def test_a_cone_lies_halfway_in_mm_not_in_pixels():
    rows, columns = np.indices((60, 60))
    small = ((rows - 30) * 0.5) ** 2 + ((columns - 30) * 1.5) ** 2 <= 4**2
    large = ((rows - 30) * 0.5) ** 2 + ((columns - 30) * 1.5) ** 2 <= 12**2
    half = way_between(small, large, (0.5, 1.5))(0.5)
    radii = np.sqrt(half.sum() * 0.75 / np.pi)
    assert radii == pytest.approx(8.0, abs=0.4)
    assert half[30].sum() * 1.5 == pytest.approx(16, abs=1.6)
    assert half[:, 30].sum() * 0.5 == pytest.approx(16, abs=1.1)


def test_outlines_apart_are_led_from_one_to_the_other():
    rows, columns = np.indices((60, 60))
    first = (rows - 14) ** 2 + (columns - 14) ** 2 <= 36
    second = (rows - 44) ** 2 + (columns - 40) ** 2 <= 36
    assert not (first & second).any()
    half = way_between(first, second)(0.5)
    assert np.argwhere(half).mean(axis=0) == pytest.approx((29, 27), abs=0.5)
    assert half.sum() == pytest.approx(first.sum(), rel=0.1)


shapes = st.integers(0, 10**6).map(lambda seed: _blob(seed))


def _blob(seed):
    dice_ = np.random.default_rng(seed)
    rows, columns = np.indices((26, 24))
    out = np.zeros((26, 24), dtype=bool)
    for _ in range(dice_.integers(1, 4)):
        r, c = dice_.uniform(5, 19, 2)
        out |= (rows - r) ** 2 + (columns - c) ** 2 <= dice_.uniform(2, 5) ** 2
    return out


@settings(max_examples=40, deadline=None)
@given(shapes, shapes, st.tuples(st.floats(0.3, 3), st.floats(0.3, 3)))
def test_the_ends_are_the_outlines_themselves_and_what_both_share_stays(a, b, spacing):
    if not (a & b).any():
        return
    at = way_between(a, b, spacing)
    assert np.array_equal(at(0.0), a)
    assert np.array_equal(at(1.0), b)
    half = at(0.5)
    assert not ((a & b) & ~half).any()
    assert not (half & ~(a | b)).any()
    assert np.array_equal(half, way_between(b, a, spacing)(0.5))


@settings(max_examples=40, deadline=None)
@given(shapes, st.tuples(st.floats(0.3, 3), st.floats(0.3, 3)))
def test_signed_distance_is_positive_inside_and_nowhere_nought(shape, spacing):
    signed = signed_mm(shape, spacing)
    assert np.array_equal(signed > 0, shape)
    assert (signed != 0).all()


def test_without_a_gap_nothing_changes():
    whole = Mask.from_array(body(AFFINES["oblique"], (9.0, 9.0, 9.0)))
    assert fill_between(whole, AFFINES["oblique"], 0) is whole
    assert gaps(empty_mask(), 1) == ()
    one = Mask.from_array(np.ones((1, 4, 4), dtype=bool), (3, 2, 2))
    assert fill_between(one, AFFINES["oblique"], 0) is one


def test_a_body_at_the_edge_of_the_volume_is_filled_up_to_it():
    array = np.zeros((9, 8, 8), dtype=bool)
    array[[0, 4, 8]] = True
    found = fill_between(Mask.from_array(array), AFFINES["anisotropic"], 0)
    assert found.voxels.all()
    assert found.voxels.shape == (9, 8, 8)


def test_it_can_be_stopped():
    thin, _ = thinned(body(AFFINES["flipped"], (9.0, 9.0, 9.0)), 0, 4)
    before = Mask.from_array(thin)
    assert equal(fill_between(before, AFFINES["flipped"], 0, lambda: True), before)
