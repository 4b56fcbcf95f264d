"""Series of several volumes: every image in exactly one of them, each with its name."""

from __future__ import annotations

import math
import re
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.dicom_files import stored, write_slice
from viewer.study.order import StackPlan, order, volumes
from viewer.study.scan import scan

AXIAL, SAGITTAL, CORONAL = (1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1)


def plans_of(folder: Path, *, split: bool = True) -> tuple[StackPlan, ...]:
    (series,) = scan(folder).series
    plans = volumes(series, split=split)
    wanted = {(id(one), n) for one in series.instances for n in range(one.n_frames)}
    found = [(id(ref.instance), ref.frame) for plan in plans for ref in plan.planes]
    assert len(found) == len(wanted) and set(found) == wanted
    for plan in plans:
        k, j, i = plan.shape_kji
        assert k == len(plan.planes)
        assert all((r.instance.rows, r.instance.columns) == (j, i) for r in plan.planes)
    if len(plans) > 1:
        assert len({plan.part for plan in plans}) == len({p.name for p in plans}) == len(plans)
        assert all(re.fullmatch(r"[!-~]+", plan.part) and plan.name for plan in plans)
    return plans


def names(plans: tuple[StackPlan, ...]) -> list[str]:
    return [plan.name for plan in plans]


def write_at(folder: Path, depths: list[float], **options: Any) -> None:
    first = options.pop("first", 1)
    for n, depth in enumerate(depths):
        write_slice(
            folder / f"{n:03d}.dcm",
            stored(1)[0],
            number=first + n,
            **{"position": (0, 0, depth), **options},
        )


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"TemporalPositionIdentifier": [1, 2, 10]}, ["time 1", "time 2", "time 10"]),
        (
            {"EchoNumbers": [1, 2], "EchoTime": ["4.92", "7.38"]},
            ["echo 1, 4.92 ms", "echo 2, 7.38 ms"],
        ),
        ({"EchoTime": ["4.92", "7.38"]}, ["echo time 4.92 ms", "echo time 7.38 ms"]),
        ({"DiffusionBValue": [0.0, 1000.0]}, ["b 0", "b 1000"]),
        ({"AcquisitionNumber": [3, 4]}, ["acquisition 3", "acquisition 4"]),
        ({"InversionTime": [50, 500]}, ["inversion time 50 ms", "inversion time 500 ms"]),
        ({"FlipAngle": [5, 20]}, ["flip angle 5 degrees", "flip angle 20 degrees"]),
        ({"KVP": [80, 140]}, ["80 kV", "140 kV"]),
        ({"TriggerTime": [0, 40]}, ["0 ms after the trigger", "40 ms after the trigger"]),
        (
            {"FrameReferenceTime": [5000, 15000]},
            ["5000 ms after the start", "15000 ms after the start"],
        ),
        (
            {
                "ImageType": [
                    ["ORIGINAL", "PRIMARY", "M", "ND"],
                    ["ORIGINAL", "PRIMARY", "P", "ND"],
                ]
            },
            ["magnitude", "phase"],
        ),
    ],
)
def test_volumes_at_one_place_are_parted_and_named_by_what_tells_them(
    tmp_path: Path, tags: dict[str, list[Any]], expected: list[str]
) -> None:
    for n in range(len(expected)):
        some = {tag: values[n] for tag, values in tags.items()}
        write_at(tmp_path / str(n), [4.0, 0.0, 2.0], **some)
    plans = plans_of(tmp_path)
    assert names(plans) == expected
    for n, plan in enumerate(plans):
        assert {ref.instance.path.parent.name for ref in plan.planes} == {str(n)}
        assert plan.regular and plan.refusal is None and plan.problems == ()
        assert [ref.plane.position_lps_mm[2] for ref in plan.planes] == [0.0, 2.0, 4.0]


