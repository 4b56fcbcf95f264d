"""Voxels and places against SimpleITK and nibabel, on real studies and on random ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from inference.geometry import direction_letters, kji_to_lps_mm, reorder_kji_ijk
from inference.volume import Volume
from tests.dicom_files import write_stack
from viewer.study.order import order
from viewer.study.read import read
from viewer.study.scan import scan

# SimpleITK and this program differ by rounding only.
PLACE_MM = 1e-6


def ours(folder: Path) -> Volume:
    (series,) = scan(folder).series
    return read(order(series))


def theirs(folder: Path) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def affine_ijk(image: sitk.Image) -> np.ndarray[Any, Any]:
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


def same(volume: Volume, image: sitk.Image) -> None:
    assert np.array_equal(volume.voxels, sitk.GetArrayViewFromImage(image))
    corners = np.array(np.meshgrid(*([0, n - 1] for n in volume.shape_kji))).reshape(3, -1).T
    for corner in corners:
        k, j, i = (int(value) for value in corner)
        expected = image.TransformIndexToPhysicalPoint((i, j, k))
        assert np.abs(kji_to_lps_mm(volume.affine, corner) - expected).max() <= PLACE_MM
    assert np.abs(reorder_kji_ijk(volume.affine) - affine_ijk(image)).max() <= 1e-6


@pytest.fixture(params=["lidc_study", "lungfcp_study", "brain_study", "liver_study"])
def real(request: pytest.FixtureRequest) -> Iterator[Path]:
    yield request.getfixturevalue(request.param)


def test_real_studies_equal_simpleitk_voxel_for_voxel(real: Path) -> None:
    same(ours(real), theirs(real))


@pytest.mark.parametrize("seed", range(40))
def test_random_orientations_equal_simpleitk_and_nibabel(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    turn = Rotation.random(random_state=seed).as_matrix()
    spacing = random.uniform(0.3, 4.0, 3)
    affine = np.eye(4)
    # Row, column and normal of a right-handed frame: slices ascend along row x column.
    for axis, direction in zip((2, 1, 0), turn.T, strict=True):
        affine[:3, axis] = direction * spacing[axis]
    affine[:3, 3] = random.uniform(-300, 300, 3)
    voxels = random.integers(0, 4000, (5, 7, 6)).astype(np.uint16)
    write_stack(tmp_path, voxels, affine=affine)
    volume, image = ours(tmp_path), theirs(tmp_path)
    # A DS value has 16 characters, here 10 digits; both readers see the same ones.
    assert np.array_equal(volume.voxels, sitk.GetArrayViewFromImage(image))
    assert np.array_equal(volume.voxels, voxels.astype(np.int32) - 1024)
    assert np.abs(volume.affine - affine).max() <= 1e-5
    assert np.abs(reorder_kji_ijk(volume.affine) - affine_ijk(image)).max() <= 1e-5
    ras = np.diag([-1, -1, 1, 1]) @ reorder_kji_ijk(volume.affine)
    codes = nibabel.aff2axcodes(ras)
    # nibabel says S and I where DICOM says H and F; it forces three different axes, so only
    # directions clearly along one axis must agree.
    for n, code in enumerate(codes):
        vector = reorder_kji_ijk(volume.affine)[:3, n] / spacing[::-1][n]
        if np.abs(vector).max() > 0.8:
            assert direction_letters(vector)[0] == {"S": "H", "I": "F"}.get(code, code)


@pytest.mark.parametrize(
    ("row", "column", "letters"),
    [
        ((1, 0, 0), (0, 1, 0), "LPH"),
        ((1, 0, 0), (0, 0, -1), "LFP"),
        ((0, 1, 0), (0, 0, -1), "PFR"),
        ((-1, 0, 0), (0, -1, 0), "RAH"),
        ((-1, 0, 0), (0, 1, 0), "RPF"),
    ],
)
def test_side_letters_come_from_the_cosines(
    tmp_path: Path, row: tuple[int, ...], column: tuple[int, ...], letters: str
) -> None:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = np.cross(row, column), column, row
    write_stack(tmp_path, np.zeros((3, 4, 5), np.int16), affine=affine, PatientPosition="FFP")
    found = ours(tmp_path).affine
    assert "".join(direction_letters(found[:3, axis]) for axis in (2, 1, 0)) == letters


def five_points(volume: Volume) -> list[tuple[int, int, int]]:
    """Return voxels across the volume, none of two on one line along an axis."""
    k, j, i = volume.shape_kji
    shares = ((0.5, 0.5, 0.5), (0.1, 0.2, 0.8), (0.9, 0.7, 0.3), (0.3, 0.9, 0.6), (0.7, 0.35, 0.1))
    return [(int(a * (k - 1)), int(b * (j - 1)), int(c * (i - 1))) for a, b, c in shares]


def five_points_agree(folder: Path, written: Path) -> None:
    """Read five world points by the program, by SimpleITK and by nibabel from ITK's NIfTI."""
    volume, image = ours(folder), theirs(folder)
    assert volume.regular
    sitk.WriteImage(image, str(written))
    nifti = nibabel.load(written)
    values = np.asanyarray(nifti.dataobj)
    to_ijk = np.linalg.inv(nifti.affine)
    for k, j, i in five_points(volume):
        lps = kji_to_lps_mm(volume.affine, (k, j, i))
        at = image.TransformPhysicalPointToContinuousIndex([float(mm) for mm in lps])
        assert np.abs(np.array(at) - (i, j, k)).max() <= 1e-5
        # NIfTI is RAS; its numbers are of single precision.
        index = to_ijk[:3, :3] @ (lps * (-1, -1, 1)) + to_ijk[:3, 3]
        assert np.abs(index - (i, j, k)).max() <= 1e-3
        assert np.abs(nifti.affine @ (i, j, k, 1) - (*(lps * (-1, -1, 1)), 1)).max() <= 0.05
        found = float(volume.voxels[k, j, i])
        assert abs(found - image.GetPixel(i, j, k)) <= 1e-3
        assert abs(found - float(values[tuple(np.rint(index).astype(int))])) <= 1e-3


