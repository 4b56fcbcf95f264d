"""Candidates of the heatmap net on the training data, with what the readers said of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file
from scipy import ndimage

from inference.geometry import axial_affine
from inference.runtime.candidates import Candidate, find_candidates
from inference.runtime.crop import heat_of_crop
from inference.runtime.engine import Engine
from inference.runtime.grid import Grid, box_of, to_voxels
from inference.runtime.stack import Stack
from inference.training.checkpoint import save_whole
from inference.training.data import Crops, Lungs, Nodule

_PEAK = 0.15
# Nearer to an outline a point may mean the nodule.
_AWAY_MM = 6.0
# Three scans are few: each is looked at in its own size and as a smaller patient.
_ZOOMS = (1.0, 0.87)

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Mined:
    """What the heatmap net took for a nodule.

    Attributes
    ----------
    beside
        (n, 3) row of the crops, row and column of candidates that no reader outlined.
    inside
        The same for each of the lungs: (n, 3) k, row, column.
    """

    beside: Places
    inside: tuple[Places, ...]

    def save(self, path: Path) -> None:
        """Write everything, whole or not at all."""
        tensors: dict[str, npt.NDArray[np.generic]] = {
            "beside": self.beside.astype(np.int64),
        }
        for n, places in enumerate(self.inside):
            tensors[f"inside/{n}"] = places.astype(np.int64)
        save_whole(path, {name: torch.from_numpy(array) for name, array in tensors.items()})

    @classmethod
    def load(cls, path: Path) -> Mined:
        """Read what ``save`` wrote."""
        found = load_file(path)
        count = sum(name.startswith("inside/") for name in found)
        inside = tuple(found[f"inside/{n}"].astype(np.intp) for n in range(count))
        return cls(found["beside"].astype(np.intp), inside)


def mine(
    engine: Engine,
    crops: Crops,
    nodules: tuple[Nodule, ...],
    lungs: tuple[Lungs, ...],
    tell: Callable[[int, int], None],
    *,
    peak: float = _PEAK,
) -> Mined:
    """Run the heatmap net over crops and lungs and collect its candidates.

    Parameters
    ----------
    engine
        With the heatmap net.
    crops, nodules, lungs
        Where to look.
    tell
        Is told how many crops and scans are done.
    peak
        Heat that a candidate must reach.
    """
    total = len(nodules) + len(lungs)
    beside = [np.zeros((0, 3), np.intp)]
    for done, nodule in enumerate(nodules):
        beside.append(_of_crop(engine, crops, nodule, peak))
        tell(done + 1, total)
    inside = []
    for done, scan in enumerate(lungs):
        inside.append(_of_lungs(engine, scan, peak))
        tell(len(nodules) + done + 1, total)
    return Mined(np.concatenate(beside), tuple(inside))


def place_of(candidate: Candidate, heat: npt.NDArray[np.float32], grid: Grid) -> Places:
    """Return the voxel (k, j, i) of the volume at which a candidate is hottest."""
    values = np.where(candidate.mask, heat[candidate.box], -1)
    cell = np.unravel_index(int(values.argmax()), values.shape)
    k, j, i = (int(n) + side.start for n, side in zip(cell, candidate.box, strict=True))
    out = [int(grid.slices[k])]
    for n, side, size in zip((j, i), grid.box[1:], grid.size_px, strict=True):
        voxel = side.start + (n + 0.5) * (side.stop - side.start) / size - 0.5
        out.append(int(np.clip(round(voxel), side.start, side.stop - 1)))
    return np.array(out, dtype=np.intp)


def _of_crop(engine: Engine, crops: Crops, nodule: Nodule, peak: float) -> Places:
    own = slice(nodule.start, nodule.stop)
    affine = axial_affine(nodule.pixel_mm, nodule.gap_mm)
    heat, grid = heat_of_crop(engine, crops.hu(own), affine)
    votes = crops.votes[own] > 0
    outlined = votes.any(axis=0)
    away = ndimage.distance_transform_edt(~outlined, sampling=nodule.pixel_mm) > _AWAY_MM
    places = [np.zeros((0, 3), np.intp)]
    for candidate in find_candidates(heat, grid.cell_kji_mm, peak):
        mask = np.zeros(heat.shape, dtype=np.float32)
        mask[candidate.box] = candidate.mask
        touches = votes[to_voxels(mask, grid) > 0.5].any()
        place = place_of(candidate, heat, grid)
        if not touches and away[place[1], place[2]]:
            places.append(place[None] + np.array([nodule.start, 0, 0]))
    return np.concatenate(places)


def _of_lungs(engine: Engine, scan: Lungs, peak: float) -> Places:
    inside = np.zeros(scan.hu.shape, dtype=np.bool_)
    inside[tuple(scan.inside.T)] = True
    places = [np.zeros((0, 3), np.intp)]
    for zoom in _ZOOMS:
        pixel_mm = scan.pixel_mm * zoom
        grid = Grid.over(box_of(inside, (0, 8, 8)), (scan.gap_mm, pixel_mm, pixel_mm))
        heat = engine.heat(Stack(scan.hu, grid))
        candidates = find_candidates(heat, grid.cell_kji_mm, peak)
        places += [place_of(candidate, heat, grid)[None] for candidate in candidates]
    return scan.clear(np.concatenate(places))
