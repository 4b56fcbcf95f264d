"""A box and other findings limit what a tool may change; nothing else is touched."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.findings import Mask
from viewer.annotate.mask import empty_mask, equal
from viewer.tools.limits import clipped, limited

SHAPE = (6, 8, 7)
side = st.tuples(st.integers(0, 5), st.integers(1, 8))


def some(seed, share=0.4):
    return np.random.default_rng(seed).random(SHAPE) < share


@given(st.integers(0, 10**6), side, side, side, st.booleans())
def test_outside_the_box_all_stays_and_inside_it_is_as_the_tool_had_it(seed, k, j, i, boxed):
    before, after, other = (some(seed + n) for n in range(3))
    box = tuple(slice(a, a + n) for a, n in (k, j, i)) if boxed else None
    made = limited(
        Mask.from_array(before), Mask.from_array(after), box, (Mask.from_array(other),)
    ).to_array(SHAPE)
    inside = np.ones(SHAPE, dtype=bool)
    if boxed:
        inside[:] = False
        inside[box] = True
    wanted = np.where(inside, np.where(other & ~before, before, after), before)
    np.testing.assert_array_equal(made, wanted)


@given(st.integers(0, 10**6), side, side, side)
def test_what_lies_in_a_box(seed, k, j, i):
    array = some(seed)
    box = tuple(slice(a, a + n) for a, n in (k, j, i))
    wanted = np.zeros(SHAPE, dtype=bool)
    wanted[box] = array[box]
    np.testing.assert_array_equal(clipped(Mask.from_array(array), box).to_array(SHAPE), wanted)


def test_an_outline_that_is_not_changed_is_the_same_object():
    mask = Mask.from_array(some(3))
    assert limited(mask, mask) is mask
    nothing = limited(mask, empty_mask(), (slice(0, 0), slice(0, 1), slice(0, 1)))
    assert equal(nothing, mask)
