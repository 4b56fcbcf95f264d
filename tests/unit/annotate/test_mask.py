"""Cropped masks and their differences against whole arrays."""

import numpy as np
import pytest

from inference.findings import Mask
from viewer.annotate.mask import Delta, crop, empty_mask, equal, inside, shift, xor

SHAPE = (7, 9, 11)


def _random(seed, share=0.05):
    return np.random.default_rng(seed).random(SHAPE) < share


@pytest.mark.parametrize("seed", range(20))
def test_crop_is_the_box_of_the_voxels(seed):
    array = _random(seed, 0.01)
    array[3, 4, 5] = True
    mine, reference = crop(array, (0, 0, 0)), Mask.from_array(array)
    assert mine.origin_kji == reference.origin_kji
    assert np.array_equal(mine.voxels, reference.voxels)
    assert np.array_equal(mine.to_array(SHAPE), array)


def test_crop_of_nothing_is_empty():
    assert crop(np.zeros(SHAPE, dtype=bool), (1, 2, 3)).voxels.size == 0


@pytest.mark.parametrize("seed", range(30))
def test_xor_is_that_of_whole_arrays_and_its_own_inverse(seed):
    before, after = _random(seed), _random(seed + 1000)
    delta = Delta.from_array(before ^ after, (0, 0, 0))
    mask = Mask.from_array(before)
    changed, grown = xor(mask, delta)
    assert np.array_equal(changed.to_array(SHAPE), after)
    assert grown == int(after.sum()) - int(before.sum())
    again, back = xor(changed, delta)
    assert equal(again, mask)
    assert back == -grown


def test_xor_to_nothing_and_from_nothing():
    array = _random(3)
    delta = Delta.from_array(array, (0, 0, 0))
    gone, count = xor(Mask.from_array(array), delta)
    assert gone.voxels.size == 0
    assert count == -array.sum()
    back, count = xor(empty_mask(), delta)
    assert np.array_equal(back.to_array(SHAPE), array)
    assert count == array.sum()


def test_xor_never_changes_its_input():
    mask = Mask.from_array(_random(1))
    copy = mask.voxels.copy()
    xor(mask, Delta.from_array(_random(2), (0, 0, 0)))
    assert np.array_equal(mask.voxels, copy)


def test_no_difference_is_no_delta():
    assert Delta.from_array(np.zeros(SHAPE, dtype=bool), (0, 0, 0)) is None


def test_a_sixty_dab_stroke_takes_less_than_a_kilobyte():
    array = np.zeros((1, 512, 512), dtype=bool)
    j, i = np.ogrid[:512, :512]
    for n in range(60):
        array[0] |= (j - 100 - 3 * n) ** 2 + (i - 200 - 2 * n) ** 2 <= 144
    assert len(Delta.from_array(array, (150, 0, 0)).bits) < 1000


@pytest.mark.parametrize("bits", [b"", b"nonsense", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_bits_that_are_not_those_of_the_box_are_refused(bits):
    with pytest.raises(ValueError, match="delta"):
        Delta((0, 0, 0), (2, 2, 4), bits).to_array()


def test_a_forged_delta_cannot_inflate_beyond_its_box():
    import zlib

    bomb = Delta((0, 0, 0), (2, 2, 4), zlib.compress(b"\xff" * 10_000_000))
    with pytest.raises(ValueError, match="as many bits"):
        bomb.to_array()


@pytest.mark.parametrize(("origin", "shape"), [((-1, 0, 0), (1, 1, 1)), ((0, 0, 0), (1, 0, 1))])
def test_a_delta_has_a_box(origin, shape):
    with pytest.raises(ValueError, match="box"):
        Delta(origin, shape, b"")


def test_equal_looks_at_voxels_not_at_the_box():
    array = _random(5)
    loose = Mask((0, 0, 0), array.copy())
    assert equal(loose, Mask.from_array(array))
    array[tuple(np.argwhere(array)[0])] = False
    assert not equal(loose, Mask.from_array(array))
    assert equal(empty_mask(), Mask((2, 2, 2), np.zeros((1, 1, 1), dtype=bool)))


def test_shift_and_inside():
    mask = Mask((1, 1, 1), np.ones((2, 2, 2), dtype=bool))
    moved = shift(mask, (4, 0, -1))
    assert moved.origin_kji == (5, 1, 0)
    assert inside(moved.box, (7, 9, 11))
    assert not inside(shift(moved, (1, 0, 0)).box, (7, 9, 11))
    assert not inside(shift(moved, (0, 0, -1)).box, (7, 9, 11))
    assert shift(empty_mask(), (1, 1, 1)).voxels.size == 0
