from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.training.recipe import read_recipe
from resources import path as bundled
from resources.problem import Problem
from tests.training_cases import document, write_recipe


def test_the_recipe_of_the_program_is_read_and_told_again(tmp_path: Path):
    recipe = read_recipe()
    assert recipe.model == "lung-nodule"
    assert recipe.heatmap.widths == (16, 32, 64, 128)
    kept = tmp_path / "recipe.json"
    kept.write_text(json.dumps(recipe.document()))
    assert read_recipe(kept) == recipe
    # As run means without what was not run.
    assert "cuda" not in recipe.document()


def test_a_gpu_gets_more_capacity_and_epochs():
    plain, scaled = read_recipe(), read_recipe(cuda=True)
    assert scaled.outliner.steps > plain.outliner.steps
    assert scaled.heatmap.widths > plain.heatmap.widths
    assert scaled.heatmap.rate == plain.heatmap.rate
    assert scaled.threshold == plain.threshold
    stored = json.loads(bundled("training", "lung-nodule.json").read_text())
    assert list(scaled.heatmap.widths) == stored["cuda"]["heatmap"]["widths"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": -1}, "seed is no whole number from 0"),
        ({"seed": True}, "seed is no whole number"),
        ({"seed": 1.0}, "seed is no whole number"),
        ({"format": 2}, "format is no whole number from 1 to 1"),
        ({"model": "liver"}, "model is none of lung-nodule"),
        ({"model": ["lung-nodule"]}, "model is none of"),
        ({"epochs": 3}, "epochs is an unknown key"),
        ({"heatmap": []}, "heatmap is no object"),
        ({"heatmap__dropout": 0.5}, "heatmap.dropout is an unknown key"),
        ({"heatmap__steps": 0}, "heatmap.steps and outliner.steps must be 1 or more"),
        ({"heatmap__rate": float("nan")}, "heatmap.rate is no number"),
        ({"heatmap__rate": "1e-3"}, "heatmap.rate is no number"),
        ({"heatmap__rate": 10**400}, "heatmap.rate is no number"),
        ({"outliner__widths": [16]}, "outliner.widths is no list of 2 to 5"),
        ({"outliner__widths": [16, 0]}, "outliner.widths[1] is no whole number"),
        ({"mining__share": 1.5}, "mining.share is no number from 0 to 1"),
        ({"windows__lung": 0.2}, "in windows are together not 1"),
        ({"refine__1__windows__wall": 0.2}, "refine[1].windows.wall is an unknown key"),
        ({"refine__0__rate": 1}, "refine[0].rate is no number from 1e-06 to 0.1"),
        ({"refine": {}}, "refine is no list of 0 to 9"),
        ({"threshold__policy": "guess"}, "threshold.policy is none of"),
        ({"pack__version": "1.0"}, "pack.version is malformed"),
        ({"pack__weights": "int8"}, "pack.weights is none of float16, float32"),
        ({"data__lungs_kept_for_validation": ["../x/"]}, "[0] is malformed"),
        ({"cuda": {"mining": {}}}, "cuda is no object with some of"),
        ({"cuda": {"heatmap": {"steps": -1}}}, "heatmap.steps is no whole number"),
        ({"cuda": {"heatmap": {"speed": 1}}}, "heatmap.speed is an unknown key"),
        ({"cuda": {"outliner": {"steps": 0}}}, "must be 1 or more"),
        ({"cuda": {"outliner": 3}}, "cuda.outliner is no object"),
    ],
)
def test_what_is_outside_the_vocabulary_is_refused(tmp_path: Path, change, said: str):
    path = write_recipe(tmp_path / "recipe.json", **change)
    with pytest.raises(Problem) as refused:
        read_recipe(path)
    assert said in refused.value.sentence
    assert refused.value.remedy


def test_a_missing_member_is_named(tmp_path: Path):
    value = document()
    del value["outliner"]["average"]
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(value))
    with pytest.raises(Problem, match=r"outliner\.average is missing"):
        read_recipe(path)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000])
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(Problem, match=r"recipe\.json cannot be used"):
        read_recipe(path)
    with pytest.raises(Problem, match="cannot be used"):
        read_recipe(tmp_path / "missing.json")