def test_five_points_of_real_studies_agree_with_simpleitk_and_nibabel(
    real: Path, tmp_path: Path
) -> None:
    """RELIABILITY T19: axial CT, axial and slightly oblique coronal MR."""
    five_points_agree(real, tmp_path / "x.nii")


@pytest.mark.parametrize(
    "name",
    [
        "dcm_qa_ct/In/Philips/S21570/S2010",
        "dicom2nifti/tests/data/generic/anatomical/001",
        "dicom2nifti/tests/data/generic/anatomical/002_non_isotropic",
    ],
)
def test_five_points_of_regular_series_agree_with_simpleitk_and_nibabel(
    corpus: Path, tmp_path: Path, name: str
) -> None:
    five_points_agree(corpus / name, tmp_path / "x.nii")


SOLID = np.zeros((9, 16, 16), np.int16)
SOLID[6, 3:5, 10:13] = 900


@pytest.mark.parametrize("position", ["HFS", "HFP", "FFS", "FFP", "HFDR", "HFDL"])
@pytest.mark.parametrize(
    ("row", "column"),
    [
        ((1, 0, 0), (0, 1, 0)),
        ((-1, 0, 0), (0, -1, 0)),
        ((0, 1, 0), (0, 0, -1)),
        ((0, -1, 0), (0, 0, -1)),
        ((1, 0, 0), (0, 0, -1)),
        ((0, 1, 0), (-1, 0, 0)),
    ],
)
def test_patient_position_moves_nothing(
    tmp_path: Path, row: tuple[int, ...], column: tuple[int, ...], position: str
) -> None:
    """RELIABILITY T19: sides come from the cosines, in whatever position the patient lay."""
    affine = np.eye(4)
    affine[:3, 0] = np.cross(row, column) * 2.0
    affine[:3, 1], affine[:3, 2] = np.multiply(column, 0.7), np.multiply(row, 0.8)
    affine[:3, 3] = (-40.0, 25.0, 130.0)
    write_stack(tmp_path, SOLID, affine=affine, PatientPosition=position, RescaleIntercept=0)
    volume, image = ours(tmp_path), theirs(tmp_path)
    same(volume, image)
    at = np.argwhere(volume.voxels == 900).mean(axis=0)
    expected = affine[:3, :3] @ (6, 3.5, 11) + affine[:3, 3]
    assert np.abs(kji_to_lps_mm(volume.affine, at) - expected).max() <= 1e-6
