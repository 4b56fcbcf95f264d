"""What the outliner sees: a square window round a point, scaled to the lesion.

Training and run time draw the same channels from here: intensity, closeness to the point in
plane, distance from its slice, whether there is a slice at all, and how large a pixel is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

SIZE_PX = 64
CHANNELS = 5
# The first look: 64 mm hold a lesion of 40 mm that was pointed at off its centre.
FIRST_PIXEL_MM = 1.0
FIRST_REACH_MM = 21.0
FIRST_STEP_MM = 2.5
# The second look: the window spans this many diameters of what the first one outlined.
SPAN_DIAMETERS = 2.4
PIXEL_MM_LIMITS = (0.35, 1.3)
MOST_SLICES = 19
_THINNEST_STEP_MM = 1.0
_POINT_SIGMA_PX = 3.0
_DISTANCE_MM = 20.0

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scale:
    """How a window samples: pixel size and slice reach in mm, and every how many slices."""

    pixel_mm: float
    reach_mm: float
    step: int

    def offsets(self, gap_mm: float) -> npt.NDArray[np.intp]:
        """Return the slices of the window, relative to that of the point."""
        count = min(round(self.reach_mm / (gap_mm * self.step)), MOST_SLICES // 2)
        return np.arange(-count, count + 1) * self.step


def first_scale(gap_mm: float) -> Scale:
    """Return the scale of the first look."""
    return Scale(FIRST_PIXEL_MM, FIRST_REACH_MM, max(1, round(FIRST_STEP_MM / gap_mm)))


def second_scale(diameter_mm: float, gap_mm: float) -> Scale:
    """Return the scale of the second look at a lesion of about ``diameter_mm``."""
    pixel_mm = float(np.clip(SPAN_DIAMETERS * diameter_mm / SIZE_PX, *PIXEL_MM_LIMITS))
    reach_mm = 0.75 * diameter_mm + 4.0
    needed = 2 * reach_mm / (MOST_SLICES - 1)
    step = int(np.ceil(max(needed, _THINNEST_STEP_MM) / gap_mm - 1e-6))
    return Scale(pixel_mm, reach_mm, max(1, step))


def channels(images: Tensor, distance_mm: Tensor, there: Tensor, pixel_mm: float) -> Tensor:
    """Return the input (CHANNELS, k, row, column) of one window.

    Parameters
    ----------
    images
        (k, row, column) 0..1 over the HU window, the point at the middle.
    distance_mm
        (k,) of every slice from that of the point.
    there
        (k,) 1 where the scan has that slice, else 0.
    pixel_mm
        Of the window.
    """
    axis = torch.arange(SIZE_PX, dtype=torch.float32) - (SIZE_PX - 1) / 2
    near = torch.exp(-axis.square() / (2 * _POINT_SIGMA_PX**2))
    plane = torch.ones_like(images)
    return torch.stack(
        (
            images * there[:, None, None],
            (near[:, None] * near[None]).expand_as(images),
            plane * (distance_mm / _DISTANCE_MM).clamp(-1.5, 1.5)[:, None, None],
            plane * there[:, None, None],
            plane * float(np.log(pixel_mm)),
        )
    )


def look(
    planes: Floats, centre_rc: tuple[float, float], spacing_rc: tuple[float, float], pixel_mm: float
) -> Tensor:
    """Sample square windows (k, SIZE_PX, SIZE_PX) round one place; beyond the planes: 0.

    Parameters
    ----------
    planes
        (k, row, column) values.
    centre_rc
        Fractional row and column of the middle of the window.
    spacing_rc
        Distance of rows and of columns in mm.
    pixel_mm
        Of the window.
    """
    axis = (np.arange(SIZE_PX, dtype=np.float64) - (SIZE_PX - 1) / 2) * pixel_mm
    rows = _unit(axis / spacing_rc[0] + centre_rc[0], planes.shape[1])
    columns = _unit(axis / spacing_rc[1] + centre_rc[1], planes.shape[2])
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)[None]
    stack = torch.from_numpy(np.ascontiguousarray(planes, dtype=np.float32))[None]
    return functional.grid_sample(stack, grid, align_corners=False)[0]


def _unit(places: npt.NDArray[np.floating], size: int) -> Tensor:
    """Turn indices into the -1..1 of ``grid_sample`` without aligned corners."""
    return torch.from_numpy(((places + 0.5) / size * 2 - 1).astype(np.float32))
