"""``overread analyze`` with the bundled model, from DICOM files to a checked export."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from inference import registry
from viewer import cli
from viewer.phantom.sample import sample_spec, sample_study

ROOT = Path(cli.__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _needs_a_model():
    if not registry.available():
        pytest.skip("no model pack is bundled")


def analyze(study: Path, out: Path):
    """Run the command as a person does; return what it printed."""
    command = [sys.executable, "-m", "viewer", "analyze", str(study), "--out", str(out)]
    done = subprocess.run(
        [*command, "--device", "cpu", "--json"], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def _check_export(out: Path):
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert {entry["name"] for entry in manifest["files"]} == {
        "seg.dcm",
        "image.nii.gz",
        "labels.nii.gz",
        "heatmap.nii.gz",
        "uncertainty.nii.gz",
        "findings.json",
    }
    for entry in manifest["files"]:
        data = (out / entry["name"]).read_bytes()
        assert len(data) == entry["bytes"]
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    if shutil.which("dciodvfy"):
        checked = subprocess.run(
            ["dciodvfy", "-new", str(out / "seg.dcm")], capture_output=True, text=True
        )
        lines = (checked.stdout + checked.stderr).splitlines()
        assert [line for line in lines if line.startswith("Error")] == []


def test_the_model_finds_every_nodule_of_the_sample(tmp_path):
    document = analyze(sample_study(), tmp_path / "out")
    _check_export(tmp_path / "out")
    for nodule in sample_spec().nodules:
        near = [
            found
            for found in document["detections"]
            if np.linalg.norm(np.subtract(found["centre_lps_mm"], nodule.centre_lps_mm))
            < nodule.diameter_mm / 2
        ]
        assert near, f"missed the nodule of {nodule.diameter_mm} mm at {nodule.centre_lps_mm}"
        best = max(near, key=lambda found: found["score"])
        assert best["diameter_mm"] == pytest.approx(nodule.diameter_mm, abs=3.0)
        # The centre of each lies under a lesion of the label map.
        labels = nibabel.load(tmp_path / "out" / "labels.nii.gz")
        ras = np.multiply(nodule.centre_lps_mm, (-1, -1, 1))
        index = np.rint(np.linalg.inv(labels.affine) @ [*ras, 1])[:3].astype(int)
        value = int(labels.dataobj[tuple(index)])
        lesions = {lesion["label_value"]: lesion for lesion in document["lesions"]}
        assert value in lesions
    litres = {s["label"]: s["volume_ml"] / 1000 for s in document["segments"]}
    assert litres == {
        "lung_right": pytest.approx(2.65, abs=0.25),
        "lung_left": pytest.approx(2.58, abs=0.25),
    }


def test_the_mass_of_a_real_study_is_among_the_detections(lidc_study, shared_data, tmp_path):
    truth = json.loads(
        (shared_data / "studies" / "LIDC-IDRI-0001.truth.json").read_text(encoding="utf-8")
    )
    centres = np.array(_centres(truth))
    document = analyze(lidc_study, tmp_path / "out")
    _check_export(tmp_path / "out")
    # The readers outlined one mass of about 33 mm.
    middle = centres.mean(axis=0)
    near = [
        found
        for found in document["detections"]
        if np.linalg.norm(np.subtract(found["centre_lps_mm"], middle)) < 15
    ]
    assert near
    assert max(found["diameter_mm"] for found in near) > 20


def _centres(value) -> list[list[float]]:
    """Collect every ``centre_lps_mm`` of the truth file, wherever it stands."""
    if isinstance(value, dict):
        own = [value["centre_lps_mm"]] if "centre_lps_mm" in value else []
        return own + [c for inner in value.values() for c in _centres(inner)]
    if isinstance(value, list):
        return [c for inner in value for c in _centres(inner)]
    return []
