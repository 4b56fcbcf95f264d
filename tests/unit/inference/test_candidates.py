from __future__ import annotations

import numpy as np
import pytest
import torch

from inference.runtime.candidates import FLOOR, find_candidates
from inference.runtime.cubes import CUBE_KJI, CUBE_MM, cube
from inference.runtime.detect import level_of, outline
from inference.runtime.prepare import Grid

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


def test_an_outline_is_the_blob_at_half_its_peak_in_voxels():
    grid = Grid.over((slice(3, 23), slice(10, 80), slice(20, 90)), (2.0, 0.8, 0.8))
    heat = _blob((20, *grid.size_px), (20, 28, 28), 9, 0.9, grid.cell_kji_mm)
    (candidate,) = find_candidates(heat, grid.cell_kji_mm)
    mask = outline(candidate, heat, grid)
    volume = mask.count * 2.0 * 0.8 * 0.8
    assert volume == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.06)
    centre = np.argwhere(mask.voxels).mean(axis=0) + mask.origin_kji
    assert centre == pytest.approx((13, 44.5, 54.5), abs=0.6)


def test_an_outline_has_no_holes_and_one_piece():
    grid = Grid.over((slice(0, 12), slice(0, 60), slice(0, 60)), (2.0, 0.7, 0.7))
    heat = _blob((12, 60, 60), (12, 20, 20), 8, 0.9)
    heat[5:8, 27:30, 27:30] = 0.2
    (candidate,) = find_candidates(heat, grid.cell_kji_mm)
    mask = outline(candidate, heat, grid).to_array((12, 60, 60))
    assert mask[6, 28, 28]


def test_the_level_of_an_outline_is_half_of_the_readers_at_most():
    assert level_of(1.0) == 0.5
    assert level_of(0.6) == pytest.approx(0.3)
    assert level_of(0.2) == 0.15


def test_a_cube_shows_the_candidate_in_its_middle_at_its_own_size():
    heat = _blob((20, 90, 90), (20, 30, 33), 8, 0.9)
    (candidate,) = find_candidates(heat, CELL)
    out = cube(heat, heat, candidate, CELL)
    assert out.shape == (2, *CUBE_KJI)
    assert torch.equal(out[0], out[1])
    volume = float((out[0] > 0.45).sum()) * np.prod(CUBE_MM)
    assert volume == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.1)
    centre = np.argwhere(out[0].numpy() > 0.45).mean(axis=0)
    assert centre == pytest.approx((np.array(CUBE_KJI) - 1) / 2, abs=0.7)


def test_a_cube_never_shows_slices_beyond_the_candidate():
    heat = _blob((20, 60, 60), (20, 20, 20), 5, 0.9)
    (candidate,) = find_candidates(heat, CELL)
    changed = np.full_like(heat, 0.7)
    own = candidate.box[0]
    changed[own] = heat[own]
    assert torch.equal(cube(heat, heat, candidate, CELL), cube(changed, heat, candidate, CELL))


def test_a_cube_at_the_edge_of_a_scan_is_filled_with_air():
    heat = _blob((20, 60, 60), (20, 1, 20), 5, 0.9)
    (candidate,) = find_candidates(heat, CELL)
    out = cube(np.ones_like(heat), heat, candidate, CELL)
    assert float(out[0, :, :10].max()) == 0
    assert float(out[0, :, 25:, 20].min()) == pytest.approx(1)
