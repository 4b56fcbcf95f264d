"""Another lesion in a crop is never shown as an example of "no nodule"."""

from __future__ import annotations

import numpy as np
import pytest

from inference.training import neighbours
from inference.training.data import Nodule
from resources.problem import Problem

NODULE = Nodule("P", "n", 2, 5, 1, 1.0, 2.0, 8.0, float("nan"), float("nan"))
SHAPE = (6, 128, 128)


def _others():
    others = np.zeros(SHAPE, bool)
    others[3, 40:44, 40:44] = True
    return others


def test_places_next_to_another_lesion_go_in_all_slices_of_the_crop():
    places = np.array([[2, 42, 42], [4, 48, 42], [4, 51, 42], [0, 42, 42], [5, 42, 42]])
    kept = neighbours.clear(places, _others(), (NODULE,))
    assert kept.tolist() == [[4, 51, 42], [0, 42, 42], [5, 42, 42]]


def test_without_a_word_on_others_all_stay(tmp_path):
    places = np.array([[2, 42, 42]])
    assert neighbours.load(tmp_path, SHAPE) is None
    assert neighbours.clear(places, None, (NODULE,)) is places


def test_the_file_is_read_and_checked(tmp_path):
    np.savez_compressed(tmp_path / neighbours.FILE, masks=_others().astype(np.uint8))
    assert np.array_equal(neighbours.load(tmp_path, SHAPE), _others())
    with pytest.raises(Problem, match="other crops"):
        neighbours.load(tmp_path, (7, 128, 128))
    (tmp_path / neighbours.FILE).write_bytes(b"nothing")
    with pytest.raises(Problem, match="damaged"):
        neighbours.load(tmp_path, SHAPE)
