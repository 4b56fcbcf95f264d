"""What is left is still DICOM, and the same volume: dciodvfy, dsrdump, and a study read again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.export_cases import whole_case
from viewer.deid.dataset import Deidentifier
from viewer.deid.folder import deidentify
from viewer.deid.keyed import Keys
from viewer.deid.options import KEEP, options
from viewer.export import export_case
from viewer.export.formats import FORMATS
from viewer.export.leaving import deidentified
from viewer.study import order, read, scan

KEYS = Keys(bytes(range(32)))


@pytest.fixture
def validator() -> str:
    found = shutil.which("dciodvfy")
    if found is None:
        pytest.skip("needs dciodvfy of dicom3tools, which is not here")
    return found


def errors(validator: str, folder: Path) -> dict[str, list[str]]:
    found = {}
    for path in sorted(folder.rglob("*.dcm")):
        done = subprocess.run([validator, "-new", path], capture_output=True, text=True, timeout=60)
        modality = pydicom.dcmread(path, stop_before_pixels=True).Modality
        said = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        found.setdefault(modality, []).extend(said)
    return found


def test_copies_of_all_that_an_export_writes_are_valid(tmp_path, validator):
    case = whole_case(tmp_path / "study")
    export_case(case, tmp_path / "in", formats=FORMATS)
    by = Deidentifier(KEYS, options(["structure"], pixels_seen=True))
    report = deidentify([tmp_path / "in", tmp_path / "study"], tmp_path / "out", by)
    assert set(report.why_left_out()) <= {"not-dicom"}
    found = errors(validator, tmp_path / "out")
    assert set(found) >= {"CT", "SEG", "SR", "KO", "RTSTRUCT"}
    assert not [line for lines in found.values() for line in lines]
    dump = shutil.which("dsrdump")
    for path in (tmp_path / "out").rglob("*.dcm"):
        if dump and pydicom.dcmread(path, stop_before_pixels=True).Modality == "SR":
            assert subprocess.run([dump, "-q", path], capture_output=True).returncode == 0


@pytest.mark.parametrize("keep", [(), KEEP], ids=["nothing", "all"])
def test_an_export_without_identity_is_valid(tmp_path, validator, keep):
    case = whole_case(tmp_path / "study")
    changed, _ = deidentified(case, KEYS, keep, pixels_seen=True)
    export_case(changed, tmp_path / "out", formats=FORMATS)
    found = errors(validator, tmp_path / "out")
    assert len(found) >= 4
    assert not [line for lines in found.values() for line in lines]


def test_a_real_study_is_the_same_volume(lidc_study, tmp_path):
    report = deidentify([lidc_study], tmp_path / "out", Deidentifier(KEYS, options([])))
    before, after = (
        read.read(order.order(max(scan.scan([path]).series, key=lambda s: s.n_files)))
        for path in (lidc_study, tmp_path / "out")
    )
    assert report.files == before.shape_kji[0] == 133
    np.testing.assert_array_equal(after.voxels, before.voxels)
    np.testing.assert_array_equal(after.affine, before.affine)
