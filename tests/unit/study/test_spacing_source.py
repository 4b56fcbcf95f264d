"""Where the size of a pixel comes from when Pixel Spacing is not in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.dicom_files import stored, write_slice
from viewer.study.header import read_header
from viewer.study.series import Plane


def plane(path: Path, **tags: object) -> Plane:
    write_slice(path, stored(1)[0], **{"spacing": None, **tags})  # type: ignore[arg-type]
    return read_header(path)[0].planes[0]


def region(x: float, y: float, *, units: int = 3, space: int = 1) -> Dataset:
    data = Dataset()
    data.RegionSpatialFormat, data.RegionDataType, data.RegionFlags = space, 1, 0
    data.RegionLocationMinX0 = data.RegionLocationMinY0 = 0
    data.RegionLocationMaxX1 = data.RegionLocationMaxY1 = 4
    data.PhysicalUnitsXDirection = data.PhysicalUnitsYDirection = units
    data.PhysicalDeltaX, data.PhysicalDeltaY = x, y
    return data


@pytest.mark.parametrize(
    ("tags", "spacing", "source"),
    [
        ({"spacing": (2.0, 3.0)}, (2.0, 3.0), "Pixel Spacing"),
        (
            {"spacing": (2.0, 3.0), "ImagerPixelSpacing": [4, 5]},
            (2.0, 3.0),
            "Pixel Spacing",
        ),
        ({"ImagerPixelSpacing": [0.1, 0.2]}, (0.1, 0.2), "Imager Pixel Spacing"),
        ({"NominalScannedPixelSpacing": [0.3, 0.4]}, (0.3, 0.4), "Nominal Scanned Pixel Spacing"),
        ({"ImagerPixelSpacing": [0, 0]}, None, ""),
        ({"SequenceOfUltrasoundRegions": []}, None, ""),
        ({}, None, ""),
    ],
)
def test_the_first_attribute_that_says_a_size_is_taken_and_named(
    tmp_path: Path, tags: dict[str, object], spacing: tuple[float, float] | None, source: str
) -> None:
    found = plane(tmp_path / "x.dcm", **tags)
    assert (found.spacing_mm, found.spacing_source) == (spacing, source)


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_an_ultrasound_region_in_cm_gives_mm_in_every_encoding(tmp_path: Path, syntax: str) -> None:
    regions = [region(0.02, 0.03), region(0.001, 0.001, space=2), region(-0.02, 0.03)]
    found = plane(tmp_path / "x.dcm", syntax=syntax, SequenceOfUltrasoundRegions=regions)
    assert found.spacing_mm == pytest.approx((0.3, 0.2))
    assert found.spacing_source == "Ultrasound region"


@pytest.mark.parametrize(
    "regions",
    [[region(0.02, 0.03), region(0.02, 0.04)], [region(0.02, 0.03, units=5)], [Dataset()]],
)
def test_regions_that_disagree_or_are_not_in_cm_give_none(
    tmp_path: Path, regions: list[Dataset]
) -> None:
    found = plane(tmp_path / "x.dcm", SequenceOfUltrasoundRegions=regions)
    assert (found.spacing_mm, found.spacing_source) == (None, "")
