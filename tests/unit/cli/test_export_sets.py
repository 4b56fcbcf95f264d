"""``overread export --format nnunet,…``: cases become a version of a training set."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inference import geometry
from viewer import cli
from viewer.cli import deidentify
from viewer.session import Case, Reader
from viewer.study import order, read, scan
from viewer.tools.brush import Brush


@pytest.fixture
def worked(phantom_study, private_home):
    """A study on which a reader drew one lesion."""
    plan = order.order(scan.scan([phantom_study]).series[0])
    case = Case.open(plan.series, plan, read.read(plan), reader=Reader("Reader One"))
    at_kji = np.array([5.0, 20.0, 15.0])
    place = tuple(geometry.kji_to_lps_mm(case.volume.affine, at_kji))
    lesion = case.add_missed(place).lesion_ids[0]
    stroke = case.start_stroke(lesion, Brush(20.0, "ball"))
    stroke.move_to(at_kji)
    case.commit_stroke(stroke)
    assert case.close() == 0
    return phantom_study


def run(capsys, *arguments):
    code = cli.main(["export", *map(str, arguments)])
    said = capsys.readouterr()
    return code, " ".join(said.out.split()), " ".join(said.err.split())


def test_a_set_is_begun_and_grows(worked, tmp_path, capsys):
    out = tmp_path / "set"
    code, said, wrong = run(
        capsys, worked, "--out", out, "--format", "nnunet,table", "--test-share", 0
    )
    assert (code, wrong) == (0, "")
    assert "Version 1 of the training set" in said
    assert "1 true" in said and "read back" in said
    assert (out / "v0001" / "findings.csv").is_file()
    code, said, _ = run(capsys, worked, "--out", out, "--format", "nnunet,table")
    assert code == 0
    assert "No version was added" in said and "stands in the set as it is now" in said


def test_json_holds_the_manifest(worked, tmp_path, capsys):
    code = cli.main(
        ["export", str(worked), "--out", str(tmp_path / "set"), "--format", "table", "--json"]
    )
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["version"] == 1
    assert document["manifest"]["counts"]["truth"] == 1
    assert document["failed"] == []


def test_one_that_cannot_be_read_does_not_stop_the_others(worked, tmp_path, capsys):
    code, said, wrong = run(
        capsys, "nosuchcase", worked, "--out", tmp_path / "set", "--format", "table"
    )
    assert code == 2
    assert "Version 1" in said
    assert "nosuchcase" in wrong


def test_with_a_passphrase_patients_are_called_as_in_all_that_leaves(
    worked, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv(deidentify.PASSPHRASE, "a long enough passphrase")
    code, _, wrong = run(capsys, worked, "--out", tmp_path / "set", "--format", "table")
    assert (code, wrong) == (0, "")
    (item,) = json.loads((tmp_path / "set" / "v0001" / "manifest.json").read_text())["items"]
    from viewer.deid import mapping

    site = mapping.open_mapping("a long enough passphrase")
    assert site.patient_of(item["patient"])
    monkeypatch.delenv(deidentify.PASSPHRASE)
    code, _, wrong = run(capsys, worked, "--out", tmp_path / "set", "--format", "table")
    assert code == 2
    assert "passphrase" in wrong


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--format", "nnunet,seg"], "cannot be written at once"),
        (["--format", "nnunet", "--with-identity"], "never carries identity"),
        (["--format", "seg", "--test-share", "10"], "Only a training set"),
        (["--format", "nnunet", "--test-share", "95"], "cannot be 95"),
    ],
)
def test_what_cannot_be_is_said(worked, tmp_path, capsys, more, said):
    code, _, wrong = run(capsys, worked, "--out", tmp_path / "set", *more)
    assert code == 2
    assert said in wrong
    assert not (tmp_path / "set").exists()
