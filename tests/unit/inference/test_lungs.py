from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm, lps_mm_to_kji
from inference.runtime.lungs import find_lungs

LUNG_ML = 4 / 3 * np.pi * 60 * 80 * 100 / 1000


def _centre_lps_mm(mask, affine):
    return kji_to_lps_mm(affine, np.argwhere(mask).mean(axis=0))


def _ml(mask, volume):
    return mask.sum() * abs(np.linalg.det(volume.affine[:3, :3])) / 1000


COARSE = {"spacing_kji_mm": (5.0, 2.0, 2.0), "shape_kji": (42, 116, 154)}
LAID = [(flips, False) for flips in product((False, True), repeat=3)]
LAID += [((False, False, False), True), ((True, False, True), True)]


@pytest.mark.parametrize(("flips", "transpose"), LAID)
def test_sides_follow_the_patient_however_the_slices_lie(make_chest, flips, transpose):
    chest = make_chest(**COARSE, flip_kji=flips, transpose=transpose)
    lungs = find_lungs(chest.volume.voxels, chest.volume.affine)
    right = _centre_lps_mm(lungs.right, chest.volume.affine)
    left = _centre_lps_mm(lungs.left, chest.volume.affine)
    assert np.linalg.norm(right - chest.right_lps_mm) < 4
    assert np.linalg.norm(left - chest.left_lps_mm) < 4
    for side in (lungs.right, lungs.left):
        assert _ml(side, chest.volume) == pytest.approx(LUNG_ML, rel=0.06)
    assert not (lungs.right & lungs.left).any()


def test_a_nodule_belongs_to_its_lung_and_to_the_search(chest):
    lungs = find_lungs(chest.volume.voxels, chest.volume.affine)
    k, j, i = np.round(lps_mm_to_kji(chest.volume.affine, chest.nodule_lps_mm)).astype(int)
    assert lungs.left[k, j, i]
    assert lungs.search[k, j, i]
    assert not (lungs.right & ~lungs.search).any()


def test_the_trachea_belongs_to_neither_lung(chest):
    lungs = find_lungs(chest.volume.voxels, chest.volume.affine)
    k, j, i = np.round(lps_mm_to_kji(chest.volume.affine, (0, -20, 60))).astype(int)
    assert chest.volume.voxels[k, j, i] < -900
    assert not lungs.right[k, j, i] and not lungs.left[k, j, i]


def test_lungs_that_touch_are_cut_between_them(make_chest):
    chest = make_chest(**COARSE, touching=True)
    lungs = find_lungs(chest.volume.voxels, chest.volume.affine)
    volumes = [_ml(side, chest.volume) for side in (lungs.right, lungs.left)]
    assert volumes == pytest.approx([LUNG_ML, LUNG_ML], rel=0.08)


def test_one_lung_is_told_to_its_side(chest):
    voxels = chest.volume.voxels.copy()
    x = kji_to_lps_mm(chest.volume.affine, np.moveaxis(np.indices(voxels.shape), 0, -1))[..., 0]
    voxels[(voxels < -500) & (x > 3) & (x < 140)] = 30
    lungs = find_lungs(voxels, chest.volume.affine)
    assert _ml(lungs.right, chest.volume) == pytest.approx(LUNG_ML, rel=0.06)
    assert not lungs.left.any()


@pytest.mark.parametrize("value", [-1024, 0, 40, 3000])
def test_a_volume_of_one_value_has_no_lungs(chest, value):
    voxels = np.full(chest.volume.shape_kji, value, dtype=np.int16)
    assert not find_lungs(voxels, chest.volume.affine).found
