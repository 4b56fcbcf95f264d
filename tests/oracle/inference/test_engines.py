"""Both CPU engines on a real scan: the same heat, the same candidates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from inference import registry
from inference.runtime.backend import TorchBackend
from inference.runtime.candidates import find_candidates
from inference.runtime.engine import Engine
from inference.runtime.grid import Grid
from inference.runtime.load import load_nets
from inference.runtime.openvino_backend import OpenVinoBackend
from inference.runtime.stack import Stack

# Around the mass that four readers outlined, from the left chest wall to the right.
_SLICES, _ROWS, _COLUMNS = slice(80, 96), slice(200, 420), slice(60, 460)


def test_openvino_finds_what_torch_finds(lidc_study: Path):
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(lidc_study))
    image = sitk.ReadImage(names, sitk.sitkInt16)
    i, j, k = image.GetSpacing()
    grid = Grid.over((_SLICES, _ROWS, _COLUMNS), (k, j, i))
    stack = Stack(sitk.GetArrayFromImage(image), grid)
    loaded = load_nets(registry.find("lung-nodule-ct"))
    nets = {"heatmap": loaded["heatmap"]}
    ours, theirs = (
        Engine(backend, loaded["calibration"]).heat(stack)
        for backend in (OpenVinoBackend(nets), TorchBackend(nets, "cpu"))
    )
    assert theirs.max() > 0.8
    assert np.abs(ours - theirs).max() < 1e-4
    for level in (0.15, 0.5):
        a, b = ours >= level, theirs >= level
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) >= 0.999
    found, expected = (find_candidates(heat, grid.cell_kji_mm) for heat in (ours, theirs))
    assert len(found) == len(expected) > 3
    for one, other in zip(found, expected, strict=True):
        assert one.box == other.box and (one.mask == other.mask).mean() >= 0.999
