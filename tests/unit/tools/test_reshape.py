"""Margins, smoothing, pieces and sets, against their definitions in mm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import geometry
from inference.findings import Mask
from tests.grids import make_affine
from viewer.annotate.mask import empty_mask, equal
from viewer.tools import reshape
from viewer.tools.distance import ball, distance_mm

SHAPE = (12, 18, 16)


AFFINES = {
    "anisotropic": make_affine(),
    "flipped": make_affine(flips=(-1, 1, -1)),
    "oblique": make_affine((2.0, 0.6, 0.9), seed=4),
    "tilted": make_affine((2.0, 0.8, 0.8), seed=2, shear=0.5),
}
GRID = np.moveaxis(np.indices(SHAPE), 0, -1).reshape(-1, 3)


def blobs(seed, shape=SHAPE):
    """Some boxes and single voxels, also at the edge of the volume."""
    dice = np.random.default_rng(seed)
    out = np.zeros(shape, dtype=bool)
    for _ in range(dice.integers(1, 4)):
        low = dice.integers(0, np.array(shape) - 2)
        high = np.minimum(low + dice.integers(1, 8, 3), shape)
        out[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return out & (dice.random(shape) < 0.95)


def nearest_mm(to, affine):
    """Distance of every voxel to the nearest one of a set, by brute force."""
    at = geometry.kji_to_lps_mm(affine, GRID)
    set_at = geometry.kji_to_lps_mm(affine, np.argwhere(to))
    return np.array([np.linalg.norm(set_at - p, axis=1).min() for p in at]).reshape(SHAPE)


seeds = st.integers(0, 10**6)
which = st.sampled_from(sorted(AFFINES))


@settings(max_examples=25, deadline=None)
@given(seeds, which)
def test_distances_are_those_of_brute_force(seed, name):
    array = blobs(seed)
    if array.any():
        np.testing.assert_allclose(
            distance_mm(array, AFFINES[name]), nearest_mm(array, AFFINES[name]), atol=1e-9
        )


@settings(max_examples=25, deadline=None)
@given(seeds, which, st.floats(0.1, 6.0))
def test_a_margin_is_what_lies_near_and_a_negative_one_what_lies_deep(seed, name, mm):
    array, affine = blobs(seed), AFFINES[name]
    mask = Mask.from_array(array)
    if not array.any():
        return
    away = nearest_mm(array, affine)
    sure = np.abs(away - mm) > 1e-5
    grown = reshape.margin(mask, mm, affine, SHAPE).to_array(SHAPE)
    assert np.array_equal(grown[sure], (away <= mm)[sure])
    shrunk = reshape.margin(mask, -mm, affine, SHAPE).to_array(SHAPE)
    if array.all():
        assert shrunk.all()
        return
    deep = nearest_mm(~array, affine)
    sure = np.abs(deep - mm) > 1e-5
    assert np.array_equal(shrunk[sure], (array & (deep > mm))[sure])
    wall = reshape.hollow(mask, mm, affine, SHAPE).to_array(SHAPE)
    assert np.array_equal(wall, array & ~shrunk)


@settings(max_examples=30, deadline=None)
@given(seeds, seeds)
def test_sets_are_those_of_whole_arrays(a, b):
    one, two = blobs(a), blobs(b)
    first, second = Mask.from_array(one), Mask.from_array(two)
    for how, wanted in (
        ("union", one | two), ("subtract", one & ~two), ("intersect", one & two),
    ):  # fmt: skip
        assert np.array_equal(reshape.combine(first, second, how).to_array(SHAPE), wanted)
        none = reshape.combine(first, empty_mask(), how)
        assert equal(none, empty_mask() if how == "intersect" else first)
    assert equal(reshape.combine(empty_mask(), second, "union"), second)
    assert not reshape.combine(empty_mask(), second, "subtract").voxels.size


@settings(max_examples=30, deadline=None)
@given(seeds, which, st.floats(0, 60))
def test_pieces_hang_together_and_are_all_of_the_mask(seed, name, least):
    array, affine = blobs(seed), AFFINES[name]
    mask = Mask.from_array(array)
    found = reshape.pieces(mask)
    parts = [part.to_array(SHAPE) for part in found]
    assert np.array_equal(np.sum(parts, axis=0, dtype=int), array.astype(int))
    assert [p.count for p in found] == sorted((p.count for p in found), reverse=True)
    for n, part in enumerate(parts):
        near = np.pad(part, 1)
        touch = np.zeros_like(near)
        for shift in np.ndindex(3, 3, 3):
            touch |= np.roll(near, np.array(shift) - 1, axis=(0, 1, 2))
        assert not any((touch[1:-1, 1:-1, 1:-1] & other).any() for other in parts[n + 1 :])
    if not found:
        return
    assert equal(reshape.largest_piece(mask), found[0])
    voxel = geometry.voxel_volume_mm3(affine)
    kept = [p for p, f in zip(parts, found, strict=True) if f.count * voxel >= least] or parts[:1]
    left = reshape.without_small(mask, least, affine)
    assert np.array_equal(left.to_array(SHAPE), np.any([parts[0], *kept], axis=0))


def test_holes_are_filled_but_not_bays():
    array = np.zeros(SHAPE, dtype=bool)
    array[2:9, 3:14, 3:13] = True
    wanted = array.copy()
    array[4:6, 6:8, 6:8] = False
    array[4, 10, 3:8] = wanted[4, 10, 3:8] = False  # a bay, open to one side
    found = reshape.fill_holes(Mask.from_array(array))
    assert np.array_equal(found.to_array(SHAPE), wanted)
    assert reshape.fill_holes(found) is found


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_smoothing_keeps_a_body_where_it_is_and_as_large(affine):
    shape, middle = (30, 60, 56), np.array((15, 30, 28))
    grid = np.moveaxis(np.indices(shape), 0, -1)
    away = geometry.kji_to_lps_mm(affine, grid) - geometry.kji_to_lps_mm(affine, middle)
    round_ = np.linalg.norm(away, axis=-1) <= 9.0
    dice = np.random.default_rng(3)
    rough = (round_ & (dice.random(shape) < 0.9)) | (
        (np.linalg.norm(away, axis=-1) <= 11.0) & (dice.random(shape) < 0.15)
    )
    mask = Mask.from_array(rough)
    for found in (
        reshape.smooth(mask, 1.5, affine, shape),
        reshape.median(mask, 6.0, affine, shape),
    ):
        after = found.to_array(shape)
        overlap = 2 * (after & round_).sum() / (after.sum() + round_.sum())
        assert overlap > 0.95 > 2 * (rough & round_).sum() / (rough.sum() + round_.sum())
    kept = reshape.smooth(mask, 1.5, affine, shape)
    assert kept.count == pytest.approx(mask.count, rel=0.01)


def test_a_small_body_does_not_wither():
    affine = AFFINES["anisotropic"]
    array = np.zeros(SHAPE, dtype=bool)
    array[5:7, 8:12, 7:11] = True
    mask = Mask.from_array(array)
    assert reshape.smooth(mask, 2.0, affine, SHAPE).count == pytest.approx(32, abs=12)


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_two_balls_that_touch_are_parted_at_the_waist(affine):
    shape = (40, 90, 90)
    grid = np.moveaxis(np.indices(shape), 0, -1)
    middle = geometry.kji_to_lps_mm(affine, (np.array(shape) - 1) / 2)
    along = np.array([0.6, 0.5, 0.62])
    along /= np.linalg.norm(along)
    at = geometry.kji_to_lps_mm(affine, grid)
    first = np.linalg.norm(at - (middle - 6.0 * along), axis=-1) <= 7.5
    second = np.linalg.norm(at - (middle + 6.0 * along), axis=-1) <= 6.5
    found = reshape.halves(Mask.from_array(first | second), affine)
    assert len(found) == 2
    assert found[0].count >= found[1].count
    assert found[0].count + found[1].count == (first | second).sum()
    for part, truth in zip(found, (first, second), strict=True):
        array = part.to_array(shape)
        assert 2 * (array & truth).sum() / (array.sum() + truth.sum()) > 0.93


def test_one_ball_is_not_parted():
    affine = AFFINES["anisotropic"]
    shape = (30, 60, 60)
    grid = np.moveaxis(np.indices(shape), 0, -1)
    away = geometry.kji_to_lps_mm(affine, grid) - geometry.kji_to_lps_mm(affine, (15, 30, 30))
    mask = Mask.from_array(np.linalg.norm(away, axis=-1) <= 10.0)
    assert len(reshape.halves(mask, affine)) == 1
    assert len(reshape.halves(empty_mask(), affine)) == 1


def test_a_ball_is_round_in_mm():
    for affine in AFFINES.values():
        volume = ball(12.0, affine).sum() * geometry.voxel_volume_mm3(affine)
        assert volume == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.1)


def test_nothing_stays_nothing():
    for found in (
        reshape.margin(empty_mask(), 3, AFFINES["oblique"], SHAPE),
        reshape.hollow(empty_mask(), 3, AFFINES["oblique"], SHAPE),
        reshape.smooth(empty_mask(), 3, AFFINES["oblique"], SHAPE),
        reshape.median(empty_mask(), 3, AFFINES["oblique"], SHAPE),
        reshape.largest_piece(empty_mask()),
        reshape.without_small(empty_mask(), 3, AFFINES["oblique"]),
        reshape.fill_holes(empty_mask()),
    ):
        assert not found.voxels.size
    assert reshape.pieces(empty_mask()) == ()
