"""Two models on the same nodules: differences, their intervals, and who may lead."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from inference.evaluation import cli, compare, decision, pictures
from inference.evaluation.predictions import Blob, save
from inference.evaluation.seen import Seen
from inference.findings import Mask
from resources import table
from resources.problem import Problem

from ...evaluation_cases import ball, folder_of, majority, said, write_folder

_FIGURES = [row["figure"] for row in table("promotion")["figures"]]


@pytest.fixture(scope="module")
def folder():
    """Twelve nodules, a patient each, outlined a little differently by four readers."""
    return folder_of([[ball(5, 6 + n % 3 + d) for d in (-1, 0, 0, 1)] for n in range(12)])


def heat_of(folder):
    return np.concatenate(
        [np.round(folder.votes(one) / 4 * 255).astype(np.uint8) for one in folder.lesions]
    )


def model(folder, masks=None, scores=None, **more):
    """A model with a blob a nodule, one false blob in every other crop, and heat."""
    masks = majority(folder) if masks is None else masks
    scores = np.linspace(0.7, 0.95, len(folder.lesions)) if scores is None else scores
    blobs = []
    for number, one in enumerate(folder.lesions):
        blobs.append(Blob(number, float(scores[number]), Mask.from_array(masks[one.rows])))
        if number % 2:
            wrong = np.zeros((one.stop - one.start, 128, 128), dtype=bool)
            wrong[2, 5:9, 5:9] = True
            blobs.append(Blob(number, 0.3 + 0.02 * number, Mask.from_array(wrong)))
    about = {"id": "m", "version": "1.0.0", "sha256": "0" * 64, "threshold": 0.6}
    heat = more.pop("heat", heat_of(folder))
    return said(folder, masks, scores, blobs=tuple(blobs), heat=heat, model=about, **more)


def both(folder, old, new):
    return compare.compare(folder, old, new, range(len(folder.lesions)))


def test_a_model_against_itself_differs_in_nothing_and_may_lead(folder):
    found = both(folder, model(folder), model(folder))
    for name in _FIGURES:
        assert found["new_minus_old"][name]["mean"] == 0, name
        assert found["new_minus_old"][name]["ci95"] == [0, 0], name
    assert found["promotion"]["may_lead"]
    assert found["old"]["dice"] == found["new"]["dice"]
    assert found["old"]["dice"]["mean"] == 1.0
    json.dumps(found, allow_nan=False)


def test_outlines_moved_by_8_mm_are_kept_from_leading(folder):
    moved = np.roll(majority(folder), round(8 / 0.7), axis=2)
    found = both(folder, model(folder), model(folder, moved))
    assert found["new_minus_old"]["dice"]["mean"] < -0.5
    assert not found["promotion"]["may_lead"]
    worse = {row["figure"] for row in found["promotion"]["checks"] if not row["kept"]}
    assert "dice" in worse
    assert "heat_calibration_error" not in worse


@pytest.mark.parametrize("figure", _FIGURES)
def test_each_figure_alone_keeps_a_model_from_leading(figure):
    good = {name: {"mean": 0.0, "ci95": [0.0, 0.0]} for name in _FIGURES}
    assert compare.promotion(good, 10)["may_lead"]
    assert not compare.promotion(good, 9)["may_lead"]
    row = next(row for row in table("promotion")["figures"] if row["figure"] == figure)
    beyond = row["limit"] + (-0.001 if row["better"] == "higher" else 0.001)
    # The mean may even be better: it is the worse end that counts.
    interval = [beyond, 1.0] if row["better"] == "higher" else [-1.0, beyond]
    found = compare.promotion({**good, figure: {"mean": 0.0, "ci95": interval}}, 10)
    assert not found["may_lead"]
    assert [check["figure"] for check in found["checks"] if not check["kept"]] == [figure]
    interval[0 if row["better"] == "higher" else 1] = row["limit"]
    assert compare.promotion({**good, figure: {"mean": 0.0, "ci95": interval}}, 10)["may_lead"]


def test_what_was_not_measured_keeps_a_model_from_leading(folder):
    found = both(folder, model(folder), model(folder, heat=None))
    assert found["new_minus_old"]["heat_calibration_error"] == {"mean": None, "ci95": [None, None]}
    assert not found["promotion"]["may_lead"]


def test_the_difference_is_paired(folder):
    """Nodules differ far more than models do: only pairs show a small steady loss."""
    rng = np.random.default_rng(1)
    whole = majority(folder)
    holes = (
        rng.random(whole.shape)
        < np.repeat(np.linspace(0, 0.8, 12), [one.stop - one.start for one in folder.lesions])[
            :, None, None
        ]
    )
    worse = holes | (rng.random(whole.shape) < 0.02)
    found = both(folder, model(folder, whole & ~holes), model(folder, whole & ~worse))
    low, high = found["new_minus_old"]["dice"]["ci95"]
    spread = found["old"]["dice"]["ci95"]
    assert high < 0
    assert high - low < (spread[1] - spread[0]) / 5


def test_sensitivity_and_false_blobs_are_those_at_each_models_own_threshold(folder):
    weak = np.linspace(0.55, 0.95, 12)
    found = both(folder, model(folder), model(folder, scores=weak))
    lost = int((weak < 0.6).sum())
    assert lost
    assert found["new"]["sensitivity"]["mean"] == pytest.approx((12 - lost) / 12, abs=1e-4)
    assert found["new_minus_old"]["sensitivity"]["mean"] == pytest.approx(-lost / 12, abs=1e-4)
    assert found["old"]["false_blobs_a_crop"]["mean"] == 0  # all of them below 0.6


def test_nodules_of_few_readers_and_those_not_asked_for_are_left_out():
    nodules = [[ball(5, 6)] * 4, [ball(5, 6)] * 2, [ball(5, 7)] * 3]
    own = folder_of(nodules)
    old, new = model(own), model(own)
    new.measured[2] = False
    assert compare.chosen(own, old, new, range(3)) == [0]
    new.measured[0] = False
    with pytest.raises(Problem, match="No nodule is left"):
        both(own, old, new)


def test_where_nobody_has_three_readers_one_is_enough_and_the_figures_say_so():
    own = folder_of([[ball(5, 6)], [ball(5, 7)] * 2, [ball(5, 6)]])
    rejected = replace(own.lesions[2], n_readers=0)
    own = replace(own, lesions=(*own.lesions[:2], rejected))
    found = both(own, model(own), model(own))
    assert found["data"]["nodules"] == 2  # what was rejected is no nodule
    assert found["data"]["least_readers"] == 1
    agreed = folder_of([[ball(5, 6)] * 3, [ball(5, 6)] * 4])
    assert both(agreed, model(agreed), model(agreed))["data"]["least_readers"] == 3


def test_the_greatest_change_comes_first_and_is_drawn(folder):
    moved = majority(folder)
    moved[folder.lesions[7].rows] = np.roll(moved[folder.lesions[7].rows], 4, axis=2)
    found = both(folder, model(folder), model(folder, moved))
    assert found["nodules"][0]["number"] == 7
    most = pictures.changed(found["nodules"], 3)
    assert most[0].before == 1.0
    drawn = pictures.montage(folder, model(folder, moved), most, model(folder))
    texts = [text.text for text in ET.fromstring(drawn).iter() if text.text]
    assert f"Dice 1.00, now {most[0].dice:.2f}" in texts
    assert {"— old model", "— new model"} <= set(texts)
    assert "image" not in drawn


# ------------------------------------------------------------------ decision


def test_the_area_is_that_of_mann_and_whitney_ties_included():
    rng = np.random.default_rng(4)
    scores = np.round(rng.random(200), 1)
    right = rng.random(200) < scores
    expected = stats.mannwhitneyu(scores[right], scores[~right]).statistic
    pairs = right.sum() * (~right).sum()
    assert decision.auc(scores, right) == pytest.approx(expected / pairs)
    twice = decision.auc(scores, right, np.full(200, 2.0))
    assert twice == pytest.approx(expected / pairs)
    assert np.isnan(decision.auc(scores, np.ones(200, dtype=bool)))
    assert np.isnan(decision.auc(np.zeros(0), np.zeros(0, dtype=bool)))


def test_the_area_is_that_under_the_points_of_the_curve():
    rng = np.random.default_rng(5)
    scores, right = np.round(rng.random(80), 2), rng.random(80) < 0.4
    points = decision.roc(decision.Cases(scores, right, ("a",) * 80))
    x = [point["false_positive_share"] for point in points]
    y = [point["true_positive_share"] for point in points]
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(decision.auc(scores, right), abs=1e-3)


def test_accuracy_precision_recall_and_f1_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.4, 0.2])
    right = np.array([True, True, False, True, False])
    found = decision.figures(decision.Cases(scores, right, ("a",) * 5), 0.6)
    assert (found["accepted_right"], found["accepted_wrong"]) == (2, 1)
    assert (found["rejected_right"], found["rejected_wrong"]) == (1, 1)
    assert found["accuracy"] == 0.6
    assert found["precision"] == found["recall"] == found["f1"] == pytest.approx(2 / 3, abs=1e-4)


def test_intervals_of_the_decision_hold_its_figures_and_differences_are_paired():
    rng = np.random.default_rng(7)
    right = rng.random(120) < 0.5
    scores = np.clip(0.5 + 0.2 * np.where(right, 1, -1) + rng.normal(0, 0.3, 120), 0, 1)
    owners = tuple(f"p{n // 3}" for n in range(120))
    old = decision.Cases(scores, right, owners)
    found = decision.figures(old, 0.5)
    for name in (*decision.FIGURES, "auc"):
        low, high = found["ci95"][name]
        assert low < found[name] < high, name
    same = decision.differences(old, 0.5, old, 0.5)
    assert all(one == {"mean": 0, "ci95": [0, 0]} for one in same.values())
    # The same wrong ones less: better in every draw, though each figure alone is wide.
    fewer = right | (rng.random(120) < 0.5)
    new = decision.Cases(scores[fewer], right[fewer], tuple(np.array(owners)[fewer]))
    better = decision.differences(old, 0.5, new, 0.5)
    assert better["precision"]["ci95"][0] > 0
    assert better["recall"] == {"mean": 0, "ci95": [0, 0]}


def test_nothing_found_has_no_figures():
    nothing = decision.Cases(np.zeros(0), np.zeros(0, dtype=bool), ())
    found = decision.figures(nothing, 0.5)
    assert [found[name] for name in ("accuracy", "precision", "recall", "f1", "auc")] == [None] * 5
    assert found["roc"] == []
    assert found["ci95"]["f1"] == found["ci95"]["auc"] == [None, None]
    assert decision.drawn_aucs((nothing, nothing)).shape == (0, 2)


# ------------------------------------------------------------------- command


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("compare") / "crops", 12)


@pytest.fixture
def files(crops, tmp_path):
    save(tmp_path / "old.npz", model(crops))
    save(tmp_path / "new.npz", model(crops, np.roll(majority(crops), 12, axis=2)))
    return tmp_path


def test_the_command_writes_figures_and_outlines_and_says_who_may_lead(crops, files, capsys):
    out, drawn = files / "figures.json", files / "changed.svg"
    code = cli.main(
        ["compare", "--old", str(files / "old.npz"), "--new", str(files / "new.npz"),
         "--data", str(crops.path), "--split", "all",
         "--json", str(out), "--svg", str(drawn)]
    )  # fmt: skip
    assert code == 0
    found = json.loads(out.read_text())
    assert found["data"]["sha256"].keys() == {"index.csv", "reader_masks.npz"}
    assert all(len(digest) == 64 for digest in found["data"]["sha256"].values())
    assert "Dice" in drawn.read_text()
    told = capsys.readouterr().out
    assert "may be worse than -0.01" in told
    assert "The new model may not take the place of the old one." in told


def test_behind_a_window_it_tells_how_far_it_is_and_draws_what_changed(
    crops, files, capsys, monkeypatch
):
    monkeypatch.setattr(cli, "step_back", lambda: None)  # this process is wanted in front
    code = cli.main(
        ["compare", "--old", str(files / "old.npz"), "--new", str(files / "new.npz"),
         "--data", str(crops.path), "--split", "all", "--behind",
         "--json", str(files / "figures.json"), "--pictures", str(files / "pictures")]
    )  # fmt: skip
    assert code == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["stage"] for one in told} == {"measure"}
    nodules = json.loads((files / "figures.json").read_text())["nodules"]
    assert (told[-1]["done"], told[-1]["total"]) == (2 * len(nodules), 2 * len(nodules))
    drawn = sorted((files / "pictures").iterdir())
    assert [path.name for path in drawn] == [f"{n + 1:02d}.png" for n in range(len(nodules))]
    with Image.open(drawn[0]) as image:
        assert image.size == (384, 192)
        pixels = np.asarray(image)
    # Its left half is grey, on the right are the colours of readers, old and new.
    assert (np.ptp(pixels[:, :192], axis=2) == 0).all()
    colours = {tuple(c) for c in pixels[:, 192:].reshape(-1, 3)}
    for wanted in (pictures.OLD_COLOUR, pictures.MODEL_COLOUR):
        assert tuple(bytes.fromhex(wanted[1:])) in colours


def test_patients_that_either_model_has_seen_are_left_out(crops, files, monkeypatch, capsys):
    names = sorted({one.patient for one in crops.lesions})
    seen = iter(
        [
            Seen(True, {"train": frozenset(names[:3]), "validation": frozenset()}),
            Seen(True, {"train": frozenset(), "validation": frozenset(names[3:5])}),
        ]
    )
    monkeypatch.setattr(cli, "_made_by", lambda said, split: (next(seen), "unseen"))
    out = files / "figures.json"
    arguments = ["compare", "--old", str(files / "old.npz"), "--new", str(files / "new.npz"),
                 "--data", str(crops.path), "--split", "all", "--json", str(out)]  # fmt: skip
    assert cli.main(arguments) == 0
    assert json.loads(out.read_text())["data"]["patient_names"] == names[5:]
    capsys.readouterr()
    every = Seen(True, {"train": frozenset(names), "validation": frozenset()})
    monkeypatch.setattr(cli, "_made_by", lambda said, split: (every, "unseen"))
    assert cli.main(arguments) == 2
    assert "No nodule is left" in capsys.readouterr().err
