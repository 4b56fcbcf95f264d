"""Points that correct an outline, and boxes, through the real pipe; a scripted outliner answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from inference.client import ModelProcess
from inference.findings import Mask
from inference.geometry import kji_to_lps_mm
from inference.refine import Click
from inference.surroundings import REACH_KJI_MM, surroundings, surroundings_of

from .test_outline_request import COMMAND, SHAPE, pack, volume

__all__ = ["pack", "volume"]


@pytest.fixture(scope="module")
def process():
    with ModelProcess(COMMAND) as one:
        one.start()
        yield one


def body(low, high):
    return Mask(tuple(low), np.ones(np.subtract(high, low), dtype=bool))


@pytest.mark.parametrize("low", [(0, 0, 0), (20, 100, 120), (44, 250, 240)])
def test_outline_and_points_come_back_in_indices_of_the_volume(process, volume, pack, low):
    mask = body(low, np.add(low, (4, 6, 8)))
    inner, outer = tuple(np.add(low, (1, 2, 3))), tuple(np.add(low, (4, 3, 3)))
    clicks = [Click(inner, False), Click(outer, True)]
    found = process.refine(volume, pack, "cpu", mask, clicks)
    wanted = mask.to_array(SHAPE)
    wanted[inner], wanted[outer] = False, True
    np.testing.assert_array_equal(found.mask.to_array(SHAPE), wanted)
    # The voxels that were sent are those of the same places.
    assert found.score == float(volume.voxels[inner]) + float(volume.voxels[outer])
    assert found.device.startswith("CPU")


def test_a_point_far_off_has_its_surroundings_too(process, volume, pack):
    mask, far = body((2, 2, 2), (4, 4, 4)), (49, 259, 249)
    found = process.refine(volume, pack, "cpu", mask, [Click(far, True)])
    assert found.mask.to_array(SHAPE)[far]


def test_only_what_lies_round_them_is_sent(volume):
    reach = [math.ceil(mm / s) + 1 for mm, s in zip(REACH_KJI_MM, (2.5, 0.8, 0.7), strict=True)]
    box = (slice(0, 1), slice(0, 1), slice(0, 1))
    voxels, affine, origin = surroundings_of(volume, box, [(0, 0, 0)])
    assert voxels.shape == tuple(reach)
    assert origin == (0, 0, 0)
    at_point = surroundings(volume, tuple(kji_to_lps_mm(volume.affine, (0, 0, 0))))
    np.testing.assert_array_equal(at_point[0], voxels)
    np.testing.assert_allclose(affine, volume.affine)


def test_a_box_is_sent_in_the_indices_of_what_is_sent(process, volume, pack):
    box = (slice(30, 34), slice(200, 210), slice(150, 161))
    point = kji_to_lps_mm(volume.affine, (32, 205, 155))
    found = process.outline(volume, pack, "cpu", point, box=box)
    wanted = np.zeros(SHAPE, dtype=bool)
    wanted[box] = True
    np.testing.assert_array_equal(found.mask.to_array(SHAPE), wanted)
    assert found.score < volume.voxels.size
