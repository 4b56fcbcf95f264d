"""A model is retrained on corrections: from its own weights, resumably, into a pack of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from inference import registry
from inference.evaluation.seen import seen_by
from inference.manifest import read_manifest
from inference.runtime.load import load_nets
from inference.training import cli, fit, retrain
from inference.training.data import load_crops
from inference.training.recipe import Mix, read_recipe
from inference.training.windows import Windows
from resources.problem import Problem
from tests.evaluation_cases import read_index
from tests.training_cases import write_crops, write_recipe, write_rows

CPU = torch.device("cpu")
PLAN = retrain.Plan(steps=4, batch=2, rate=1e-3)


@pytest.fixture(scope="module")
def base(data: Path, tmp_path_factory):
    """The pack of a small model."""
    folder = tmp_path_factory.mktemp("base")
    made = read_recipe(write_recipe(folder / "recipe.json"))
    return read_manifest(fit.Run(data, folder / "run", made, CPU, lambda text: None).run())


@pytest.fixture(scope="module")
def corrected(tmp_path_factory) -> Path:
    """Six corrected nodules of one reader each, of patients of a site, and a rejected finding."""
    folder = tmp_path_factory.mktemp("corrected") / "crops"
    write_crops(folder, 7)
    rows = read_index(folder)
    with np.load(folder / "reader_masks.npz") as archive:
        masks = (archive["masks"] > 0).astype(np.uint8)
    for row in rows:
        row["n_readers"] = 1
    rows[3] |= {"n_readers": 0, "malignancy": "", "texture": ""}
    masks[int(rows[3]["start"]) : int(rows[3]["stop"])] = 0
    np.savez_compressed(folder / "reader_masks.npz", masks=masks)
    write_rows(folder / "index.csv", rows)
    return folder


def run(corrected, base, out, plan=PLAN, told=None, tell=None) -> Path:
    report = (told if told is not None else []).append
    return retrain.retrain(
        corrected, base, out, plan, CPU, report, tell or (lambda stage, done, total: None)
    )


@pytest.fixture(scope="module")
def made(corrected, base, tmp_path_factory):
    told: list[str] = []
    out = tmp_path_factory.mktemp("made") / "run"
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    found = read_manifest(run(corrected, base, out, told=told))
    torch.set_num_threads(before)
    return found, told


def test_the_outliner_alone_is_another_and_the_base_stays(made, base):
    new, _ = made
    registry.check(base)
    registry.check(new)
    assert new.weights.sha256 != base.weights.sha256
    before = load_file(base.folder / base.weights.file)
    after = load_file(new.folder / new.weights.file)
    assert before.keys() == after.keys()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"outliner"}
    assert {n: t.dtype for n, t in before.items()} == {n: t.dtype for n, t in after.items()}
    nets = load_nets(new)
    assert set(nets) == {"heatmap", "outliner", "calibration"}


def test_of_the_outliner_only_what_draws_is_trained(made, base):
    """The verdict, what it looks at and what batch norm has counted stay to the last bit."""
    new, _ = made
    before = load_file(base.folder / base.weights.file)
    after = load_file(new.folder / new.weights.file)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert any(name.startswith("outliner.up.") for name in changed)
    assert any(name.startswith("outliner.masks.") for name in changed)
    assert {name.split(".")[1] for name in changed} == {"up", "masks"}
    assert not [name for name in changed if "running" in name]


def test_it_ends_in_time_and_is_not_begun_again(corrected, base, tmp_path, monkeypatch):
    told: list[str] = []
    hurried = replace(PLAN, steps=100_000, minutes=0.02)
    new = read_manifest(run(corrected, base, tmp_path / "run", hurried, told))
    record = json.loads((new.folder / "training.json").read_text())
    reached = record["stages"]["retrain"]["steps"]
    assert 1 <= reached < 100_000
    assert record["plan"]["minutes"] == 0.02
    again = read_manifest(run(corrected, base, tmp_path / "run", hurried))
    assert again.weights.sha256 == new.weights.sha256
    with pytest.raises(Problem, match="-1 minutes cannot be"):
        run(corrected, base, tmp_path / "b", replace(PLAN, minutes=-1))


def test_it_begins_with_the_weights_of_the_base(corrected, base, tmp_path):
    """A rate of next to nothing leaves them where they are."""
    still = replace(PLAN, rate=1e-12, steps=1)
    new = read_manifest(run(corrected, base, tmp_path / "run", still))
    before = load_file(base.folder / base.weights.file)
    after = load_file(new.folder / new.weights.file)
    for name, tensor in before.items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(after[name].float(), tensor.float(), rtol=0, atol=2e-3)


def test_the_pack_says_what_it_was_made_of_and_whom_it_has_seen(made, base, corrected):
    new, told = made
    assert (new.id, new.version) == (base.id, "0.5.1")
    assert (new.threshold, new.limits) == (base.threshold, base.limits)
    record = json.loads((new.folder / "training.json").read_text())
    assert record["base"]["sha256"] == base.weights.sha256
    assert record["counts"] == {"nodules": 6, "rejected": 1, "patients": 7}
    assert all(len(digest) == 64 for digest in record["data"].values())
    patients = {one.patient for one in load_crops(corrected).nodules}
    seen, before = seen_by(new), seen_by(base)
    assert seen.by_name
    assert all(seen.use(patient) == "train" for patient in patients)
    assert before.used["train"] <= seen.used["train"]
    card = (new.folder / "MODEL_CARD.md").read_text()
    assert base.weights.sha256 in card
    assert "6 nodules and 1 rejected findings of 7 patients" in card
    assert any("1 rejected" in line for line in told)


def test_a_killed_run_goes_on_and_ends_in_the_same_weights(made, corrected, base, tmp_path):
    new, _ = made
    code = (
        "import sys, torch\n"
        "from pathlib import Path\n"
        "from inference.manifest import read_manifest\n"
        "from inference.training import loop, retrain\n"
        "torch.set_num_threads(1)\n"
        "loop._SAVE_EVERY_S = 0\n"
        "steps = 0\n"
        "def kill(value):\n"
        "    global steps\n"
        "    steps += 1\n"
        "    if steps == 3: __import__('os')._exit(9)\n"
        "    return value\n"
        "old = loop.rate\n"
        "loop.rate = lambda share: kill(old(share))\n"
        "plan = retrain.Plan(steps=4, batch=2, rate=1e-3)\n"
        "retrain.retrain(Path(sys.argv[1]), read_manifest(Path(sys.argv[2])), Path(sys.argv[3]),\n"
        "                plan, torch.device('cpu'), print)\n"
    )
    out = tmp_path / "run"
    arguments = [str(corrected), str(base.folder), str(out)]
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert ended.returncode == 9, ended.stderr
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    again = read_manifest(run(corrected, base, out))
    torch.set_num_threads(before)
    assert again.weights.sha256 == new.weights.sha256


def test_another_plan_another_base_or_other_data_begin_elsewhere(corrected, base, made, tmp_path):
    out = made[0].folder.parent
    with pytest.raises(Problem, match="another recipe"):
        run(corrected, base, out, replace(PLAN, steps=5))
    other = tmp_path / "crops"
    write_crops(other, 3)
    with pytest.raises(Problem, match="another recipe"):
        run(other, base, out)


def test_rejected_findings_are_shown_as_no_nodule(corrected):
    crops = load_crops(corrected)
    nodules = tuple(one for one in crops.nodules if one.n_readers)
    rejected = tuple(one for one in crops.nodules if not one.n_readers)
    places = np.array([[rejected[0].start, 64, 64]])
    windows = Windows(
        crops, (), places, (),
        Mix(0.0, 0.0, 0.0, 1.0, 0.0), nodules=nodules, others=rejected,
    )  # fmt: skip
    sample = windows.draw(np.random.default_rng(0))
    assert sample.verdicts[0] == 0
    assert not sample.half.any()
    assert len(windows._vessels) == 1


def test_what_cannot_be_is_said_in_a_sentence(corrected, base, tmp_path, capsys):
    with pytest.raises(Problem, match=r"no index\.csv"):
        run(tmp_path, base, tmp_path / "a")
    with pytest.raises(Problem, match="0 steps cannot be"):
        run(corrected, base, tmp_path / "b", replace(PLAN, steps=0))
    with pytest.raises(Problem, match="no version"):
        run(corrected, base, tmp_path / "c", replace(PLAN, version="two"))
    nothing = tmp_path / "nothing"
    write_crops(nothing, 2)
    rows = read_index(nothing)
    write_rows(nothing / "index.csv", [row | {"n_readers": 0} for row in rows])
    with pytest.raises(Problem, match="was outlined by a reader"):
        run(nothing, base, tmp_path / "d")
    given = ["--data", str(corrected), "--base", "no-such", "--out", str(tmp_path / "e")]
    assert cli.main(["retrain", *given]) == 2
    assert "There is no model named no-such." in capsys.readouterr().err
