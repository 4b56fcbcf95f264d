"""From a stack of slices to scored candidates and their masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from inference.findings import Mask
from inference.runtime.candidates import Candidate, find_candidates
from inference.runtime.cubes import cube
from inference.runtime.engine import Engine, Tell
from inference.runtime.prepare import Grid, Stack, to_voxels

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One candidate with its score and its mask in voxels of the volume."""

    score: float
    candidate: Candidate
    mask: Mask


def detect(
    engine: Engine, stack: Stack, heat: Floats, peak: float, tell: Tell | None = None
) -> list[Scored]:
    """Find, score and outline candidates, the best first.

    Parameters
    ----------
    engine
        The nets.
    stack
        The slices that ``heat`` was made of.
    heat
        (k, row, column) 0..1 on the stack's grid, 0 where nothing is looked for.
    peak
        Heat that a candidate must reach.
    """
    grid = stack.grid
    candidates = find_candidates(heat, grid.cell_kji_mm, peak)
    intensity = stack.intensity()
    cubes = [cube(intensity, heat, one, grid.cell_kji_mm) for one in candidates]
    scores = engine.scores(cubes, tell)
    found = []
    for candidate, score in zip(candidates, scores, strict=True):
        mask = outline(candidate, heat, grid)
        if mask.count:
            found.append(Scored(float(score), candidate, mask))
    return sorted(found, key=lambda one: -one.score)


def level_of(peak: float) -> float:
    """Return the heat at which a candidate is outlined: half of its readers, about."""
    return float(np.clip(0.5 * peak, 0.15, 0.5))


def outline(candidate: Candidate, heat: Floats, grid: Grid) -> Mask:
    """Return the mask of one candidate in voxels of the volume: one piece, without holes."""
    values = np.pad(np.where(candidate.mask, heat[candidate.box], 0).astype(np.float32), 1)
    k, j, i = (side.start - 1 for side in candidate.box)
    box = grid.voxels_of(candidate.box)
    inside = to_voxels(values, grid, box, (k, j, i)) >= level_of(candidate.peak)
    labels, count = ndimage.label(inside, structure=np.ones((3, 3, 3)))
    if count > 1:
        sizes = np.bincount(labels.ravel())
        inside = labels == int(np.argmax(sizes[1:])) + 1
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in inside])
    origin_k, origin_j, origin_i = (side.start for side in box)
    return Mask.from_array(filled, (origin_k, origin_j, origin_i))
