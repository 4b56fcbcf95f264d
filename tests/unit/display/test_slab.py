"""Slabs against numpy, and the re-ordered copy against the volume."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.findings import Heatmap, Mask
from viewer.display import reorder
from viewer.display.reorder import Reordered
from viewer.display.slab import MODES, Slab, flat_heatmap, flat_mask, project

NUMPY = {
    "mip": lambda block: block.max(axis=0),
    "minip": lambda block: block.min(axis=0),
    "mean": lambda block: np.rint(block.astype(np.float64).mean(axis=0)).astype(block.dtype),
}


def never():
    return False


@given(
    index=st.integers(0, 60),
    count=st.integers(1, 61),
    step_mm=st.floats(0.1, 10),
    thickness_mm=st.floats(0.1, 300),
)
def test_a_slab_holds_the_slices_whose_centres_lie_in_it(index, count, step_mm, thickness_mm):
    index = min(index, count - 1)
    first, last = Slab("mip", thickness_mm).span(index, count, step_mm)
    away = np.abs(np.arange(count) - index) * step_mm
    inside = np.flatnonzero(away <= thickness_mm / 2 + 1e-6 * step_mm)
    assert (first, last - 1) == (inside[0], inside[-1])
    assert first <= index < last


def test_centres_on_the_faces_belong_to_it_in_spite_of_rounding():
    assert Slab("mip", 0.6).span(10, 30, 0.1) == (7, 14)
    assert Slab("mip", 20.0).span(100, 500, 1.0) == (90, 111)
    assert Slab("mip", 0.5).span(3, 9, 1.0) == (3, 4)


@pytest.mark.parametrize("thickness_mm", [0.0, -1.0, float("nan"), float("inf")])
def test_there_is_no_slab_without_a_thickness(thickness_mm):
    with pytest.raises(ValueError):
        Slab("mip", thickness_mm)


@settings(max_examples=60, deadline=None)
@given(
    voxels=hnp.arrays(
        st.sampled_from([np.dtype(np.int16), np.dtype(np.uint16)]),
        st.tuples(st.integers(1, 37), st.integers(1, 9), st.integers(1, 9)),
    ),
    axis=st.integers(0, 2),
    copied=st.booleans(),
    data=st.data(),
)
def test_every_mode_is_exact_along_every_axis(voxels, axis, copied, data):
    first = data.draw(st.integers(0, voxels.shape[axis] - 1))
    last = data.draw(st.integers(first + 1, voxels.shape[axis]))
    copy = reorder.reordered(voxels, never) if copied else None
    block = Reordered(voxels, copy).block(axis, (first, last))
    wanted = np.moveaxis(np.take(voxels, range(first, last), axis=axis), axis, 0)
    np.testing.assert_array_equal(block, wanted)
    for mode in MODES:
        made = project(block, mode)
        assert made.dtype == voxels.dtype
        assert made.flags.c_contiguous
        np.testing.assert_array_equal(made, NUMPY[mode](wanted))


def test_extremes_do_not_overflow_in_the_mean():
    voxels = np.full((600, 2, 2), 32767, dtype=np.int16)
    np.testing.assert_array_equal(project(voxels, "mean"), voxels[0])
    voxels[::2] = -32768
    np.testing.assert_array_equal(project(voxels, "mean"), np.full((2, 2), 0))  # -0.5, to even


def test_fractions_keep_their_type():
    voxels = np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32)
    for mode in MODES:
        assert project(voxels, mode).dtype == np.float32
    np.testing.assert_allclose(project(voxels, "mean"), voxels.mean(axis=0), rtol=1e-5)


@given(
    voxels=hnp.arrays(np.bool_, st.tuples(*[st.integers(0, 5)] * 3)),
    origin=st.tuples(*[st.integers(0, 6)] * 3),
    axis=st.integers(0, 2),
    index=st.integers(0, 10),
    data=st.data(),
)
def test_a_shadow_is_the_union_of_the_slab(voxels, origin, axis, index, data):
    first = data.draw(st.integers(0, index))
    last = data.draw(st.integers(index + 1, 11))
    shape = (11, 11, 11)
    whole = Mask(origin, voxels).to_array(shape)
    wanted = np.take(whole, range(first, last), axis=axis).any(axis=axis)
    flat = flat_mask(Mask(origin, voxels), axis, (first, last), index)
    got = flat.to_array(shape)
    np.testing.assert_array_equal(np.take(got, index, axis=axis), wanted)
    heat = Heatmap(origin, voxels.astype(np.uint8) * 200, "x")
    shown = flat_heatmap(heat, axis, (first, last), index)
    laid = np.zeros(shape, dtype=np.uint8)
    laid[shown.box] = shown.values
    np.testing.assert_array_equal(np.take(laid, index, axis=axis), wanted * np.uint8(200))


@pytest.mark.parametrize("shape", [(1, 1, 1), (70, 5, 130), (3, 200, 64), (65, 7, 65)])
def test_a_copy_has_every_voxel_in_its_place(shape):
    voxels = np.random.default_rng(1).integers(-1000, 1000, shape).astype(np.int16)
    copy = reorder.reordered(voxels, never)
    np.testing.assert_array_equal(copy, voxels.transpose(2, 0, 1))
    assert copy.flags.c_contiguous and not copy.flags.writeable
    assert copy.nbytes == voxels.nbytes


def test_a_copy_that_nobody_wants_any_more_is_given_up():
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 3

    assert reorder.reordered(np.zeros((50, 4, 4), dtype=np.int16), cancelled) is None
    assert len(asked) == 4


def test_a_copy_of_other_voxels_is_refused():
    with pytest.raises(ValueError):
        Reordered(np.zeros((2, 3, 4), np.int16), np.zeros((2, 3, 4), np.int16))


def test_no_copy_is_made_when_memory_is_short_or_unknown():
    voxels = np.broadcast_to(np.int16(0), (500, 512, 512))
    assert reorder.is_worth_it(voxels, 8 << 30)
    assert not reorder.is_worth_it(voxels, None)
    assert not reorder.is_worth_it(voxels, voxels.nbytes + (1 << 29))
    assert not reorder.is_worth_it(np.zeros((10, 64, 64), np.int16), 8 << 30)
    assert not reorder.is_worth_it(np.broadcast_to(np.int16(0), (1, 4000, 4000)), 8 << 30)


def test_free_memory_is_a_plausible_number():
    free = reorder.free_memory()
    assert free is None or 1 << 20 < free < 1 << 45


def test_giving_memory_back_harms_nothing():
    voxels = np.arange(1000)
    reorder.give_back()
    np.testing.assert_array_equal(voxels, np.arange(1000))
