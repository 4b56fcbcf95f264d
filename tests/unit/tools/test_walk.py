"""Random walkers from seeds: bodies of known shape in noise, on slanted and flipped grids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import geometry
from inference.findings import Mask
from tests.unit.tools.test_grow import seed_in
from tests.unit.tools.test_rules import AFFINES, MIDDLE, SHAPE, dice, nodule
from viewer.annotate.mask import empty_mask
from viewer.tools import walk as walking
from viewer.tools.walk import walk


def core(affine, radius_mm):
    grid = np.moveaxis(np.indices(SHAPE), 0, -1)
    away = geometry.kji_to_lps_mm(affine, grid) - geometry.kji_to_lps_mm(affine, MIDDLE)
    return np.linalg.norm(away, axis=-1) <= radius_mm


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize("cells", [30_000, 3_000], ids=["voxels", "coarse"])
def test_a_few_voxels_grow_to_the_nodule(affine, cells, monkeypatch):
    monkeypatch.setattr(walking, "_COARSE", cells)
    voxels, ball = nodule(affine, radius_mm=8.0)
    seeds = core(affine, 3.0)
    found = walk(Mask.from_array(seeds), voxels, affine, 9.0).to_array(SHAPE)
    assert dice(found, ball) > 0.9 > dice(seeds, ball)


def test_the_rim_is_finer_than_the_cells(monkeypatch):
    affine = AFFINES["anisotropic"]
    voxels, ball = nodule(affine, radius_mm=8.0)
    seeds = Mask.from_array(core(affine, 3.0))
    monkeypatch.setattr(walking, "_COARSE", 3_000)
    fine = walk(seeds, voxels, affine, 9.0).to_array(SHAPE)
    monkeypatch.setattr(walking, "MOST_RIM", 0)
    coarse = walk(seeds, voxels, affine, 9.0).to_array(SHAPE)
    assert dice(fine, ball) > dice(coarse, ball)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(sorted(AFFINES)), st.floats(1.0, 8.0))
def test_seeds_stay_in_and_nothing_lies_beyond_the_reach(seed, name, reach):
    affine = AFFINES[name]
    voxels, ball = nodule(affine, seed=seed)
    seeds = seed_in(ball, np.random.default_rng(seed))
    found = walk(Mask.from_array(seeds), voxels, affine, reach).to_array(SHAPE)
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
    found = walk(Mask.from_array(seeds), voxels, affine, 9.0, (Mask.from_array(other),))
    assert not (found.to_array(SHAPE) & other).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_not_grown_into(bad):
    affine = AFFINES["anisotropic"]
    voxels, ball = nodule(affine, dtype=np.float32)
    voxels[:, :, 26:] = bad
    seeds = core(affine, 2.0) & (np.indices(SHAPE)[2] < 26)
    found = walk(Mask.from_array(seeds), voxels, affine, 6.0).to_array(SHAPE)
    assert not found[:, :, 26:].any()
    assert (found & ball).sum() > seeds.sum()


def test_nothing_to_grow_from_or_to_leaves_it_as_it_is():
    affine = AFFINES["anisotropic"]
    voxels, _ = nodule(affine)
    assert walk(empty_mask(), voxels, affine, 5.0).count == 0
    seeds = Mask.from_array(core(affine, 3.0))
    assert walk(seeds, voxels, affine, 0.0) is seeds
    assert walk(seeds, np.full(SHAPE, 7, np.int16), affine, 5.0) is seeds
    assert walk(seeds, voxels, affine, 5.0, (), lambda: True) is seeds
