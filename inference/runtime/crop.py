"""What is found in one crop that is all lung, as ``pipeline`` finds it in the lungs of a scan."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from inference.geometry import Affine, spacing_kji_mm
from inference.runtime.backend import Backend
from inference.runtime.detect2 import Scored, detect
from inference.runtime.engine import Engine
from inference.runtime.nets import Calibration
from inference.runtime.outline import Scan
from inference.runtime.prepare import Grid, Stack, to_voxels

Floats = npt.NDArray[np.float32]


def search_crop(
    backend: Backend,
    calibration: Calibration,
    voxels: npt.NDArray[Any],
    affine: Affine,
    floor: float,
) -> tuple[Floats, list[Scored]]:
    """Look for lesions everywhere in a crop.

    Parameters
    ----------
    backend
        With the nets ``"heatmap"`` and ``"outliner"``.
    calibration
        Of heat and scores.
    voxels
        (k, j, i) HU, axial slices.
    affine
        (4, 4), (k, j, i, 1) to mm.
    floor
        Heat that a candidate must reach.

    Returns
    -------
    heat
        (k, j, i) 0..1, calibrated: the share of readers who would outline the voxel.
    found
        The best first.
    """
    k, j, i = (slice(0, n) for n in voxels.shape)
    grid = Grid.over((k, j, i), spacing_kji_mm(affine))
    heat = Engine(backend).heat(Stack(voxels, grid))
    found = detect(backend, calibration, Scan(voxels, affine), heat, grid, floor)
    calibrated = calibration.heats(torch.from_numpy(heat)).numpy()
    return to_voxels(calibrated, grid), found
