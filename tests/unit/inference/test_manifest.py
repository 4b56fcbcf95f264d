from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import resources
from inference.manifest import FILE, ModelPack, read_manifest
from resources.problem import Problem


def _with(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = folder / FILE
    value = json.loads(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")
    return folder


def test_the_bundled_pack_says_what_it_reads_and_makes(bundled: ModelPack):
    assert bundled.id == "lung-nodule-ct"
    assert (bundled.input.modality, bundled.input.unit) == ("CT", "HU")
    assert "not for diagnosis" in bundled.intended_use.lower()
    assert {o.label for o in bundled.outputs} <= set(resources.table("labels"))
    assert [o.kind for o in bundled.outputs].count("detections") == 1
    assert 0 < bundled.threshold < 1
    assert (bundled.folder / "MODEL_CARD.md").is_file()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda m: m.update(extra=1), "unknown key extra"),
        (lambda m: m["input"].update(script="x"), "unknown key script in input"),
        (lambda m: m["outputs"][1].update(eval="x"), "unknown key eval in outputs[1]"),
        (lambda m: m.pop("licence"), "licence is missing"),
        (lambda m: m["weights"].pop("sha256"), "weights.sha256 is missing"),
        (lambda m: m.update(format=2), "format is not within 1 to 1"),
        (lambda m: m.update(id="../x"), "id is malformed"),
        (lambda m: m.update(name=" "), "name is no text"),
        (lambda m: m.update(version=1), "version is no text"),
        (lambda m: m.update(task="chat"), "task is none of detection"),
        (lambda m: m["weights"].update(file="../model.safetensors"), "weights.file is malformed"),
        (lambda m: m["weights"].update(file="model.pkl"), "weights.file is malformed"),
        (lambda m: m["weights"].update(sha256="0" * 63), "weights.sha256 is malformed"),
        (lambda m: m["input"].update(modality="MR"), "input.modality is none of CT"),
        (lambda m: m["input"].update(pixel_mm=True), "input.pixel_mm is no number"),
        (lambda m: m["input"].update(pixel_mm=float("nan")), "input.pixel_mm is no number"),
        (lambda m: m["input"].update(window=[400, -1000]), "input.window does not ascend"),
        (lambda m: m["input"].update(window=[0]), "input.window is no pair"),
        (lambda m: m["outputs"][1].update(threshold=1.5), "outputs[1].threshold is not within"),
        (lambda m: m["outputs"].append(m["outputs"][1]), "outputs must list detections once"),
        (lambda m: m.update(outputs=[]), "outputs is no list"),
        (lambda m: m.update(outputs=[3]), "outputs[0] is no object"),
        (lambda m: m.update(limits=None), "limits is no object"),
        (lambda m: m.update(training="much"), "training is no object"),
        (lambda m: m["limits"].update(slices=[20, 10**400]), "limits.slices is not within"),
    ],
)
def test_a_fault_is_named(pack_folder: Path, change: Callable[..., object], fault: str):
    with pytest.raises(Problem) as caught:
        read_manifest(_with(pack_folder, change))
    assert fault in caught.value.sentence
    assert "lung-nodule-ct" in caught.value.sentence and FILE in caught.value.sentence
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "[]", "{", "3", "[" * 100_000, "\udcff"])
def test_what_is_no_manifest_is_refused(pack_folder: Path, text: str):
    (pack_folder / FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Problem):
        read_manifest(pack_folder)


def test_a_missing_manifest_is_a_problem(tmp_path: Path):
    with pytest.raises(Problem, match="cannot be used"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("kind", ["outline", "impression", "uncertainty"])
def test_a_pack_says_what_it_makes(pack_folder: Path, kind: str):
    bare = {"kind": "detections", "label": "nodule", "threshold": 0.5, "floor": 0.1}
    assert not read_manifest(_with(pack_folder, lambda m: m.update(outputs=[bare]))).makes(kind)
    more = [bare, {"kind": kind, "label": "nodule"}]
    pack = read_manifest(_with(pack_folder, lambda m: m.update(outputs=more)))
    assert pack.makes(kind) and pack.makes("detections")


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        ({"kind": "outlines", "label": "nodule"}, "kind is none of"),
        ({"kind": "outline", "label": "anything"}, "label is none of"),
        ({"kind": "outline", "label": "nodule", "threshold": 0.5}, "unknown key threshold"),
        ({"kind": "heatmap", "label": "nodule"}, "outputs name one thing twice"),
    ],
)
def test_an_output_outside_the_vocabulary_is_a_fault(pack_folder: Path, output, fault: str):
    with pytest.raises(Problem) as caught:
        read_manifest(_with(pack_folder, lambda m: m["outputs"].append(output)))
    assert fault in caught.value.sentence
