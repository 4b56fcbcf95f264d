"""The rows of the trust panel: each says what is so, and from where it is known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from tests.dicom_files import CANARY, stored, write_slice, write_stack
from viewer.study.order import StackPlan, order, volumes
from viewer.study.read import read
from viewer.study.resample import plan_of_copy, resampled
from viewer.study.scan import scan
from viewer.study.trust import Row, trust

SAGITTAL = (0, 1, 0, 0, 0, -1)


def rows_of(folder: Path) -> dict[str, Row]:
    found = scan(folder)
    rows = trust(order(found.series[0]), found.skipped)
    assert all(row.question and row.answer and row.state in ("good", "note", "bad") for row in rows)
    assert not any(CANARY in repr(row) or "CANARY-ID" in repr(row) for row in rows)
    return {row.question: row for row in rows}


def write_at(folder: Path, depths: list[float], **options: Any) -> None:
    for n, depth in enumerate(depths):
        write_slice(
            folder / f"{n:03d}.dcm", stored(1)[0], position=(0, 0, depth), number=n + 1, **options
        )


def test_of_a_regular_ct_all_is_good_and_says_from_where(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 2.5, 5.0], spacing=(0.7, 0.65))
    rows = rows_of(tmp_path)
    assert {row.state for row in rows.values()} == {"good"}
    answers = {question: (row.answer, row.source) for question, row in rows.items()}
    assert answers["Pixel size"] == ("0.7 x 0.65 mm", "Pixel Spacing (0028,0030)")
    assert answers["Slice spacing"] == (
        "2.5 mm by the positions, even within 0 mm",
        "Image Position (Patient) (0020,0032)",
    )
    assert answers["Direction"][0] == "axial; rows run to L, columns to P, slices to H"
    assert answers["Gantry tilt"][0] == answers["Gaps"][0] == "None."
    assert answers["Images at one place"][0] == "None."
    assert answers["Frame of reference"][0] == "One, named by every image."
    assert answers["Decoder"] == (
        "Explicit VR Little Endian: read as it stands",
        "Transfer Syntax UID (0002,0010)",
    )
    assert answers["Stored values"][0] == "16 of 16 bits, signed"
    assert answers["Rescale"][0] == "value = stored x 1 - 1024"
    assert answers["Unit"] == (
        "HU: a CT with a rescale that names no other",
        "Rescale Type (0028,1054)",
    )
    assert answers["Files"][0] == "images: 3, files: 3"
    assert answers["Skipped files"][0] == "None."
    assert answers["Part of its series"][0] == "The whole series."
    assert answers["Resampled copy"][0] == "Not needed."
    assert "Also" not in answers


def test_rounded_positions_are_told_with_their_spread(tmp_path: Path) -> None:
    write_at(tmp_path, [round(n * 0.625, 1) for n in range(40)])
    row = rows_of(tmp_path)["Slice spacing"]
    assert row.state == "good"
    mm, spread = row.answer.removesuffix(" mm").split(" mm by the positions, even within ")
    assert abs(float(mm) - 0.625) < 0.001 and 0.01 < float(spread) <= 0.06


@pytest.mark.parametrize(
    ("tags", "modality", "words", "state"),
    [
        ({"spacing": None}, "CT", "nothing can be measured in millimetres", "bad"),
        (
            {"spacing": None, "ImagerPixelSpacing": [0.2, 0.2]},
            "DX",
            "0.2 x 0.2 mm, at the detector",
            "note",
        ),
        ({"ImagerPixelSpacing": [1, 1]}, "DX", "at the detector", "note"),
        ({"ImagerPixelSpacing": [1.2, 1.2]}, "DX", "calibrated, the file does not say how", "note"),
        (
            {"ImagerPixelSpacing": [1.2, 1.2], "PixelSpacingCalibrationType": "FIDUCIAL"},
            "CR",
            "calibrated by an object of known size",
            "note",
        ),
        (
            {"PixelSpacingCalibrationType": "GEOMETRY", "ImagerPixelSpacing": [1.2, 1.2]},
            "XA",
            "corrected for the usual magnification",
            "note",
        ),
        ({}, "CR", "at which depth it is true is not said", "note"),
        ({"ImagerPixelSpacing": [1.2, 1.2]}, "MR", "1 x 1 mm", "good"),
    ],
)
def test_where_the_pixel_size_comes_from(
    tmp_path: Path, tags: dict[str, Any], modality: str, words: str, state: str
) -> None:
    write_at(tmp_path, [0.0, 1.0], Modality=modality, **tags)
    row = rows_of(tmp_path)["Pixel size"]
    assert words in row.answer and row.state == state
    if "ImagerPixelSpacing" in tags and tags.get("spacing", 1) is None:
        assert row.source == "Imager Pixel Spacing (0018,1164)"


def test_a_tilt_is_bad_and_a_copy_is_offered(tmp_path: Path) -> None:
    angle = math.radians(14)
    write_at(
        tmp_path,
        [0.0, 5.0, 10.0],
        orientation=(1, 0, 0, 0, math.cos(angle), -math.sin(angle)),
    )
    rows = rows_of(tmp_path)
    assert rows["Gantry tilt"].answer == "The slices are tilted by 14.0 degrees."
    assert rows["Gantry tilt"].state == rows["Regular volume"].state == "bad"
    assert rows["Direction"].answer.startswith("oblique, 14.0 degrees from axial; rows run to L")
    assert rows["Gaps"].state == "good"
    assert rows["Resampled copy"].answer.startswith("Can be made")


def test_a_resampled_copy_says_what_it_is(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0, 2.0, 4.0])
    plan = order(scan(tmp_path).series[0])
    copy = plan_of_copy(plan, resampled(read(plan)))
    rows = {row.question: row for row in trust(copy)}
    assert rows["Regular volume"].state == "note"
    assert "resampled copy, not what the scanner made" in rows["Regular volume"].answer
    assert "Slices are missing: 1" in rows["Regular volume"].answer
    assert rows["Slice spacing"].answer == "1 mm, made by interpolation"
    assert rows["Gaps"].answer == "None in this copy." and rows["Gaps"].state == "note"
    assert rows["Resampled copy"].answer == "This is one."
    assert "Also" not in rows


def test_no_copy_is_offered_of_a_stack_with_an_empty_slice(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0, 2.0, 4.0])
    path = tmp_path / "001.dcm"
    path.write_bytes(path.read_bytes()[:-4])
    rows = rows_of(tmp_path)
    assert rows["Also"].answer == "The file 001.dcm is cut short." and rows["Also"].state == "bad"
    assert rows["Resampled copy"].answer == "Cannot be made of these images."


def test_gaps_and_images_at_one_place_are_bad(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0, 1.0, 2.0, 4.0])
    rows = rows_of(tmp_path)
    assert rows["Images at one place"].answer == "Images lie at the same place as another: 1."
    assert rows["Gaps"].answer == "Slices are missing: 1 among slices that lie 1.0 mm apart."
    assert rows["Slice spacing"].answer == "0 to 2 mm, mostly 1 mm"
    assert {rows[q].state for q in ("Images at one place", "Gaps", "Slice spacing")} == {"bad"}
    assert rows["Resampled copy"].answer == "Cannot be made of these images."


def test_of_images_without_place_nothing_of_space_is_claimed(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0], orientation=None)
    rows = rows_of(tmp_path)
    assert rows["Direction"].answer == "Not said: the sides of the patient are not known."
    assert rows["Slice spacing"].state == rows["Regular volume"].state == "bad"
    for question in ("Gantry tilt", "Gaps", "Images at one place"):
        assert (rows[question].answer, rows[question].state) == ("Not known.", "note")


def test_turning_images_have_no_one_direction(tmp_path: Path) -> None:
    for n in range(6):
        angle = math.radians(20 * n)
        write_slice(
            tmp_path / f"{n}.dcm",
            stored(1)[0],
            orientation=(math.cos(angle), math.sin(angle), 0, 0, 0, -1),
        )
    rows = rows_of(tmp_path)
    assert rows["Direction"].answer == "It changes from image to image."
    assert rows["Slice spacing"].answer.startswith("None:")


@pytest.mark.parametrize("thickness", [None, 3])
def test_a_single_slice_says_so(tmp_path: Path, thickness: int | None) -> None:
    tags = {} if thickness is None else {"SliceThickness": thickness}
    write_at(tmp_path, [0.0], **tags)
    row = rows_of(tmp_path)["Slice spacing"]
    assert row.state == "note" and row.answer.startswith("There is only one slice")
    assert ("3 mm" in row.answer) == (thickness is not None)


@pytest.mark.parametrize(
    ("uids", "words"), [(["", ""], "Not named"), (["1.2", "1.3"], "2 different ones")]
)
def test_the_frame_of_reference(tmp_path: Path, uids: list[str], words: str) -> None:
    for n, uid in enumerate(uids):
        write_at(tmp_path / str(n), [float(n)], FrameOfReferenceUID=uid or None)
    row = rows_of(tmp_path)["Frame of reference"]
    assert words in row.answer and row.state == "note"


def test_the_decoder_is_named(tmp_path: Path) -> None:
    (path,) = write_stack(tmp_path, stored(1, 8, 8), SliceThickness=1)
    data = pydicom.dcmread(path)
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(path)
    row = rows_of(tmp_path)["Decoder"]
    assert (row.answer, row.state) == ("RLE Lossless: pylibjpeg-rle", "good")


def test_what_lost_values_says_so(tmp_path: Path) -> None:
    (path,) = write_stack(tmp_path, stored(1, 8, 8), SliceThickness=1)
    lossy = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.4.50")
    path.write_bytes(
        lossy.replace(b"UI\x14\x001.2.840.10008.1.2.4.50", b"UI\x16\x001.2.840.10008.1.2.4.50")
    )
    data = pydicom.dcmread(path)
    assert data.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    row = rows_of(tmp_path)["Decoder"]
    assert row.state == "note" and "may have been lost" in row.answer
    assert "JPEG Baseline: pylibjpeg-libjpeg" in row.answer


@pytest.mark.parametrize(
    ("tags", "answer", "state"),
    [
        ({"RescaleIntercept": None, "RescaleSlope": None}, "None: the values are as they", "good"),
        ({"RescaleSlope": 2.5, "RescaleIntercept": 3}, "value = stored x 2.5 + 3", "good"),
    ],
)
def test_the_rescale_is_told(tmp_path: Path, tags: dict[str, Any], answer: str, state: str) -> None:
    write_at(tmp_path, [0.0, 1.0], **tags)
    row = rows_of(tmp_path)["Rescale"]
    assert row.answer.startswith(answer) and row.state == state


def test_a_rescale_for_each_slice_is_to_be_known(tmp_path: Path) -> None:
    for n in range(3):
        write_at(tmp_path / str(n), [float(n)], modality="MR", RescaleSlope=n + 1)
    rows = rows_of(tmp_path)
    assert rows["Rescale"].state == "note" and "differs between slices" in rows["Rescale"].answer
    assert rows["Unit"].state == "note"


def test_a_ct_that_does_not_prove_its_unit_is_bad(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0], RescaleType="US")
    row = rows_of(tmp_path)["Unit"]
    assert row.state == "bad" and row.answer.startswith("Not proven")


def test_what_was_skipped_is_counted_by_reason(tmp_path: Path) -> None:
    write_at(tmp_path / "a", [0.0, 1.0])
    for n in range(3):
        (tmp_path / f"{n}.txt").write_text("x")
    for n in range(12):
        twin = tmp_path / f"copy{n}.dcm"
        twin.write_bytes((tmp_path / "a" / "000.dcm").read_bytes())
    write_slice(tmp_path / "sr.dcm", stored(1)[0], Modality="SR")
    found = scan(tmp_path)
    said = [
        row for row in trust(order(found.series[0]), found.skipped) if "Skipped" in row.question
    ]
    assert [row.answer for row in said] == [
        "12: This is a copy of copy0.dcm.",
        "3: This is not a DICOM file.",
        "1: This is not an image but an object of type SR.",
    ]
    assert {row.state for row in said} == {"note"}


def test_many_reasons_are_cut_short(tmp_path: Path) -> None:
    write_at(tmp_path / "a", [float(n) for n in range(12)])
    for n in range(12):
        twin = tmp_path / "b" / f"{n}.dcm"
        twin.parent.mkdir(exist_ok=True)
        twin.write_bytes((tmp_path / "a" / f"{n:03d}.dcm").read_bytes())
    found = scan(tmp_path)
    said = [
        row for row in trust(order(found.series[0]), found.skipped) if "Skipped" in row.question
    ]
    assert len(said) == 9 and said[-1].answer == "4 more, for other reasons"


def plans(folder: Path, *, split: bool = True) -> tuple[StackPlan, ...]:
    return volumes(scan(folder).series[0], split=split)


def test_a_volume_of_several_says_which_it_is(tmp_path: Path) -> None:
    write_at(tmp_path / "stack", [0.0, 1.0, 2.0])
    write_slice(tmp_path / "scout.dcm", stored(1)[0], orientation=SAGITTAL)
    row = next(r for p in plans(tmp_path) for r in trust(p) if r.question.startswith("Part"))
    assert row.answer in (
        "One of its volumes: axial. 3 of 4 images.",
        "One of its volumes: sagittal. 1 of 4 images.",
    )
    (whole,) = plans(tmp_path, split=False)
    row = next(r for r in trust(whole) if r.question.startswith("Part"))
    assert row.answer == "All its images; the splitting was undone." and row.state == "note"


def test_what_has_no_row_of_its_own_is_told_at_the_end(tmp_path: Path) -> None:
    write_at(tmp_path / "a", [0.0, 1.0])
    write_at(tmp_path / "b", [2.0, 3.0], PatientID="other")
    rows = rows_of(tmp_path)
    assert rows["Regular volume"].answer == "The series mixes images of more than one patient."
    assert rows["Regular volume"].state == "bad"


def test_files_of_other_formats_name_their_format(tmp_path: Path) -> None:
    import nibabel

    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.diag([1.0, 2.0, 3.0, 1.0]))
    nibabel.save(image, tmp_path / "x.nii")
    rows = rows_of(tmp_path)
    assert rows["Decoder"].answer == rows["Direction"].source == "NIfTI"
    assert rows["Slice spacing"].answer.startswith("3 mm")
