"""The model on a folder: it gets the crop and the point, its answers come back in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from inference import registry
from inference.evaluation import points, predict, report
from inference.evaluation.folder import Folder
from inference.evaluation.seen import Seen
from inference.findings import Heatmap, Impression, Mask, Outline
from inference.geometry import lps_mm_to_kji
from inference.runtime.nets import Calibration
from resources.problem import Problem
from tests.evaluation_cases import majority, write_folder

NOBODY = Seen(True, {"train": frozenset(), "validation": frozenset()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Folder:
    return write_folder(tmp_path_factory.mktemp("predict") / "crops", 4)


@pytest.fixture
def pack():
    packs = registry.available()
    if not packs:
        pytest.skip("no model pack is bundled")
    return packs[0]


class Bright:
    """A backend whose nets see what is bright: lung is cold and no nodule, the rest is."""

    device, name = "cpu", "CPU"

    def run(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        if net == "heatmap":
            return ((inputs[:, 2:3] - 0.4) * 20,)
        assert net == "outliner"
        bright = (inputs[:, 0] - 0.4) * 20
        verdicts = torch.tensor([[1.0, 0.0, 1.5]]).expand(len(inputs), 3)
        return torch.stack((bright, bright), dim=1), verdicts


_NETS = {"outliner": None, "calibration": Calibration()}


@pytest.fixture
def outlined(monkeypatch, pack):
    """Put a backend and an outline in place; return the points that were asked for."""
    asked: list[tuple] = []

    def outline_at(engine, voxels, affine, point_lps_mm):
        k, j, i = lps_mm_to_kji(affine, point_lps_mm)
        asked.append((voxels.shape, (k, j, i)))
        # All that is bright within 20 pixels of the point.
        mask = np.zeros(voxels.shape, dtype=bool)
        rows, columns = (slice(max(0, round(p) - 20), round(p) + 20) for p in (j, i))
        mask[:, rows, columns] = voxels[:, rows, columns] > -400
        nothing = Heatmap((0, 0, 0), np.zeros((0, 0, 0), np.uint8), "")
        return Outline(Mask.from_array(mask), nothing, nothing, 0.8, 0.2, Impression(3.0, 4.5))

    from inference.runtime import engine, load, outline

    monkeypatch.setattr(outline, "outline_at", outline_at)
    monkeypatch.setattr(engine, "backend_for", lambda nets, device, on_fallback=None: Bright())
    monkeypatch.setattr(load, "load_nets", lambda pack: _NETS.copy())
    return asked


def test_the_model_is_pointed_at_every_nodule_that_was_chosen(folder: Folder, pack, outlined):
    said = []
    found = predict.predict(folder, pack, [0, 2, 3], tell=lambda *step: said.append(step))
    assert found.measured.tolist() == [True, False, True, True]
    assert said[0] == ("predict", 0, 3) and said[-1] == ("predict", 3, 3)
    wanted = [
        points.point_kji(folder.lesions[n], folder.majority(folder.lesions[n]), kind)
        for n in (0, 2, 3)
        for kind in points.KINDS
    ]
    for (shape, place), point in zip(outlined, wanted, strict=True):
        assert shape[1:] == (128, 128)
        assert place == pytest.approx(point)
    # Nobody asked about the second nodule.
    assert not found.masks[folder.lesions[1].rows].any()
    assert np.isnan(found.seconds[1]) and np.isfinite(found.seconds[0])
    assert found.scalars["texture"][[0, 2, 3]].tolist() == [4.5] * 3


def test_what_it_said_is_measured(folder: Folder, pack, outlined):
    found = predict.predict(folder, pack, [0, 1, 2, 3])
    assert found.model["sha256"] == pack.weights.sha256
    figures = report.measure(folder, found, [0, 1, 2, 3], "all", NOBODY)
    # The nodule is where the second reader outlined it.
    assert figures["outline"]["dice"]["mean"] > 0.95
    assert figures["outline"]["two_points"]["mean"] == 1.0
    assert figures["impression"]["malignancy"]["all_nodules"]["model"]["mean"] == 1.0
    assert figures["seconds_an_outline"]["median"] >= 0
    blobs = figures["detection"]["all_nodules"]
    assert blobs["froc"]["false_blobs_a_crop"]["8"]["share"] == 1.0
    heat = found.heat[majority(folder)]
    assert np.median(heat) > 200 and np.median(found.heat) < 10


def test_a_model_without_the_tool_is_refused(folder: Folder, pack, monkeypatch):
    from inference.runtime import load

    monkeypatch.setattr(load, "load_nets", lambda pack: {"heatmap": None})
    with pytest.raises(Problem, match="cannot outline"):
        predict.predict(folder, pack, [0])


def test_a_device_that_is_not_there_is_named(folder: Folder, pack, outlined):
    with pytest.raises(Problem, match="tpu"):
        predict.predict(folder, pack, [0], device="tpu")


def test_missing_slices_are_named(folder: Folder, pack, outlined, tmp_path: Path):
    with pytest.raises(Problem, match=r"slices\.tar"):
        predict.predict(replace(folder, path=tmp_path), pack, [0])
