from __future__ import annotations

import numpy as np
import pytest

from inference.runtime.candidates import FLOOR, find_candidates

CELL = (2.0, 0.7, 0.7)


def _blob(shape, centre_mm, radius_mm, height, cell=CELL):
    places = np.moveaxis(np.indices(shape), 0, -1) * cell
    distance = np.linalg.norm(places - centre_mm, axis=-1)
    return (height / (1 + np.exp((distance - radius_mm) / 0.6))).astype(np.float32)


def test_two_blobs_are_two_candidates_the_hotter_first():
    heat = np.maximum(
        _blob((20, 80, 80), (12, 15, 15), 4, 0.5), _blob((20, 80, 80), (25, 40, 40), 6, 0.9)
    )
    found = find_candidates(heat, CELL)
    assert [round(one.peak, 1) for one in found] == [0.9, 0.5]
    k, j, i = ((b.start + b.stop - 1) / 2 for b in found[0].box)
    assert (k * 2, j * 0.7, i * 0.7) == pytest.approx((25, 40, 40), abs=1.1)


def test_blobs_that_touch_are_split_at_their_waist():
    shape = (20, 80, 80)
    heat = np.maximum(_blob(shape, (20, 20, 22), 6, 0.95), _blob(shape, (20, 20, 35.5), 6, 0.95))
    assert (heat[10, 29, 42] > FLOOR) and heat[10, 29, 42] < 0.6
    first, second = find_candidates(heat, CELL)
    assert first.mask.sum() == pytest.approx(second.mask.sum(), rel=0.1)


def test_a_lobed_blob_stays_whole():
    shape = (20, 80, 80)
    heat = np.maximum(_blob(shape, (20, 20, 22), 6, 0.95), _blob(shape, (20, 20, 29), 6, 0.95))
    assert len(find_candidates(heat, CELL)) == 1


def test_faint_heat_small_heat_and_no_heat_are_no_candidates():
    shape = (20, 40, 40)
    assert find_candidates(_blob(shape, (20, 14, 14), 5, 0.18), CELL) == []
    speck = np.zeros(shape, dtype=np.float32)
    speck[5, 5, 5] = 0.9
    assert find_candidates(speck, CELL) == []
    assert find_candidates(np.zeros(shape, dtype=np.float32), CELL) == []


def test_heat_over_half_a_lung_is_no_candidate():
    assert find_candidates(np.full((4, 120, 120), 0.9, dtype=np.float32), CELL) == []
