"""The order of slices and the judgement of their geometry, of series made for each case."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from resources.problem import Problem
from tests.dicom_files import stored, write_slice, write_stack
from viewer.study.order import StackPlan, order
from viewer.study.read import read
from viewer.study.scan import scan
from viewer.study.thumbnail import thumbnail


def plan_of(folder: Path) -> StackPlan:
    (series,) = scan(folder).series
    return order(series)


def kinds(plan: StackPlan) -> list[str]:
    return [problem.kind for problem in plan.problems]


def write_at(folder: Path, depths: list[float], **options: Any) -> None:
    for n, depth in enumerate(depths):
        write_slice(
            folder / f"{n:03d}.dcm", stored(1)[0], position=(0, 0, depth), number=n + 1, **options
        )


def irregular(plan: StackPlan, *expected: str, placed: bool = True) -> None:
    """Check that a plan is flagged, shown all the same, and placed slice by slice."""
    assert kinds(plan) == list(expected)
    assert not plan.regular
    assert plan.affine is None
    assert plan.refusal is None
    assert isinstance(plan.irregularity, Problem)
    assert plan.problems[0].text in plan.irregularity.sentence
    assert plan.irregularity.remedy
    assert (plan.places is not None) == placed
    if plan.places is not None:
        for place, ref in zip(plan.places, plan.planes, strict=True):
            header = ref.plane
            rows, columns = header.spacing_mm or (1.0, 1.0)
            assert np.allclose(place[:3, 3], header.position_lps_mm, atol=1e-9)
            assert np.allclose(place[:3, 1], np.multiply(header.column_lps, rows), atol=1e-9)
            assert np.allclose(place[:3, 2], np.multiply(header.row_lps, columns), atol=1e-9)
            assert np.linalg.det(place) != 0


def test_slices_ascend_along_row_times_column_whatever_their_numbers(tmp_path: Path) -> None:
    write_at(tmp_path, [10.0, 0.0, 5.0, -5.0])
    plan = plan_of(tmp_path)
    assert [ref.plane.position_lps_mm[2] for ref in plan.planes] == [-5.0, 0.0, 5.0, 10.0]
    assert plan.regular and plan.refusal is None and plan.problems == ()
    assert plan.irregularity is None and plan.places is None
    assert (plan.name, plan.part) == ("", "")
    expected = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [5, 0, 0, -5], [0, 0, 0, 1]])
    assert np.array_equal(plan.affine, expected)


def test_with_columns_to_the_head_slices_ascend_the_other_way(tmp_path: Path) -> None:
    # Row to the left, column to the front: row x column points to the feet.
    write_at(tmp_path, [0.0, 2.0, 4.0], orientation=(1, 0, 0, 0, -1, 0))
    plan = plan_of(tmp_path)
    assert [ref.plane.position_lps_mm[2] for ref in plan.planes] == [4.0, 2.0, 0.0]
    assert np.allclose(plan.affine[:3, 0], (0, 0, -2))


def test_spacing_comes_from_positions_not_from_thickness(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.25, 2.5], SliceThickness=5, SpacingBetweenSlices=7)
    assert plan_of(tmp_path).affine[2, 0] == 1.25


def test_positions_rounded_to_a_tenth_are_still_regular(tmp_path: Path) -> None:
    write_at(tmp_path, [round(n * 0.625, 1) for n in range(40)])
    plan = plan_of(tmp_path)
    assert plan.regular
    for k, ref in enumerate(plan.planes):
        place = plan.affine @ (k, 0, 0, 1)
        assert np.linalg.norm(place[:3] - ref.plane.position_lps_mm) <= 0.06


def test_a_missing_slice_is_told(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 5.0, 10.0, 20.0, 25.0])
    plan = plan_of(tmp_path)
    irregular(plan, "missing-slices")
    assert plan.problems[0].text == "Slices are missing: 1 among slices that lie 5.0 mm apart."


def test_one_missing_slice_in_a_long_stack_is_found(tmp_path: Path) -> None:
    write_at(tmp_path, [float(n) for n in range(120) if n != 77])
    irregular(plan_of(tmp_path), "missing-slices")


def test_uneven_spacing_is_told(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.08, 3.0, 10.0, 12.0])
    irregular(plan_of(tmp_path), "uneven-spacing")


def test_a_change_of_spacing_is_no_missing_slice(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0, 2.0, 3.0, 4.5, 6.0])
    irregular(plan_of(tmp_path), "uneven-spacing")


def test_gantry_tilt_is_measured(tmp_path: Path) -> None:
    angle = math.radians(14)
    write_at(
        tmp_path,
        [0.0, 5.0, 10.0, 15.0],
        orientation=(1, 0, 0, 0, math.cos(angle), -math.sin(angle)),
    )
    plan = plan_of(tmp_path)
    irregular(plan, "gantry-tilt")
    assert "14.0 degrees" in plan.problems[0].text


def test_slices_shifted_sideways_are_told(tmp_path: Path) -> None:
    for n in range(6):
        aside = 3.0 if n % 2 else 0.0
        write_slice(tmp_path / f"{n}.dcm", stored(1)[0], position=(aside, 0, n))
    irregular(plan_of(tmp_path), "shifted-slices")


def test_images_at_one_place_are_told(tmp_path: Path) -> None:
    for n in range(4):
        write_slice(tmp_path / f"{n}.dcm", stored(1)[0], AcquisitionNumber=n + 1)
    plan = plan_of(tmp_path)
    irregular(plan, "duplicate-positions")
    assert plan.shape_kji == (4, 6, 5)


def test_times_mixed_without_any_mark_stay_together(tmp_path: Path) -> None:
    write_at(tmp_path / "1", [0.0, 1.0, 2.0])
    write_at(tmp_path / "2", [0.0, 1.0, 2.0])
    irregular(plan_of(tmp_path), "duplicate-positions")


def test_images_that_say_no_place_are_told(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0], orientation=None)
    irregular(plan_of(tmp_path), "missing-geometry", placed=False)


def test_images_that_say_no_pixel_size_are_told(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0], spacing=None)
    irregular(plan_of(tmp_path), "missing-spacing")


@pytest.mark.parametrize(
    "bad", [(1, 0, 0, 0, 0, 0), (1, 0, 0, 0.5, 0.8660254, 0), (9, 0, 0, 0, 9, 0)]
)
def test_impossible_direction_cosines_place_nothing(tmp_path: Path, bad: tuple[float, ...]) -> None:
    write_at(tmp_path, [0.0, 1.0], orientation=bad)
    irregular(plan_of(tmp_path), "missing-geometry", placed=False)


def test_a_single_slice_opens_with_its_thickness_and_says_so(tmp_path: Path) -> None:
    write_at(tmp_path, [7.0], SliceThickness=3)
    plan = plan_of(tmp_path)
    assert plan.regular and kinds(plan) == ["single-slice"]
    assert plan.affine[2, 0] == 3.0


def test_a_single_slice_without_thickness_is_told(tmp_path: Path) -> None:
    write_at(tmp_path, [7.0])
    irregular(plan_of(tmp_path), "single-slice")


def test_two_patients_in_one_series_are_refused(tmp_path: Path) -> None:
    write_at(tmp_path / "a", [0.0, 1.0])
    write_at(tmp_path / "b", [2.0, 3.0], PatientID="other")
    plan = plan_of(tmp_path)
    assert kinds(plan) == ["mixed-patients"]
    assert plan.refusal is not None and "more than one patient" in plan.refusal.sentence


def test_a_file_cut_in_its_pixels_is_named_and_stops_no_other(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(3))
    files[1].write_bytes(files[1].read_bytes()[:-8])
    plan = plan_of(tmp_path)
    assert kinds(plan) == ["unreadable-file"]
    assert plan.problems[0].text == f"The file {files[1].name} is cut short."
    assert plan.refusal is None and plan.regular and plan.shape_kji[0] == 3
    with pytest.raises(Problem, match=f"{files[1].name} is cut short"):
        read(plan)


def test_many_bad_files_are_counted(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(9))
    for path in files[1:]:
        path.write_bytes(path.read_bytes()[:-8])
    plan = plan_of(tmp_path)
    assert plan.refusal is None
    assert kinds(plan) == ["unreadable-file"] * 6
    assert plan.problems[-1].text == "3 more images cannot be read."


def test_a_series_of_bad_files_alone_is_refused(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(3))
    for path in files:
        path.write_bytes(path.read_bytes()[:-8])
    plan = plan_of(tmp_path)
    assert kinds(plan) == ["cut-short"]
    assert plan.refusal is not None
    assert "is cut short." in plan.refusal.sentence
    assert plan.refusal.remedy


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"BitsAllocated": 64, "BitsStored": 64, "HighBit": 63}, "cut short"),
        ({"Rows": 65535, "Columns": 65535}, "cut short"),
        ({"NumberOfFrames": "90000"}, "cut short"),
    ],
)
def test_pixels_that_cannot_be_a_volume_are_refused_before_any_is_read(
    tmp_path: Path, tags: dict[str, Any], words: str
) -> None:
    write_at(tmp_path, [0.0], SliceThickness=1, **tags)
    plan = plan_of(tmp_path)
    assert plan.refusal is not None
    assert words in plan.refusal.sentence


def test_a_size_that_no_scanner_makes_is_refused_before_any_memory_is_taken(tmp_path: Path) -> None:
    (path,) = write_stack(tmp_path, stored(1, 80, 64), SliceThickness=1)
    data = pydicom.dcmread(path)
    data.compress(RLELossless, generate_instance_uid=False)
    data.Rows = data.Columns = 65535
    data.save_as(path)
    plan = plan_of(tmp_path)
    assert plan.refusal is not None
    assert "too large to be opened" in plan.refusal.sentence
    with pytest.raises(Problem):
        thumbnail(plan, 64)


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0])
    for path in tmp_path.iterdir():
        path.write_bytes(
            path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.9.1\0")
        )
    plan = plan_of(tmp_path)
    assert plan.refusal is not None
    assert "1.2.840.10008.1.9.1" in plan.refusal.sentence


def test_monochrome1_is_told_in_the_plan(tmp_path: Path) -> None:
    write_at(tmp_path, [0.0, 1.0], PhotometricInterpretation="MONOCHROME1")
    assert plan_of(tmp_path).inverted
