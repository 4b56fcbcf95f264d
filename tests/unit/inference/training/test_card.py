from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from safetensors.torch import save

from inference.training import card, card_tables, curve, pack
from inference.training.recipe import read_recipe
from resources.problem import Problem

CURVE = [{"step": n, "seconds": n, "loss": 5 / n} for n in range(1, 50)]


def spread(mean: float) -> dict[str, object]:
    return {
        "count": 117, "patients": 60,
        "mean": mean, "mean_ci95": [mean - 0.0102, mean + 0.0102],
        "median": mean + 0.02, "median_ci95": [None, None],
        "percentile_10": mean - 0.1, "percentile_10_ci95": [mean - 0.2, mean],
    }  # fmt: skip


def crops_document(sha256: str, split: str, mean: float) -> dict[str, object]:
    rates = {"0.25": {"threshold": 0.4, "count": 117, "share": 0.9512, "ci95": [0.91, 0.98]}}
    return {
        "model": {"sha256": sha256},
        "measured": {"split": split, "patients": 61, "nodules": 148},
        "intervals": "95 %, from draws",
        "outline": {
            "reference": "voxels of half of them",
            "empty": 2,
            "dice": spread(mean),
            "by_size": {"6 to 10 mm": spread(mean - 0.03)},
        },
        "detection": {
            "nodules_of_3_or_more_readers": {
                "sensitivity": {"count": 117, "share": 0.9231, "ci95": [0.87, 0.97]},
                "false_blobs_a_crop": 0.173,
                "false_blobs_a_crop_ci95": [0.1, 0.25],
                "froc": {"false_blobs_a_crop": rates},
            }
        },
        "size": {"long_axis_mm": {"count": 117, "bias": -0.31, "bias_ci95": [-0.5, -0.12]}},
        "nodules": [{"patient": "LIDC-IDRI-0007", "dice": 0.4321}],
    }