def test_150_files_are_15_times_of_10_slices(tmp_path: Path) -> None:
    """RELIABILITY T20."""
    order_of_files = np.random.default_rng(4).permutation(150)
    for n, (moment, k) in zip(order_of_files, product(range(15), range(10)), strict=True):
        write_slice(
            tmp_path / f"{n:03d}.dcm",
            np.full((4, 5), moment * 10 + k, np.int16),
            position=(0, 0, 3.0 * k),
            number=k * 15 + moment + 1,
            TemporalPositionIdentifier=moment + 1,
        )
    plans = plans_of(tmp_path)
    assert names(plans) == [f"time {n}" for n in range(1, 16)]
    for plan in plans:
        assert plan.regular and plan.shape_kji == (10, 4, 5)
        assert plan.affine is not None and plan.affine[2, 0] == 3.0


@pytest.mark.parametrize("by_place", [True, False])
def test_times_that_only_their_numbers_tell_are_parted_by_them(
    tmp_path: Path, by_place: bool
) -> None:
    for moment, k in product(range(15), range(10)):
        number = k * 15 + moment if by_place else moment * 10 + k
        write_slice(
            tmp_path / f"{number:03d}.dcm",
            np.full((4, 5), moment, np.int16),
            position=(0, 0, 3.0 * k),
            number=number + 1,
        )
    plans = plans_of(tmp_path)
    assert [plan.shape_kji for plan in plans] == [(10, 4, 5)] * 15
    assert all(plan.regular for plan in plans)
    assert names(plans)[2] == "set 3 by image number"
    for n, plan in enumerate(plans):
        found = {pydicom.dcmread(r.instance.path).pixel_array[0, 0] for r in plan.planes}
        assert found == {n}


def test_triggers_that_drift_from_slice_to_slice_are_ranked(tmp_path: Path) -> None:
    for k, phase in product(range(4), range(5)):
        write_slice(
            tmp_path / f"{k}-{phase}.dcm",
            stored(1)[0],
            position=(0, 0, 8.0 * k),
            number=k * 5 + phase + 1,
            TriggerTime=f"{phase * 40 + k * 1.5}",
        )
    plans = plans_of(tmp_path)
    assert names(plans) == [f"time {n}" for n in range(1, 6)]
    for n, plan in enumerate(plans):
        assert {ref.instance.path.stem[-1] for ref in plan.planes} == {str(n)}


def test_two_marks_are_combined(tmp_path: Path) -> None:
    for moment, echo in product((1, 2, 3), (1, 2)):
        write_at(
            tmp_path / f"{moment}{echo}",
            [0.0, 1.0],
            TemporalPositionIdentifier=moment,
            EchoNumbers=echo,
            EchoTime=echo * 5,
        )
    assert names(plans_of(tmp_path))[:3] == [
        "time 1, echo 1, 5 ms",
        "time 1, echo 2, 10 ms",
        "time 2, echo 1, 5 ms",
    ]


def test_directions_of_one_weighting_are_parted_within_it(tmp_path: Path) -> None:
    write_at(tmp_path / "b0", [0.0, 1.0, 2.0], DiffusionBValue=0.0)
    for n, way in enumerate([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]]):
        write_at(
            tmp_path / f"b{n + 1}",
            [0.0, 1.0, 2.0],
            DiffusionBValue=1000.0,
            DiffusionGradientOrientation=way,
        )
    assert names(plans_of(tmp_path)) == [
        "b 0",
        "b 1000, direction (1.000, 0.000, 0.000)",
        "b 1000, direction (0.000, 0.600, 0.800)",
    ]


def test_a_scout_in_the_series_is_a_volume_of_its_own(tmp_path: Path) -> None:
    write_at(tmp_path / "stack", [0.0, 1.0, 2.0])
    write_slice(tmp_path / "scout.dcm", stored(1)[0], orientation=SAGITTAL, number=9)
    axial, scout = plans_of(tmp_path)
    assert (axial.name, scout.name) == ("axial", "sagittal")
    assert axial.regular and axial.problems == ()
    assert scout.irregularity is not None and scout.places is not None


