"""``overread export``: the work on cases as it was left, without a window."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pydicom
import pytest

from inference import geometry
from viewer import cli, worklist_case
from viewer.session import Case, Reader
from viewer.study import order, read, scan
from viewer.tools.brush import Brush
from viewer.worklist import Worklist


def run(capsys, *arguments):
    """Export as the images name the patient; without identity it is in ``test_deidentify``."""
    code = cli.main(["export", "--with-identity", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def _open(study) -> Case:
    plan = order.order(scan.scan([study]).series[0])
    return Case.open(plan.series, plan, read.read(plan), reader=Reader("Reader One"))


@pytest.fixture
def worked(phantom_study, private_home):
    """A study on which a reader drew one lesion and accepted it; return the key of the case."""
    case = _open(phantom_study)
    at_kji = np.array([5.0, 20.0, 15.0])
    place = tuple(geometry.kji_to_lps_mm(case.volume.affine, at_kji))
    lesion = case.add_missed(place).lesion_ids[0]
    stroke = case.start_stroke(lesion, Brush(20.0, "ball"))
    stroke.move_to(at_kji)
    case.commit_stroke(stroke)
    line = worklist_case.study_of(case, "review", [case.plan], [phantom_study])
    Worklist().opened(line)
    assert case.close() == 0
    return case.key


def test_a_study_is_exported_as_it_was_left(phantom_study, worked, tmp_path, capsys):
    code, out, err = run(capsys, phantom_study, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name == f"overread-{worked[:8]}"
    assert {path.name for path in folder.iterdir()} == {
        "seg.dcm", "sr.dcm", "image.nii.gz", "labels.nii.gz", "findings.json", "manifest.json",
    }  # fmt: skip
    seg = pydicom.dcmread(folder / "seg.dcm")
    assert [s.SegmentAlgorithmType for s in seg.SegmentSequence] == ["MANUAL"]
    assert "seg.dcm" in out and "pydicom" in out and "nibabel" in out
    assert "found equal" in " ".join(out.split())


def test_formats_are_chosen_and_json_is_the_manifest(phantom_study, worked, tmp_path, capsys):
    code, out, _ = run(
        capsys, phantom_study, "--out", tmp_path, "--format", "rtstruct,kos", "--format", "sr",
        "--json",
    )  # fmt: skip
    assert code == 0
    document = json.loads(out)
    (export,) = document["exports"]
    assert document["failed"] == []
    assert export["formats"] == ["seg", "sr", "kos", "rtstruct"]
    assert export["left_out"] == [{"format": "kos", "why": "no-key-image"}]
    assert {f["name"] for f in export["files"]} == {
        "seg.dcm", "sr.dcm", "rtstruct.dcm", "findings.json",
    }  # fmt: skip
    assert export["readers"] == ["Reader One"]


def test_a_case_is_named_by_its_key_and_the_list_says_that_it_is_exported(worked, tmp_path, capsys):
    code, _, err = run(capsys, worked[:10], "--out", tmp_path, "--format", "all")
    assert (code, err) == (0, "")
    assert (tmp_path / f"overread-{worked[:8]}" / "rtstruct.dcm").is_file()
    (line,) = Worklist().studies()
    assert line.state == "exported" and line.exported_mark


def test_the_log_of_the_case_says_that_it_was_exported(phantom_study, worked, tmp_path, capsys):
    before = _open(phantom_study)
    events = before.events
    before.close()
    assert run(capsys, phantom_study, "--out", tmp_path)[0] == 0
    after = _open(phantom_study)
    assert after.events == events + 1
    after.close()


def test_a_case_that_is_open_elsewhere_is_exported_unchanged(
    phantom_study, worked, tmp_path, capsys
):
    case = _open(phantom_study)
    try:
        events = case.events
        assert run(capsys, phantom_study, "--out", tmp_path)[0] == 0
        assert case.events == events
    finally:
        case.close()


def test_one_that_fails_does_not_stop_the_others(phantom_study, worked, tmp_path, capsys):
    other = tmp_path / "new" / "study"
    shutil.copytree(phantom_study, other)
    uid = pydicom.uid.generate_uid()
    for path in other.iterdir():
        ds = pydicom.dcmread(path)
        ds.SeriesInstanceUID = uid
        ds.save_as(path)
    code, out, err = run(capsys, other, "no-such", phantom_study, "--out", tmp_path / "out")
    assert code == 2
    assert "Nobody has worked on" in err
    assert "no-such is neither a file nor a case" in err
    assert len(err.strip().splitlines()) == 2
    assert len(list((tmp_path / "out").iterdir())) == 1
    assert "seg.dcm" in out


def test_an_earlier_export_is_replaced_and_a_strange_folder_is_not(
    phantom_study, worked, tmp_path, capsys
):
    folder = tmp_path / f"overread-{worked[:8]}"
    assert run(capsys, phantom_study, "--out", tmp_path)[0] == 0
    assert run(capsys, phantom_study, "--out", tmp_path, "--format", "nifti")[0] == 0
    assert not (folder / "seg.dcm").exists()
    (folder / "manifest.json").write_text("mine")
    code, _, err = run(capsys, phantom_study, "--out", tmp_path)
    assert code == 2
    assert "from elsewhere" in err
    assert (folder / "manifest.json").read_text() == "mine"


@pytest.mark.parametrize("named", ["pdf", "seg,", ""])
def test_a_format_that_is_not_known_is_refused(phantom_study, tmp_path, capsys, named):
    code, out, err = run(capsys, phantom_study, "--out", tmp_path / "o", "--format", named)
    assert (code, out) == (2, "")
    assert "no format" in err
    assert not (tmp_path / "o").exists()
