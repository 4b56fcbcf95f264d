"""``overread deidentify``, and ``overread export``, without a window."""

from __future__ import annotations

import json

import pydicom
import pytest

from tests.deid_cases import NAME, PATIENT_ID, hits, write
from viewer import cli
from viewer.deid import mapping
from viewer.deid.options import KEEP
from viewer.session import Case, Reader
from viewer.study import order, read, scan

PASSPHRASE = "seven green bottles"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch):
    monkeypatch.setenv("OVERREAD_PASSPHRASE", PASSPHRASE)
    monkeypatch.setitem(mapping._SCRYPT, "n", 1 << 10)


def run(capsys, *arguments):
    code = cli.main([str(one) for one in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_study_is_copied_without_identity(tmp_path, capsys):
    write(tmp_path / "in" / "a.dcm")
    code, out, err = run(capsys, "deidentify", tmp_path / "in", "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "1 files of 1 patients" in out and "deidentification.json" in out
    assert not hits(tmp_path / "out")
    (pseudonym,) = (path.name for path in (tmp_path / "out").iterdir() if path.is_dir())
    assert run(capsys, "deidentify", "--whose", pseudonym) == (0, f"{PATIENT_ID}\n", "")


def test_what_is_left_out_is_told_and_is_no_success(tmp_path, capsys):
    write(tmp_path / "in" / "a.dcm")
    write(tmp_path / "in" / "b.dcm", 2, sc=True)
    out = tmp_path / "out"
    code, said, err = run(capsys, "deidentify", tmp_path / "in", "--out", out, "--json", "--once")
    assert code == 1
    assert json.loads(said)["left_out"] == {"pixels-not-seen": 1}
    assert "b.dcm: Text may be burned into it" in err
    assert not mapping.exists()


def test_boxes_and_options_arrive(tmp_path, capsys):
    write(tmp_path / "in" / "b.dcm", 2, sc=True)
    code, said, _ = run(
        capsys, "deidentify", tmp_path / "in", "--out", tmp_path / "out", "--json",
        "--pixels-seen", "--box", "3,2,6,4", "--keep", "dates", "device",
    )  # fmt: skip
    document = json.loads(said)
    assert code == 0 and document["options"] == ["dates", "device"]
    assert document["pixels"]["boxes_column_row_width_height_px"] == [[3, 2, 6, 4]]
    (path,) = (tmp_path / "out").rglob("*.dcm")
    assert pydicom.dcmread(path).pixel_array.max() == 100


@pytest.mark.parametrize(
    "arguments", [["--box", "1,2,3"], ["--box", "1,2,0,4"], ["--box", "-1,2,3,4"], ["--keep", "x"]]
)
def test_what_is_not_understood_is_said_in_one_line(arguments, tmp_path, capsys):
    code, _, err = run(capsys, "deidentify", tmp_path, "--out", tmp_path / "out", *arguments)
    assert code == 2 and err.count("\n") == 1


def test_without_a_passphrase_there_is_a_way_out(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("OVERREAD_PASSPHRASE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    write(tmp_path / "in" / "a.dcm")
    code, _, err = run(capsys, "deidentify", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 2 and "OVERREAD_PASSPHRASE" in err and "--once" in err
    assert not (tmp_path / "out").exists()


def test_a_new_passphrase_is_asked_for_twice(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("OVERREAD_PASSPHRASE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = iter([PASSPHRASE, "something else", PASSPHRASE, PASSPHRASE, PASSPHRASE])
    monkeypatch.setattr("getpass.getpass", lambda words: next(answers))
    write(tmp_path / "in" / "a.dcm")
    assert run(capsys, "deidentify", tmp_path / "in", "--out", tmp_path / "a")[0] == 2
    assert not mapping.exists()
    assert run(capsys, "deidentify", tmp_path / "in", "--out", tmp_path / "a")[0] == 0
    assert run(capsys, "deidentify", tmp_path / "in", "--out", tmp_path / "b")[0] == 0
    assert not list(answers)


def test_every_option_has_a_name(capsys):
    assert cli.main(["deidentify", "--help"]) == 0
    said = capsys.readouterr().out
    assert [name for name in KEEP if name not in said] == []


def test_an_export_leaves_without_identity(phantom_study, tmp_path, capsys):
    plan = order.order(scan.scan([phantom_study]).series[0])
    case = Case.open(plan.series, plan, read.read(plan), reader=Reader("Brannigham"))
    case.add_missed((0.0, 0.0, 0.0))
    assert case.close() == 0
    out = tmp_path / "out"
    command = ("export", phantom_study, "--out", out, "--format", "sr,nifti")
    code, _, err = run(capsys, *command, "--pixels-seen")
    assert (code, err) == (0, "")
    (folder,) = out.iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["deidentified"] == {
        "profile": "PS3.15 Annex E, Basic Profile",
        "kept": [],
        "pixels_seen_by_a_person": True,
    }
    told = json.loads((folder / "deidentification.json").read_text())
    assert told["patients"] and any(one["tag"] == "(0010,0010)" for one in told["attributes"])
    assert "deidentification.json" in {one["name"] for one in manifest["files"]}
    assert len(manifest["readers"]) == 1 and manifest["readers"][0].startswith("R-")
    report = pydicom.dcmread(folder / "sr.dcm")
    assert report.PatientID.startswith("P-")
    series, study = plan.series.series_uid, plan.series.study_uid
    assert not hits(out, ("Brannigham", series, study, plan.series.patient.id))
    # The same case again goes to the same place; as it is known here, to another.
    assert run(capsys, *command, "--pixels-seen")[0] == 0
    assert len(list(out.iterdir())) == 1
    assert NAME not in err


def test_an_export_names_the_patient_only_when_it_is_told_to(phantom_study, tmp_path, capsys):
    plan = order.order(scan.scan([phantom_study]).series[0])
    case = Case.open(plan.series, plan, read.read(plan), reader=Reader("Brannigham"))
    case.add_missed((0.0, 0.0, 0.0))
    assert case.close() == 0
    command = ("export", phantom_study, "--format", "sr", "--pixels-seen", "--out")
    assert run(capsys, *command, tmp_path / "a", "--with-identity")[0] == 0
    assert run(capsys, *command, tmp_path / "b", "--once")[0] == 0
    named, nobody = (
        pydicom.dcmread(next((tmp_path / name).rglob("sr.dcm"))) for name in ("a", "b")
    )
    assert named.PatientID == plan.series.patient.id
    assert nobody.PatientID.startswith("P-") and nobody.PatientIdentityRemoved == "YES"
    assert not list((tmp_path / "a").rglob("deidentification.json"))
    assert not mapping.exists(), "once keeps nothing"
