"""What an export is written as: every format, what it leaves out, and that each check can fail."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest

from inference.findings import Mask
from resources.problem import Problem
from tests.export_cases import STAMP, ai_case, whole_case
from viewer.export import bundle, export_case, key_objects, parametric, rtstruct, source, sr
from viewer.export.formats import FILES, FORMATS, complete
from viewer.export.layers import layers
from viewer.study import order, read, scan

WHOLE = {name for files in FILES.values() for name in files} | {"findings.json", "manifest.json"}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return whole_case(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def known(case):
    return source.load(case)


@pytest.fixture(scope="module")
def written(case, tmp_path_factory):
    return export_case(case, tmp_path_factory.mktemp("out") / "case", formats=FORMATS)


def _manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_every_format_writes_its_files(written):
    assert {path.name for path in written.folder.iterdir()} == WHOLE
    assert written.left_out == ()


def test_the_report_brings_the_segmentation_that_it_names(case, tmp_path):
    assert complete(["sr"]) == ("seg", "sr")
    report = export_case(case, tmp_path / "out", formats=("sr",))
    assert {f.name for f in report.files} == {"seg.dcm", "sr.dcm", "findings.json"}


def test_no_other_format_is_known():
    with pytest.raises(ValueError):
        complete(["seg", "pdf"])


def test_the_manifest_counts_and_says_who_read_each_file(written):
    manifest = _manifest(written.folder)
    assert manifest["formats"] == list(FORMATS)
    assert manifest["format_version"] == 2
    assert manifest["readers"] == ["Reader One", "Reader Two"]
    assert manifest["counts"] == {
        "lesions": 5,
        "lesions_by_verdict": {"accepted": 3, "rejected": 1, "unsure": 1, "none": 0},
        "lesions_by_origin": {"ai": 1, "ai-edited": 1, "human": 3},
        "unlisted": 0,
        "structures": 2,
        "measurements": 5,
        "key_images": 3,
        "slices": 14,
    }
    assert manifest["model"]["sha256"] == STAMP.sha256
    checks = {check["name"]: check for check in manifest["checks"]}
    assert set(checks) == WHOLE - {"findings.json", "manifest.json"}
    assert all(check["result"] == "equal" and check["compared"] for check in checks.values())
    assert checks["image.nii.gz"]["reader"] == f"nibabel {nibabel.__version__}"
    assert checks["rtstruct.dcm"]["reader"] == f"pydicom {pydicom.__version__}"
    assert [check.name for check in written.checks] == [c["name"] for c in manifest["checks"]]


def test_another_process_says_the_same(case, written, tmp_path):
    there = export_case(case, tmp_path / "out", formats=FORMATS, apart=True)
    assert there.checks == written.checks
    assert {f.name for f in there.files} == {f.name for f in written.files}
    bare = replace(case, key_images=())
    there = export_case(bare, tmp_path / "bare", formats=("kos", "nifti"), apart=True)
    assert there.left_out == (("kos", "no-key-image"),)


def test_what_there_is_nothing_of_is_left_out_and_said(case, tmp_path):
    empty = replace(case, lesions=(), segments=(), measurements=(), key_images=(), findings=None)
    report = export_case(empty, tmp_path / "out", formats=FORMATS)
    assert dict(report.left_out) == {
        "seg": "no-outline",
        "sr": "nothing-to-report",
        "pm": "no-heatmap",
        "kos": "no-key-image",
        "rtstruct": "no-outline",
    }
    said = {one["format"]: one["why"] for one in _manifest(report.folder)["left_out"]}
    assert said == dict(report.left_out)
    assert {f.name for f in report.files} == {"image.nii.gz", "labels.nii.gz", "findings.json"}


def test_a_report_without_any_outline_needs_no_segmentation(case, tmp_path):
    bare = replace(case, segments=(), lesions=tuple(x for x in case.lesions if not x.mask.count))
    assert bare.lesions
    report = export_case(bare, tmp_path / "out", formats=("sr",))
    assert {f.name for f in report.files} == {"sr.dcm", "findings.json"}


def test_of_images_that_are_no_dicom_no_dicom_is_made(tmp_path):
    voxels = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([2.0, 2, 3, 1])), tmp_path / "in.nii.gz")
    plan = order.order(scan.scan([tmp_path / "in.nii.gz"]).series[0])
    case = replace(
        ai_case(tmp_path / "study"), plan=plan, volume=read.read(plan), findings=None, lesions=(),
        segments=(),
    )  # fmt: skip
    report = export_case(case, tmp_path / "out", formats=FORMATS)
    assert {why for _, why in report.left_out} == {"not-dicom"}
    assert len(report.left_out) == 5


def test_an_earlier_export_is_replaced_by_fewer_formats(case, tmp_path):
    export_case(case, tmp_path / "out", formats=FORMATS)
    export_case(case, tmp_path / "out", formats=("rtstruct",), replace=True)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"rtstruct.dcm", "findings.json", "manifest.json"}


def test_the_need_is_an_upper_bound_of_every_format(case, written, tmp_path):
    assert written.bytes <= bundle.megabytes_needed(case, FORMATS) * 1e6
    holes = np.zeros(case.volume.shape_kji, bool)
    holes[:, ::2, ::2] = True
    jagged = replace(
        case, lesions=(replace(case.lesions[1], mask=Mask.from_array(holes)),), segments=()
    )
    report = export_case(jagged, tmp_path / "out", formats=("rtstruct",))
    assert report.bytes <= bundle.megabytes_needed(jagged, ("rtstruct",)) * 1e6


@pytest.mark.parametrize("module", [sr, parametric, key_objects, rtstruct])
def test_a_file_that_reads_back_wrong_is_no_export(case, tmp_path, monkeypatch, module):
    monkeypatch.setattr(module, "differs", lambda *_: "something differs")
    with pytest.raises(Problem) as caught:
        export_case(case, tmp_path / "out", formats=FORMATS)
    assert "read back" in caught.value.sentence
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------- each check can fail


def _changed(written, name, tmp_path, change):
    """Change a file as a fault would, and return where it lies."""
    dataset = pydicom.dcmread(written.folder / name)
    change(dataset)
    dataset.save_as(tmp_path / name)
    return tmp_path / name


def _move_a_contour(ds):
    contour = ds.ROIContourSequence[2].ContourSequence[1]
    points = np.array(contour.ContourData, dtype=float)
    points[2::3] += 0.01
    contour.ContourData = [f"{v:.4f}" for v in points]


def _drop_a_contour(ds):
    del ds.ROIContourSequence[2].ContourSequence[0]


def _flip_contours(ds):
    for contour in ds.ROIContourSequence[0].ContourSequence:
        points = np.array(contour.ContourData, dtype=float)
        points[0::3] *= -1
        contour.ContourData = [f"{v:.4f}" for v in points]


def _move_a_corner(ds):
    contour = ds.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData[0] = f"{float(contour.ContourData[0]) + 8:.4f}"


def _name_another(ds):
    first, *_, last = ds.ROIContourSequence[0].ContourSequence
    last.ContourImageSequence = first.ContourImageSequence


def _drop_a_region(ds):
    del ds.ROIContourSequence[1]


@pytest.mark.parametrize(
    "change",
    [_move_a_contour, _drop_a_contour, _flip_contours, _move_a_corner, _name_another,
     _drop_a_region],
)  # fmt: skip
def test_wrong_contours_are_seen(case, known, written, tmp_path, change):
    assert rtstruct.differs(written.folder / "rtstruct.dcm", known, layers(case)) == ""
    path = _changed(written, "rtstruct.dcm", tmp_path, change)
    assert rtstruct.differs(path, known, layers(case))


def _turn_the_map(ds):
    pixels = np.frombuffer(ds.FloatPixelData, "<f4").reshape(int(ds.NumberOfFrames), -1)
    ds.FloatPixelData = pixels[::-1].tobytes()


def _move_the_map(ds):
    for group in ds.PerFrameFunctionalGroupsSequence:
        place = group.PlanePositionSequence[0]
        place.ImagePositionPatient = [float(v) + 0.01 for v in place.ImagePositionPatient]


def _stretch_the_map(ds):
    measures = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.PixelSpacing = [float(v) * 1.001 for v in measures.PixelSpacing]


@pytest.mark.parametrize("change", [_turn_the_map, _move_the_map, _stretch_the_map])
def test_a_wrong_map_is_seen(case, known, written, tmp_path, change):
    heat = case.findings.heatmap
    assert parametric.differs(written.folder / "heatmap.dcm", known, heat) == ""
    path = _changed(written, "heatmap.dcm", tmp_path, change)
    assert parametric.differs(path, known, heat)


def _group(ds, number):
    (measured,) = (i for i in ds.ContentSequence if i.ValueType == "CONTAINER")
    return measured.ContentSequence[number]


def _change_a_verdict(ds):
    item = next(i for i in _group(ds, 0).ContentSequence
                if i.ConceptNameCodeSequence[0].CodeValue == "verdict")  # fmt: skip
    item.ConceptCodeSequence[0].CodeValue = "accepted"


def _change_a_size(ds):
    item = next(i for i in _group(ds, 1).ContentSequence if i.ValueType == "NUM")
    item.MeasuredValueSequence[0].NumericValue = "1.5"


def _drop_a_lesion(ds):
    (measured,) = (i for i in ds.ContentSequence if i.ValueType == "CONTAINER")
    del measured.ContentSequence[0]


def _name_another_segment(ds):
    item = next(i for i in _group(ds, 1).ContentSequence if i.ValueType == "IMAGE")
    item.ReferencedSOPSequence[0].ReferencedSegmentNumber = 1


def _name_a_stranger(ds):
    item = [i for i in _group(ds, 1).ContentSequence if i.ValueType == "IMAGE"][-1]
    item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3"


@pytest.mark.parametrize(
    "change",
    [_change_a_verdict, _change_a_size, _drop_a_lesion, _name_another_segment, _name_a_stranger],
)
def test_a_wrong_report_is_seen(case, written, tmp_path, change):
    # The segmentation that the report names has the identifier of its own export.
    seg = pydicom.dcmread(written.folder / "seg.dcm", stop_before_pixels=True)
    known = source.load(case)
    known.identities["seg.dcm"] = source.Identity("1.2", str(seg.SOPInstanceUID), 1)
    assert sr.differs(written.folder / "sr.dcm", known, layers(case)) == ""
    path = _changed(written, "sr.dcm", tmp_path, change)
    assert sr.differs(path, known, layers(case))


def test_wrong_key_images_are_seen(case, known, written, tmp_path):
    assert key_objects.differs(written.folder / "key-images.dcm", known) == ""

    def change(ds):
        item = ds.ContentSequence[-1].ReferencedSOPSequence[0]
        item.ReferencedSOPInstanceUID = case.plan.planes[0].instance.sop_instance_uid

    path = _changed(written, "key-images.dcm", tmp_path, change)
    assert key_objects.differs(path, known)


def test_no_words_of_a_reader_and_no_path_are_in_any_file(case, tmp_path):
    """Comments are free text; the paths of the study may name a patient."""
    said = replace(case, lesions=tuple(replace(x, comment="CANARY") for x in case.lesions))
    folder = export_case(said, tmp_path / "out", formats=FORMATS).folder
    for path in folder.iterdir():
        data = path.read_bytes()
        assert b"CANARY" not in data and str(tmp_path).encode() not in data, path.name


def test_a_map_and_an_outline_of_one_slice(case, tmp_path):
    """What is alone may stand in the groups that all frames share."""
    heat = case.findings.heatmap
    thin = replace(heat, values=heat.values[:1])
    lone = np.zeros(case.volume.shape_kji, bool)
    lone[5, 10:14, 9:20] = True
    bare = replace(
        case,
        findings=replace(case.findings, heatmap=thin, uncertainty=None),
        lesions=(replace(case.lesions[1], mask=Mask.from_array(lone)),),
        segments=(),
    )
    report = export_case(bare, tmp_path / "out", formats=FORMATS)
    assert report.left_out == ()
