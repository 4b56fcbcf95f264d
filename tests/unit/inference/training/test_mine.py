from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from inference.runtime.backend import TorchBackend
from inference.runtime.candidates import Candidate
from inference.runtime.engine import Engine
from inference.runtime.grid import Grid
from inference.runtime.nets import Calibration, NoduleUNet
from inference.runtime.slices import NEIGHBOURS
from inference.training.mine import Mined, mine, place_of
from tests.training_cases import SLICES, disc_crops, patients


def bright() -> Engine:
    """Return an engine whose heat is a copy of the brightness."""
    net = NoduleUNet(2 * NEIGHBOURS + 1, (4, 8)).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        first, last = net.down[0], net.up[-1]
        first.conv1.weight[0, NEIGHBOURS, 1, 1] = 1
        first.norm1.weight.fill_(1)
        # The skip of the finest level follows the 8 channels from below.
        last.conv1.weight[0, 8, 1, 1] = 1
        last.norm1.weight.fill_(1)
        net.head.weight[0, 0] = 12
        net.head.bias.fill_(-5)
    backend = TorchBackend({"heatmap": net.requires_grad_(False)}, "cpu")
    return Engine(backend, Calibration())


def test_what_no_reader_outlined_is_mined_where_it_lies(tmp_path: Path, lungs):
    crops = disc_crops(patients("train", 3))
    told: list[tuple[int, int]] = []
    found = mine(bright(), crops, crops.of("train"), lungs, lambda *now: told.append(now))
    assert told == [(n, 4) for n in range(1, 5)]
    # The discs were outlined; the square beside each was not.
    assert set(found.beside[:, 0] // SLICES) == {0, 1, 2}
    assert np.abs(found.beside[:, 1:] - 22.5).max() <= 4
    (inside,) = found.inside
    k, j, i = inside.T
    assert (lungs[0].hu[k, j, i] > -300).mean() > 0.5
    found.save(tmp_path / "mined.safetensors")
    again = Mined.load(tmp_path / "mined.safetensors")
    assert np.array_equal(again.beside, found.beside)
    assert np.array_equal(again.inside[0], inside)


def test_the_hottest_cell_is_told_as_a_voxel_of_the_volume():
    grid = Grid((slice(2, 12), slice(10, 110), slice(20, 70)), (50, 100), 1, (2.0, 0.35, 1.4))
    heat = np.zeros((10, 50, 100), np.float32)
    heat[4, 30, 61] = 0.9
    box = (slice(3, 6), slice(28, 33), slice(60, 64))
    place = place_of(Candidate(box, np.ones((3, 5, 4), bool), 0.9), heat, grid)
    # Two voxels a cell along the rows, half a voxel along the columns.
    assert place.tolist() == [6, 70, 50]
