"""Whole runs on a tiny data set: stage after stage, killed and resumed, read back as a pack."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from inference.manifest import read_manifest
from inference.training import cli, fit, loop, pack
from inference.training.checkpoint import place
from inference.training.pace import Pace
from inference.training.recipe import POLICIES, read_recipe
from resources.problem import Problem
from tests.training_cases import recipe, write_recipe

CPU = torch.device("cpu")


def train(data: Path, out: Path, told: list[str] | None = None) -> Path:
    """Run the small recipe beside the folder, as it is now."""
    made = read_recipe(out.parent / "recipe.json")
    return fit.Run(data, out, made, CPU, (told if told is not None else []).append).run()


@pytest.fixture(scope="module")
def straight(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run without interruption, and what it told."""
    folder = tmp_path_factory.mktemp("straight")
    write_recipe(folder / "recipe.json")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    told: list[str] = []
    train(data, folder / "run", told)
    torch.set_num_threads(before)
    return folder / "run", told


def test_a_run_ends_in_a_pack_that_says_how_it_was_made(straight: tuple[Path, list[str]]):
    run, told = straight
    made = read_manifest(run / "pack")
    assert made.weights.architecture == "lung-nodule-3"
    assert made.threshold == 0.5
    assert made.version == "0.5.0"
    assert {one.kind for one in made.outputs} == {
        "heatmap", "detections", "mask", "outline", "impression", "uncertainty",
    }  # fmt: skip
    # The recipe as run can be run again.
    assert read_recipe(run / "pack" / "recipe.json") == read_recipe(run / "recipe.json")
    record = json.loads((run / "pack" / "training.json").read_text())
    steps = {"heatmap": 4, "outliner": 4, "refine-1": 3, "refine-2": 3, "refine-3": 3}
    assert {name: stage["steps"] for name, stage in record["stages"].items()} == steps
    for name, stage in record["stages"].items():
        assert stage["curve"][-1]["step"] == steps[name]
        assert np.isfinite([one["loss"] for one in stage["curve"]]).all()
    names = record["patients"]["train"] + record["patients"]["validation"]
    assert len(set(names)) == len(names) == 24 - record["data"]["test"]["patients"]
    assert any("left" in line for line in told)
    assert all(place(run / f"{name}.safetensors")["step"] == n for name, n in steps.items())


def test_weights_are_stored_in_half_precision_but_for_the_few(straight: tuple[Path, list[str]]):
    run, _ = straight
    tensors = load_file(run / "pack" / "model.safetensors")
    kept = load_file(run / "refine-3.safetensors")
    assert {tensor.dtype for tensor in tensors.values() if tensor.ndim > 1} == {torch.float16}
    # Nothing was calibrated: the logits stay as they are.
    assert tensors["calibration.heat"].tolist() == [1, 0]
    assert tensors["calibration.score"].tolist() == [1, 0, 0]
    for name, tensor in tensors.items():
        if name.startswith("outliner."):
            whole = kept["average/" + name.removeprefix("outliner.")]
            if tensor.ndim < 2:
                assert torch.equal(tensor, whole)
            assert torch.allclose(tensor.float(), whole.float(), rtol=1e-3, atol=1e-6)


class Killed(BaseException):
    """Stands for the end of the process."""


def test_interrupted_anywhere_it_ends_in_the_same_weights(
    straight: tuple[Path, list[str]], data: Path, tmp_path: Path, one_thread, monkeypatch
):
    write_recipe(tmp_path / "recipe.json")
    monkeypatch.setattr(loop, "_SAVE_EVERY_S", -1.0)
    tick = Pace.tick
    # After a step of the heatmap net, within the mining, after steps of the outliner.
    ends = (("heatmap", 3), ("mine", 2), ("outliner", 1), ("outliner", 3), ("refine-3", 2))
    for stage, at in ends:

        def killed(self: Pace, done: int, stage=stage, at=at) -> None:
            tick(self, done)
            if (self._stage, done) == (stage, at):
                raise Killed

        monkeypatch.setattr(Pace, "tick", killed)
        with pytest.raises(Killed):
            train(data, tmp_path / "run")
    monkeypatch.setattr(Pace, "tick", tick)
    made = train(data, tmp_path / "run")
    wanted = straight[0] / "pack" / "model.safetensors"
    assert (made / "model.safetensors").read_bytes() == wanted.read_bytes()
    # All is done: the same command only writes the pack again.
    told: list[str] = []
    train(data, tmp_path / "run", told)
    assert not any("step" in line for line in told)


