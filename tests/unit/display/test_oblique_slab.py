"""Slabs of oblique planes against numpy on their single slices."""

import numpy as np
import pytest

from inference.findings import Mask
from viewer.display.oblique_slab import Layers, some_of
from viewer.display.outlines import flat_outline_mm
from viewer.display.sampling import mask_on, sample

from .test_oblique import SHAPE, _affine, _turned_planes


def filled(layers, indices):
    for index in layers.missing(indices):
        layers.put(index, layers.sampled(index))
    return layers.flat(indices)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8, np.float32])
@pytest.mark.parametrize("mode", ["mip", "minip", "mean"])
@pytest.mark.parametrize("seed", range(3))
def test_a_slab_is_what_numpy_makes_of_its_slices(dtype, mode, seed):
    affine = _affine(seed)
    low = -1000 if np.dtype(dtype).kind in "if" else 0
    values = np.random.default_rng(seed).integers(low, 200, SHAPE).astype(dtype)
    for plane, through in _turned_planes(affine, seed):
        middle = plane.index_of_lps(through)
        indices = range(max(0, middle - 4), min(plane.count, middle + 5))
        found, inside = filled(Layers(values, plane, mode, linear=True), indices)
        singles = [sample(values, plane, index) for index in indices]
        stack = np.ma.array(
            [one for one, _ in singles], mask=[~within for _, within in singles]
        ).astype(np.float64)
        reduced = {"mip": stack.max, "minip": stack.min, "mean": stack.mean}[mode](axis=0)
        if mode == "mean" and np.dtype(dtype).kind != "f":
            reduced = np.ma.rint(reduced) if hasattr(np.ma, "rint") else reduced.round()
        np.testing.assert_array_equal(inside, ~np.ma.getmaskarray(reduced))
        assert inside.any()
        assert not inside.all()
        np.testing.assert_allclose(found, reduced.filled(0).astype(dtype), rtol=1e-6)


def test_a_mask_is_all_of_its_slices_and_is_sampled_no_further_than_it_reaches():
    affine = _affine(4)
    mask = Mask((3, 8, 6), np.random.default_rng(1).random((4, 6, 5)) > 0.4)
    for plane, _ in _turned_planes(affine, 4):
        layers = Layers(mask.voxels, plane, "mip", origin_kji=mask.origin_kji, linear=False)
        indices = range(plane.count)
        wanted = np.zeros(plane.size_px[::-1], bool)
        for index in indices:
            found = mask_on(mask, plane, index)
            if found is not None:
                wanted[found[1]] |= found[0]
        found, _ = filled(layers, indices)
        got = np.zeros_like(wanted)
        got[layers.part] = found
        np.testing.assert_array_equal(got, wanted)
        assert len(layers.met(indices)) < len(indices)
        lines = flat_outline_mm(found, layers.part, plane)
        assert lines
        for line in lines:
            kji = (line / plane.pixel_mm[0])[:, ::-1]
            assert (kji.min(axis=0) >= [layers.part[0].start, layers.part[1].start]).all()


def test_scrolling_samples_one_slice_and_forgets_those_far_off():
    values = np.zeros((30, 40, 40), np.int16)
    plane, _ = next(_turned_planes(np.diag([2.0, 1, 1, 1]), 1, values.shape))
    layers = Layers(values, plane, "mip", linear=True)
    filled(layers, range(2, 12))
    assert layers.missing(range(3, 13)) == [12]
    layers.let_go((30, 40))
    assert layers.missing(range(2, 12)) == list(range(2, 12))


def test_what_is_not_met_is_empty():
    plane, _ = next(_turned_planes(_affine(2), 2))
    nothing = Layers(np.zeros((0, 0, 0), bool), plane, "mip", linear=False)
    assert nothing.missing(range(5)) == []
    assert nothing.flat(range(5))[0].size == 0


@pytest.mark.parametrize(("span", "index"), [((0, 29), 14), ((5, 6), 5), ((0, 4), 3), ((7, 90), 7)])
def test_a_few_slices_are_spread_and_hold_the_middle(span, index):
    few = some_of(span, index, 5)
    assert index in few
    assert 1 <= len(few) <= 5
    assert min(few) >= span[0]
    assert max(few) < span[1]
