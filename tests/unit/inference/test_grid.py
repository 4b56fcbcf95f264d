from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.runtime.grid import Grid, box_of, to_voxels
from inference.runtime.intensity import to_unit
from inference.runtime.slices import NEIGHBOURS, stride
from inference.runtime.stack import MULTIPLE, Stack
from tests.stacks import middles


def _smooth(shape):
    k, j, i = np.indices(shape) / np.array(shape).reshape(3, 1, 1, 1)
    return (-500 + 400 * np.sin(5 * j + 2 * k) * np.cos(4 * i)).astype(np.int16)


@given(
    st.floats(0.45, 5.0),
    st.floats(0.35, 1.4),
    st.floats(0.35, 1.4),
    st.integers(0, 3),
    st.integers(0, 6),
)
def test_there_and_back_changes_a_smooth_volume_little(gap, row, column, k0, j0):
    voxels = _smooth((14, 60, 70))
    grid = Grid.over((slice(k0, 13), slice(j0, 57), slice(2, 70)), (gap, row, column))
    stack = Stack(voxels, grid)
    back = to_voxels(middles(stack), grid)
    inner = (slice(None), slice(3, -3), slice(3, -3))
    wanted = to_unit(voxels[grid.box])
    assert back.shape == wanted.shape
    assert np.abs(back - wanted)[inner].max() < 0.02


def test_a_grid_has_its_pixel_size_whatever_the_volume_has():
    for mm in (0.4, 0.7, 0.98):
        grid = Grid.over((slice(0, 9), slice(0, 400), slice(0, 333)), (2.0, mm, mm))
        assert grid.cell_kji_mm[1:] == pytest.approx((0.7, 0.7), rel=0.005)


def test_a_box_of_voxels_brings_the_same_values_as_the_whole():
    voxels = _smooth((12, 50, 60))
    grid = Grid.over((slice(1, 12), slice(4, 50), slice(0, 57)), (0.7, 0.9, 0.6))
    planes = middles(Stack(voxels, grid))
    whole = to_voxels(planes, grid)
    box = (slice(3, 9), slice(10, 31), slice(5, 40))
    part = to_voxels(planes, grid, box)
    assert np.allclose(part, whole[2:8, 6:27, 5:40], atol=1e-6)
    cells = (slice(1, 5), slice(10, 40), slice(8, 50))
    piece = to_voxels(planes[cells], grid, box, (1, 10, 8))
    assert np.allclose(piece[2:4, 8:12, 10:20], part[2:4, 8:12, 10:20], atol=1e-6)


def test_the_voxels_of_cells_hold_every_voxel_that_they_reach():
    grid = Grid.over((slice(2, 30), slice(5, 90), slice(0, 80)), (0.6, 0.5, 0.97))
    cells = (slice(3, 6), slice(10, 20), slice(30, 44))
    box = grid.voxels_of(cells)
    for axis in range(3):
        voxels = np.arange(grid.box[axis].start, grid.box[axis].stop)
        place = grid.cells(axis, voxels)
        near = voxels[(place > cells[axis].start - 1) & (place < cells[axis].stop)]
        assert box[axis].start <= near[0] and near[-1] < box[axis].stop


def test_thin_slices_are_skipped_but_never_the_last():
    grid = Grid.over((slice(0, 12), slice(0, 8), slice(0, 8)), (0.5, 0.7, 0.7))
    assert grid.slices.tolist() == [0, 3, 6, 9, 11]


@pytest.mark.parametrize(("gap", "step"), [(0.5, 4), (1.0, 2), (1.25, 2), (2.5, 1), (5.0, 1)])
def test_neighbours_lie_about_two_millimetres_away(gap, step):
    assert stride(gap) == step


def test_inputs_show_the_slice_between_its_neighbours_and_pad_with_air():
    voxels = np.repeat(np.arange(-900, -300, 50, dtype=np.int16), 30 * 30).reshape(12, 30, 30)
    grid = Grid.over((slice(0, 12), slice(0, 30), slice(0, 30)), (2.0, 0.7, 0.7))
    inputs = Stack(voxels, grid).inputs(0, 12)
    assert inputs.shape[1] == 2 * NEIGHBOURS + 1
    assert inputs.shape[2] % MULTIPLE == 0 and inputs.shape[3] % MULTIPLE == 0
    levels = to_unit(voxels[:, 0, 0])
    assert inputs[5, :, 3, 3].numpy() == pytest.approx(levels[3:8], abs=1e-3)
    assert inputs[0, :, 3, 3].numpy() == pytest.approx(levels[[0, 0, 0, 1, 2]], abs=1e-3)
    assert float(inputs[:, :, 30:].abs().max()) == 0


def test_the_window_is_from_air_to_bone():
    assert to_unit(np.array([-2000, -1000, -300, 400, 3000])).tolist() == [0, 0, 0.5, 1, 1]


def test_the_box_of_a_mask_grows_within_the_volume():
    mask = np.zeros((9, 9, 9), dtype=bool)
    mask[2:4, 5, 8] = True
    assert box_of(mask, (1, 2, 3)) == (slice(1, 5), slice(3, 8), slice(5, 9))