def test_a_localiser_of_three_planes_is_three_volumes(tmp_path: Path) -> None:
    for n, orientation in enumerate((AXIAL, CORONAL, SAGITTAL)):
        normal = np.cross(orientation[:3], orientation[3:])
        for k in range(3):
            write_slice(
                tmp_path / f"{n}{k}.dcm",
                stored(1)[0],
                orientation=orientation,
                position=10.0 * k * normal,
                number=3 * n + k + 1,
            )
    plans = plans_of(tmp_path)
    assert names(plans) == ["axial", "coronal", "sagittal"]
    assert all(plan.regular for plan in plans)


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ({"pixels": np.zeros((3, 7), np.int16)}, ["5 x 6", "7 x 3"]),
        ({"spacing": (2.0, 2.5)}, ["pixels of 1 mm", "pixels of 2.5 mm"]),
        ({"position": None}, ["axial", "without position"]),
        ({"orientation": None}, ["axial", "without position"]),
        ({"spacing": None}, ["pixels of 1 mm", "without pixel size"]),
        ({"FrameOfReferenceUID": "1.2.3"}, ["frame of reference 1", "frame of reference 2"]),
    ],
)
def test_an_odd_image_is_a_volume_of_its_own(
    tmp_path: Path, odd: dict[str, Any], expected: list[str]
) -> None:
    write_at(tmp_path / "stack", [0.0, 1.0, 2.0])
    pixels = odd.pop("pixels", stored(1)[0])
    write_slice(tmp_path / "odd.dcm", pixels, **{"position": (0, 0, 3), "number": 4, **odd})
    plans = plans_of(tmp_path)
    assert names(plans) == expected
    assert plans[0].regular and plans[0].problems == () and len(plans[0].planes) == 3
    (series,) = scan(tmp_path).series
    assert order(series).part == plans[0].part


def test_a_frame_of_reference_for_each_file_parts_nothing(tmp_path: Path) -> None:
    for n in range(6):
        write_at(tmp_path / str(n), [float(n)], FrameOfReferenceUID=f"1.2.{n}")
    (plan,) = plans_of(tmp_path)
    assert plan.regular


def test_stations_beside_one_another_are_parted(tmp_path: Path) -> None:
    for n, (aside, k) in enumerate(product((0.0, 200.0), range(4))):
        write_slice(
            tmp_path / f"{n}.dcm",
            stored(1)[0],
            orientation=CORONAL,
            position=(0, 5.0 * k, aside),
            number=n + 1,
        )
    plans = plans_of(tmp_path)
    assert names(plans) == ["station 1", "station 2"]
    assert all(plan.regular and plan.shape_kji[0] == 4 for plan in plans)


def test_turning_images_are_one_stack_in_the_order_of_their_files(tmp_path: Path) -> None:
    for n in range(9):
        angle = math.radians(20 * n)
        write_slice(
            tmp_path / f"{n}.dcm",
            stored(1)[0],
            orientation=(math.cos(angle), math.sin(angle), 0, 0, 0, -1),
            number=n + 1,
        )
    (plan,) = plans_of(tmp_path)
    assert [problem.kind for problem in plan.problems] == ["mixed-orientation"]
    assert [ref.instance.instance_number for ref in plan.planes] == list(range(1, 10))
    assert plan.places is not None and plan.irregularity is not None
    for place, ref in zip(plan.places, plan.planes, strict=True):
        assert np.allclose(place[:3, 2], ref.plane.row_lps)


def test_true_duplicates_stay_in_the_plan_in_the_order_of_their_files(tmp_path: Path) -> None:
    write_at(tmp_path / "a", [0.0, 1.0, 2.0, 3.0])
    write_at(tmp_path / "b", [2.0], first=7)
    (plan,) = plans_of(tmp_path)
    assert [ref.plane.position_lps_mm[2] for ref in plan.planes] == [0, 1, 2, 2, 3]
    assert [ref.instance.instance_number for ref in plan.planes] == [1, 2, 3, 7, 4]
    assert [problem.kind for problem in plan.problems] == ["duplicate-positions"]
    assert plan.irregularity is not None and plan.refusal is None


