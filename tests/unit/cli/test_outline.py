"""``overread outline``: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest

from inference import registry
from inference.geometry import kji_to_lps_mm
from inference.manifest import Output
from viewer import cli
from viewer.study import order, read, scan

VOXEL = (4, 20, 15)


@pytest.fixture
def outliner(pack, monkeypatch):
    """A pack that makes outlines, too."""
    more = replace(pack, outputs=(*pack.outputs, Output("outline", "nodule")))
    monkeypatch.setattr(registry, "available", lambda: (more,))
    return more


@pytest.fixture(scope="module")
def volume(phantom_study):
    plan = order.order(scan.scan([phantom_study]).series[0])
    return read.read(plan)


@pytest.fixture
def run(phantom_study, volume, tmp_path, capsys):
    """Run the command at a voxel; return exit code, stdout and stderr."""

    def run(*more, voxel=VOXEL):
        at = [f"{value:.3f}" for value in kji_to_lps_mm(volume.affine, voxel)]
        arguments = [str(phantom_study), "--at", *at, "--out", str(tmp_path / "out"), *more]
        code = cli.main(["outline", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_an_outline_is_exported_as_what_a_person_pointed_at(
    run, outliner, worker, volume, tmp_path
):
    worker("find")
    code, printed, err = run("--json")
    assert (code, err) == (0, "")
    out = tmp_path / "out"
    document = json.loads(printed)
    assert document.pop("folder") == str(out)
    assert document == json.loads((out / "findings.json").read_text(encoding="utf-8"))
    assert document["review"] == "AI, not reviewed"
    assert document["model"]["sha256"] == outliner.weights.sha256
    assert document["device"] == "CPU"
    assert document["detections"] == document["detections_below_threshold"] == []
    (lesion,) = document["lesions"]
    assert (lesion["origin"], lesion["verdict"], lesion["score"]) == ("ai-pointed", None, 0.875)
    assert lesion["pointed_lps_mm"] == pytest.approx(kji_to_lps_mm(volume.affine, VOXEL), abs=1e-3)
    assert lesion["uncertainty"] == 0.07
    assert lesion["impression"] == {
        "malignancy": 3.25,
        "texture": 4.5,
        "texture_name": "solid",
        "scale": "1 to 5",
        "source": "radiologists' impression in LIDC, not pathology",
    }
    assert document["maps"] == {"heatmap.nii.gz": "share", "uncertainty.nii.gz": "share"}
    labels = np.asarray(nibabel.load(out / "labels.nii.gz").dataobj).T
    wanted = np.zeros(volume.shape_kji, dtype=bool)
    wanted[3:5, 19:22, 14:17] = True
    assert np.array_equal(labels == 1, wanted)
    spread = nibabel.load(out / "uncertainty.nii.gz").get_fdata().T
    assert spread[3:6, 19:22, 14:17] == pytest.approx(200 / 255, abs=1e-6)
    assert np.count_nonzero(spread) == 27
    seg = pydicom.dcmread(out / "seg.dcm")
    (segment,) = seg.SegmentSequence
    assert segment.SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert seg.ContentDescription == "AI, not reviewed"


def test_it_prints_what_a_person_wants_to_know(run, outliner, worker):
    worker("find")
    code, printed, err = run()
    assert (code, err) == (0, "")
    said = " ".join(printed.split())
    # Three pixels of 8.4 x 9 mm: the longest chord between edge midpoints, hypot(16.8, 27).
    for part in (
        "Score: 0.88",
        "Size: 31.8 x",
        "3.2 of 5, solid",
        "93 %",
        "6 to 7 of 10",  # from the head, as the window counts: k is 3 to 4
        "not reviewed",
    ):
        assert part in said, part
    assert "radiologists' impression in LIDC, not pathology" in said
    assert "Not for diagnosis" in said


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [("nothing", "there is nothing that the model would outline"), ("outside", "lies outside")],
)
def test_an_empty_outline_is_a_sentence_and_exit_code_1(
    run, outliner, worker, tmp_path, mode, sentence
):
    worker(mode)
    code, printed, err = run()
    assert (code, printed) == (1, "")
    assert sentence in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
    code, printed, err = run("--json")
    assert code == 1
    assert json.loads(printed) == {"folder": None, "reason": mode, "score": 0.125, "lesions": []}
    assert sentence in err


def test_a_model_without_outlines_is_refused_at_once(run, pack, worker, monkeypatch, tmp_path):
    marker = worker("find")
    without = replace(pack, outputs=tuple(o for o in pack.outputs if o.kind != "outline"))
    monkeypatch.setattr(registry, "available", lambda: (without,))
    code, printed, err = run()
    assert (code, printed) == (2, "")
    assert "makes no outlines" in err
    assert not marker.exists() and not (tmp_path / "out").exists()


def test_a_series_outside_the_limits_is_refused(run, outliner, worker, monkeypatch):
    marker = worker("find")
    narrow = replace(outliner, limits=replace(outliner.limits, slices=(20, 3000)))
    monkeypatch.setattr(registry, "available", lambda: (narrow,))
    code, _, err = run()
    assert code == 2
    assert "this series has 10" in err
    assert not marker.exists()


@pytest.mark.parametrize("at", [("1", "2", "nan"), ("1", "x", "3"), ("inf", "1", "2"), ("1", "2")])
def test_what_is_no_point_is_a_sentence(at, capsys):
    code = cli.main(["outline", "study", "--out", "out", "--at", *at])
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert len(said.err.strip().splitlines()) == 1
    assert "--at" in said.err
