"""The self-check sees what is wrong: it is no rubber stamp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.findings import Mask
from inference.volume import Volume
from tests.export_cases import ai_case
from viewer.export import nifti, seg
from viewer.export.layers import layers
from viewer.export.snapshot import snapshot_of_findings


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return ai_case(tmp_path_factory.mktemp("study"), (14.0, -8.0, 21.0))


@pytest.fixture(scope="module")
def written(case, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    seg.write(folder / "seg.dcm", case, layers(case))
    nifti.write(folder / "image.nii.gz", case.volume.voxels, case.volume.affine)
    return folder


def _moved(affine, mm):
    out = affine.copy()
    out[0, 3] += mm
    return out


def test_true_files_pass(case, written):
    assert seg.differs(written / "seg.dcm", case, layers(case)) == ""
    volume = case.volume
    assert nifti.differs(written / "image.nii.gz", volume.voxels, volume.affine) == ""


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flip_is_seen(case, written, axis):
    flipped = np.flip(case.volume.voxels, axis)
    assert nifti.differs(written / "image.nii.gz", flipped, case.volume.affine)
    shape = case.volume.shape_kji
    wrong = tuple(
        replace(layer, mask=Mask.from_array(np.flip(layer.mask.to_array(shape), axis)))
        for layer in layers(case)
    )
    assert seg.differs(written / "seg.dcm", case, wrong)


def test_one_voxel_is_seen(case, written):
    shown = layers(case)
    array = shown[3].mask.to_array(case.volume.shape_kji)
    array[7, 7, 7] ^= True
    wrong = (*shown[:3], replace(shown[3], mask=Mask.from_array(array)))
    assert "voxels" in seg.differs(written / "seg.dcm", case, wrong)
    voxels = case.volume.voxels.copy()
    voxels[7, 7, 7] += 1
    assert "voxels" in nifti.differs(written / "image.nii.gz", voxels, case.volume.affine)


def test_a_shift_is_seen(case, written):
    volume = case.volume
    off = _moved(volume.affine, 0.01)
    assert "mm" in nifti.differs(written / "image.nii.gz", volume.voxels, off)
    shifted = replace(case, volume=Volume(volume.voxels, off, "CT", "HU"))
    assert "mm" in seg.differs(written / "seg.dcm", shifted, layers(case))


def test_another_type_is_seen(case, written):
    as_float = case.volume.voxels.astype(np.float32)
    assert nifti.differs(written / "image.nii.gz", as_float, case.volume.affine)


def test_a_missing_segment_is_seen(case, written):
    assert "segments" in seg.differs(written / "seg.dcm", case, layers(case)[:3])


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.float32, np.uint8])
def test_every_kind_of_voxel_goes_through(tmp_path, kind):
    rng = np.random.default_rng(0)
    voxels = (rng.random((4, 5, 6)) * 200).astype(kind)
    affine = np.diag([2.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]
    nifti.write(tmp_path / "a.nii.gz", voxels, affine)
    assert nifti.differs(tmp_path / "a.nii.gz", voxels, affine) == ""


@pytest.mark.parametrize("k", [0, 6, 13])
def test_a_mask_in_one_slice_alone(case, tmp_path, k):
    """A single plane has no direction of its own; the check must not stumble over it."""
    array = np.zeros(case.volume.shape_kji, dtype=bool)
    array[k, 20:25, 11] = True
    lonely = replace(
        case, segments=(), lesions=(replace(case.lesions[0], mask=Mask.from_array(array)),)
    )
    seg.write(tmp_path / "seg.dcm", lonely, layers(lonely))
    assert seg.differs(tmp_path / "seg.dcm", lonely, layers(lonely)) == ""


def test_masks_far_apart(case, tmp_path):
    array = np.zeros(case.volume.shape_kji, dtype=bool)
    array[1, 20:25, 11] = array[9, 2, 3] = array[12, 5:8, 40:] = True
    apart = replace(
        case, segments=(), lesions=(replace(case.lesions[0], mask=Mask.from_array(array)),)
    )
    seg.write(tmp_path / "seg.dcm", apart, layers(apart))
    assert seg.differs(tmp_path / "seg.dcm", apart, layers(apart)) == ""


def test_lesions_are_what_reaches_the_threshold(case):
    strict = replace(case.findings, threshold=0.8)
    again = snapshot_of_findings(case.plan, case.volume, strict)
    assert [lesion.detection_id for lesion in again.lesions] == ["d1"]
    assert again.lesions[0].measurement.volume_ml == pytest.approx(
        case.findings.detections[0].volume_ml
    )


def test_reviewed_means_every_verdict(case):
    assert not case.reviewed
    judged = tuple(replace(lesion, verdict="unsure") for lesion in case.lesions)
    assert replace(case, lesions=judged).reviewed
    assert not replace(case, lesions=(judged[0], case.lesions[1])).reviewed
    assert not replace(case, lesions=()).reviewed, "nobody confirmed that there is nothing"
    assert replace(case, lesions=(), findings=None).reviewed