def test_a_second_acquisition_of_one_slice_is_a_volume_of_its_own(tmp_path: Path) -> None:
    write_at(tmp_path / "a", [0.0, 1.0, 2.0, 3.0], AcquisitionNumber=1)
    write_at(tmp_path / "b", [2.0], first=7, AcquisitionNumber=2)
    first, again = plans_of(tmp_path)
    assert (first.name, again.name) == ("acquisition 1", "acquisition 2")
    assert first.regular and first.shape_kji[0] == 4


def test_acquisitions_that_follow_one_another_are_one_volume(tmp_path: Path) -> None:
    write_at(tmp_path / "a", [0.0, 1.0, 2.0], AcquisitionNumber=1)
    write_at(tmp_path / "b", [3.0, 4.0, 5.0], AcquisitionNumber=2)
    (plan,) = plans_of(tmp_path)
    assert plan.regular and plan.shape_kji[0] == 6 and plan.part == ""


def test_a_part_stays_when_other_files_appear(tmp_path: Path) -> None:
    write_at(tmp_path / "1", [0.0, 1.0, 2.0], EchoNumbers=1)
    write_at(tmp_path / "2", [0.0, 1.0, 2.0], EchoNumbers=2)
    before = {plan.name: plan.part for plan in plans_of(tmp_path)}
    write_at(tmp_path / "0", [0.0, 1.0, 2.0], EchoNumbers=3)
    write_slice(tmp_path / "scout.dcm", stored(1)[0], orientation=SAGITTAL)
    write_slice(tmp_path / "wide.dcm", np.zeros((3, 30), np.int16))
    after = [plan.part for plan in plans_of(tmp_path)]
    assert len(after) == 5
    assert set(before.values()) < set(after)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"spacing": (0.7, 0.7)}, {"spacing": (0.7002, 0.7)}),
        ({}, {"orientation": (1, 0, 0, 0, math.cos(0.0015), math.sin(0.0015))}),
    ],
)
def test_stacks_that_hardly_differ_have_parts_of_their_own(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any]
) -> None:
    write_at(tmp_path / "1", [0.0, 1.0], **one)
    write_at(tmp_path / "2", [5.0, 6.0], first=3, **other)
    assert len(plans_of(tmp_path)) == 2


def test_weightings_of_many_directions_are_named_once(tmp_path: Path) -> None:
    for b, way in ((0.0, None), (700.0, 0), (700.0, 1), (1400.0, 0), (1400.0, 1)):
        ways = [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]]
        tags = {} if way is None else {"DiffusionGradientOrientation": ways[way]}
        write_at(tmp_path / f"{b}{way}", [0.0, 1.0, 2.0], DiffusionBValue=b, **tags)
    assert names(plans_of(tmp_path)) == [
        "b 0",
        "b 700, direction (1.000, 0.000, 0.000)",
        "b 700, direction (0.000, 0.600, 0.800)",
        "b 1400, direction (1.000, 0.000, 0.000)",
        "b 1400, direction (0.000, 0.600, 0.800)",
    ]


def test_the_splitting_can_be_undone(tmp_path: Path) -> None:
    for moment in (1, 2):
        write_at(
            tmp_path / str(moment),
            [2.0, 0.0],
            first=moment * 2,
            TemporalPositionIdentifier=moment,
        )
    (plan,) = plans_of(tmp_path, split=False)
    assert [ref.instance.instance_number for ref in plan.planes] == [2, 3, 4, 5]
    assert [problem.kind for problem in plan.problems] == ["file-order"]
    assert (plan.name, plan.part) == ("not split", "unsplit")
    assert plan.irregularity is not None and plan.places is not None and not plan.regular


def test_images_of_two_sizes_cannot_be_one_stack_even_then(tmp_path: Path) -> None:
    write_at(tmp_path / "stack", [0.0, 1.0])
    write_slice(tmp_path / "wide.dcm", np.zeros((3, 30), np.int16), number=3)
    plans = plans_of(tmp_path, split=False)
    assert names(plans) == ["not split, 5 x 6", "not split, 30 x 3"]


