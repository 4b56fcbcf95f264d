"""Scans without labels: read, given to the model, and its findings counted."""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from inference import registry
from inference.evaluation import cli
from inference.findings import Detection, Findings, Mask, ModelStamp
from tests.evaluation_cases import add_webp

SERIES = {"A": 24, "RIDER-pilot-0109": 24, "short": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "lungs-unlabelled"
    path.mkdir()
    rows = []
    with tarfile.open(path / "slices.tar", "w") as archive:
        for name, count in SERIES.items():
            for k in range(count):
                file = f"{name}/{k}.webp"
                add_webp(archive, file, np.full((1, 40, 128), 30 + k, dtype=np.uint8))
                rows.append({"series": name, "slice": k, "file": file,
                             "pixel_spacing_mm": 0.8, "z_lps_mm": 5.0 * (count - k)})  # fmt: skip
    with (path / "index.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def model(monkeypatch):
    if not registry.available():
        pytest.skip("no model pack is bundled")
    from inference.runtime import load, pipeline

    given = []

    def analyze(volume, pack, engine, tell):
        given.append(volume)
        if len(given) > 1:
            raise pipeline.NoLungs
        found = Detection("d", "nodule", 0.9, (1.0, 2.0, 3.0), 7.0, 5.0, 0.1, 40.0,
                          Mask((2, 5, 6), np.ones((2, 3, 4), dtype=bool)))  # fmt: skip
        stamp = ModelStamp("m", "1.0.0", "0" * 64)
        return Findings(stamp, "CPU", (found,), (), None, 0.5, {"detect": 1.0})

    monkeypatch.setattr(pipeline, "analyze", analyze)
    monkeypatch.setattr(load, "load_nets", lambda pack: {})
    return given


def test_findings_are_counted_in_every_scan(folder: Path, model, tmp_path: Path, capsys):
    out = tmp_path / "f.json"
    assert cli.main(["lungs-unlabelled", str(folder), "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert list(found) == list(SERIES)
    assert found["A"]["shown"] == 1 and found["A"]["trained_on"] is True
    assert "No lungs" in found["RIDER-pilot-0109"]["refused"][0]
    assert "slices" in found["short"]["refused"][0]
    assert "A  1" in capsys.readouterr().out
    # HU = 5.6 grey - 1024, from the feet to the head.
    volume = model[0]
    assert volume.shape_kji == (24, 40, 128) and volume.spacing_kji_mm == (5.0, 0.8, 0.8)
    assert volume.voxels[:2, 0, 0] == pytest.approx([5.6 * 53 - 1024, 5.6 * 52 - 1024], abs=1)


def test_a_broken_folder_is_named(folder: Path, model, tmp_path: Path, capsys):
    out = tmp_path / "f.json"
    (folder / "slices.tar").write_bytes(b"none" * 200)
    assert cli.main(["lungs-unlabelled", str(folder), "--json", str(out)]) == 2
    assert "lungs-unlabelled" in capsys.readouterr().err
    (folder / "index.csv").write_text("series\n")
    assert cli.main(["lungs-unlabelled", str(folder), "--json", str(out)]) == 2
    assert not out.exists()
