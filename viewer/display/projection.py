"""A small copy of a volume, seen whole from any side as its highest values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine, kji_to_lps_mm
from inference.volume import Volume
from viewer.display.grey import Window, grey_of
from viewer.display.oblique import Frame

_MAX_PX = 192


def _going_on() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """Grey values of blocks of voxels, each block by its highest, within a rim of zeros.

    Attributes
    ----------
    grey
        (k, j, i) uint8.
    affine
        (4, 4), (k, j, i, 1) of ``grey`` to LPS mm.
    centre_lps_mm
        Middle of the volume.
    radius_mm
        Of the ball around it that holds the volume.
    """

    grey: npt.NDArray[np.uint8]
    affine: Affine
    centre_lps_mm: npt.NDArray[np.float64]
    radius_mm: float


def coarse(
    volume: Volume, step_mm: float, window: Window, cancelled: Callable[[], bool] = _going_on
) -> Coarse | None:
    """Make the small copy of a regular volume; None when it was given up.

    Parameters
    ----------
    step_mm
        Length of the edge of a block, as nearly as whole voxels allow.
    """
    spacing = np.array(volume.spacing_kji_mm)
    block = np.maximum(1, np.rint(step_mm / spacing)).astype(int)
    count = -(-np.array(volume.shape_kji) // block)
    grey = np.zeros(count + 2, dtype=np.uint8)
    for k in range(count[0]):
        if cancelled():
            return None
        part: Any = volume.voxels[k * block[0] : (k + 1) * block[0]].max(axis=0)
        for axis in (0, 1):
            starts = np.arange(count[axis + 1]) * block[axis + 1]
            part = np.maximum.reduceat(part, starts, axis=axis)
        grey[k + 1, 1:-1, 1:-1] = grey_of(part, window, padding=volume.padding)
    affine = np.array(volume.affine)
    affine[:3, :3] = volume.affine[:3, :3] * block
    # The first block's middle, one block further in than the rim.
    affine[:3, 3] = kji_to_lps_mm(volume.affine, (block - 1) / 2) - affine[:3, :3].sum(axis=1)
    shape = np.array(volume.shape_kji)
    half = np.abs(volume.affine[:3, :3]) @ (shape / 2)
    return Coarse(
        grey,
        affine,
        kji_to_lps_mm(volume.affine, (shape - 1) / 2),
        float(np.linalg.norm(half)),
    )


def project(
    small: Coarse, frame: Frame, cancelled: Callable[[], bool] = _going_on
) -> npt.NDArray[np.uint8] | None:
    """Return the highest grey along every line of sight, (row, column) uint8 of a square.

    The square spans ``2 * radius_mm`` around the centre, across and down the frame. None when
    it was given up.
    """
    inverse = np.linalg.inv(small.affine[:3, :3])
    # No block is stepped over along the shortest edge of one.
    step = float(np.linalg.norm(small.affine[:3, :3], axis=0).min())
    size = int(min(_MAX_PX, np.ceil(2 * small.radius_mm / step)))
    pixel = 2 * small.radius_mm / size
    normal = np.cross(frame[0], frame[1])
    away = (np.arange(size) + 0.5) * pixel - small.radius_mm
    middle = inverse @ (small.centre_lps_mm - small.affine[:3, 3])
    shape = small.grey.shape
    starts = [
        np.add.outer((inverse[axis] @ frame[1]) * away, (inverse[axis] @ frame[0]) * away).astype(
            np.float32
        )
        + np.float32(middle[axis] + 0.5)
        for axis in range(3)
    ]
    flat = small.grey.reshape(-1)
    out = np.zeros((size, size), dtype=np.uint8)
    for depth in away:
        if cancelled():
            return None
        at: Any = 0
        for axis in range(3):
            along = starts[axis] + np.float32((inverse[axis] @ normal) * depth)
            # What lies beside the volume lands on its rim, which is zero.
            np.clip(along, 0, shape[axis] - 1, out=along)
            at = at * shape[axis] + along.astype(np.int32)
        np.maximum(out, flat.take(at), out=out)
    return out