KILL = """
import os, sys
from inference.training import cli, loop
from inference.training.pace import Pace
loop._SAVE_EVERY_S = -1.0
tick = Pace.tick
def killed(self, done):
    tick(self, done)
    if (self._stage, done) == ("outliner", 2):
        os.kill(os.getpid(), 9) if os.name == "posix" else os._exit(9)
Pace.tick = killed
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_killed_process_is_resumed_to_the_same_weights(
    straight: tuple[Path, list[str]], data: Path, tmp_path: Path, one_thread
):
    config = write_recipe(tmp_path / "recipe.json")
    arguments = ["lung-nodule", "--data", str(data), "--out", str(tmp_path / "run")]
    arguments += ["--config", str(config), "--device", "cpu", "--threads", "1"]
    command = [sys.executable, "-c", KILL, *arguments]
    done = subprocess.run(
        command, capture_output=True, cwd=Path(fit.__file__).parents[2], timeout=600
    )
    assert done.returncode in (-9, 9), done.stderr.decode()
    assert place(tmp_path / "run" / "outliner.safetensors")["step"] == 2
    assert cli.main(arguments) == 0
    wanted = straight[0] / "pack" / "model.safetensors"
    made = tmp_path / "run" / "pack" / "model.safetensors"
    assert made.read_bytes() == wanted.read_bytes()


def test_another_seed_makes_other_weights(
    straight: tuple[Path, list[str]], data: Path, tmp_path: Path, one_thread, crops, lungs
):
    from inference.training import heatmap
    from inference.training.batches import Batches

    made = recipe(tmp_path, seed=1)
    batches = Batches(crops, lungs)
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        heatmap.fit_heatmap(batches, folder, made.heatmap, seed, CPU, lambda text: None)
    same = load_file(straight[0] / "heatmap.safetensors")
    first, second = (load_file(tmp_path / f"{n}" / "heatmap.safetensors") for n in (0, 1))
    name = "average/down.0.conv1.weight"
    assert torch.equal(first[name], same[name])
    assert not torch.equal(second[name], same[name])


def test_what_cannot_be_is_told_in_a_sentence(data: Path, tmp_path: Path, capsys):
    config = write_recipe(tmp_path / "recipe.json")
    out = tmp_path / "run"

    def failed(*extra: str, data: Path = data) -> str:
        arguments = ["lung-nodule", "--data", str(data), "--out", str(out), "--config", str(config)]
        assert cli.main([*arguments, *extra]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        return lines[0]

    assert "There is no lidc-nodules/index.csv in" in failed(data=tmp_path)
    assert "There is no device cuda:99 here. Choose one of auto, cpu" in failed(
        "--device", "cuda:99"
    )
    assert "0 threads" in failed("--threads", "0")
    assert not out.exists()
    fit.claim(out, recipe(tmp_path, seed=7).document())
    write_recipe(config, seed=8)
    assert "holds a run by another recipe" in failed("--device", "cpu")
    (out / "recipe.json").write_text("{")
    assert "is no JSON" in failed("--device", "cpu")
    config.write_text("{}")
    assert "recipe.json cannot be used: format is no whole number" in failed()


def test_a_damaged_checkpoint_is_told_in_a_sentence(data: Path, tmp_path: Path, capsys):
    config = write_recipe(tmp_path / "recipe.json")
    out = tmp_path / "run"
    out.mkdir()
    (out / "mined.safetensors").write_bytes(b"\xff" * 64)
    made = read_recipe(config)
    run = fit.Run(data, out, made, CPU, lambda text: None)
    monkey = pytest.MonkeyPatch()
    monkey.setattr(fit, "Run", lambda *a: run)
    monkey.setattr(run, "_heatmap", lambda: None)
    arguments = ["lung-nodule", "--data", str(data), "--out", str(out), "--config", str(config)]
    assert cli.main([*arguments, "--device", "cpu"]) == 2
    monkey.undo()
    assert "A checkpoint is damaged." in capsys.readouterr().err


def test_a_calibration_is_packed_with_the_nets(straight: tuple[Path, list[str]], tmp_path: Path):
    made = read_recipe(straight[0] / "recipe.json")
    chosen = {"threshold": 0.41, "floor": 0.2, "heat": [1.5, -0.25], "score": [0.5, 0.25, -1.0]}
    pack.write_pack(straight[0], tmp_path / "p", made, chosen, {})
    tensors = load_file(tmp_path / "p" / "model.safetensors")
    assert tensors["calibration.heat"].tolist() == chosen["heat"]
    assert tensors["calibration.score"].tolist() == chosen["score"]
    assert read_manifest(tmp_path / "p").threshold == 0.41
    record = json.loads((tmp_path / "p" / "training.json").read_text())
    assert record["calibration"] == chosen


def test_every_policy_of_the_recipe_has_its_function():
    assert set(fit.CALIBRATE) == set(POLICIES)


def test_weights_too_large_for_a_pack_are_refused(
    straight: tuple[Path, list[str]], tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(pack, "MOST_BYTES", 1000)
    made = read_recipe(straight[0] / "recipe.json")
    with pytest.raises(Problem, match=r"more than the 20 MB"):
        pack.write_pack(straight[0], tmp_path / "p", made, {"threshold": 0.5, "floor": 0.2}, {})
    assert not (tmp_path / "p").exists()


def test_the_validation_patients_choose_the_thresholds(
    straight: tuple[Path, list[str]], data: Path, tmp_path: Path
):
    run, _ = straight
    out = tmp_path / "run"
    out.mkdir()
    # What was trained is not trained again.
    for name in ("heatmap", "outliner", "mined", "places"):
        (out / f"{name}.safetensors").write_bytes((run / f"{name}.safetensors").read_bytes())
    write_recipe(tmp_path / "recipe.json", threshold__policy="validation")
    train(data, out)
    chosen = json.loads((out / "calibration.json").read_text())
    assert 0.05 <= chosen["threshold"] < 1
    assert chosen["chosen_by"]["validation_crops"] > 0
    made = load_file(out / "pack" / "model.safetensors")
    assert made["calibration.heat"].tolist() == pytest.approx(chosen["heat"])
    assert made["calibration.outline"].tolist() == pytest.approx(chosen["outline"])
    assert read_manifest(out / "pack").threshold == chosen["threshold"]
