"""What the rescorer sees of a candidate, in training and at run time alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.candidates import Candidate

CUBE_KJI = (12, 40, 40)
CUBE_MM = (2.0, 1.0, 1.0)


def cube(
    intensity: npt.NDArray[Any],
    heat: npt.NDArray[Any],
    candidate: Candidate,
    cell_kji_mm: tuple[float, float, float],
    size_kji: tuple[int, int, int] = CUBE_KJI,
) -> Tensor:
    """Cut a cube (2, k, j, i) of intensity and heat around a candidate.

    Only the candidate's own slices are shown, the outer ones repeated: the crops of the
    training set end where their nodule ends, and the net must not learn that.

    Parameters
    ----------
    intensity, heat
        (k, row, column) on the grid, 0..1.
    candidate
        Its box and mask lie on the same grid.
    cell_kji_mm
        Spacing of the grid in mm.
    size_kji
        Cells of the cube, each of ``CUBE_MM``.
    """
    first, last = candidate.box[0].start, candidate.box[0].stop - 1
    own = slice(first, last + 1)
    values = np.where(candidate.mask, heat[candidate.box], 0).astype(np.float64)
    places = np.indices(values.shape).reshape(3, -1)
    centre = (places @ values.ravel()) / values.sum()
    axes = []
    for axis in range(3):
        size, mm = size_kji[axis], CUBE_MM[axis]
        cells = (np.arange(size) - (size - 1) / 2) * mm / cell_kji_mm[axis]
        axes.append(cells + centre[axis])
    ks = np.clip(axes[0], 0, last - first)
    # The columns of the grid outside the cube are cut off first: a scan is wide.
    half = [int(np.ceil(size_kji[a] * CUBE_MM[a] / cell_kji_mm[a] / 2)) + 2 for a in (1, 2)]
    window, starts = [own], []
    for axis, reach in zip((1, 2), half, strict=True):
        middle = round(candidate.box[axis].start + centre[axis])
        low = max(middle - reach, 0)
        starts.append(low)
        window.append(slice(low, min(middle + reach + 1, intensity.shape[axis])))
    stack = np.stack([intensity[tuple(window)], heat[tuple(window)]]).astype(np.float32)
    shape = stack.shape[1:]
    grid = torch.stack(
        torch.meshgrid(
            _unit(axes[2] + candidate.box[2].start - starts[1], shape[2]),
            _unit(axes[1] + candidate.box[1].start - starts[0], shape[1]),
            _unit(ks, shape[0]),
            indexing="ij",
        ),
        dim=-1,
    ).permute(2, 1, 0, 3)
    out = functional.grid_sample(torch.from_numpy(stack)[None], grid[None], align_corners=False)
    return out[0]


def _unit(cells: npt.NDArray[np.float64], size: int) -> Tensor:
    """Turn cell indices into the -1..1 of ``grid_sample`` without aligned corners."""
    return torch.from_numpy(((cells + 0.5) / size * 2 - 1).astype(np.float32))
