"""What millimetres of an image are true of, by the attributes of its file (PS3.3 10.7)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.dicom_files import write_slice
from viewer.study.calibration import CALIBRATIONS, calibration, is_asked_of_file
from viewer.study.order import order
from viewer.study.scan import scan


def plan(folder: Path, modality: str, **tags):
    pixels = np.arange(600, dtype=np.uint16).reshape(20, 30)
    write_slice(folder / "a", pixels, modality=modality, position=None, orientation=None, **tags)
    (series,) = scan(folder).series
    return order(series)


@pytest.mark.parametrize(
    ("modality", "tags", "wanted"),
    [
        ("DX", {"spacing": None, "ImagerPixelSpacing": [0.2, 0.2]}, "detector"),
        ("DX", {"spacing": (0.2, 0.2), "ImagerPixelSpacing": [0.2, 0.2]}, "detector"),
        ("DX", {"spacing": (0.18, 0.18), "ImagerPixelSpacing": [0.2, 0.2]}, "calibrated"),
        (
            "DX",
            {
                "spacing": (0.18, 0.18),
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacingCalibrationType": "GEOMETRY",
            },
            "geometry",
        ),
        (
            "CR",
            {"spacing": (0.17, 0.17), "PixelSpacingCalibrationType": "FIDUCIAL"},
            "fiducial",
        ),
        ("CR", {"spacing": (0.17, 0.17)}, "projection"),
        ("OT", {"spacing": None, "NominalScannedPixelSpacing": [0.1, 0.1]}, "film"),
        ("MR", {"spacing": (0.5, 0.5)}, ""),
        ("CR", {"spacing": None}, ""),
    ],
)
def test_the_calibration_follows_the_attributes(tmp_path, modality, tags, wanted):
    made = plan(tmp_path, modality, **tags)
    assert calibration(made) == wanted
    assert wanted in CALIBRATIONS
    assert is_asked_of_file(made) == (modality in ("DX", "CR") and tags["spacing"] is not None)


def test_a_file_that_is_gone_changes_nothing_but_what_is_known(tmp_path):
    made = plan(tmp_path, "CR", spacing=(0.17, 0.17), PixelSpacingCalibrationType="FIDUCIAL")
    (tmp_path / "a").unlink()
    assert calibration(made) == "projection"
