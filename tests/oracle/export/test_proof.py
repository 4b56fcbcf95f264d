"""The table of ``python -m tests.exports`` in little, and that each of its checks can fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from tests.exports import dicom, faults, grids, identity, sets, subjects
from tests.exports.__main__ import CHECKS
from tests.exports.subjects import Subject
from tests.outcomes import Outcome, row
from viewer.export.place import REPLACING

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra 'test')")


@pytest.fixture(scope="module")
def subject(tmp_path_factory) -> Subject:
    return subjects.oblique(tmp_path_factory.mktemp("subject"))


def _good(outcome: Outcome) -> None:
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome.good and outcome.times, row(outcome)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_others_read_what_we_export(subject, check):
    _good(check(subject))


FAULTS: dict[str, Callable[[Path], Outcome]] = {
    "killed": lambda home: faults.killed(5, home),
    "sets-killed": lambda home: faults.killed_sets(2, home),
    "killed-while-replacing": lambda home: faults.killed_while_replacing(home, every=5),
    "disk-full": lambda home: faults.disk_full(home, (20_000,)),
    "read-only": faults.read_only,
    "cancelled": lambda home: faults.cancelled(home, every=5),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_befalls_an_export_leaves_no_half_file(fault, tmp_path):
    if "killed" in fault and not hasattr(os, "fork"):
        pytest.skip("needs a system that can copy a process")
    _good(FAULTS[fault](tmp_path))


def test_the_command_tries_every_fault():
    assert len(faults.faults(1)) == len(FAULTS)


def test_nobody_is_named(tmp_path):
    _good(identity.canary(tmp_path))


@pytest.fixture(scope="module")
def training_set(tmp_path_factory) -> sets.TrainingSet:
    return sets.phantoms(tmp_path_factory.mktemp("set"), patients=2)


@pytest.mark.parametrize("check", sets.CHECKS, ids=lambda check: check.__name__)
def test_others_read_a_training_set(training_set, tmp_path, check):
    _good(check(training_set, tmp_path))


# ------------------------------------------------------------------- each check can fail


def _edited(name: str, change: Callable[[pydicom.Dataset], None]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        dataset = pydicom.dcmread(folder / name)
        change(dataset)
        dataset.save_as(folder / name)

    return spoil


def _one_voxel(dataset: pydicom.Dataset) -> None:
    pixels = bytearray(dataset.PixelData)
    at = next(n for n, byte in enumerate(pixels) if byte)
    pixels[at] &= pixels[at] - 1
    dataset.PixelData = bytes(pixels)


def _moved(dataset: pydicom.Dataset) -> None:
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        place = frame.PlanePositionSequence[0]
        place.ImagePositionPatient = [v + 1.0 for v in place.ImagePositionPatient]


def _other_tracking(dataset: pydicom.Dataset) -> None:
    dataset.SegmentSequence[2].TrackingUID = "2.25.1"


def _without(keyword: str) -> Callable[[pydicom.Dataset], None]:
    return lambda dataset: dataset.__delattr__(keyword)


def _renamed(dataset: pydicom.Dataset) -> None:
    dataset.PatientID = "another"


def _mirrored(name: str) -> Callable[[Path], None]:
    """Turn the voxels of a file from left to right; its header stays as it was."""

    def spoil(folder: Path) -> None:
        image = nibabel.load(folder / name)
        turned = np.asanyarray(image.dataobj)[::-1]
        nibabel.save(nibabel.Nifti1Image(turned, image.affine, image.header), folder / name)

    return spoil


def _affine(change: np.ndarray) -> Callable[[Path], None]:
    """Turn or move the affine of the labels; nnU-Net lets that pass with a warning."""

    def spoil(folder: Path) -> None:
        image = nibabel.load(folder / "labels.nii.gz")
        array = np.asanyarray(image.dataobj)
        nibabel.save(nibabel.Nifti1Image(array, image.affine @ change), folder / "labels.nii.gz")

    return spoil


def _cut_off(folder: Path) -> None:
    path = folder / "labels.nii.gz"
    path.write_bytes(path.read_bytes()[:-200])


SHIFT = np.eye(4)
SHIFT[0, 3] = 0.01
SPOILED: dict[str, tuple[Callable[[Subject], Outcome], Callable[[Path], None]]] = {
    "dciodvfy": (dicom.dciodvfy, _edited("seg.dcm", _without("SegmentationType"))),
    "dciodvfy, one missing": (dicom.dciodvfy, lambda folder: (folder / "rtstruct.dcm").unlink()),
    "dsrdump": (dicom.dsrdump, _edited("sr.dcm", _without("ConceptNameCodeSequence"))),
    "dcentvfy": (dicom.dcentvfy, _edited("seg.dcm", _renamed)),
    "dcentvfy, left away": (dicom.dcentvfy, _edited("rtstruct.dcm", _without("StudyDescription"))),
    "highdicom, a voxel": (dicom.highdicom_counts, _edited("seg.dcm", _one_voxel)),
    "highdicom, moved": (dicom.highdicom_counts, _edited("seg.dcm", _moved)),
    "dcmqi, a voxel": (dicom.dcmqi_counts, _edited("seg.dcm", _one_voxel)),
    "dcmqi, moved": (dicom.dcmqi_counts, _edited("seg.dcm", _moved)),
    "report": (dicom.report_by_dcmqi, _edited("seg.dcm", _other_tracking)),
    "cornerstone, a voxel": (dicom.cornerstone_counts, _edited("seg.dcm", _one_voxel)),
    "values mirrored": (grids.nifti, _mirrored("image.nii.gz")),
    "affine flipped": (grids.nifti, _affine(np.diag([-1.0, 1.0, 1.0, 1.0]))),
    "affine moved": (grids.nifti, _affine(SHIFT)),
    "cut off": (grids.nifti, _cut_off),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_each_check_can_fail(subject, tmp_path, spoiled):
    check, spoil = SPOILED[spoiled]
    shutil.copytree(subject.folder, tmp_path / "out")
    shutil.copytree(subject.apart[1], tmp_path / "lesions")
    case, _ = subject.apart
    broken = replace(subject, folder=tmp_path / "out", apart=(case, tmp_path / "lesions"))
    spoil(broken.apart[1] if check is dicom.cornerstone_counts else broken.folder)
    outcome = check(broken)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert not outcome.good


def test_a_half_file_is_seen(subject, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(subject.folder, folder)
    assert not faults.half_files(folder)
    whole = (folder / "seg.dcm").read_bytes()
    (folder / "seg.dcm").write_bytes(whole[: len(whole) // 2])
    assert faults.half_files(folder) == ["seg.dcm"]
    (folder / "manifest.json").rename(folder / REPLACING)
    assert faults.half_files(folder) == ["seg.dcm"]
    (folder / "seg.dcm").unlink()
    assert not faults.half_files(folder), "each of the others is whole"
    (folder / REPLACING).unlink()
    assert "sr.dcm" in faults.half_files(folder), "nobody knows what it is"
    assert not faults.half_files(folder, subject.folder)


def test_an_absent_program_is_never_passed(subject, monkeypatch):
    monkeypatch.setenv("PATH", "")
    for name in ("OVERREAD_DCMQI", "OVERREAD_CORNERSTONE"):
        monkeypatch.delenv(name, raising=False)
    for check in (dicom.dciodvfy, dicom.dcentvfy, dicom.dcmqi_counts, dicom.cornerstone_counts):
        outcome = check(subject)
        assert row(outcome)[-1] == "skipped"
        assert "is not here" in outcome.skipped and "install" in outcome.skipped


def test_a_name_that_is_left_is_seen(tmp_path):
    outcome = identity.canary(tmp_path, ("--with-identity",))
    assert {"Quxworthy", "Brannigham"} <= {line.split(" in ")[0] for line in outcome.failures}


def test_a_mark_that_is_left_is_seen(tmp_path):
    planted = identity.corpus()
    if planted is None:
        pytest.skip("needs corpus-deid, which is not here")
    outcome = identity.judged_marks(planted, planted)
    assert [line.split()[1] for line in outcome.failures] == ["marks", "UIDs", "private"]


@pytest.mark.parametrize("how", ["voxels", "affine", "values"])
def test_a_mirrored_label_is_seen_in_a_training_set(training_set, tmp_path, how):
    """Mirrored voxels pass nnU-Net's own check; ours is the one that stops them."""
    version = tmp_path / "v0001"
    shutil.copytree(training_set.version, version)
    broken = replace(training_set, version=version)
    item = next(iter(broken.cases))
    name = f"imagesTr/{item}_0000.nii.gz" if how == "values" else f"labelsTr/{item}.nii.gz"
    image = nibabel.load(broken.nnunet / name)
    array, turn = np.asanyarray(image.dataobj), np.diag([-1.0, 1.0, 1.0, 1.0])
    (broken.nnunet / name).unlink()  # it is linked to the pairs
    if how == "affine":
        nibabel.save(nibabel.Nifti1Image(array, image.affine @ turn), broken.nnunet / name)
    else:
        nibabel.save(nibabel.Nifti1Image(array[::-1], image.affine), broken.nnunet / name)
    assert not sets.set_grids(broken).good
    verified = sets.nnunet_verify(broken, tmp_path / "nnunet")
    if not verified.skipped:
        assert verified.good == (how != "affine")


def test_half_a_version_is_seen(training_set, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(training_set.version, folder / "v0001")
    assert not faults.half_versions(folder)
    next((folder / "v0001" / "items").iterdir()).unlink()
    assert len(faults.half_versions(folder)) == 1
