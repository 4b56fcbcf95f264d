"""What readers measured, marked and first said, in ``findings.json``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from inference.geometry import kji_to_lps_mm
from tests.annotate_cases import open_case
from tests.export_cases import ai_case
from viewer.annotate.key_images import KeyImage
from viewer.annotate.measurements import Measurement
from viewer.annotate.measuring import measure, sheet_of
from viewer.display.planes import make_planes
from viewer.export.bundle import export_case
from viewer.export.snapshot import FirstImpression
from viewer.impressions import TOPIC as FIRST
from viewer.impressions import Impression

UTC = "2026-11-21T20:00:00.000Z"


@pytest.fixture
def case(tmp_path):
    return ai_case(tmp_path / "dicom")


def drawn(case, k=6) -> Measurement:
    """An ellipse in acquired slice ``k``, measured as the window measures it."""
    volume = case.volume
    plane = next(p for p in make_planes(volume.shape_kji, volume.affine).values() if p.axis == 0)
    sheet = sheet_of(plane, k, volume)
    ends = [(k, 30, 20), (k, 30, 34), (k, 24, 27), (k, 36, 27)]
    points = kji_to_lps_mm(volume.affine, ends)
    found = measure("ellipse", points, sheet, volume, case.plan)
    return Measurement(
        "ellipse", 1, tuple(tuple(float(x) for x in p) for p in points),
        tuple(float(x) for x in sheet.normal_lps), sheet.slice_mm, sheet.k, found.values,
        reader="Reader One", utc=UTC, lesion_id="d1",
    )  # fmt: skip


def exported(case, folder):
    export_case(case, folder)
    return json.loads((folder / "findings.json").read_text(encoding="utf-8"))


def test_a_measurement_names_its_image_its_points_and_its_units(case, tmp_path):
    one = drawn(case)
    found = exported(
        replace(case, measurements=(("m1", one),), measurements_left_out=2), tmp_path / "out"
    )
    (said,) = found["measurements"]
    assert found["measurements_left_out"] == 2
    assert (said["id"], said["kind"], said["lesion_id"]) == ("m1", "ellipse", "d1")
    assert (said["reader"], said["utc"], said["missing"]) == ("Reader One", UTC, None)
    np.testing.assert_allclose(said["points_lps_mm"], one.points_lps_mm)
    units = {value["name"]: value["unit"] for value in said["values"]}
    assert units == {
        "area": "mm2", "n_voxels": "voxels", "mean": "HU", "sd": "HU", "min": "HU", "max": "HU",
    }  # fmt: skip
    # The image that is named is the one that lies there.
    plane = said["plane"]
    (image,) = [
        data
        for data in map(pydicom.dcmread, filter(Path.is_file, (tmp_path / "dicom").rglob("*")))
        if data.SOPInstanceUID == plane["sop_instance_uid"]
    ]
    away = np.array(one.points_lps_mm) - np.array(image.ImagePositionPatient, dtype=float)
    assert np.abs(away @ np.array(plane["normal_lps"])).max() < 1e-3
    assert plane["frame"] == 1 and plane["k"] == 6
    assert plane["frame_of_reference_uid"] == image.FrameOfReferenceUID


def test_key_images_and_first_impressions_are_named_too(case, tmp_path):
    marked = KeyImage("axial", 4, 4, (-600.0, 1600.0), "Reader One", UTC)
    said = FirstImpression("Reader One", UTC, "suspicious", 2, ("h1",), True)
    found = exported(replace(case, key_images=(marked,), first_impressions=(said,)), tmp_path / "o")
    (key_image,) = found["key_images"]
    assert (key_image["k"], key_image["window_width"]) == (4, 1600.0)
    assert key_image["sop_instance_uid"] == case.plan.planes[4].instance.sop_instance_uid
    assert found["first_impressions"] == [
        {
            "reader": "Reader One",
            "utc": UTC,
            "judgement": "suspicious",
            "lesions_seen": 2,
            "lesion_ids": ["h1"],
            "ai_had_run": True,
        }
    ]


def test_a_case_without_notes_says_so(case, tmp_path):
    found = exported(case, tmp_path / "out")
    assert found["format_version"] == 1
    assert found["measurements"] == found["key_images"] == found["first_impressions"] == []
    assert all(lesion["verdict_reason"] is None for lesion in found["lesions"])


def test_an_open_case_hands_its_notes_over_and_keeps_the_words_of_readers(tmp_path):
    case = open_case(folder=tmp_path)
    note = {
        "kind": "distance", "number": 1, "points_lps_mm": [[0, 0, 0], [3, 4, 0]],
        "normal_lps": [0, 0, 1], "slice_mm": 2.0, "k": 3, "values": [["length", 5.0, "mm"]],
        "absence": "", "calibration": "", "reader": "A", "utc": UTC, "origin": "human",
        "lesion_id": "",
    }  # fmt: skip
    case.set_note("measurement", "m1", note)
    case.set_note("measurement", "m2", {"kind": "distance"})
    case.set_note(FIRST, "1", Impression("A", UTC, "unsure", comment="CANARY words").note())
    case.add_missed((1.0, 2.0, 3.0))
    case.set_verdict("h1", "rejected", "vessel")
    snapshot = case.snapshot()
    assert [key for key, _ in snapshot.measurements] == ["m1"]
    assert snapshot.measurements_left_out == 1
    assert snapshot.first_impressions == (FirstImpression("A", UTC, "unsure", None, (), False),)
    assert "CANARY" not in repr(snapshot.first_impressions)
    assert snapshot.lesions[0].reason == "vessel"
    assert case.close() == 0
