"""The slices that the heatmap net looks at, on their grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.grid import Grid
from inference.runtime.intensity import to_unit
from inference.runtime.slices import NEIGHBOURS, stride

MULTIPLE = 8

Window = tuple[slice, slice]
EVERYWHERE: Window = (slice(None), slice(None))


class Stack:
    """The slices of a grid, resampled once and kept at half precision.

    Parameters
    ----------
    voxels
        The whole volume (k, j, i), HU.
    grid
        What to cut out of it.
    """

    def __init__(self, voxels: npt.NDArray[Any], grid: Grid) -> None:
        self.grid = grid
        self._offsets = np.arange(-NEIGHBOURS, NEIGHBOURS + 1) * stride(grid.spacing_kji_mm[0])
        near = grid.slices[:, None] + self._offsets[None]
        self._wanted = np.clip(near, 0, voxels.shape[0] - 1)
        needed = np.unique(self._wanted)
        self._place = {int(k): n for n, k in enumerate(needed)}
        rows, columns = grid.size_px
        self._planes = torch.empty((len(needed), rows, columns), dtype=torch.float16)
        for n, k in enumerate(needed):
            unit = to_unit(voxels[k, grid.box[1], grid.box[2]])
            plane = torch.from_numpy(unit)[None, None]
            out = functional.interpolate(plane, grid.size_px, mode="bilinear")
            self._planes[n] = out[0, 0].half()

    def __len__(self) -> int:
        return len(self._wanted)

    def inputs(self, start: int, stop: int, window: Window = EVERYWHERE) -> Tensor:
        """Return net inputs (n, slices, row, column) float32, padded with air to ``MULTIPLE``.

        ``window`` are the rows and columns of the grid that are wanted.
        """
        rows = [[self._place[int(k)] for k in near] for near in self._wanted[start:stop]]
        planes = self._planes[:, window[0], window[1]]
        images = planes[torch.tensor(rows)].float()
        high, wide = images.shape[2:]
        return functional.pad(images, (0, -wide % MULTIPLE, 0, -high % MULTIPLE))
