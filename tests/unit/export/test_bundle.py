"""An export appears whole and checked, or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from resources.problem import Problem
from tests.export_cases import STAMP, ai_case, reviewed_case
from viewer.export import bundle, export_case, files, nifti, place, seg
from viewer.study.cancel import Cancelled

ALL = {
    "seg.dcm",
    "image.nii.gz",
    "labels.nii.gz",
    "heatmap.nii.gz",
    "findings.json",
    "manifest.json",
}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return ai_case(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    return reviewed_case(tmp_path_factory.mktemp("study"))


def _json(path: Path):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def _tree(folder: Path):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_writes_every_file_and_tells_of_each_step(case, tmp_path):
    told = []
    report = export_case(case, tmp_path / "out", progress=lambda *step: told.append(step))
    assert {p.name for p in (tmp_path / "out").iterdir()} == ALL
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert told == [(n, 6) for n in range(1, 7)]
    assert report.segments == 4
    assert not report.reviewed


def test_the_manifest_tells_the_truth(case, tmp_path):
    report = export_case(case, tmp_path / "out")
    manifest = _json(tmp_path / "out" / "manifest.json")
    listed = {entry["name"]: entry for entry in manifest["files"]}
    assert set(listed) == ALL - {"manifest.json"}
    for name, entry in listed.items():
        data = (tmp_path / "out" / name).read_bytes()
        assert entry == {
            "name": name,
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    assert manifest["model"] == {"id": STAMP.id, "version": STAMP.version, "sha256": STAMP.sha256}
    assert manifest["use"] == "Research use, not for diagnosis."
    assert manifest["review"] == "AI, not reviewed"
    assert manifest["exported_utc"].endswith("Z")
    assert report.bytes == sum(entry["bytes"] for entry in listed.values())


def test_findings_keep_the_contract(case, tmp_path):
    export_case(case, tmp_path / "out")
    document = _json(tmp_path / "out" / "findings.json")
    assert document["model"] == {"id": STAMP.id, "version": STAMP.version, "sha256": STAMP.sha256}
    assert document["device"] == "CPU"
    assert document["series_uid"] == case.plan.series.series_uid
    assert document["seconds"] == {"load": 0.1, "find": 1.5, "read": 0.5}
    assert [d["id"] for d in document["detections"]] == ["d1", "d2"]
    assert [d["id"] for d in document["detections_below_threshold"]] == ["d3"]
    for found, meant in zip(document["detections"], case.findings.detections, strict=False):
        for key in ("id", "label", "score", "diameter_mm", "volume_ml"):
            assert found[key] == getattr(meant, key)
        assert tuple(found["centre_lps_mm"]) == meant.centre_lps_mm
    assert [s["label"] for s in document["segments"]] == ["lung_right", "lung_left"]
    labels = np.asanyarray(nibabel.load(tmp_path / "out" / "labels.nii.gz").dataobj)
    for entry in (*document["segments"], *document["lesions"]):
        assert entry["file"] == "labels.nii.gz"
        assert (labels == entry["label_value"]).any()


def test_review_changes_what_is_exported(reviewed, tmp_path):
    import highdicom as hd

    report = export_case(reviewed, tmp_path / "out")
    document = _json(tmp_path / "out" / "findings.json")
    assert report.reviewed
    assert document["review"] == "reviewed"
    lesions = {lesion["id"]: lesion for lesion in document["lesions"]}
    assert [lesion["verdict"] for lesion in lesions.values()] == [
        "rejected",
        "accepted",
        None,
        "unsure",
    ]
    assert lesions["d1"]["segment_number"] is None, "a rejected lesion is in no mask"
    assert lesions["h2"]["label_value"] is None, "nor is one without an outline"
    assert lesions["h2"]["centre_lps_mm"] == [10.0, -20.0, 30.5], "but its place is kept"
    assert [d["id"] for d in document["detections"]] == ["d1", "d2"], "what the AI said stands"
    assert document["reader"] == lesions["d2"]["reader"] == "Reader One"
    dicom = hd.seg.segread(tmp_path / "out" / "seg.dcm")
    kinds = [
        (d.segment_label, d.algorithm_type.value, d.tracking_id)
        for d in (dicom.get_segment_description(n) for n in dicom.segment_numbers)
    ]
    assert kinds == [
        ("Lung, right", "AUTOMATIC", "s1"),
        ("Lung, left", "AUTOMATIC", "s2"),
        ("Nodule 2", "SEMIAUTOMATIC", "d2"),
        ("Nodule 3", "MANUAL", "h1"),
    ]
    assert dicom.SeriesDescription == "Overread, reviewed, research use"


def test_an_unreviewed_seg_says_so(case, tmp_path):
    import pydicom

    export_case(case, tmp_path / "out")
    ds = pydicom.dcmread(tmp_path / "out" / "seg.dcm")
    assert "AI, not reviewed" in ds.SeriesDescription
    assert ds.ContentDescription == "AI, not reviewed"
    algorithm = ds.SegmentSequence[2].SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmName == STAMP.id
    assert algorithm.AlgorithmVersion == STAMP.version
    assert STAMP.sha256 in algorithm.AlgorithmParameters
    assert ds.SegmentSequence[2].SegmentedPropertyTypeCodeSequence[0].CodeValue == "27925004"
    assert len(ds.SegmentSequence[2].RecommendedDisplayCIELabValue) == 3


def test_a_lesion_keeps_its_tracking_uid(case, tmp_path):
    import pydicom

    uids = []
    for name in ("a", "b"):
        export_case(case, tmp_path / name)
        ds = pydicom.dcmread(tmp_path / name / "seg.dcm")
        uids.append([s.TrackingUID for s in ds.SegmentSequence])
    assert uids[0] == uids[1]
    assert len(set(uids[0])) == 4


def test_nifti_and_json_hold_no_patient_data(case, tmp_path):
    import gzip

    export_case(case, tmp_path / "out")
    canaries = (b"Synthetic^Chest", b"Synthetic", b"OVERREAD-PHANTOM", b"20000101", b"000000.")
    for path in (tmp_path / "out").iterdir():
        if path.name == "seg.dcm":
            continue  # PS3.3 wants the patient there
        data = path.read_bytes()
        assert str(tmp_path).encode() not in data
        if path.suffix == ".gz":
            assert data[4:8] == b"\0\0\0\0", "a time in the gzip header"
            data = gzip.decompress(data)[:352]
        for canary in canaries:
            assert canary not in data, (path.name, canary)


def test_two_exports_differ_only_in_times_and_uids(case, tmp_path):
    export_case(case, tmp_path / "a")
    export_case(case, tmp_path / "b")
    one, two = _tree(tmp_path / "a"), _tree(tmp_path / "b")
    assert {name for name in one if one[name] != two[name]} == {"seg.dcm", "manifest.json"}


def test_without_masks_there_is_no_seg(case, tmp_path):
    from dataclasses import replace

    bare = replace(case, findings=None, lesions=(), segments=())
    report = export_case(bare, tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == ALL - {"seg.dcm", "heatmap.nii.gz"}
    assert report.segments == 0
    document = _json(tmp_path / "out" / "findings.json")
    assert document["model"] is None
    assert document["detections"] == []


def test_a_taken_folder_is_refused_untouched(case, tmp_path):
    target = tmp_path / "out"
    export_case(case, target)
    before = _tree(tmp_path)
    with pytest.raises(Problem) as caught:
        export_case(case, target)
    assert caught.value.remedy
    assert _tree(tmp_path) == before


def test_a_file_of_that_name_is_refused(case, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(Problem):
        export_case(case, tmp_path / "out", replace=True)
    assert (tmp_path / "out").read_text() == "mine"


def test_an_empty_folder_is_taken(case, tmp_path):
    (tmp_path / "out").mkdir()
    export_case(case, tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == ALL


@pytest.mark.skipif(os.name != "posix", reason="links need no privilege on POSIX only")
def test_a_link_is_followed(case, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    export_case(case, tmp_path / "link")
    assert {p.name for p in (tmp_path / "real").iterdir()} == ALL


def test_replace_renews_ours_and_leaves_the_rest(case, tmp_path):
    from dataclasses import replace

    target = tmp_path / "out"
    export_case(case, target)
    (target / "notes.txt").write_text("mine")
    export_case(replace(case, findings=replace(case.findings, heatmap=None)), target, replace=True)
    assert {p.name for p in target.iterdir()} == (ALL - {"heatmap.nii.gz"}) | {"notes.txt"}
    listed = _json(target / "manifest.json")["files"]
    for entry in listed:
        data = (target / entry["name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_replace_spares_files_of_these_names_from_elsewhere(case, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "image.nii.gz").write_text("mine")
    with pytest.raises(Problem):
        export_case(case, tmp_path / "out", replace=True)
    assert _tree(tmp_path).keys() == {str(Path("out") / "image.nii.gz")}


@pytest.mark.parametrize("victim", sorted(ALL))
def test_a_full_disk_leaves_nothing(case, tmp_path, monkeypatch, victim):
    """Whatever file meets the full disk, no half export is left and the need is told."""
    seal = files._seal

    def full(path):
        if path.name == victim:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return seal(path)

    monkeypatch.setattr(files, "_seal", full)
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "kept.txt").write_text("kept")
    with pytest.raises(Problem) as caught:
        export_case(case, tmp_path / "out")
    assert "full" in caught.value.sentence
    assert f"{bundle.megabytes_needed(case)} MB" in caught.value.remedy
    assert str(tmp_path) not in caught.value.detail
    assert _tree(tmp_path).keys() == {str(Path("older") / "kept.txt")}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["older"]


def test_a_full_disk_spares_the_earlier_export(case, tmp_path, monkeypatch):
    target = tmp_path / "out"
    export_case(case, target)
    before = _tree(tmp_path)

    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(nifti, "write", full)
    with pytest.raises(Problem):
        export_case(case, target, replace=True)
    assert _tree(tmp_path) == before


def test_the_need_is_an_upper_bound(case, tmp_path):
    report = export_case(case, tmp_path / "out")
    assert report.bytes <= bundle.megabytes_needed(case) * 1e6


@pytest.mark.parametrize(
    ("error", "word"),
    [(PermissionError(errno.EACCES, "no"), "may not"), (OSError(errno.EIO, "gone"), "could not")],
)
def test_a_folder_that_cannot_be_written_is_a_sentence(case, tmp_path, monkeypatch, error, word):
    def fail(*_args, **_more):
        raise error

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(Problem) as caught:
        export_case(case, tmp_path / "out")
    assert word in caught.value.sentence
    assert caught.value.remedy


@pytest.mark.parametrize("module", [nifti, seg])
def test_a_file_that_reads_back_wrong_is_no_export(case, tmp_path, monkeypatch, module):
    monkeypatch.setattr(module, "differs", lambda *_: "voxels differ")
    with pytest.raises(Problem) as caught:
        export_case(case, tmp_path / "out")
    assert "read back" in caught.value.sentence
    assert list(tmp_path.iterdir()) == []


def test_cancel_leaves_nothing(case, tmp_path):
    asked = []

    def later():
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        export_case(case, tmp_path / "out", cancelled=later)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_went_away_is_a_sentence(tmp_path):
    case = ai_case(tmp_path / "study")
    case.plan.planes[3].instance.path.unlink()
    with pytest.raises(Problem) as caught:
        export_case(case, tmp_path / "out")
    assert caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_the_manifest_comes_last_into_an_earlier_export(tmp_path, monkeypatch):
    """A stop in the middle leaves no manifest, so nothing claims that the mix is whole."""
    part, target = tmp_path / "part", tmp_path / "out"
    for folder in (part, target):
        folder.mkdir()
        for name in place.NAMES:
            (folder / name).write_text(folder.name)
    replace = Path.replace

    def stop_at_labels(self, other):
        if self.name == "labels.nii.gz":
            raise OSError(errno.EIO, "gone")
        return replace(self, other)

    monkeypatch.setattr(Path, "replace", stop_at_labels)
    with pytest.raises(OSError, match="gone"):
        place.settle(part, target)
    assert not (target / "manifest.json").exists()
