"""What is found in one crop that is all lung, as ``pipeline`` finds it in the lungs of a scan."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine, spacing_kji_mm
from inference.runtime.detect import Scored, detect
from inference.runtime.engine import Engine
from inference.runtime.grid import Grid, to_voxels
from inference.runtime.look import Scan
from inference.runtime.stack import Stack

Floats = npt.NDArray[np.float32]


def heat_of_crop(engine: Engine, voxels: npt.NDArray[Any], affine: Affine) -> tuple[Floats, Grid]:
    """Return the heat everywhere in a crop (k, j, i) HU, not calibrated, and its grid."""
    k, j, i = (slice(0, n) for n in voxels.shape)
    grid = Grid.over((k, j, i), spacing_kji_mm(affine))
    return engine.heat(Stack(voxels, grid)), grid


def search_crop(
    engine: Engine,
    voxels: npt.NDArray[Any],
    affine: Affine,
    floor: float,
) -> tuple[Floats, list[Scored]]:
    """Look for lesions everywhere in a crop.

    Parameters
    ----------
    engine
        With the nets ``heatmap`` and ``outliner``.
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
    heat, grid = heat_of_crop(engine, voxels, affine)
    found = detect(engine, Scan(voxels, affine), heat, grid, floor)
    return to_voxels(engine.calibrated(heat), grid), found
