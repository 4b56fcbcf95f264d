"""The small copy of a volume and what is seen of it."""

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm
from inference.volume import Volume
from viewer.display.grey import Window
from viewer.display.oblique import frame_of, turned
from viewer.display.planes import make_planes
from viewer.display.projection import coarse, project


def _volume(seed=0):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * [2.5, 0.8, 0.8]
    affine[:3, 3] = (5, -70, 30)
    voxels = np.full((40, 100, 90), -1000, dtype=np.int16)
    voxels[30, 20, 70] = 1000
    return Volume(voxels, affine, "CT", "HU"), kji_to_lps_mm(affine, (30, 20, 70))


@pytest.mark.parametrize("seed", range(4))
def test_a_bright_voxel_is_seen_where_it_lies_from_any_side(seed):
    volume, place = _volume(seed)
    small = coarse(volume, 3.5, Window(0, 1000))
    assert small.grey.max() == 255
    assert (small.grey > 0).sum() == 1, "one block"
    rng = np.random.default_rng(seed)
    frame = frame_of(make_planes(volume.shape_kji, volume.affine)["coronal"])
    for _ in range(5):
        frame = turned(frame, rng.normal(size=3), 1.0)
        seen = project(small, frame)
        assert seen.shape[0] == seen.shape[1]
        row, column = np.argwhere(seen == 255).mean(axis=0) + 0.5
        pixel = 2 * small.radius_mm / len(seen)
        away = place - small.centre_lps_mm
        expected = np.array([away @ frame[1], away @ frame[0]]) + small.radius_mm
        assert np.abs(np.array([row, column]) * pixel - expected).max() < 3.6


def test_it_is_the_highest_value_along_each_line():
    volume = Volume(
        np.random.default_rng(1).integers(0, 255, (20, 20, 20)).astype(np.int16),
        np.diag([4.0, 4.0, 4.0, 1.0])[:, [2, 1, 0, 3]],
        "MR",
    )
    small = coarse(volume, 4.0, Window(128, 256))
    frame = frame_of(make_planes(volume.shape_kji, volume.affine)["coronal"])
    seen = project(small, frame)
    highest = small.grey[1:-1, 1:-1, 1:-1].max(axis=1)[::-1]  # from the front, head up
    size = len(seen)
    # The block that the middle of each pixel lies in, from the middle of the volume.
    place = (np.arange(size) + 0.5 - size / 2) * 2 * small.radius_mm / size / 4.0 + 10
    block = np.floor(place)
    sure = np.abs(place - np.rint(place)) > 0.02  # not between two blocks
    inside = np.flatnonzero((block >= 0) & (block < 20) & sure)
    assert len(inside) >= 15
    at = block[inside].astype(int)
    np.testing.assert_array_equal(seen[np.ix_(inside, inside)], highest[np.ix_(at, at)])
    assert seen[0, 0] == 0


def test_it_is_given_up_when_nobody_waits_any_more():
    volume, _ = _volume()
    assert coarse(volume, 3.5, Window(0, 1000), lambda: True) is None
    small = coarse(volume, 3.5, Window(0, 1000))
    frame = frame_of(make_planes(volume.shape_kji, volume.affine)["axial"])
    assert project(small, frame, lambda: True) is None
