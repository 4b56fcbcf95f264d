"""Candidates of the heatmap net on the training data, with what the readers said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from inference.runtime.candidates import find_candidates
from inference.runtime.cubes import CUBE_KJI, cube
from inference.runtime.engine import Engine
from inference.runtime.prepare import Grid, Stack, box_of, to_voxels
from inference.training.data import READERS, Crops, Lungs, Nodule

MARGIN = 4
SIZE_KJI = (CUBE_KJI[0], CUBE_KJI[1] + 2 * MARGIN, CUBE_KJI[2] + 2 * MARGIN)
_PEAK = 0.15
# Three scans are few: each is looked at in its own size and as a smaller patient.
_ZOOMS = (1.0, 0.87)


@dataclass(frozen=True, slots=True, eq=False)
class Mined:
    """Candidates (n, 2, k, j, i) float16, the share of readers 0..1, and whether from a crop."""

    cubes: npt.NDArray[np.float16]
    share: npt.NDArray[np.float32]
    from_crop: npt.NDArray[np.bool_]


def mine(
    engine: Engine,
    crops: Crops,
    nodules: tuple[Nodule, ...],
    lungs: tuple[Lungs, ...],
    tell: Callable[[int, int], None],
) -> Mined:
    """Run the heatmap net over crops and lungs and cut a cube round each candidate."""
    rows = []
    for done, nodule in enumerate(nodules):
        rows += list(_of_crop(engine, crops, nodule))
        tell(done + 1, len(nodules) + len(lungs))
    for done, scan in enumerate(lungs):
        rows += list(_of_lungs(engine, scan))
        tell(len(nodules) + done + 1, len(nodules) + len(lungs))
    cubes, share, from_crop = zip(*rows, strict=True)
    return Mined(np.stack(cubes), np.array(share, np.float32), np.array(from_crop))


def whole(hu: npt.NDArray[np.float32], nodule: Nodule) -> Grid:
    """Return the grid over a whole crop."""
    k, j, i = (slice(0, n) for n in hu.shape)
    return Grid.over((k, j, i), (nodule.gap_mm, nodule.pixel_mm, nodule.pixel_mm))


Row = tuple[npt.NDArray[np.float16], float, bool]


def _of_crop(engine: Engine, crops: Crops, nodule: Nodule) -> Iterator[Row]:
    rows = slice(nodule.start, nodule.stop)
    hu = crops.hu(rows)
    grid = whole(hu, nodule)
    stack = Stack(hu, grid)
    heat = engine.heat(stack)
    intensity = stack.intensity()
    share = crops.votes[rows].astype(np.float32) / READERS
    for candidate in find_candidates(heat, grid.cell_kji_mm, _PEAK):
        mask = np.zeros(heat.shape, dtype=np.float32)
        mask[candidate.box] = candidate.mask
        touched = share[to_voxels(mask, grid) > 0.5]
        cut = cube(intensity, heat, candidate, grid.cell_kji_mm, SIZE_KJI)
        yield cut.half().numpy(), float(touched.max(initial=0.0)), True


def _of_lungs(engine: Engine, scan: Lungs) -> Iterator[Row]:
    inside = np.zeros(scan.hu.shape, dtype=np.bool_)
    inside[tuple(scan.inside.T)] = True
    for zoom in _ZOOMS:
        pixel_mm = scan.pixel_mm * zoom
        grid = Grid.over(box_of(inside, (0, 8, 8)), (scan.gap_mm, pixel_mm, pixel_mm))
        stack = Stack(scan.hu, grid)
        heat = engine.heat(stack)
        intensity = stack.intensity()
        for candidate in find_candidates(heat, grid.cell_kji_mm, _PEAK):
            cut = cube(intensity, heat, candidate, grid.cell_kji_mm, SIZE_KJI)
            yield cut.half().numpy(), 0.0, False


def as_inputs(cubes: npt.NDArray[np.float16]) -> torch.Tensor:
    """Return cubes cut to the size that the rescorer reads, without augmentation."""
    inner = slice(MARGIN, -MARGIN)
    return torch.from_numpy(cubes[:, :, :, inner, inner].astype(np.float32))
