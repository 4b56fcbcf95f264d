"""Where a lesion lies must follow from the patient, however the volume is stored."""

import itertools

import numpy as np
import pytest

from inference import geometry
from inference.findings import Mask
from tests.annotate_cases import affine
from viewer.annotate.place import LungMap, Place, place

SHAPE = (30, 40, 60)
SPACING = (3.0, 2.0, 2.0)


def _lungs():
    """Masks for an upright, unflipped volume: k to the head, i to the patient's left."""
    right, left = np.zeros((2, *SHAPE), dtype=bool)
    right[3:27, 5:35, 4:24] = True
    left[3:27, 5:35, 36:56] = True
    return right, left


def _stored(flip, order):
    """The same patient in another order and sense of the axes: arrays and their affine."""
    base = affine(SPACING)
    arrays = [np.transpose(a, order) for a in _lungs()]
    columns = base[:3, :3][:, list(order)]
    origin = base[:3, 3].copy()
    for axis in range(3):
        if flip[axis] < 0:
            arrays = [np.flip(a, axis) for a in arrays]
            origin = origin + columns[:, axis] * (arrays[0].shape[axis] - 1)
            columns[:, axis] *= -1
    turned = np.eye(4)
    turned[:3, :3], turned[:3, 3] = columns, origin
    return {"right": Mask.from_array(arrays[0]), "left": Mask.from_array(arrays[1])}, turned


POINTS = {
    (24, 20, 10): ("right", "upper"),
    (15, 20, 10): ("right", "middle"),
    (5, 20, 10): ("right", "lower"),
    (24, 20, 50): ("left", "upper"),
    (15, 20, 50): ("left", "middle"),
    (5, 20, 50): ("left", "lower"),
    # Just outside of the mask: at the pleura.
    (24, 20, 1): ("right", "upper"),
    (28, 20, 50): ("left", "upper"),
    # Mediastinum, nearer to the left lung.
    (15, 20, 33): ("left", "middle"),
}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flip", list(itertools.product((1, -1), repeat=3)))
def test_side_and_level_follow_the_patient(flip, order):
    masks, stored = _stored(flip, order)
    lungs = LungMap(masks, stored)
    for point, wanted in POINTS.items():
        point_lps_mm = tuple(geometry.kji_to_lps_mm(affine(SPACING), point))
        found = lungs.place(point_lps_mm)
        assert (found.side, found.level) == wanted


def test_an_oblique_volume():
    masks, stored = _stored((1, 1, 1), (0, 1, 2))
    angle = 0.3
    turn = np.eye(4)
    turn[:3, :3] = [
        [1, 0, 0],
        [0, np.cos(angle), -np.sin(angle)],
        [0, np.sin(angle), np.cos(angle)],
    ]
    lungs = LungMap(masks, turn @ stored)
    corners = np.argwhere(masks["right"].to_array(SHAPE))
    z = geometry.kji_to_lps_mm(turn @ stored, corners)[:, 2]
    for point in corners[:: len(corners) // 200]:
        at = tuple(geometry.kji_to_lps_mm(turn @ stored, point))
        third = (at[2] - z.min()) / (z.max() - z.min())
        if min(abs(third - 1 / 3), abs(third - 2 / 3)) < 0.03:
            continue
        wanted = "lower" if third < 1 / 3 else "middle" if third < 2 / 3 else "upper"
        assert lungs.place(at) == Place("right", wanted)


def test_far_from_both_lungs_nothing_is_said():
    masks, stored = _stored((1, 1, 1), (0, 1, 2))
    far = tuple(geometry.kji_to_lps_mm(stored, (15, 20, -30)))
    assert place(far, masks, stored) == Place(None, None)
    assert place(far, masks, stored).text() == ""


def test_without_lungs_nothing_is_said():
    nothing = Mask.from_array(np.zeros((2, 2, 2), dtype=bool))
    assert place((0.0, 0.0, 0.0), {}, affine()).text() == ""
    assert place((0.0, 0.0, 0.0), {"right": nothing}, affine()).text() == ""


def test_words():
    assert Place("right", "upper").text() == "right, upper third"
    sides, levels = ("right", "left"), ("upper", "middle", "lower")
    texts = {Place(s, v).text() for s in sides for v in levels}
    assert len(texts) == 6


def test_a_map_measures_anew_only_what_changed():
    masks, stored = _stored((1, 1, 1), (0, 1, 2))
    first = LungMap(masks, stored)
    top = masks["left"].to_array(SHAPE)
    top[3:15] = False
    changed = {"right": masks["right"], "left": Mask.from_array(top)}
    second = LungMap(changed, stored, first)
    low = tuple(geometry.kji_to_lps_mm(stored, (16, 20, 50)))
    assert first.place(low) == Place("left", "middle")
    assert second.place(low) == Place("left", "lower")
    assert second._height_mm["right"] is first._height_mm["right"]
