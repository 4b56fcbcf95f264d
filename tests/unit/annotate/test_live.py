"""The quick measurement gives what the plain one gives."""

import numpy as np
import pytest

from inference.findings import Mask
from inference.measure import measure
from tests.annotate_cases import affine, ball
from tests.grids import random_axes
from viewer.annotate.live import measure_live


def _same(mask, transform, voxels=None):
    quick, plain = measure_live(mask, transform, voxels), measure(mask, transform, voxels)
    assert (quick.diameter_mm, quick.short_axis_mm) == (plain.diameter_mm, plain.short_axis_mm)
    assert quick.volume_ml == plain.volume_ml
    assert quick.centre_lps_mm == pytest.approx(plain.centre_lps_mm, abs=1e-9)
    assert quick.mean_value == pytest.approx(plain.mean_value, nan_ok=True)


def _turned(seed, spacing):
    out = np.eye(4)
    out[:3, :3] = random_axes(seed) * spacing
    out[:3, 3] = (3.0, -4.0, 5.0)
    return out


@pytest.mark.parametrize("seed", range(40))
def test_any_shape_in_any_voxels(seed):
    rng = np.random.default_rng(seed)
    shape = (14, 24, 26)
    array = np.zeros(shape, dtype=bool)
    for _ in range(int(rng.integers(1, 5))):
        array |= ball(rng.uniform(0, shape), rng.uniform(0.6, 8), shape, (2.0, 0.7, 0.8))
    array |= rng.random(shape) < rng.choice([0.0, 0.002, 0.05])
    array[tuple(rng.integers(0, shape))] = True
    transform = _turned(seed, rng.uniform(0.4, 3.0, 3))
    voxels = rng.integers(-1000, 1000, shape).astype(np.int16)
    _same(Mask.from_array(array), transform, voxels)
    _same(Mask.from_array(array), transform, voxels.view(np.uint16))
    _same(Mask.from_array(array), transform, rng.normal(size=shape).astype(np.float32))
    _same(Mask((0, 0, 0), array), transform)


@pytest.mark.parametrize("index", [(0, 0, 0), (3, 4, 5)])
def test_a_single_voxel(index):
    array = np.zeros((4, 5, 6), dtype=bool)
    array[index] = True
    _same(Mask.from_array(array), affine())


def test_an_empty_mask_has_no_size():
    with pytest.raises(ValueError, match="empty"):
        measure_live(Mask.from_array(np.zeros((2, 2, 2), dtype=bool)), affine())


def test_a_long_chord_between_two_directions_is_not_overlooked():
    # Seen from each sixteenth of a half turn, the bar is wider than the slanting line is; but
    # the line, between two of these directions, is the longer one.
    array = np.zeros((2, 130, 130), dtype=bool)
    along = np.arange(102)
    array[0, np.rint(along * 10 / 101).astype(int), along] = True
    array[1, 5:115, 60] = True
    transform = np.eye(4)
    transform[:3, :3] = np.eye(3)[:, ::-1] * (1.0, 0.931, 1.0)
    line, bar = (measure(Mask.from_array(array[n : n + 1]), transform) for n in (0, 1))
    assert bar.diameter_mm < line.diameter_mm < bar.diameter_mm * 1.001
    _same(Mask.from_array(array), transform)