def test_nothing_changes_where_nothing_was_split(tmp_path: Path) -> None:
    write_at(tmp_path, [1.0, 0.0])
    (plan,) = plans_of(tmp_path, split=False)
    assert plan.regular and plan.part == "" and plan.irregularity is None


def test_files_without_numbers_are_in_the_order_of_a_person(tmp_path: Path) -> None:
    for n in (10, 9, 1, 2):
        write_slice(tmp_path / f"image{n}.dcm", stored(1)[0], position=None, InstanceNumber=None)
    (plan,) = plans_of(tmp_path)
    assert [r.instance.path.stem for r in plan.planes] == ["image1", "image2", "image9", "image10"]
    assert plan.places is None and plan.irregularity is not None


def test_films_without_positions_are_volumes_of_their_own(tmp_path: Path) -> None:
    for n in (1, 2):
        write_slice(tmp_path / f"{n}.dcm", stored(4), position=None, number=n, modality="US")
    write_slice(tmp_path / "still.dcm", stored(1)[0], position=None, number=3, modality="US")
    plans = plans_of(tmp_path)
    assert [plan.shape_kji[0] for plan in plans] == [4, 4, 1]
    assert len(set(names(plans))) == 3


def enhanced(folder: Path, groups: list[dict[str, Any]]) -> None:
    """Write one enhanced image: a frame for each description."""
    path = write_slice(
        folder / "enhanced.dcm",
        stored(len(groups)),
        position=None,
        orientation=None,
        spacing=None,
        modality="MR",
    )
    data = pydicom.dcmread(path)
    frames = []
    for group in groups:
        frame = Dataset()
        for sequence, values in group.items():
            item = Dataset()
            for keyword, value in values.items():
                setattr(item, keyword, value)
            setattr(frame, sequence, Items([item]))
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = Items(frames)
    data.SharedFunctionalGroupsSequence = Items([Dataset()])
    data.save_as(path)


def frame(depth: float, orientation: tuple[float, ...] = AXIAL, **groups: Any) -> dict[str, Any]:
    normal = np.cross(orientation[:3], orientation[3:])
    return {
        "PlanePositionSequence": {"ImagePositionPatient": [float(x) for x in depth * normal]},
        "PlaneOrientationSequence": {"ImageOrientationPatient": list(orientation)},
        "PixelMeasuresSequence": {"PixelSpacing": [1, 1], "SliceThickness": 2},
        **groups,
    }


def test_stacks_of_an_enhanced_image_are_volumes(tmp_path: Path) -> None:
    """Two stacks of one direction that follow one another would be one stack with a gap."""
    enhanced(
        tmp_path,
        [
            frame(depth, FrameContentSequence={"StackID": stack})
            for stack, depths in (("1", (0.0, 2.0, 4.0)), ("2", (30.0, 32.0, 34.0)))
            for depth in depths
        ],
    )
    plans = plans_of(tmp_path)
    assert names(plans) == ["stack 1", "stack 2"]
    assert all(plan.regular and plan.shape_kji[0] == 3 for plan in plans)


def test_echoes_and_times_of_an_enhanced_image_are_volumes(tmp_path: Path) -> None:
    enhanced(
        tmp_path,
        [
            frame(
                depth,
                FrameContentSequence={"StackID": "1", "TemporalPositionIndex": moment},
                MREchoSequence={"EffectiveEchoTime": echo},
            )
            for depth in (0.0, 2.0)
            for moment in (1, 2)
            for echo in (4.5, 9.0)
        ],
    )
    assert names(plans_of(tmp_path)) == [
        "time 1, echo time 4.5 ms",
        "time 1, echo time 9 ms",
        "time 2, echo time 4.5 ms",
        "time 2, echo time 9 ms",
    ]


def test_many_sizes_and_directions_are_gathered_in_good_time(tmp_path: Path) -> None:
    for n in range(300):
        write_slice(tmp_path / f"{n}.dcm", np.zeros((2, n + 1), np.int16), number=n + 1)
    began = time.perf_counter()
    assert len(plans_of(tmp_path)) == 300
    assert time.perf_counter() - began < 20