def scan_document(sha256: str, labelled: bool) -> dict[str, object]:
    best = {
        "rank": 1, "score": 0.97, "dice": 0.8342, "long_axis_mm": 32.1, "long_axis_error_mm": -1.2,
    }  # fmt: skip
    out: dict[str, object] = {
        "model": {"sha256": sha256},
        "scan": {"slices": 133},
        "shown": 6,
        "seconds": {"with_reading": 18.24},
    }
    if labelled:
        out |= {"nodules": [{"readers": 4, "found": True, "best": best}], "false_positives": 3}
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack whose nets are one number each: the card reads its files, not its nets."""
    made = tmp_path / "pack"
    made.mkdir()
    data = save({"outliner.a": torch.zeros(3)})
    (made / pack.WEIGHTS).write_bytes(data)
    recipe = read_recipe()
    record = {
        "data": {
            "train": {"patients": 531, "nodules": 1242},
            "validation": {"patients": 78, "nodules": 170},
            "test": {"patients": 61, "nodules": 148},
        },
        "parameters": {"heatmap": 482_003, "outliner": 1_847_381},
        "stages": {
            name: {"steps": 4321, "minutes": 71.3, "curve": CURVE}
            for name in ("heatmap", "outliner", "refine-1")
        },
    }
    manifest = pack._manifest(
        recipe, hashlib.sha256(data).hexdigest(), {"threshold": 0.37, "floor": 0.15}
    )
    for name, value in (
        (pack.RECORD, record),
        ("manifest.json", manifest),
        ("recipe.json", recipe.document()),
    ):
        (made / name).write_text(json.dumps(value))
    return made


def measure(folder: Path, tmp_path: Path) -> str:
    """Put figures into a pack; return the hash of its weights."""
    sha256 = hashlib.sha256((folder / pack.WEIGHTS).read_bytes()).hexdigest()
    files = {
        "validation": crops_document(sha256, "validation", 0.8812),
        "test": crops_document(sha256, "test", 0.8656),
        "labelled": scan_document(sha256, True),
        "plain": scan_document(sha256, False),
    }
    files["lungs"] = {"Lung A": scan_document(sha256, False)}
    for name, value in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    card.collect(
        folder,
        [tmp_path / "validation.json", tmp_path / "test.json"],
        {"LIDC-IDRI-0001": tmp_path / "labelled.json", "Other": tmp_path / "plain.json"},
        tmp_path / "lungs.json",
    )
    return sha256


def test_the_figures_of_the_card_are_those_that_were_measured(folder: Path, tmp_path: Path):
    measure(folder, tmp_path)
    card.write_card(folder)
    text = (folder / pack.CARD).read_text()
    rows = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    }
    assert rows["**Outline at a point, 3-D Dice**, mean"] == [
        "0.881 (0.871 to 0.891)",
        "0.866 (0.855 to 0.876)",
    ]
    assert rows["– median"][0] == "0.901"
    assert rows["– bias, mm"][1] == "-0.31 (-0.50 to -0.12)"
    assert rows["– false blobs a crop"][1] == "0.173 (0.100 to 0.250)"
    assert rows["**Found** without a point at the default score, %"][0] == "92.3 (87.0 to 97.0)"
    assert rows["test, %"] == ["95.1 (91.0 to 98.0)"]
    assert rows["LIDC-IDRI-0001"][0] == "133"
    assert "rank 1, score 0.97, Dice 0.834" in rows["LIDC-IDRI-0001"][1]
    assert rows["LIDC-IDRI-0001"][2] == "3"
    assert rows["Other"][1:3] == rows["Lung A"][1:3] == ["unlabelled", "at most 6"]
    # Every file of the last command comes of one before it.
    commands = text.partition("```")[2].partition("```")[0]
    given = set(re.findall(r"(?:--crops|--scan \S+|--lungs) (\S+)", commands))
    assert given == set(re.findall(r"--json (\S+)", commands))
    assert {"lungs.json", "Other.json", "test.json"} <= given
    # What was not measured is not mentioned.
    assert "Volume" not in text and card_tables.NOT_MEASURED not in text
    for said in (
        "not for diagnosis", "CC BY 3.0", "10.7937/K9/TCIA.2015.LO9QL9SX", "CC BY 4.0",
        "1,242 nodules of 531 patients for train", "2.33 million parameters", "of 0.37 on",
        "4,321 of 32", "0.4 to 5.5 mm apart", "not pathology", "--scan LIDC-IDRI-0001",
    ):  # fmt: skip
        assert said in text, said
    kept = json.loads((folder / "metrics.json").read_text())
    assert "nodules" not in kept["crops"]["test"]


def test_no_figure_is_typed_in_the_script():
    """Numbers in its sentences name things: licences, a volume, dimensions, a scale."""
    source = "".join(Path(one.__file__).read_text() for one in (card, card_tables))
    decimals = set(re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", source))
    assert decimals <= {"2.5", "3.0", "4.0", "1.0", "10.7937"}
    assert not re.search(r"\d\s?%", source)


def test_figures_of_other_weights_are_refused(folder: Path, tmp_path: Path):
    sha256 = measure(folder, tmp_path)
    other = tmp_path / "other.json"
    other.write_text(json.dumps(crops_document("0" * 64, "test", 0.99)))
    with pytest.raises(Problem, match="not measured with the weights"):
        card.collect(folder, [other], {})
    found = json.loads((folder / "metrics.json").read_text())
    assert found["model"] == sha256
    (folder / "metrics.json").write_text(json.dumps({**found, "model": "0" * 64}))
    with pytest.raises(Problem, match="of other weights"):
        card.write_card(folder)
    (folder / "metrics.json").unlink()
    with pytest.raises(Problem, match="cannot be read"):
        card.write_card(folder)


def test_notes_and_pictures_of_failures_are_taken_in_when_they_are_there(
    folder: Path, tmp_path: Path
):
    measure(folder, tmp_path)
    card.write_card(folder)
    assert "failures.svg" not in (folder / pack.CARD).read_text()
    (folder / card.FAILURES).write_text("<svg/>")
    (folder / card.NOTES).write_text("## What was tried\nTwice the width.\n")
    card.write_card(folder)
    text = (folder / pack.CARD).read_text()
    assert "![The worst outlines, model and readers](failures.svg)" in text
    assert "\n## What was tried\nTwice the width.\n" in text


def test_the_curve_is_a_picture_of_every_net():
    root = ElementTree.fromstring(curve.svg({"heatmap": CURVE, "a<b": CURVE[:1]}))
    texts = ["".join(one.itertext()) for one in root.iter() if one.tag.endswith("text")]
    assert "heatmap, loss by step" in texts and "a<b, loss by step" in texts
    assert "too few points for a curve" in texts
    paths = [one.get("d", "") for one in root.iter() if one.tag.endswith("path")]
    assert max(path.count("L") for path in paths) == len(CURVE) - 1
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for path in paths:
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path):
            assert 0 <= float(x) <= width and -1 <= float(y) <= height


def test_curves_without_numbers_are_drawn_as_none():
    broken = [{"step": n, "seconds": n, "loss": float("nan")} for n in range(1, 9)]
    assert "too few points" in curve.svg({"heatmap": broken})
    flat = [{"step": n, "seconds": n, "loss": 1.0} for n in range(1, 9)]
    assert "nan" not in curve.svg({"heatmap": flat})
