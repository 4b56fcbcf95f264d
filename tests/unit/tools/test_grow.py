"""Growing from seeds, against bodies of known shape in noise, on slanted and flipped grids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import geometry
from inference.findings import Mask
from tests.unit.tools.test_rules import AFFINES, MIDDLE, SHAPE, nodule
from viewer.annotate.mask import empty_mask
from viewer.tools.grow import grow


def seed_in(array, dice, share=0.02):
    """Some voxels of a body, one at least."""
    at = np.argwhere(array)
    some = at[dice.random(len(at)) < share]
    out = np.zeros(SHAPE, dtype=bool)
    out[tuple((some if len(some) else at[:1]).T)] = True
    return out


def dice_of(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_few_voxels_grow_to_the_nodule(affine):
    voxels, ball = nodule(affine, radius_mm=8.0)
    grid = np.moveaxis(np.indices(SHAPE), 0, -1)
    away = geometry.kji_to_lps_mm(affine, grid) - geometry.kji_to_lps_mm(affine, MIDDLE)
    seeds = np.linalg.norm(away, axis=-1) <= 3.0
    found = grow(Mask.from_array(seeds), voxels, affine, 9.0).to_array(SHAPE)
    assert dice_of(found, ball) > 0.95 > dice_of(seeds, ball)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(sorted(AFFINES)), st.floats(1.0, 8.0))
def test_seeds_stay_in_and_nothing_lies_beyond_the_reach(seed, name, reach):
    affine = AFFINES[name]
    voxels, ball = nodule(affine, seed=seed)
    seeds = seed_in(ball, np.random.default_rng(seed))
    found = grow(Mask.from_array(seeds), voxels, affine, reach).to_array(SHAPE)
    assert not (seeds & ~found).any()
    at = geometry.kji_to_lps_mm(affine, np.argwhere(seeds))
    for point in geometry.kji_to_lps_mm(affine, np.argwhere(found & ~seeds)):
        assert np.linalg.norm(at - point, axis=1).min() <= reach + 1e-6


def test_what_belongs_to_others_is_not_grown_into():
    affine = AFFINES["anisotropic"]
    voxels, ball = nodule(affine, radius_mm=8.0)
    other = ball.copy()
    other[:, :, :24] = False
    seeds = ball & (np.indices(SHAPE)[2] < 20)
    found = grow(Mask.from_array(seeds), voxels, affine, 9.0, (Mask.from_array(other),))
    assert not (found.to_array(SHAPE) & other).any()
    assert (found.to_array(SHAPE) & ball).sum() > 0.9 * (ball & ~other).sum()


def test_unknown_values_and_no_seeds():
    affine = AFFINES["anisotropic"]
    voxels, ball = nodule(affine, dtype=np.float32)
    assert grow(empty_mask(), voxels, affine, 5.0).voxels.size == 0
    seeds = Mask.from_array(ball)
    assert grow(seeds, voxels, affine, 0.0) is seeds
    voxels[:, 30:] = np.nan
    found = grow(Mask.from_array(ball & (np.indices(SHAPE)[1] < 22)), voxels, affine, 9.0)
    assert not found.to_array(SHAPE)[:, 30:].any()
