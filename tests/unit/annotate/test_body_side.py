"""The half of the body follows from patient space, however a volume is stored; else silence."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from inference.geometry import kji_to_lps_mm
from inference.volume import Volume
from viewer.annotate.body_side import BodyHalves, body_side

SHAPE = (12, 90, 110)  # to the head, to the back, to the left
BASE = np.array([[0, 0, 4.0, -218.0], [0, 4.0, 0, -178.0], [5.0, 0, 0, -30.0], [0, 0, 0, 1.0]])


def trunk(shift=0, *, arms=(), width=38, table=True):
    """A trunk of soft tissue with lungs of air, ``shift`` columns to the left of the middle."""
    j, i = np.indices(SHAPE[1:])
    body = ((i - 54.5 - shift) / width) ** 2 + ((j - 44) / 26) ** 2 <= 1
    plane = np.full(SHAPE[1:], -1000, np.int16)
    plane[body] = 40
    for side in (-1, 1):
        plane[((i - 54.5 - shift - side * 18) / 12) ** 2 + ((j - 44) / 18) ** 2 <= 1] = -850
    if table:
        plane[76:78, 5:105] = 200
    for middle in arms:
        plane[((i - middle) / 5) ** 2 + ((j - 44) / 8) ** 2 <= 1] = 30
    return np.repeat(plane[None], SHAPE[0], axis=0)


def volume(voxels, affine=BASE, **more):
    fields = {"voxels": voxels, "affine": affine, "modality": "CT", "unit": "HU", **more}
    return Volume(**fields)


def at(k, j, i):
    return tuple(float(x) for x in kji_to_lps_mm(BASE, (k, j, i)))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flip", list(itertools.product((1, -1), repeat=3)))
def test_the_half_is_that_of_the_patient_in_every_axis_order(order, flip):
    array = np.transpose(trunk(), order)
    columns, origin = BASE[:3, list(order)].copy(), BASE[:3, 3].copy()
    for axis in range(3):
        if flip[axis] < 0:
            array = np.flip(array, axis)
            origin = origin + columns[:, axis] * (array.shape[axis] - 1)
            columns[:, axis] *= -1
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = columns, origin
    stored = volume(np.ascontiguousarray(array), affine)
    assert body_side(stored, at(6, 44, 36)) == "right"
    assert body_side(stored, at(6, 44, 73)) == "left"
    assert body_side(stored, at(6, 44, 55)) is None  # the middle


@pytest.mark.parametrize("shift", [-14, 0, 14])
def test_the_middle_is_that_of_the_body_not_of_the_image(shift):
    stored = volume(trunk(shift))
    for i in range(55 + shift - 30, 55 + shift + 31, 6):
        off_mm = (i - 54.5 - shift) * 4
        wanted = None if abs(off_mm) < 24 else "left" if off_mm > 0 else "right"
        if abs(abs(off_mm) - 24) > 5:
            assert body_side(stored, at(6, 44, i)) == wanted, off_mm


def test_arms_and_table_do_not_move_the_middle():
    stored = volume(trunk(-6, arms=(102,), width=36))
    assert body_side(stored, at(6, 44, 36)) == "right"
    assert body_side(stored, at(6, 44, 62)) == "left"


@pytest.mark.parametrize(
    "more",
    [{"unit": ""}, {"placed": False}, {"in_mm": False}],
)
def test_without_proof_there_is_no_side(more):
    assert body_side(replace(volume(trunk()), **more), at(6, 44, 36)) is None


def test_a_body_that_the_image_cuts_off_has_no_known_middle():
    assert body_side(volume(trunk(-26)), at(6, 44, 20)) is None
    assert body_side(volume(trunk(width=70)), at(6, 44, 20)) is None


def test_a_head_a_missing_slice_and_a_slanted_volume_are_silent():
    assert body_side(volume(trunk(width=12, table=False)), at(6, 44, 47)) is None
    assert body_side(volume(trunk()), at(6, 44, 36), lambda k: k != 7) is None
    turn = np.radians(40)
    slanted = np.eye(4)
    slanted[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    assert body_side(volume(trunk(), slanted @ BASE), at(6, 44, 36)) is None


def test_it_is_told_in_words_and_asked_once():
    halves, asked = BodyHalves(), []

    def has(k):
        asked.append(k)
        return True

    stored = volume(trunk())
    assert halves.text(stored, at(6, 44, 36), has) == "right half of the body"
    assert halves.text(stored, at(6, 44, 73), has) == "left half of the body"
    assert halves.text(stored, at(6, 44, 54), has) == ""
    count = len(asked)
    halves.text(stored, at(6, 44, 36), has)
    assert len(asked) == count
