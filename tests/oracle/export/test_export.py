"""What is exported, read back by others: highdicom, SimpleITK, nibabel, dciodvfy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import highdicom as hd
import nibabel
import numpy as np
import pydicom
import pytest

from inference import geometry
from tests.export_cases import ai_case, reviewed_case
from viewer.export import export_case
from viewer.export.layers import layers
from viewer.session import Case, Reader
from viewer.study import order, read, scan
from viewer.tools.brush import Brush

sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra 'test')")

ROTATIONS = [(0.0, 0.0, 0.0), (14.0, -8.0, 21.0), (90.0, 0.0, 0.0), (0.0, 90.0, 90.0)]
RAS = np.array([-1, -1, 1])  # to LPS and back
ORDERS = ["ascending", "descending", "shuffled"]
needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is absent"
)


@pytest.fixture(scope="module", params=ROTATIONS, ids=str)
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    order = ORDERS[ROTATIONS.index(request.param) % 3]
    case = ai_case(folder / "study", request.param, order)
    return case, export_case(case, folder / "out").folder, folder / "study"


def _frames_by_place(path: Path):
    """Every frame of a SEG by (segment, position), by pydicom alone, without highdicom."""
    ds = pydicom.dcmread(path)
    pixels = ds.pixel_array
    for frame, groups in zip(pixels, ds.PerFrameFunctionalGroupsSequence, strict=True):
        position = groups.PlanePositionSequence[0].ImagePositionPatient
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        yield int(number), np.array(position, dtype=float), frame, groups


def test_the_seg_holds_each_mask_voxel_for_voxel(exported):
    case, folder, _ = exported
    shape, affine = case.volume.shape_kji, case.volume.affine
    found = {layer.number: np.zeros(shape, dtype=bool) for layer in layers(case)}
    for number, position, frame, groups in _frames_by_place(folder / "seg.dcm"):
        kji = geometry.lps_mm_to_kji(affine, position)
        k = round(kji[0])
        assert np.abs(kji - [k, 0, 0]).max() < 1e-4
        found[number][k] |= frame.astype(bool)
        # The frame names the source image that lies there.
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID == case.plan.planes[k].instance.sop_instance_uid
    assert len(found) == 4
    for layer in layers(case):
        assert np.array_equal(found[layer.number], layer.mask.to_array(shape)), layer.name


def test_highdicom_gives_each_mask_back(exported):
    case, folder, _ = exported
    seg = hd.seg.segread(folder / "seg.dcm")
    uids = [ref.instance.sop_instance_uid for ref in case.plan.planes]
    there = {uid for _, _, uid in seg.get_source_image_uids()}
    used = [k for k, uid in enumerate(uids) if uid in there]
    array = seg.get_pixels_by_source_instance([uids[k] for k in used])
    for layer in layers(case):
        whole = layer.mask.to_array(case.volume.shape_kji)
        assert np.array_equal(array[..., layer.number - 1].astype(bool), whole[used])
        assert not np.delete(whole, used, axis=0).any()


def test_the_seg_lies_on_its_source(exported):
    case, folder, _ = exported
    ds = pydicom.dcmread(folder / "seg.dcm")
    source = pydicom.dcmread(case.plan.planes[0].instance.path, stop_before_pixels=True)
    for name in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "PatientName"):
        assert ds[name].value == source[name].value
    assert ds.SeriesInstanceUID != source.SeriesInstanceUID
    shared = ds.SharedFunctionalGroupsSequence[0]
    orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    assert np.allclose(orientation, source.ImageOrientationPatient, atol=1e-6)
    assert np.allclose(shared.PixelMeasuresSequence[0].PixelSpacing, source.PixelSpacing)


def test_nifti_and_dicom_agree_in_simpleitk(exported):
    """One physical point has one value, whichever file SimpleITK reads it from."""
    _, folder, study = exported
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(study))
    dicom, image = sitk.ReadImage(names), sitk.ReadImage(str(folder / "image.nii.gz"))
    rng = np.random.default_rng(3)
    seen = set()
    for _ in range(60):
        index = [int(rng.integers(n)) for n in dicom.GetSize()]
        point = dicom.TransformIndexToPhysicalPoint(index)
        other = image.TransformPhysicalPointToContinuousIndex(point)
        nearest = [round(v) for v in other]
        assert np.abs(np.array(other) - nearest).max() < 1e-3
        assert image[nearest] == dicom[index]
        seen.add(image[nearest])
    assert len(seen) > 20


def test_nibabel_and_simpleitk_see_the_same_places(exported):
    case, folder, _ = exported
    for name in ("image.nii.gz", "labels.nii.gz", "heatmap.nii.gz"):
        ours = nibabel.load(folder / name)
        theirs = sitk.ReadImage(str(folder / name))
        assert nibabel.aff2axcodes(ours.affine)
        for index in ((0, 0, 0), (5, 0, 0), (0, 7, 0), (0, 0, 9), (11, 12, 13)):
            ras = ours.affine @ [*index, 1]
            lps = theirs.TransformIndexToPhysicalPoint(index)
            assert np.allclose(ras[:3] * [-1, -1, 1], lps, atol=1e-3)
            meant = geometry.kji_to_lps_mm(case.volume.affine, index[::-1])
            assert np.allclose(lps, meant, atol=1e-3)
        units = ours.header.get_xyzt_units()
        assert units[0] == "mm"


def test_the_label_map_is_the_segs_with_lesions_on_top(exported):
    case, folder, _ = exported
    labels = np.asanyarray(nibabel.load(folder / "labels.nii.gz").dataobj).T
    assert labels.dtype == np.uint8
    expected = np.zeros(case.volume.shape_kji, dtype=np.uint8)
    for layer in layers(case):
        expected[layer.mask.to_array(case.volume.shape_kji)] = layer.number
    assert np.array_equal(labels, expected)
    for layer in layers(case)[2:]:
        assert (labels[layer.mask.box][layer.mask.voxels] == layer.number).all()


def test_the_heatmap_is_a_probability(exported):
    case, folder, _ = exported
    values = nibabel.load(folder / "heatmap.nii.gz").get_fdata().T
    heat = case.findings.heatmap
    assert np.allclose(values[heat.box], heat.values / 255, atol=1e-6)
    assert values.max() <= 1.0 + 1e-6
    assert values[0].max() == 0


def _errors(path: Path) -> list[str]:
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    assert "Segmentation" in lines
    return [line for line in lines if line.startswith("Error")]


@needs_dciodvfy
def test_dciodvfy_finds_no_error(exported):
    assert _errors(exported[1] / "seg.dcm") == []


@needs_dciodvfy
def test_dciodvfy_finds_no_error_after_review(tmp_path):
    folder = export_case(reviewed_case(tmp_path / "study"), tmp_path / "out").folder
    assert _errors(folder / "seg.dcm") == []


def test_frames_of_a_multi_frame_source_get_their_own_places(corpus, tmp_path):
    """An enhanced MR of 32 frames, whose pixel measures stand in each frame."""
    from tests.export_cases import blob, findings_for
    from viewer.export.snapshot import snapshot_of_findings
    from viewer.study import order, read, scan

    folder = corpus / "dcm_qa_enh"
    if not folder.is_dir():
        pytest.skip(f"needs {folder}, which is not here")
    plans = [order.order(series) for series in scan.scan([folder]).series]
    plan = next(p for p in plans if p.regular and p.planes[0].instance.n_frames > 20)
    volume = read.read(plan)
    shape = volume.shape_kji
    lung = np.zeros(shape, dtype=np.uint8)
    lung[blob(shape, [n // 2 for n in shape], [n / 3 for n in shape]).box] = 1
    case = snapshot_of_findings(plan, volume, findings_for(volume, lung))
    folder = export_case(case, tmp_path / "out").folder
    found = {layer.number: np.zeros(shape, dtype=bool) for layer in layers(case)}
    for number, position, frame, _ in _frames_by_place(folder / "seg.dcm"):
        kji = geometry.lps_mm_to_kji(volume.affine, position)
        k = round(kji[0])
        assert np.abs(kji - [k, 0, 0]).max() < 1e-3
        found[number][k] |= frame.astype(bool)
    for layer in layers(case):
        assert np.array_equal(found[layer.number], layer.mask.to_array(shape))


@pytest.mark.parametrize(
    "missing", [("PatientSex", "StudyID"), ("FrameOfReferenceUID",), ("SliceThickness",)]
)
def test_headers_that_lack_something_still_give_a_seg(tmp_path, missing):
    from dataclasses import replace

    from tests.export_cases import findings_for, on_disk
    from viewer.export.snapshot import snapshot_of_findings
    from viewer.study import order, read, scan

    on_disk(tmp_path / "study")
    for path in (tmp_path / "study").iterdir():
        ds = pydicom.dcmread(path)
        for keyword in missing:
            delattr(ds, keyword)
        ds.SpecificCharacterSet = "ISO 2022 IR 100"
        ds.ReferringPhysicianName = "Doe^Ann"
        ds.save_as(path)
    plan = order.order(scan.scan([tmp_path / "study"]).series[0])
    volume = read.read(plan)
    case = snapshot_of_findings(plan, volume, replace(findings_for(volume), heatmap=None))
    folder = export_case(case, tmp_path / "out").folder
    written = pydicom.dcmread(folder / "seg.dcm")
    assert written.FrameOfReferenceUID
    assert written.ReferringPhysicianName == "Doe^Ann"
    if shutil.which("dciodvfy"):
        assert _errors(folder / "seg.dcm") == []


@needs_dciodvfy
def test_dciodvfy_finds_no_error_on_a_real_study(lidc_study, tmp_path):
    """LIDC-IDRI-0001 gives each slice its own frame of reference; the SEG has one."""
    from tests.export_cases import findings_for
    from viewer.export.snapshot import snapshot_of_findings
    from viewer.study import order, read, scan

    series = max(scan.scan([lidc_study]).series, key=lambda s: s.n_files)
    plan = order.order(series)
    volume = read.read(plan)
    case = snapshot_of_findings(plan, volume, findings_for(volume))
    folder = export_case(case, tmp_path / "out").folder
    assert _errors(folder / "seg.dcm") == []
    for number, position, frame, _ in _frames_by_place(folder / "seg.dcm"):
        k = round(geometry.lps_mm_to_kji(volume.affine, position)[0])
        layer = layers(case)[number - 1]
        assert np.array_equal(frame.astype(bool), layer.mask.to_array(volume.shape_kji)[k])


def test_work_on_a_nifti_image_is_exported_without_a_seg(tmp_path: Path) -> None:
    source = tmp_path / "in.nii.gz"
    affine = np.array([[-0.8, 0, 0, 40], [0, 0.9, 0, -30], [0, 0, 2.5, 10], [0, 0, 0, 1.0]])
    values = np.random.default_rng(0).integers(-500, 500, (30, 28, 12)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, affine), source)
    (series,) = scan.scan([source]).series
    plan = order.order(series)
    case = Case.open(series, plan, read.read(plan), reader=Reader("A"), folder=tmp_path / "cases")
    at_kji = np.rint(
        geometry.lps_mm_to_kji(case.volume.affine, RAS * (affine @ (15, 14, 6, 1))[:3])
    )
    lesion = case.add_missed(tuple(geometry.kji_to_lps_mm(case.volume.affine, at_kji))).lesion_ids
    stroke = case.start_stroke(lesion[0], Brush(6.0, "ball"))
    stroke.move_to(at_kji)
    case.commit_stroke(stroke)
    report = export_case(case.snapshot(), tmp_path / "out")
    case.close()
    names = {file.name for file in report.files}
    assert "seg.dcm" not in names and {"labels.nii.gz", "findings.json"} <= names
    image = nibabel.load(tmp_path / "out" / "image.nii.gz")
    labels = nibabel.load(tmp_path / "out" / "labels.nii.gz")
    # The same voxels in the same places as in the file that was opened, and the lesion among them.
    there = np.argwhere(np.asarray(labels.dataobj) > 0)
    assert len(there)
    for at in there:
        place = labels.affine @ (*at, 1)
        i, j, k = np.rint(np.linalg.inv(affine) @ place)[:3].astype(int)
        assert values[i, j, k] == np.asarray(image.dataobj)[tuple(at)]
        assert np.linalg.norm((affine @ (i, j, k, 1) - affine @ (15, 14, 6, 1))[:3]) <= 3.6


@pytest.mark.parametrize("name", ["brain_study", "liver_study"])
def test_five_world_points_read_the_same_in_program_nifti_and_seg(
    request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    (series,) = scan.scan([request.getfixturevalue(name)]).series
    plan = order.order(series)
    case = Case.open(series, plan, read.read(plan), reader=Reader("A"), folder=tmp_path / "cases")
    shape = np.array(case.volume.shape_kji)
    shares = [(0.5, 0.5, 0.5), (0.2, 0.3, 0.4), (0.8, 0.3, 0.6), (0.4, 0.8, 0.2), (0.7, 0.6, 0.9)]
    points = [np.rint(np.array(share) * (shape - 1)) for share in shares]
    for at_kji in points:
        place = geometry.kji_to_lps_mm(case.volume.affine, at_kji)
        lesion = case.add_missed(tuple(place)).lesion_ids[0]
        stroke = case.start_stroke(lesion, Brush(0.1, "ball"))
        stroke.move_to(at_kji)
        case.commit_stroke(stroke)
    folder = export_case(case.snapshot(), tmp_path / "out").folder
    case.close()
    image = nibabel.load(folder / "image.nii.gz")
    labels = nibabel.load(folder / "labels.nii.gz")
    segments = hd.seg.segread(folder / "seg.dcm").get_volume(combine_segments=True)
    for number, at_kji in enumerate(points, start=1):
        lps_mm = geometry.kji_to_lps_mm(case.volume.affine, at_kji)
        value = case.volume.voxels[tuple(at_kji.astype(int))]
        ijk = np.linalg.inv(image.affine) @ (*(RAS * lps_mm), 1)
        assert np.abs(ijk[:3] - np.rint(ijk[:3])).max() < 1e-3
        at = tuple(np.rint(ijk[:3]).astype(int))
        assert np.asarray(image.dataobj)[at] == value
        assert np.asarray(labels.dataobj)[at] == number
        index = np.rint(segments.map_reference_to_indices(lps_mm[None])[0]).astype(int)
        assert segments.array[tuple(index)] == number
