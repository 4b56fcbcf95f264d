"""The JSON contract of ``overread inspect``, the picture and the first window of a series."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from resources.problem import Problem
from tests.dicom_files import stored, write_slice, write_stack
from viewer.study.cancel import Cancelled
from viewer.study.default_window import default_window
from viewer.study.inspect import inspect
from viewer.study.order import StackPlan, order
from viewer.study.read import read
from viewer.study.scan import scan
from viewer.study.thumbnail import thumbnail


def plan_of(folder: Path) -> StackPlan:
    (series,) = scan(folder).series
    return order(series)


def test_a_regular_series_is_described_as_the_contract_says(tmp_path: Path) -> None:
    affine = np.array(
        [[0, 0, 0.5, -10], [0, 0.75, 0, 20], [2.0, 0, 0, 30], [0, 0, 0, 1]], dtype=np.float64
    )
    write_stack(tmp_path, stored(4), affine=affine, SeriesDescription="Lung <b>1</b>")
    (tmp_path / "notes.txt").write_text("x")
    found = inspect(tmp_path)
    assert found == json.loads(json.dumps(found, allow_nan=False))
    (volume,) = found["series"][0].pop("volumes")
    trust = volume.pop("trust")
    assert trust[0]["question"] == "Regular volume" and trust[0]["state"] == "good"
    assert {key: value for key, value in volume.items() if key not in found["series"][0]} == {
        "name": "",
        "part": "",
        "n_images": 4,
    }
    assert all(
        found["series"][0][key] == volume[key] for key in volume if key in found["series"][0]
    )
    assert found == {
        "series": [
            {
                "series_uid": "1.2.826.0.1.3680043.8.498.1",
                "modality": "CT",
                "description": "Lung <b>1</b>",
                "n_files": 4,
                "size_ijk": [5, 6, 4],
                "spacing_mm": [0.5, 0.75, 2.0],
                "affine_lps": [[0.5, 0, 0, -10], [0, 0.75, 0, 20], [0, 0, 2, 30], [0, 0, 0, 1]],
                "regular": True,
                "problems": [],
                "refusal": None,
                "irregularity": None,
                "transfer_syntax": "1.2.840.10008.1.2.1",
            }
        ],
        "skipped": [{"path": str(tmp_path / "notes.txt"), "reason": "This is not a DICOM file."}],
    }


def test_an_irregular_series_has_no_affine_and_says_why(tmp_path: Path) -> None:
    write_stack(tmp_path, stored(5))
    next(tmp_path.glob("*-2.dcm")).unlink()
    (series,) = inspect([tmp_path])["series"]
    assert series["affine_lps"] is None
    assert series["regular"] is False
    assert series["spacing_mm"] == [1.0, 1.0, None]
    assert [problem["kind"] for problem in series["problems"]] == ["missing-slices"]
    assert series["refusal"] is None
    assert series["irregularity"].startswith(
        "The images make no regular volume: Slices are missing"
    )


def test_every_volume_of_a_series_is_described(tmp_path: Path) -> None:
    for echo in (1, 2):
        write_stack(tmp_path / str(echo), stored(3), EchoNumbers=echo, EchoTime=echo * 4)
    write_slice(tmp_path / "scout.dcm", stored(1)[0], orientation=(0, 1, 0, 0, 0, -1), number=9)
    (series,) = inspect(tmp_path)["series"]
    assert [volume["name"] for volume in series["volumes"]] == [
        "axial, echo 1, 4 ms",
        "axial, echo 2, 8 ms",
        "sagittal",
    ]
    assert [volume["n_images"] for volume in series["volumes"]] == [3, 3, 1]
    assert len({volume["part"] for volume in series["volumes"]}) == 3
    # The flat description is that of the largest.
    assert series["size_ijk"] == [5, 6, 3] and series["n_files"] == 7


def hashed(values: np.ndarray) -> str:
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()[:16]


def test_the_pixels_of_each_file_are_described_when_asked(tmp_path: Path) -> None:
    frames = np.arange(20 * 4 * 5, dtype=np.int16).reshape(20, 4, 5) - 7
    one = write_slice(tmp_path / "1.dcm", frames[3])
    many = write_slice(tmp_path / "2.dcm", frames, position=None, number=2)
    cut = write_slice(tmp_path / "3.dcm", frames[0], number=3)
    cut.write_bytes(cut.read_bytes()[:-6])
    segmentation = write_slice(tmp_path / "4.dcm", frames[:2], Modality="SEG")
    found = inspect(tmp_path, pixels=True)
    by_path = {file["path"]: file for file in found["series"][0]["pixels"]}
    assert by_path[str(one)] == {
        "path": str(one),
        "shape": [4, 5],
        "dtype": "int16",
        "min": 53,
        "max": 72,
        "sha256": hashed(frames[3]),
    }
    assert by_path[str(many)]["shape"] == [20, 4, 5]
    assert by_path[str(many)]["sha256"] == hashed(frames)
    assert (by_path[str(many)]["min"], by_path[str(many)]["max"]) == (-7, 392)
    assert by_path[str(cut)] == {"path": str(cut), "problem": "The file 3.dcm is cut short."}
    (skipped,) = found["skipped"]
    assert skipped["reason"] == "This is not an image but an object of type SEG."
    assert skipped["pixels"][0]["sha256"] == hashed(frames[:2])
    json.dumps(found, allow_nan=False)
    assert "pixels" not in inspect(tmp_path)["series"][0]
    assert inspect(segmentation, pixels=True)["series"] == []
    with pytest.raises(Problem, match="No images"):
        inspect(segmentation)


def test_a_folder_without_images_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="No images were found"):
        inspect(tmp_path)


def test_inspect_can_be_cancelled(tmp_path: Path) -> None:
    write_stack(tmp_path, stored(2))
    with pytest.raises(Cancelled):
        inspect(tmp_path, cancelled=lambda: True)


def test_the_window_of_the_file_is_taken_when_it_shows_something(tmp_path: Path) -> None:
    write_stack(tmp_path, stored(3), WindowCenter=[-1000, 40], WindowWidth=[200, 400])
    plan = plan_of(tmp_path)
    assert default_window(plan, read(plan)) == (-1000.0, 200.0)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"WindowCenter": 40, "WindowWidth": 0},
        {"WindowCenter": 40, "WindowWidth": -5},
        {"WindowCenter": 30000, "WindowWidth": 10},
    ],
)
def test_without_a_sane_window_percentiles_are_taken(tmp_path: Path, tags: dict[str, int]) -> None:
    voxels = np.full((3, 20, 20), 500, np.int16)
    voxels[:, :10] = 100
    voxels[0, 0, 0], voxels[0, 0, 1] = -2000, 30000
    write_stack(tmp_path, voxels, **tags)
    plan = plan_of(tmp_path)
    assert default_window(plan, read(plan)) == (300.0 - 1024, 400.0)


def test_the_window_of_an_even_image_has_a_width(tmp_path: Path) -> None:
    write_stack(tmp_path, np.zeros((2, 4, 4), np.int16))
    plan = plan_of(tmp_path)
    assert default_window(plan, read(plan)) == (-1024.0, 1.0)


def test_the_picture_is_the_middle_slice_with_square_pixels(tmp_path: Path) -> None:
    voxels = np.zeros((3, 40, 20), np.int16)
    voxels[1, :20] = 1000
    affine = np.array([[0, 0, 4, 0], [0, 1, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1.0]])
    write_stack(tmp_path, voxels, affine=affine, WindowCenter=-500, WindowWidth=1000)
    picture = thumbnail(plan_of(tmp_path), 64)
    # 40 rows of 1 mm, 20 columns of 4 mm.
    assert picture.shape == (32, 64)
    assert picture.dtype == np.uint8
    assert (picture[:16] > 240).all()
    assert (picture[16:] == 0).all()


def test_the_picture_grows_small_images_and_inverts_monochrome1(tmp_path: Path) -> None:
    voxels = np.zeros((1, 2, 2), np.int16)
    voxels[0, 0, 0] = 1000
    tags = {"WindowCenter": -500, "WindowWidth": 1000, "SliceThickness": 1}
    write_stack(tmp_path, voxels, PhotometricInterpretation="MONOCHROME1", **tags)
    picture = thumbnail(plan_of(tmp_path), 8)
    assert picture.shape == (8, 8)
    assert (picture[:4, :4] < 15).all()
    assert (picture[4:] == 255).all()


def test_an_image_without_place_still_has_a_picture(tmp_path: Path) -> None:
    write_slice(tmp_path / "x.dcm", stored(1)[0], position=None, orientation=None, spacing=None)
    plan = plan_of(tmp_path)
    assert plan.refusal is None and plan.irregularity is not None
    assert thumbnail(plan, 12).shape == (12, 10)


def test_the_picture_is_of_a_file_that_can_be_read(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(5))
    files[2].write_bytes(files[2].read_bytes()[:-4])
    assert thumbnail(plan_of(tmp_path), 12).shape == (12, 10)


def test_a_picture_of_a_cut_file_is_a_problem(tmp_path: Path) -> None:
    (path,) = write_stack(tmp_path, stored(1))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(Problem, match="cut short"):
        thumbnail(plan_of(tmp_path), 16)
