from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from inference.manifest import read_manifest
from inference.runtime.load import load_nets
from inference.training import cli
from inference.training.batches import Batches, Rng
from inference.training.checkpoint import State, place
from inference.training.data import Nodule, load_crops, load_lungs, split_of
from inference.training.evaluate import (
    CropResult,
    advised_threshold,
    dice,
    froc,
    summary,
    threshold_at,
)
from inference.training.grey import grey_scale


def test_the_split_of_a_patient_never_changes():
    names = [f"LIDC-IDRI-{n:04d}" for n in range(1, 1013)]
    splits = [split_of(name) for name in names]

    # Fixed by the hash for good: a changed rule would let test patients into the training.
    assert [n for n, s in zip(names, splits, strict=True) if s == "test"][:3] == FIRST_TEST
    assert splits.count("train") / len(splits) == pytest.approx(0.8, abs=0.03)
    assert splits.count("validation") / len(splits) == pytest.approx(0.1, abs=0.03)


FIRST_TEST = ["LIDC-IDRI-0007", "LIDC-IDRI-0024", "LIDC-IDRI-0032"]


def _slice(rng: Rng, lung=-860.0, soft=30.0, noise=25.0):
    hu = np.full((128, 128), lung)
    hu[:, 80:] = soft
    hu[:, 118:] = -100
    hu[40:60, 30:34] = 20
    hu[100:110, 90:100] = 600
    return hu + rng.normal(0, noise, hu.shape)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("top", [200.0, 700.0, 1400.0])
def test_the_scale_of_a_slice_is_found_from_its_tissues(padded: bool, top: float):
    rng = np.random.default_rng(1)
    hu = np.clip(_slice(rng), -1000, top)
    hu[0, 0] = top
    if padded:
        hu[:, :12] = -3000
    low, high = hu.min(), hu.max()
    grey = np.round((hu - low) / (high - low) * 255).astype(np.uint8)
    scale = grey_scale(grey)
    found = scale.slope * grey + scale.intercept
    for tissue, wanted in ((slice(45, 75), -860), (slice(82, 116), 30)):
        assert np.median(found[64:90, tissue]) == pytest.approx(wanted, abs=60)


def _write_webp(archive: tarfile.TarFile, name: str, plane) -> None:
    handle = io.BytesIO()
    Image.fromarray(plane).save(handle, "WEBP", lossless=True)
    info = tarfile.TarInfo(name)
    info.size = handle.tell()
    handle.seek(0)
    archive.addfile(info, handle)


