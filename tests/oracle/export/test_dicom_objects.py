"""SEG, SR, parametric map, key objects and contours, read by others than those that wrote them."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from skimage.draw import polygon2mask

from inference import geometry
from tests.export_cases import STAMP, ai_case, findings_for, whole_case
from tests.exports import tools
from viewer.export import export_case
from viewer.export.formats import FORMATS
from viewer.export.layers import layers
from viewer.export.snapshot import snapshot_of_findings
from viewer.study import order, read, scan

sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra 'test')")

OBLIQUE = (14.0, -8.0, 21.0)
DICOM = ["seg.dcm", "sr.dcm", "heatmap.dcm", "key-images.dcm", "rtstruct.dcm"]


@pytest.fixture(scope="module", params=[(0.0, 0.0, 0.0), OBLIQUE], ids=["straight", "oblique"])
def exported(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    case = whole_case(folder / "study", request.param)
    assert case.reviewed
    return case, export_case(case, folder / "out", formats=FORMATS).folder


@pytest.fixture(scope="module")
def real(lidc_study, tmp_path_factory):
    """LIDC-IDRI-0001 with made-up findings; its slices have a frame of reference each."""
    plan = order.order(max(scan.scan([lidc_study]).series, key=lambda s: s.n_files))
    volume = read.read(plan)
    case = snapshot_of_findings(plan, volume, findings_for(volume))
    marked = whole_case(tmp_path_factory.mktemp("marks") / "study").key_images
    from dataclasses import replace

    judged = tuple(replace(x, verdict="accepted", reader="Reader One") for x in case.lesions)
    case = replace(case, lesions=judged, key_images=marked, reader="Reader One")
    return case, export_case(case, tmp_path_factory.mktemp("real") / "out", formats=FORMATS).folder


def _asked(ask, *given):
    """Ask a program; skip the test where it is not here."""
    try:
        return ask(*given)
    except tools.NotHere as absent:
        pytest.skip(str(absent))


@pytest.mark.parametrize("name", [*DICOM, "uncertainty.dcm"])
def test_dciodvfy_finds_no_error(exported, name):
    assert _asked(tools.dciodvfy, exported[1] / name) == []


@pytest.mark.parametrize("name", DICOM)
def test_dciodvfy_finds_no_error_on_a_real_study(real, name):
    assert _asked(tools.dciodvfy, real[1] / name) == []


@pytest.mark.parametrize("name", ["sr.dcm", "key-images.dcm"])
def test_dsrdump_has_nothing_to_say(exported, name):
    assert _asked(tools.dsrdump, exported[1] / name) == []


@pytest.mark.parametrize("name", ["sr.dcm", "key-images.dcm"])
def test_dsrdump_has_nothing_to_say_of_a_real_study(real, name):
    assert _asked(tools.dsrdump, real[1] / name) == []


def test_dcmqi_counts_the_same_voxels_in_every_segment(exported, tmp_path):
    case, folder = exported
    files = _asked(tools.dcmqi_segments, folder / "seg.dcm", tmp_path)
    for layer in layers(case):
        image = sitk.ReadImage(str(files[layer.number]))
        array = sitk.GetArrayViewFromImage(image)
        assert np.count_nonzero(array) == layer.mask.count
        where = np.argwhere(array)[:, ::-1].tolist()
        places = [image.TransformIndexToPhysicalPoint(index) for index in where[:: len(where) // 9]]
        kji = geometry.lps_mm_to_kji(case.volume.affine, places)
        at = np.rint(kji).astype(int)
        assert np.abs(geometry.kji_to_lps_mm(case.volume.affine, at) - places).max() < 1e-3
        assert layer.mask.to_array(case.volume.shape_kji)[tuple(at.T)].all()


def test_dcmqi_reads_the_report(exported, tmp_path):
    case, folder = exported
    report = _asked(tools.dcmqi_report, folder / "sr.dcm", tmp_path / "report.json")
    told = {one["TrackingIdentifier"]: one for one in report["Measurements"]}
    seg = pydicom.dcmread(folder / "seg.dcm")
    for layer in layers(case):
        group = told[layer.id]
        assert group["ReferencedSegment"] == layer.number
        segment = seg.SegmentSequence[layer.number - 1]
        assert group["TrackingUniqueIdentifier"] == segment.TrackingUID
    for lesion in case.shown_lesions:
        items = {
            item["quantity"]["CodeMeaning"]: (float(item["value"]), item["units"]["CodeValue"])
            for item in told[lesion.id]["measurementItems"]
        }
        size = lesion.measurement
        assert items["Long axis"] == (pytest.approx(size.diameter_mm, rel=1e-6), "mm")
        assert items["Short axis"] == (pytest.approx(size.short_axis_mm, rel=1e-6), "mm")
        assert items["Volume"] == (pytest.approx(size.volume_ml, rel=1e-6), "mL")


def test_dcmqi_sees_the_map_where_it_lies(exported, tmp_path):
    """dcmqi makes an image of the map, which SimpleITK reads: place and value of each voxel."""
    case, folder = exported
    file = _asked(tools.dcmqi_map, folder / "heatmap.dcm", tmp_path)
    image, heat = sitk.ReadImage(str(file)), case.findings.heatmap
    array = sitk.GetArrayFromImage(image)
    whole = np.zeros(case.volume.shape_kji)
    whole[heat.box] = heat.values / 255
    assert array.shape == heat.values.shape
    for at in np.random.default_rng(1).integers(array.shape, size=(40, 3)):
        place = image.TransformIndexToPhysicalPoint([int(n) for n in at[::-1]])
        kji = np.rint(geometry.lps_mm_to_kji(case.volume.affine, place)).astype(int)
        assert np.allclose(geometry.kji_to_lps_mm(case.volume.affine, kji), place, atol=1e-3)
        assert array[tuple(at)] == pytest.approx(whole[tuple(kji)], abs=1e-6)


def test_all_formats_of_a_multi_frame_source(corpus, tmp_path):
    """An enhanced MR of one file: references name the frame, and no checker finds an error."""
    from dataclasses import replace

    folder = corpus / "dcm_qa_enh"
    if not folder.is_dir():
        pytest.skip(f"needs {folder}, which is not here")
    plans = [order.order(series) for series in scan.scan([folder]).series]
    plan = next(p for p in plans if p.regular and p.planes[0].instance.n_frames > 20)
    volume = read.read(plan)
    lungs = np.zeros(volume.shape_kji, dtype=np.uint8)
    lungs[4:8, 20:30, 20:40], lungs[5:9, 20:30, 44:50] = 1, 2
    case = snapshot_of_findings(plan, volume, findings_for(volume, lungs))
    marks = whole_case(tmp_path / "marks").key_images
    out = export_case(replace(case, key_images=marks), tmp_path / "out", formats=FORMATS).folder
    named = pydicom.dcmread(out / "key-images.dcm").ContentSequence[-1].ReferencedSOPSequence[0]
    assert named.ReferencedFrameNumber == plan.planes[8].frame + 1
    for name in DICOM:
        assert _asked(tools.dciodvfy, out / name) == [], name


def test_contours_fill_to_the_mask_in_patient_space(exported):
    """scikit-image fills each contour; SimpleITK says where its points lie in the image."""
    case, folder = exported
    dataset = pydicom.dcmread(folder / "rtstruct.dcm")
    grid = sitk.ReadImage(str(folder / "image.nii.gz"))
    shape = case.volume.shape_kji
    names = {int(roi.ROINumber): roi.ROIName for roi in dataset.StructureSetROISequence}
    assert names == {layer.number: layer.name for layer in layers(case)}
    holes = 0
    for layer, roi in zip(layers(case)[2:], dataset.ROIContourSequence[2:], strict=True):
        filled = np.zeros(shape, dtype=bool)
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            ijk = np.array([grid.TransformPhysicalPointToContinuousIndex(p) for p in points])
            k = round(ijk[0, 2])
            assert np.abs(ijk[:, 2] - k).max() < 1e-3
            named = contour.ContourImageSequence[0].ReferencedSOPInstanceUID
            assert named == case.plan.planes[k].instance.sop_instance_uid
            assert len(np.unique(np.rint(ijk * 2), axis=0)) > 3
            holes += len(ijk) > len(np.unique(np.round(ijk, 3), axis=0))
            filled[k] ^= polygon2mask(shape[1:], ijk[:, 1::-1])
        assert np.array_equal(filled, layer.mask.to_array(shape)), layer.name
    assert holes >= 1, "the slice with two holes is one outline"


def test_the_report_names_verdict_reason_reader_and_model(exported):
    case, folder = exported
    text = _asked(tools.printed, folder / "sr.dcm")
    assert text.count('"Accepted"') == sum(x.verdict == "accepted" for x in case.lesions)
    assert ("reason-vessel" in text) == any(x.verdict == "rejected" for x in case.lesions)
    assert f"weights_sha256={STAMP.sha256}" in text
    assert STAMP.id in text and STAMP.version in text
    assert "Reader One" in text and "Reader Two" in text
    assert "Ground-glass" in text and '"3.4" ({score}' in text
    assert '"77.6" (mm,UCUM' in text and '"-500.25" ([hnsf\'U],UCUM' in text
    assert text.count("reader-texture") == text.count("reader-rating") == 1
    assert "(part-solid,99OVERREAD" in text and '"4.0" ({score}' in text
    assert text.count('(113000,DCM,"Of Interest")') == 2, "two acquired slices were marked"


def test_every_object_says_whether_it_was_reviewed(exported, tmp_path):
    _, folder = exported
    export_case(ai_case(tmp_path / "study"), tmp_path / "out", formats=FORMATS)
    for name in DICOM:
        reviewed = pydicom.dcmread(folder / name)
        assert reviewed.SeriesDescription.startswith("Overread, reviewed, research use"), name
        if name == "key-images.dcm":
            continue  # of the other case no slice was marked
        raw = pydicom.dcmread(tmp_path / "out" / name)
        assert raw.SeriesDescription.startswith("Overread: AI, not reviewed"), name
    raw = pydicom.dcmread(tmp_path / "out" / "sr.dcm")
    assert (raw.CompletionFlag, raw.VerificationFlag) == ("PARTIAL", "UNVERIFIED")
    done = pydicom.dcmread(folder / "sr.dcm")
    assert (done.CompletionFlag, done.PreliminaryFlag) == ("COMPLETE", "PRELIMINARY")


def test_all_objects_lie_in_the_study_and_frame_of_their_source(exported):
    case, folder = exported
    source = pydicom.dcmread(case.plan.planes[0].instance.path, stop_before_pixels=True)
    series = set()
    for name in DICOM:
        ds = pydicom.dcmread(folder / name)
        for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "StudyID"):
            assert ds[keyword].value == source[keyword].value, name
        assert ds.get("FrameOfReferenceUID", source.FrameOfReferenceUID) == (
            source.FrameOfReferenceUID
        )
        series.add(ds.SeriesInstanceUID)
    assert len(series) == len(DICOM) and source.SeriesInstanceUID not in series


def test_every_image_that_is_named_is_of_the_study(exported):
    case, folder = exported
    known = {ref.instance.sop_instance_uid for ref in case.plan.planes}
    known |= {str(pydicom.dcmread(folder / "seg.dcm").SOPInstanceUID)}
    for name in DICOM:
        named = set()

        def collect(_, element, named=named):
            if element.keyword == "ReferencedSOPInstanceUID":
                named.add(str(element.value))

        dataset = pydicom.dcmread(folder / name)
        dataset.walk(collect)
        # The structure set refers to the study as such, too.
        assert named - {str(dataset.StudyInstanceUID)} <= known, name
        assert named, name
