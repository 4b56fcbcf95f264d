"""Burned-in text is black in the voxels that every format of an export is written from."""

from __future__ import annotations

import gzip
import json

import nibabel
import numpy as np
import pydicom
import pytest

from tests.deid_cases import UID_ROOT, write
from viewer.deid import keyed, pixels
from viewer.deid.options import Box, Options
from viewer.export import export_case
from viewer.export.formats import FORMATS
from viewer.export.leaving import Leave, deidentified, survey
from viewer.export.redaction import redacted
from viewer.session import Case, Reader
from viewer.study import order, read, scan

TEXT = 3000  # what the letters are written with


@pytest.fixture
def case(tmp_path):
    """Open four slices of a derived CT into which a name is written: columns 3-8, rows 2-5."""
    for number in range(1, 5):
        kinds = {"ImageType": ["DERIVED", "SECONDARY"], "RescaleIntercept": 0}
        path = write(tmp_path / "in" / f"{number}.dcm", number, **kinds)
        dataset = pydicom.dcmread(path)
        dataset.ImagePositionPatient = [0, 0, 2.0 * number]
        cells = np.frombuffer(dataset.PixelData, np.int16).reshape(16, 20).copy()
        cells[2:6, 3:9] = TEXT
        cells[12:15, 10:18] = 700
        dataset.PixelData = cells.tobytes()
        dataset.save_as(path)
    plan = order.order(scan.scan([tmp_path / "in"]).series[0])
    opened = Case.open(plan.series, plan, read.read(plan), reader=Reader("Brannigham"))
    opened.add_missed((5.0, 5.0, 4.0))
    yield opened
    opened.close()


def test_the_survey_says_that_a_person_must_look(case):
    said = survey(case.plan)
    assert said.doubts == {"unknown": 4} and not said.face


def test_no_format_holds_what_was_made_black(case, tmp_path):
    leave = Leave(keyed.fresh(), dict, Options(pixels_seen=True, boxes=(Box(3, 2, 6, 4),)))
    snapshot = leave.take_out(case.snapshot())
    assert snapshot.volume.voxels.max() == 700
    assert case.volume.voxels.max() == TEXT, "the open case stays"
    export_case(snapshot, tmp_path / "out", formats=FORMATS)
    image = np.asanyarray(nibabel.load(tmp_path / "out" / "image.nii.gz").dataobj)
    assert image.max() == 700
    for path in (tmp_path / "out").iterdir():
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        assert np.int16([TEXT] * 6).tobytes() not in data, path.name
    told = json.loads((tmp_path / "out" / "deidentification.json").read_text())
    assert told["pixels"] == {
        "seen_by_a_person": True,
        "needed_a_person": {"unknown": 4},
        "boxes_column_row_width_height_px": [[3, 2, 6, 4]],
        "files_with_boxes": 4,
    }
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["deidentified"]["pixels_seen_by_a_person"] is True


def test_a_box_may_be_in_one_image_alone(case):
    first = case.plan.planes[0].instance
    box = Box(3, 2, 6, 4, first.series_uid, first.sop_instance_uid, 0)
    black = redacted(case.volume, case.plan, [box]).voxels
    assert black[0].max() == 700
    assert (black[1:] == case.volume.voxels[1:]).all()


def test_without_a_box_the_volume_is_the_same(case):
    assert redacted(case.volume, case.plan, []) is case.volume
    other = Box(0, 0, 4, 4, series_uid=f"{UID_ROOT}.77")
    assert redacted(case.volume, case.plan, [other]) is case.volume


def test_voxels_and_copies_are_black_alike(case):
    """What a box is in a DICOM copy it is in the voxels, value by value."""
    box = Box(3, 2, 6, 4)
    voxels = redacted(case.volume, case.plan, [box]).voxels
    for k, ref in enumerate(case.plan.planes):
        dataset = pydicom.dcmread(ref.instance.path)
        pixels.black_out(ref.instance.path, dataset, (box,))
        slope, intercept = ref.plane.slope, ref.plane.intercept
        assert (dataset.pixel_array * slope + intercept == voxels[k]).all()


def test_nobody_is_asked_of_a_reconstructed_slice(tmp_path):
    write(tmp_path / "in" / "1.dcm", 1)
    plan = order.order(scan.scan([tmp_path / "in"]).series[0])
    assert survey(plan).doubts == {}


def test_a_refusal_says_what_to_do(case):
    from resources.problem import Problem

    with pytest.raises(Problem, match="burned into"):
        deidentified(case.snapshot(), keyed.fresh())
