"""The two forms in which the voxels of a stroke are kept: exact, small, and not to be forged."""

import itertools
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.annotate import packed
from viewer.annotate.mask import Delta, empty_mask
from viewer.tools.brush import Brush, Stroke

SHAPE = (3, 4, 5)


def _bits(array):
    return zlib.compress(np.packbits(array, axis=None).tobytes(), 9)


def _runs(tag, *columns):
    deflater = zlib.compressobj(wbits=-15)
    return bytes([tag]) + deflater.compress(bytes(itertools.chain(*columns))) + deflater.flush()


@given(
    st.integers(0, 100_000),
    st.tuples(
        st.integers(1, 17), st.integers(1, 17), st.sampled_from([1, 2, 9, 40, 254, 255, 300])
    ),
    st.sampled_from([0.0, 0.003, 0.02, 0.5, 0.97, 1.0]),
)
def test_any_voxels_come_back(seed, shape, share):
    array = np.random.default_rng(seed).random(shape) < share
    for turned in (array, np.sort(array, axis=seed % 3)):
        assert np.array_equal(packed.unpack(packed.pack(turned), shape), turned)


@pytest.mark.parametrize("tag", [1, 2, 3])
def test_each_way_of_the_rows_is_exact(tag):
    k, j, i = np.ogrid[:20, :30, :40]
    array = ((k - 9) / 9) ** 2 + ((j - 15) / 14) ** 2 + ((i - 20) / 19) ** 2 <= 1
    array[8:11, 10:14, 5:33] = False
    made = packed._pack_runs(array, tag)
    assert made[0] == tag
    assert np.array_equal(packed.unpack(made, array.shape), array)


def test_what_earlier_versions_wrote_is_read():
    array = np.random.default_rng(0).random(SHAPE) < 0.4
    assert np.array_equal(packed.unpack(_bits(array), SHAPE), array)


def test_a_ball_swept_in_sixty_dabs_takes_less_than_a_kilobyte():
    affine = np.diag([0.7, 0.7, 1.25, 1.0])[:, [2, 1, 0, 3]]
    sizes, bits = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        brush = Brush(20.0, "ball", 0, "add")
        stroke = Stroke((100, 200, 200), affine, brush, "h1", empty_mask(), None)
        at, way = rng.uniform((40, 80, 80), (60, 100, 100)), rng.uniform(-1, 1, 3)
        for dab in range(60):
            stroke.move_to(at + way * dab * 0.8)
        delta = stroke.delta(empty_mask())
        assert np.array_equal(packed.unpack(delta.bits, delta.shape_kji), delta.to_array())
        sizes.append(len(delta.bits))
        bits.append(len(_bits(delta.to_array())))
    assert max(sizes) < 1024
    assert np.median(sizes) < 0.55 * np.median(bits)


def test_noise_is_kept_bit_by_bit():
    array = np.random.default_rng(0).random((10, 40, 40)) < 0.5
    made = packed.pack(array)
    assert made[0] & 15 == 8  # a zlib stream
    assert len(made) < array.size / 8 + 50


@pytest.mark.parametrize(
    "forged",
    [
        b"\x01",
        b"\x02nonsense",
        _runs(1, [1] * 12, [0] * 12),  # the ends are missing
        _runs(1, [1] + [0] * 11, [0], [6]),  # behind the box
        _runs(1, [1] + [0] * 11, [3], [3]),  # a run of nothing
        _runs(1, [1] + [0] * 11, [3], [2]),  # one that ends before it begins
        _runs(1, [2] + [0] * 11, [0, 1], [3, 2]),  # two that overlap
        _runs(2, [1] + [0] * 14, [0], [5]),  # along j there are four
        _runs(1, [0] * 12, [0] * 10_000),
    ],
)
def test_runs_that_are_not_those_of_the_box_are_refused(forged):
    with pytest.raises(ValueError, match="delta"):
        Delta((0, 0, 0), SHAPE, forged).to_array()


def test_forged_runs_cannot_inflate_beyond_their_box():
    with pytest.raises(ValueError, match="delta"):
        packed.unpack(_runs(1, [0] * 50_000_000), SHAPE)
