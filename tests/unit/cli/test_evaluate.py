"""``overread evaluate``: both kinds, from the command to the file of figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation import cli as evaluation
from inference.evaluation.predictions import save
from tests.evaluation_cases import majority, said, write_folder
from viewer import cli


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("evaluate") / "crops", 6)


@pytest.fixture
def predictions(folder, tmp_path: Path) -> Path:
    np.savez(tmp_path / "p.npz", masks=majority(folder), scores=np.ones(6))
    return tmp_path / "p.npz"


def run(*arguments) -> int:
    return cli.main(["evaluate", *map(str, arguments)])


# -------------------------------------------------------------------- crops


def test_crops_are_measured_in_a_process_of_their_own(folder, predictions, tmp_path, capfd):
    out = tmp_path / "deep" / "figures.json"
    code = run("lidc-nodules", folder.path, "--json", out, "--predictions", predictions)
    said_out, said_err = capfd.readouterr()
    assert code == 0, said_err
    assert "Dice, mean" in said_out
    found = json.loads(out.read_text())
    # Nobody knows what made them, so all of them are measured.
    assert found["measured"]["split"] == "all" and found["measured"]["nodules"] == 6
    assert found["outline"]["dice"]["mean"] == 1.0
    assert found["model"] is None


def test_what_is_wrong_comes_back_as_a_sentence_and_a_code(folder, tmp_path, capfd):
    out = tmp_path / "figures.json"
    code = run("lidc-nodules", tmp_path, "--json", out)
    said_out, said_err = capfd.readouterr()
    assert (code, said_out) == (2, "")
    assert "index.csv" in said_err and "Traceback" not in said_err
    assert len(said_err.strip().splitlines()) == 1
    assert not out.exists()


def test_the_bundle_says_that_it_cannot(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert run("lidc-nodules", folder.path, "--json", tmp_path / "f.json") == 2
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1 and "Install" in err


def test_two_models_are_compared_in_a_process_of_their_own(
    folder, predictions, tmp_path, capfd, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.npz").write_bytes(predictions.read_bytes())
    arguments = ["--data", str(folder.path), "--split", "all", "--json", "f.json"]
    code = cli.main(["compare", "--old", "p.npz", "--new", "q.npz", *arguments])
    said_out, said_err = capfd.readouterr()
    assert code == 0, said_err
    # Neither has heat, so that nobody can say that it is as true as before.
    assert "The new model may not take the place of the old one." in said_out
    assert json.loads((tmp_path / "f.json").read_text())["new_minus_old"]["dice"]["mean"] == 0
    assert cli.main(["compare", "--old", "no-such-model", "--new", "q.npz", *arguments]) == 2
    assert "There is no model named no-such-model." in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["lidc-nodules"], ["scan", "x"], ["crops", "x"]])
def test_arguments_that_are_missing_are_named(arguments, capsys):
    assert run(*arguments) == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize("split", ["unseen", "test", "validation", "train"])
def test_a_split_is_measured_by_the_hash(folder, predictions, tmp_path, split, capsys):
    from inference.training.data import split_of

    wanted = {"unseen": "test"}.get(split, split)
    members = {n.patient for n in folder.lesions if split_of(n.patient) == wanted}
    out = tmp_path / "f.json"
    command = ["lidc-nodules", str(folder.path), "--json", str(out), "--split", split]
    code = evaluation.main([*command, "--predictions", str(predictions)])
    if not members:
        assert code == 2 and "--split all" in capsys.readouterr().err
        return
    assert code == 0
    assert set(json.loads(out.read_text())["measured"]["patient_names"]) == members


def test_a_place_that_cannot_be_written_is_named(folder, predictions, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    command = ["lidc-nodules", str(folder.path), "--json", str(tmp_path / "file" / "f.json")]
    assert evaluation.main([*command, "--predictions", str(predictions)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_pictures_and_outlines_are_drawn(folder, tmp_path, capsys):
    file = tmp_path / "p.npz"
    save(file, said(folder, majority(folder), other_masks=majority(folder)))
    command = ["pictures", str(folder.path), "--predictions", str(file), "--split", "all"]
    out, svg = tmp_path / "pictures", tmp_path / "failures.svg"
    assert evaluation.main([*command, "--worst", "2", "--out", str(out), "--svg", str(svg)]) == 0
    assert [path.name for path in sorted(out.iterdir())] == ["01.png", "02.png"]
    assert svg.read_text().startswith("<svg") and "Dice 1.00" in svg.read_text()


# --------------------------------------------------------------------- scan


def truth(study: Path, uid: str | None = None) -> dict:
    """What the fake process finds, but for a slice, drawn by one reader."""
    import pydicom

    files = [pydicom.dcmread(path) for path in study.iterdir()]
    files.sort(key=lambda ds: ds.ImagePositionPatient[2])
    line = [[5, 4], [11, 4], [11, 9], [5, 9]]
    contours = [
        {"z_lps_mm": float(files[k].ImagePositionPatient[2]), "inclusion": True,
         "column_row": line}
        for k in (2, 3)
    ]  # fmt: skip
    return {
        "series_instance_uid": uid or str(files[0].SeriesInstanceUID),
        "nodules": [{"annotations": [{"contours": contours}]}],
    }


def test_a_scan_is_measured_against_its_truth(phantom_study, pack, worker, tmp_path, capsys):
    worker("find")
    file, out = tmp_path / "truth.json", tmp_path / "figures.json"
    file.write_text(json.dumps(truth(phantom_study)))
    assert run("scan", phantom_study, "--truth", file, "--json", out) == 0
    assert "rank 1" in capsys.readouterr().out
    found = json.loads(out.read_text())
    assert found["sensitivity"] == 1.0 and found["false_positives"] == 0
    # The process finds slices 2 to 4, rows 5 to 8, columns 6 to 10; the reader drew two of them.
    (nodule,) = found["nodules"]
    assert nodule["best"]["dice"] == pytest.approx(2 * 40 / (40 + 60), abs=1e-4)
    assert found["scan"]["slices"] == 10


def test_a_scan_without_truth_counts_findings(phantom_study, pack, worker, tmp_path):
    worker("find")
    out = tmp_path / "figures.json"
    assert run("scan", phantom_study, "--json", out) == 0
    found = json.loads(out.read_text())
    assert found["shown"] == 1 and "nodules" not in found


def test_the_truth_of_another_series_is_refused(phantom_study, pack, worker, tmp_path, capsys):
    marker = worker("find")
    file, out = tmp_path / "truth.json", tmp_path / "figures.json"
    file.write_text(json.dumps(truth(phantom_study, "1.2.3.4")))
    assert run("scan", phantom_study, "--truth", file, "--json", out) == 2
    assert "not in this study" in capsys.readouterr().err
    file.write_text("{}")
    assert run("scan", phantom_study, "--truth", file, "--json", out) == 2
    assert "truth.json" in capsys.readouterr().err
    assert not out.exists() and not marker.exists()
