"""What a person must look at before files leave, and what is shown."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from resources.problem import Problem
from tests.deid_cases import UID_ROOT, burned_in, write
from viewer.deid import pages
from viewer.deid.dataset import Deidentifier
from viewer.deid.drawing import scoped
from viewer.deid.folder import deidentify
from viewer.deid.keyed import fresh
from viewer.deid.options import Box, options
from viewer.deid.survey import look_through

TEXT = Box(3, 2, 6, 4)


@pytest.fixture
def folder(tmp_path):
    """Write two slices that nobody need look at, two captures and a cine; and what is no image."""
    for number in (1, 2):
        write(tmp_path / "in" / f"ct{number}.dcm", number)
        capture = write(
            tmp_path / "in" / f"sc{number}.dcm", 3 - number, sc=True, BodyPartExamined="HEAD"
        )
        dataset = pydicom.dcmread(capture)
        dataset.SeriesInstanceUID = f"{UID_ROOT}.6"
        dataset.SOPInstanceUID = f"{UID_ROOT}.6.{number}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(capture)
    burned_in(tmp_path / "in")
    (tmp_path / "in" / "notes.txt").write_text("nothing")
    return tmp_path / "in"


def test_only_what_is_in_doubt_is_looked_at(folder):
    found = look_through([folder])
    assert (found.files, found.images) == (6, 5)
    assert found.doubts == {"modality": 3}
    assert {(one.modality, len(one)) for one in found.to_look_at} == {("OT", 2), ("US", 3)}


def test_frames_come_in_the_order_of_the_images_and_have_a_place(folder):
    found = {one.modality: one for one in look_through([folder]).to_look_at}
    us, sc = found["US"], found["OT"]
    assert [us.place(n) for n in range(3)] == [
        (f"{UID_ROOT}.8", f"{UID_ROOT}.3.7", frame) for frame in range(3)
    ]
    assert us.pixels(2).shape == (16, 20, 3) and us.pixels(2).max() == 250
    assert [sc.place(n)[1] for n in range(2)] == [f"{UID_ROOT}.6.2", f"{UID_ROOT}.6.1"]
    assert pages.brightest(us).max() == 250
    with pytest.raises(IndexError):
        us.pixels(3)


def test_a_box_is_black_where_it_is_and_nowhere_else(folder, tmp_path):
    us = next(one for one in look_through([folder]).to_look_at if one.modality == "US")
    one = scoped(TEXT, "image", us.place(1))
    by = Deidentifier(fresh(), options([], boxes=[one], seen=[us.series_uid]))
    report = deidentify([folder], tmp_path / "out", by)
    assert report.files == 3 and report.boxed == 1
    assert report.why_left_out() == {"pixels-not-seen": 2, "not-dicom": 1}
    cine = next(
        dataset
        for dataset in map(pydicom.dcmread, (tmp_path / "out").rglob("*.dcm"))
        if dataset.Modality == "US"
    )
    assert [int(frame.max()) for frame in cine.pixel_array] == [250, 90, 250]
    codes = {item.CodeValue for item in cine.DeidentificationMethodCodeSequence}
    assert "113101" in codes and cine.BurnedInAnnotation == "NO"


def test_what_cannot_be_shown_says_so(folder):
    us = next(one for one in look_through([folder]).to_look_at if one.modality == "US")
    us.files[0].path.write_bytes(b"gone")
    with pytest.raises(Problem, match="cannot be shown"):
        us.pixels(0)


def test_dim_text_shows_when_the_greys_are_spread():
    ground = np.full((64, 64), 100, np.int16)
    ground[:8] = 3000
    ground[20:24, 10:40] = 104  # what nobody sees in the whole range
    plain, spread = (pages.shown(ground, spread=one).astype(int) for one in (False, True))
    assert plain[22, 20] - plain[40, 40] <= 1
    assert spread[22, 20] - spread[40, 40] >= 40


@pytest.mark.parametrize("values", [np.zeros((4, 4), np.uint8), np.full((4, 4), np.nan)])
def test_an_empty_image_is_black(values):
    assert not pages.shown(values, spread=True).any()
