"""Outlines brought to other voxels, against SimpleITK and against bodies of known volume."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import geometry
from inference.findings import Mask
from tests.grids import make_affine
from viewer.annotate.mask import empty_mask, equal
from viewer.tools import carry_over
from viewer.tools.carry_over import carried_over

SHAPE = (14, 36, 40)
MIDDLE = (7.0, 18.0, 20.0)
FROM = make_affine((2.5, 0.7, 0.8))


def ball(affine, shape, centre_lps_mm, radius_mm=7.0):
    grid = np.moveaxis(np.indices(shape), 0, -1)
    away = geometry.kji_to_lps_mm(affine, grid) - centre_lps_mm
    return np.linalg.norm(away, axis=-1) <= radius_mm


def centre():
    return geometry.kji_to_lps_mm(FROM, MIDDLE)


def placed(spacing, seed=None, shape=(40, 48, 44)):
    """Return a grid whose middle lies at the body."""
    affine = make_affine(spacing, seed)
    shift = centre() - geometry.kji_to_lps_mm(affine, (np.array(shape) - 1) / 2)
    affine[:3, 3] += shift
    return affine, shape


@given(st.integers(0, 10**6), st.floats(0.02, 0.9))
def test_on_the_same_voxels_it_is_the_same(seed, share):
    array = np.random.default_rng(seed).random((5, 6, 7)) < share
    mask = Mask.from_array(array)
    found, cut_off = carried_over(mask, FROM, FROM, (5, 6, 7))
    assert equal(found, mask)
    assert not cut_off


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("spacing", [(1.0, 0.6, 0.6), (1.0, 1.0, 1.0), (3.0, 0.9, 0.9)])
def test_a_body_keeps_its_volume_and_place(spacing, seed):
    affine, shape = placed(spacing, seed)
    mask = Mask.from_array(ball(FROM, SHAPE, centre()))
    found, cut_off = carried_over(mask, FROM, affine, shape)
    truth = ball(affine, shape, centre())
    here = found.to_array(shape)
    assert 2 * (here & truth).sum() / (here.sum() + truth.sum()) > 0.9
    before = mask.count * geometry.voxel_volume_mm3(FROM)
    after = found.count * geometry.voxel_volume_mm3(affine)
    assert after == pytest.approx(before, rel=0.08)
    assert not cut_off


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6))
def test_places_are_those_of_an_independent_resampler(seed):
    dice = np.random.default_rng(seed)
    affine, shape = placed((1.1, 0.9, 0.8), seed=int(dice.integers(1000)), shape=(20, 24, 22))
    mask = Mask.from_array(ball(FROM, SHAPE, centre(), 6.0))
    found, _ = carried_over(mask, FROM, affine, shape)
    nearest = _nearest(mask.to_array(SHAPE), affine, shape)
    # The distance moves the edge by less than a voxel: what both call inside by far is the same.
    differs = found.to_array(shape) ^ nearest
    assert differs.sum() < 0.2 * nearest.sum()
    core = ball(affine, shape, centre(), 4.5)
    assert found.to_array(shape)[core].all() and nearest[core].all()


def _nearest(array, affine, shape):
    def image(voxels, at):
        made = sitk.GetImageFromArray(voxels.astype(np.uint8))
        steps = np.linalg.norm(at[:3, :3], axis=0)
        made.SetSpacing(tuple(float(s) for s in steps[::-1]))
        made.SetOrigin(tuple(float(v) for v in at[:3, 3]))
        made.SetDirection((at[:3, :3] / steps)[:, ::-1].ravel().tolist())
        return made

    there = image(np.zeros(shape), affine)
    out = sitk.Resample(image(array, FROM), there, sitk.Transform(), sitk.sitkNearestNeighbor)
    return sitk.GetArrayFromImage(out).astype(bool)


def test_slices_that_are_thicker_make_no_steps():
    thick = make_affine((5.0, 0.7, 0.8))
    cone = np.zeros((6, 36, 40), dtype=bool)
    for k in range(1, 5):
        cone[k, 18 - 3 * k : 18 + 3 * k, 20 - 3 * k : 20 + 3 * k] = True
    thin = thick.copy()
    thin[:3, 0] /= 5
    found, _ = carried_over(Mask.from_array(cone), thick, thin, (30, 36, 40))
    areas = found.to_array((30, 36, 40)).sum(axis=(1, 2))[5:21]
    assert (np.diff(areas) >= 0).all()
    assert len(set(areas.tolist())) > 10


def test_what_lies_elsewhere_or_between_the_centres_is_nothing():
    mask = Mask.from_array(ball(FROM, SHAPE, centre()))
    affine, shape = placed((1.0, 1.0, 1.0))
    affine[:3, 3] += 500.0
    assert carried_over(mask, FROM, affine, shape)[0].count == 0
    speck = Mask((7, 18, 20), np.ones((1, 1, 1), dtype=bool))
    wide, shape = placed((9.0, 9.0, 9.0), shape=(6, 6, 6))
    assert carried_over(speck, FROM, wide, shape)[0].count == 0
    assert carried_over(empty_mask(), FROM, FROM, SHAPE)[0].count == 0


def test_a_volume_that_ends_within_is_told_and_slabs_change_nothing(monkeypatch):
    mask = Mask.from_array(ball(FROM, SHAPE, centre()))
    affine, shape = placed((1.0, 1.0, 1.0))
    whole, _ = carried_over(mask, FROM, affine, shape)
    half, cut_off = carried_over(mask, FROM, affine, (shape[0] // 2, *shape[1:]))
    assert cut_off and 0 < half.count < whole.count
    monkeypatch.setattr(carry_over, "_AT_ONCE", 1)
    assert equal(carried_over(mask, FROM, affine, shape)[0], whole)
