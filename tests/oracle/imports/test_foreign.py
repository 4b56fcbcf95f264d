"""Files of dcmqi, highdicom and others: the same voxels as pydicom and dcmqi count in them."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest

from inference import geometry
from tests.export_cases import on_disk
from viewer.annotate.mask import equal
from viewer.export import nifti as writing
from viewer.imports import reading
from viewer.imports.target import Target
from viewer.study import order, scan

sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra 'test')")


class Anywhere(Target):
    """Takes what is of any patient: the corpus has few of the images that were drawn on."""

    def check(self, patient, study_uid, frame_uid, series, refs):
        return ()


def grid_of(affine_ras) -> np.ndarray:
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.array(affine_ras)
    return lps[:, [2, 1, 0, 3]]


def test_voxels_are_those_that_pydicom_and_dcmqi_count(corpus):
    oracle = json.loads((corpus / "SEG_ORACLE.json").read_text())
    assert len(oracle) >= 5
    for name, meant in oracle.items():
        affine = grid_of(next(iter(meant["dcmqi_files"].values()))["affine_ras"])
        held = reading.read(corpus / name, Anywhere((400, 512, 512), affine))
        assert (held.refusal, held.kind) == ((), "SEG"), name
        found = {str(one.number): one.mask.count for one in held.outlines}
        assert found == meant["pydicom_voxels_per_segment"], name
        assert {str(one.number): one.name for one in held.outlines} == meant["segments"]


@pytest.mark.parametrize(
    "seg, label",
    [("liver.dcm", "liver_seg.nrrd"), ("partial_overlaps.dcm", "partial_overlaps-2.nrrd")],
)
def test_a_segmentation_lies_where_the_label_map_lies_that_it_was_made_of(corpus, seg, label):
    folder = corpus / "dcmqi" / "data" / "segmentations"
    plan = order.order(scan.scan([folder / "ct-3slice"]).series[0])
    target = Target.of(plan, plan.shape_kji, plan.affine)
    held, drawn = (reading.read(folder / name, target) for name in (seg, label))
    assert (held.refusal, held.cautions, drawn.refusal, drawn.cautions) == ((), (), (), ())
    by_number = {one.number: one.mask for one in held.outlines}
    for one in drawn.outlines:
        assert equal(one.mask, by_number[one.number])
    image = sitk.ReadImage(str(folder / label))
    for one in drawn.outlines:
        whole = sitk.GetArrayFromImage(image) == one.number
        meant = image.TransformContinuousIndexToPhysicalPoint(
            [float(v) for v in np.argwhere(whole).mean(axis=0)[::-1]]
        )
        middle = np.argwhere(one.mask.voxels).mean(axis=0) + one.mask.origin_kji
        assert geometry.kji_to_lps_mm(target.affine, middle) == pytest.approx(meant, abs=0.02)


def test_fractions_count_from_one_half_on(corpus):
    folder = corpus / "highdicom" / "data" / "test_files"
    import highdicom as hd

    name = "seg_image_ct_true_fractional.dcm"
    seg = hd.seg.segread(folder / name)
    volume = seg.get_volume(combine_segments=False, rescale_fractional=True)
    affine = volume.affine.copy()
    held = reading.read(folder / name, Anywhere((400, 512, 512), affine))
    assert held.outlines and all(one.notes == (("fractional",),) for one in held.outlines)
    for n, one in enumerate(held.outlines):
        assert one.mask.count == int((volume.array[..., n] >= 0.5).sum())


def test_what_is_of_another_patient_is_refused(corpus):
    folder = corpus / "dcmqi" / "data" / "segmentations"
    plan = order.order(scan.scan([folder / "24x38x3" / "image"]).series[0])
    target = Target.of(plan, plan.shape_kji, plan.affine)
    assert reading.read(folder / "liver.dcm", target).refusal == ("other-patient",)
    own = reading.read(folder / "24x38x3" / "seg" / "label.seg", target)
    assert (own.refusal, [one.mask.count for one in own.outlines]) == ((), [315])
    assert own.system == "QIICR dcmqi e5c3934"
    report = corpus / "highdicom" / "data" / "test_files" / "sr_document.dcm"
    assert reading.read(report, target).refusal == ("other-patient",)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "ILA", "PSR"])
def test_a_label_map_is_turned_to_the_series(tmp_path, axes):
    plan, volume = on_disk(tmp_path / "study", (10.0, 5.0, -7.0))
    labels = np.zeros(volume.shape_kji, np.uint8)
    labels[2:5, 10:30, 7:20], labels[8, 3, 4], labels[9:11, 40:, 30:] = 1, 2, 3
    writing.write(tmp_path / "a.nii.gz", labels, volume.affine)
    image = nibabel.load(tmp_path / "a.nii.gz")
    ornt = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(tuple(axes))
    )
    nibabel.save(image.as_reoriented(ornt), tmp_path / "b.nii.gz")
    target = Target.of(plan, volume.shape_kji, volume.affine)
    held = reading.read(tmp_path / "b.nii.gz", target)
    assert (held.refusal, held.cautions) == ((), ())
    for one in held.outlines:
        assert np.array_equal(one.mask.to_array(volume.shape_kji), labels == one.number)


def test_a_label_map_on_other_voxels_is_carried_over_and_says_so(tmp_path):
    plan, volume = on_disk(tmp_path / "study")
    target = Target.of(plan, volume.shape_kji, volume.affine)
    labels = np.zeros(volume.shape_kji, np.uint8)
    labels[4:9, 10:30, 12:30] = 1
    finer = np.repeat(labels, 2, axis=2)
    affine = volume.affine.copy()
    affine[:3, 2] /= 2
    affine[:3, 3] -= affine[:3, 2] / 2
    writing.write(tmp_path / "fine.nii.gz", finer, affine)
    held = reading.read(tmp_path / "fine.nii.gz", target)
    assert held.cautions == (("other-grid",), ("no-frame-file",))
    (one,) = held.outlines
    assert np.array_equal(one.mask.to_array(volume.shape_kji), labels == 1)
    away = volume.affine.copy()
    away[:3, 3] += 2000.0
    writing.write(tmp_path / "away.nii.gz", labels, away)
    assert reading.read(tmp_path / "away.nii.gz", target).refusal == ("elsewhere",)


def test_an_image_is_no_label_map(tmp_path):
    plan, volume = on_disk(tmp_path / "study")
    writing.write(tmp_path / "image.nii.gz", volume.voxels, volume.affine)
    target = Target.of(plan, volume.shape_kji, volume.affine)
    assert reading.read(tmp_path / "image.nii.gz", target).refusal == ("not-labels",)
