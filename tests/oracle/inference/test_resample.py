"""The grid against SimpleITK: the same pixels, resampled linearly, there and back."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from inference.runtime.grid import Grid, to_voxels
from inference.runtime.stack import Stack
from tests.stacks import middles


def _image(array, spacing_kji, origin_kji=(0.0, 0.0, 0.0)):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([float(x) for x in reversed(spacing_kji)])
    image.SetOrigin([float(x) for x in reversed(origin_kji)])
    return image


def _linear(image, size_kji, spacing_kji, origin_kji):
    return sitk.GetArrayFromImage(
        sitk.Resample(
            image,
            [int(n) for n in reversed(size_kji)],
            sitk.Transform(),
            sitk.sitkLinear,
            [float(x) for x in reversed(origin_kji)],
            [float(x) for x in reversed(spacing_kji)],
            image.GetDirection(),
            0.0,
            sitk.sitkFloat32,
        )
    )


@pytest.mark.parametrize("spacing", [(2.5, 0.98, 0.91), (1.25, 0.55, 0.62), (5.0, 0.7, 0.7)])
def test_the_grid_lies_where_simpleitk_puts_it(spacing):
    rng = np.random.default_rng(0)
    voxels = rng.integers(-1000, 400, (7, 60, 72)).astype(np.int16)
    box = (slice(0, 7), slice(5, 58), slice(3, 70))
    grid = Grid.over(box, spacing)
    cell = (spacing[0], *grid.cell_kji_mm[1:])
    # Edge to edge: the first cell's centre lies half a cell within the first voxel's edge.
    origin = (
        0.0,
        *(
            (side.start - 0.5) * mm + step / 2
            for side, mm, step in zip(box[1:], spacing[1:], cell[1:], strict=True)
        ),
    )
    unit = ((np.clip(voxels, -1000, 400) + 1000) / 1400).astype(np.float32)
    wanted = _linear(_image(unit, spacing), (7, *grid.size_px), cell, origin)
    found = middles(Stack(voxels, grid))
    inner = (slice(None), slice(2, -2), slice(2, -2))
    assert np.abs(found - wanted)[inner].max() < 1.5e-3

    back = to_voxels(wanted, grid)
    start = tuple(side.start * mm for side, mm in zip(box, spacing, strict=True))
    size = tuple(side.stop - side.start for side in box)
    theirs = _linear(_image(wanted, cell, origin), size, spacing, start)
    assert np.abs(back - theirs)[inner].max() < 1e-4