def _write_crops(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    rows, masks = [], []
    start = 0
    with tarfile.open(folder / "slices.tar", "w") as archive:
        for n in range(count):
            slices = int(rng.integers(2, 5))
            j, i = np.indices((128, 128))
            disc = (j - 64) ** 2 + (i - 50) ** 2 < 49
            planes = []
            for _ in range(slices):
                hu = _slice(rng)
                hu[disc] = 30
                grey = (hu - hu.min()) / (hu.max() - hu.min()) * 255
                planes.append(np.round(grey).astype(np.uint8))
                masks.append(disc * np.uint8(0b1011))
            _write_webp(archive, f"LIDC-IDRI-{n:04d}_nodule-0.webp", np.concatenate(planes))
            rows.append(
                {
                    "patient": f"LIDC-IDRI-{n:04d}",
                    "nodule": "nodule-0",
                    "n_slices": slices,
                    "n_readers": 3,
                    "start": start,
                    "stop": start + slices,
                    "pixel_spacing_mm": 0.7,
                    "slice_thickness_mm": 2.5,
                    "mean_diameter_mm": 9.8,
                    "zmin": 0.0,
                    "zmax": 2.5 * (slices - 1),
                }
            )
            start += slices
    np.savez_compressed(folder / "reader_masks.npz", masks=np.stack(masks).astype(np.uint8))
    _write_rows(folder / "index.csv", rows)


def _write_lungs(folder: Path) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(6)
    j, i = np.indices((160, 200))
    rows = []
    with tarfile.open(folder / "slices.tar", "w") as archive:
        for k in range(12):
            hu = np.full((160, 200), 40.0)
            for column in (55, 145):
                hu[((j - 80) / 60) ** 2 + ((i - column) / 38) ** 2 < 1] = -850
            hu[76:80, 40:60] = 30
            grey = (np.clip(hu + rng.normal(0, 20, hu.shape), -1024, 404) + 1024) / 5.6
            name = f"A/{k:04d}.webp"
            _write_webp(archive, name, np.round(grey).astype(np.uint8))
            rows.append(
                {
                    "series": "A",
                    "slice": k,
                    "file": name,
                    "pixel_spacing_mm": 1.2,
                    "z_lps_mm": 5.0 * (12 - k),
                }
            )
    _write_rows(folder / "index.csv", rows)


def _write_rows(path: Path, rows) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A small data set in the form of the real one."""
    folder = tmp_path_factory.mktemp("data")
    _write_crops(folder / "lidc-nodules", 24)
    _write_lungs(folder / "lungs-unlabelled")
    return folder


def test_crops_and_lungs_are_read_as_their_readme_says(data: Path):
    crops = load_crops(data / "lidc-nodules")
    assert len(crops.nodules) == 24
    assert crops.votes.max() == 3
    assert crops.nodules[0].gap_mm == pytest.approx(2.5)
    hu = crops.hu(slice(0, 2))
    assert np.median(hu[:, 5:20, 5:20]) == pytest.approx(-860, abs=40)
    patients = {s: {n.patient for n in crops.of(s)} for s in ("train", "validation", "test")}
    assert sum(map(len, patients.values())) == 24
    (lungs,) = load_lungs(data / "lungs-unlabelled")
    assert lungs.gap_mm == 5.0
    assert lungs.hu[:, 80, 55].mean() == pytest.approx(-850, abs=30)
    inside = lungs.hu[tuple(lungs.inside.T)]
    assert len(inside) > 12 * 2 * 5000 and np.median(inside) == pytest.approx(-850, abs=15)


def test_batches_hold_what_the_net_reads_and_repeat_with_their_seed(data: Path):
    batches = Batches(load_crops(data / "lidc-nodules"), load_lungs(data / "lungs-unlabelled"))
    one = batches.draw(np.random.default_rng(4), 24)
    two = batches.draw(np.random.default_rng(4), 24)
    assert torch.equal(one.images, two.images)
    assert one.images.shape == (24, 5, 96, 96) and one.target.shape == (24, 1, 96, 96)
    assert float(one.images.min()) >= 0 and float(one.images.max()) <= 1
    assert float(one.target.max()) == pytest.approx(0.75, abs=0.01)
    assert {0.0, 1.0} >= set(one.weight.unique().tolist())
    # The target lies on what is bright: the disc has soft tissue, lung lies around it.
    middle = one.images[:, 2:3]
    assert middle[(one.target > 0.7)].median() > 0.5


def test_training_goes_on_where_a_checkpoint_left_it(tmp_path: Path):
    def step(state: State) -> None:
        torch.manual_seed(state.step)
        state.optimiser.zero_grad()
        state.net(torch.randn(4, 3)).square().mean().backward()
        state.optimiser.step()
        state.step += 1
        state.blend()

    def fresh() -> State:
        torch.manual_seed(0)
        return State(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)))

    straight, first, second = fresh(), fresh(), fresh()
    for _ in range(6):
        step(straight)
    for _ in range(3):
        step(first)
    first.seconds = 12.0
    first.save(tmp_path / "c.safetensors")
    second.resume(tmp_path / "c.safetensors")
    assert second.step == 3 and second.seconds == 12.0
    assert place(tmp_path / "c.safetensors")["step"] == 3
    for _ in range(3):
        step(second)
    for a, b in ((straight.net, second.net), (straight.average, second.average)):
        for name, tensor in a.state_dict().items():
            assert torch.equal(tensor, b.state_dict()[name]), name


def test_fit_pack_and_evaluate_make_a_pack_that_loads(data: Path, tmp_path: Path):
    run, folder, figures = tmp_path / "run", tmp_path / "pack", tmp_path / "figures.json"
    before = torch.get_num_threads()
    try:
        common = ["--threads", "1"]
        where = ["--data", str(data)]
        fit = [*common, "fit", *where, "--out", str(run), "--minutes", "0.001"]
        assert cli.main([*fit, "--stage", "heatmap"]) == 0
        assert place(run / "heatmap.safetensors")["step"] >= 1
        # A net that saw one batch is hot everywhere; this one shows discs, so that there
        # are candidates to learn from.
        _teach(run / "heatmap.safetensors")
        assert cli.main([*fit, "--stage", "rescorer"]) == 0
        made = ["--run", str(run), "--pack", str(folder)]
        assert cli.main([*common, "pack", *made, "--threshold", "0.01"]) == 0
        wanted = ["--splits", "validation", "--json", str(figures)]
        assert cli.main([*common, "evaluate", *where, "--pack", str(folder), *wanted]) == 0
    finally:
        torch.set_num_threads(before)
    pack = read_manifest(folder)
    assert pack.threshold == 0.01
    assert set(load_nets(pack)) == {"heatmap", "rescorer"}
    assert json.loads((folder / "training.json").read_text())["stages"]["rescorer"]["steps"] >= 1
    found = json.loads(figures.read_text())
    assert found["model"]["sha256"] == pack.weights.sha256
    assert found["crops"]["validation"]["sensitivity"] == 1.0


def _teach(path: Path) -> None:
    """Replace a checkpoint's net by one whose heat is a smooth copy of the brightness."""
    from inference.training import heatmap

    state = State(heatmap.new_net())
    for module in (state.net, state.average):
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.zero_()
            first = module.down[0]
            first.conv1.weight[0, 2, 1, 1] = 1
            first.norm1.weight.fill_(1)
            last = module.up[-1]
            # The skip of the finest level follows the 32 channels from below.
            last.conv1.weight[0, 32, 1, 1] = 1
            last.norm1.weight.fill_(1)
            module.head.weight[0, 0] = 12
            module.head.bias.fill_(-5)
    state.save(path)


def _result(score: float, false: tuple[float, ...] = (), size: float = 8.0, overlap=0.8):
    nodule = Nodule("p", "n", 0, 1, 4, 0.7, 2.5, size)
    return CropResult(nodule, score, overlap if score else 0.0, false)


def test_figures_count_what_is_found_and_what_is_false():
    results = [
        _result(0.9, (0.2,)),
        _result(0.6, (0.7, 0.1)),
        _result(0.0, (), size=4.0),
        _result(0.3),
    ]
    found = summary(results, 0.5)
    assert found["sensitivity"] == 0.5
    assert found["false_positives_per_crop"] == 0.25
    assert found["sensitivity_by_diameter_mm"] == {"0-6": [0.0, 1], "6-10": [0.667, 3]}
    assert found["dice_found_mean"] == 0.8
    assert found["dice_missed_as_0_mean"] == 0.4
    assert 0.2 < threshold_at(results, 0.25) < 0.7
    assert froc(results)["0.25"] == 0.75
    assert froc(results)["2.0"] == 0.75
    assert found["by_threshold"][3] == {
        "threshold": 0.5,
        "sensitivity": 0.5,
        "sensitivity_3_or_4_readers": 0.5,
        "false_positives_per_crop": 0.25,
    }
    assert advised_threshold(results, 0.75) == pytest.approx(0.3)
    assert advised_threshold(results, 0.5) == pytest.approx(0.6)


def test_dice_of_known_masks():
    a, b = np.zeros((2, 4, 4), dtype=bool), np.zeros((2, 4, 4), dtype=bool)
    a[0, :2], b[0, 1:3] = True, True
    assert dice(a, b) == 0.5
    assert dice(a, a) == 1.0
    assert dice(a & b & ~a, b & ~b) == 1.0
