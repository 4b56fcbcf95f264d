"""Voxels: the right value at the right place, whatever way it was stored."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from inference.volume import Volume
from resources.problem import Problem
from tests.dicom_files import stored, write_slice, write_stack
from viewer.study import filling
from viewer.study.cancel import Cancelled
from viewer.study.order import StackPlan, order
from viewer.study.read import read
from viewer.study.scan import scan


def plan_of(folder: Path) -> StackPlan:
    (series,) = scan(folder).series
    return order(series)


def volume_of(folder: Path) -> Volume:
    return read(plan_of(folder))


def random(low: int, high: int, dtype: type, shape: tuple[int, int, int] = (5, 9, 7)) -> Any:
    return np.random.default_rng(1).integers(low, high, shape, endpoint=True).astype(dtype)


def test_values_stand_in_slice_row_column_order_in_hounsfield_units(tmp_path: Path) -> None:
    voxels = random(-100, 3000, np.int16)
    write_stack(tmp_path, voxels)
    volume = volume_of(tmp_path)
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels, voxels - 1024)
    assert (volume.modality, volume.unit) == ("CT", "HU")
    assert volume.voxels.flags.c_contiguous
    assert not volume.voxels.flags.writeable


@pytest.mark.parametrize(
    ("low", "high", "dtype", "slope", "intercept", "expected"),
    [
        (0, 4095, np.uint16, 1, -1024, np.int16),
        (0, 65535, np.uint16, 1, 0, np.uint16),
        (0, 40000, np.uint16, 1, -1024, np.float32),
        (1024, 65535, np.uint16, 1, -1024, np.uint16),
        (0, 33000, np.uint16, 1, -1024, np.int16),
        (-32768, 32767, np.int16, 1, 0, np.int16),
        (-32768, 32767, np.int16, 1, 32768, np.uint16),
        (-32768, 32767, np.int16, 1, -1024, np.float32),
        (-31744, 32767, np.int16, 1, -1024, np.int16),
        (-1000, 1000, np.int16, 20, 5, np.int16),
        (0, 3000, np.uint16, 20, 5, np.uint16),
        (0, 4000, np.uint16, 20, 5, np.float32),
        (0, 4095, np.uint16, 0.5, 0, np.float32),
        (0, 4095, np.uint16, 1, -1000.25, np.float32),
        (0, 4095, np.uint16, -1, 0, np.float32),
        (0, 255, np.uint8, 1, 0, np.int16),
        (0, 255, np.uint8, 1, -1024, np.int16),
        (-128, 127, np.int8, 2, 3, np.int16),
        (0, 2**24, np.uint32, 1, 0, np.float32),
    ],
)
def test_the_type_holds_every_rescaled_value_exactly(
    tmp_path: Path,
    low: int,
    high: int,
    dtype: type,
    slope: float,
    intercept: float,
    expected: type,
) -> None:
    voxels = random(low, high, dtype)
    voxels[0, 0, 0], voxels[-1, -1, -1] = low, high
    write_stack(tmp_path, voxels, RescaleSlope=slope, RescaleIntercept=intercept)
    volume = volume_of(tmp_path)
    assert volume.voxels.dtype == expected
    assert np.array_equal(
        volume.voxels.astype(np.float64), voxels.astype(np.float64) * slope + intercept
    )


def test_a_rescale_that_differs_between_slices_gives_float32(tmp_path: Path) -> None:
    voxels = random(0, 1000, np.uint16)
    slopes = (1, 2, 3, 4, 5)
    for k, slope in enumerate(slopes):
        write_slice(
            tmp_path / f"{k}.dcm",
            voxels[k],
            position=(0, 0, k),
            RescaleSlope=slope,
            RescaleIntercept=-k,
        )
    volume = volume_of(tmp_path)
    assert volume.voxels.dtype == np.float32
    for k, slope in enumerate(slopes):
        assert np.array_equal(volume.voxels[k], voxels[k] * np.float32(slope) - k)


def test_bits_above_bits_stored_are_no_value(tmp_path: Path) -> None:
    voxels = random(0, 4095, np.uint16)
    write_stack(tmp_path, voxels | 0xF000, BitsStored=12, HighBit=11)
    assert np.array_equal(volume_of(tmp_path).voxels, voxels.astype(np.int16) - 1024)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_values_in_the_upper_bits_are_refused_not_cut(tmp_path: Path, syntax: str) -> None:
    voxels = stored(dtype=np.uint16) % 4096
    write_stack(tmp_path, voxels << 4, BitsStored=12, HighBit=15, syntax=syntax)
    with pytest.raises(Problem, match="unusual bits"):
        read(plan_of(tmp_path))


def test_signed_values_of_12_bits_are_extended(tmp_path: Path) -> None:
    voxels = random(-2048, 2047, np.int16)
    write_stack(tmp_path, voxels & 0x0FFF, BitsStored=12, HighBit=11)
    assert np.array_equal(volume_of(tmp_path).voxels, voxels - 1024)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_other_native_syntaxes_give_the_same_values(tmp_path: Path, syntax: str) -> None:
    voxels = random(-100, 3000, np.int16)
    write_stack(tmp_path, voxels, syntax=syntax)
    assert np.array_equal(volume_of(tmp_path).voxels, voxels - 1024)


def test_big_endian_gives_the_same_values(tmp_path: Path) -> None:
    voxels = random(-100, 3000, np.int16)
    write_stack(tmp_path, voxels, syntax=ExplicitVRBigEndian)
    for path, pixels in zip(sorted(tmp_path.iterdir(), key=_slice_of), voxels, strict=True):
        data = pydicom.dcmread(path)
        data.PixelData = pixels.astype(">i2").tobytes()
        data.save_as(path)
    assert np.array_equal(volume_of(tmp_path).voxels, voxels - 1024)


def _slice_of(path: Path) -> int:
    return int(path.stem.partition("-")[2])


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("bits", [12, 16])
def test_lossless_compression_gives_the_same_values(tmp_path: Path, syntax: str, bits: int) -> None:
    voxels = random(0, 2**bits - 1 if bits < 16 else 30000, np.uint16, (3, 80, 64))
    write_stack(tmp_path, voxels, BitsStored=bits, HighBit=bits - 1)
    for path in tmp_path.iterdir():
        data = pydicom.dcmread(path)
        data.compress(syntax, generate_instance_uid=False)
        data.save_as(path)
    assert np.array_equal(volume_of(tmp_path).voxels, voxels.astype(np.int32) - 1024)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_signed_compressed_values_keep_their_sign(tmp_path: Path, syntax: str) -> None:
    voxels = random(-2000, 2000, np.int16, (3, 80, 64))
    write_stack(tmp_path, voxels)
    for path in tmp_path.iterdir():
        data = pydicom.dcmread(path)
        data.compress(syntax, generate_instance_uid=False)
        data.save_as(path)
    assert np.array_equal(volume_of(tmp_path).voxels, voxels - 1024)


@pytest.mark.parametrize(
    ("tags", "unit"),
    [
        ({}, "HU"),
        ({"RescaleType": "HU"}, "HU"),
        ({"RescaleType": "US"}, ""),
        ({"RescaleSlope": None, "RescaleIntercept": None}, ""),
        ({"RescaleSlope": 0}, ""),
        ({"Modality": "MR"}, ""),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, ""),
    ],
)
def test_hounsfield_units_only_when_proven(tmp_path: Path, tags: Any, unit: str) -> None:
    write_stack(tmp_path, stored(2), **tags)
    assert volume_of(tmp_path).unit == unit


def test_padding_and_monochrome1_stay_as_stored(tmp_path: Path) -> None:
    voxels = stored(2)
    voxels[:, 0] = -2000
    write_stack(tmp_path, voxels, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=-2000)
    plan = plan_of(tmp_path)
    assert np.array_equal(read(plan).voxels, voxels - 1024)
    assert plan.inverted
    assert plan.planes[0].instance.padding_value == -2000


def test_progress_counts_slices_and_ends_at_all(tmp_path: Path) -> None:
    write_stack(tmp_path, stored(9))
    told: list[tuple[int, int]] = []
    caller = threading.current_thread()

    def progress(done: int, total: int) -> None:
        assert threading.current_thread() is caller
        told.append((done, total))

    read(plan_of(tmp_path), progress=progress)
    assert told[-1] == (9, 9)
    assert told == sorted(told)


def test_cancel_raises_and_leaves_no_thread(tmp_path: Path) -> None:
    write_stack(tmp_path, stored(9))
    plan = plan_of(tmp_path)
    with pytest.raises(Cancelled):
        read(plan, cancelled=lambda: True)
    answers = iter((False, True))
    with pytest.raises(Cancelled):
        read(plan, cancelled=lambda: next(answers))
    assert not [t for t in threading.enumerate() if t.name.startswith("overread-read")]


def test_a_file_cut_after_the_scan_is_named_with_a_remedy(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(4))
    plan = plan_of(tmp_path)
    files[2].write_bytes(files[2].read_bytes()[:-6])
    with pytest.raises(Problem) as caught:
        read(plan)
    assert caught.value.sentence == f"The file {files[2].name} is cut short."
    assert caught.value.remedy


def test_a_file_gone_after_the_scan_is_named_with_a_remedy(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(4))
    plan = plan_of(tmp_path)
    files[2].unlink()
    with pytest.raises(Problem) as caught:
        read(plan)
    assert caught.value.sentence == f"The file {files[2].name} cannot be read."
    assert str(tmp_path) not in caught.value.detail


def test_a_compressed_file_cut_short_is_named_and_says_nothing_else(tmp_path: Path) -> None:
    files = write_stack(tmp_path, random(0, 4000, np.uint16, (3, 80, 64)))
    for path in files:
        data = pydicom.dcmread(path)
        data.compress(JPEGLSLossless, generate_instance_uid=False)
        data.save_as(path)
    files[1].write_bytes(files[1].read_bytes()[:-500])
    with pytest.raises(Problem) as caught:
        volume_of(tmp_path)
    assert caught.value.sentence == f"The file {files[1].name} is cut short."
    assert files[1].name not in caught.value.detail


def test_a_compressed_file_damaged_inside_is_named_and_says_nothing_else(tmp_path: Path) -> None:
    files = write_stack(tmp_path, random(0, 4000, np.uint16, (3, 80, 64)))
    for path in files:
        data = pydicom.dcmread(path)
        data.compress(JPEG2000Lossless, generate_instance_uid=False)
        data.save_as(path)
    content = files[1].read_bytes()
    start = content.index(b"\xff\x4f\xff\x51")
    files[1].write_bytes(content[:start] + bytes(64) + content[start + 64 :])
    with pytest.raises(Problem) as caught:
        volume_of(tmp_path)
    assert caught.value.sentence.startswith(f"The image in {files[1].name} cannot be decoded")
    assert files[1].name not in caught.value.detail


def test_a_refused_plan_cannot_be_read(tmp_path: Path) -> None:
    for k, patient in enumerate(("A", "B")):
        write_slice(tmp_path / f"{k}.dcm", stored(1)[0], position=(0, 0, k), PatientID=patient)
    plan = plan_of(tmp_path)
    with pytest.raises(Problem, match="more than one patient") as caught:
        read(plan)
    assert caught.value is plan.refusal


def test_too_little_memory_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stack(tmp_path, stored(2))
    plan = plan_of(tmp_path)

    def none_left(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(filling.np, "zeros", none_left)
    with pytest.raises(Problem, match="memory"):
        read(plan)


def test_enhanced_multi_frame_is_placed_frame_by_frame(tmp_path: Path) -> None:
    voxels = random(0, 1000, np.uint16, (4, 6, 5))
    depths = [6.0, 0.0, 2.0, 4.0]
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [0.5, 0.75]
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    frames = []
    for n, depth in enumerate(depths):
        frame, place, values = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [1, 2, depth]
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = n + 1, 10, "US"
        frame.PlanePositionSequence = [place]
        frame.PixelValueTransformationSequence = [values]
        frames.append(frame)
    write_slice(
        tmp_path / "x.dcm",
        voxels,
        position=None,
        orientation=None,
        spacing=None,
        modality="MR",
        SOPClassUID=EnhancedMRImageStorage,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=frames,
    )
    plan = plan_of(tmp_path)
    assert plan.regular and not plan.problems
    assert [ref.frame for ref in plan.planes] == [1, 2, 3, 0]
    assert np.array_equal(
        plan.affine, [[0, 0, 0.75, 1], [0, 0.5, 0, 2], [2, 0, 0, 0], [0, 0, 0, 1]]
    )
    volume = read(plan)
    for k, n in enumerate((1, 2, 3, 0)):
        assert np.array_equal(volume.voxels[k], voxels[n] * np.float32(n + 1) + 10)


def test_frames_without_functional_groups_have_no_place(tmp_path: Path) -> None:
    write_slice(tmp_path / "x.dcm", stored(4), SliceThickness=1)
    plan = plan_of(tmp_path)
    assert [problem.kind for problem in plan.problems] == ["missing-geometry"]
    volume = read(plan)
    assert not volume.placed and not volume.regular and volume.places is None
    assert np.array_equal(volume.voxels, stored(4).astype(np.int32) - 1024)


@pytest.mark.parametrize("offset", [65, 200, 2**20, 2**32 - 1])
def test_an_rle_image_that_lies_about_its_segments_is_a_problem(
    tmp_path: Path, offset: int, capfd: pytest.CaptureFixture[str]
) -> None:
    (path,) = write_stack(tmp_path, random(0, 4000, np.uint16, (1, 80, 64)), SliceThickness=1)
    data = pydicom.dcmread(path)
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(path)
    content = path.read_bytes()
    start = content.index((2).to_bytes(4, "little") + (64).to_bytes(4, "little"))
    path.write_bytes(content[: start + 8] + offset.to_bytes(4, "little") + content[start + 12 :])
    with pytest.raises(Problem) as caught:
        volume_of(tmp_path)
    assert caught.value.sentence.startswith(f"The image in {path.name} cannot be decoded")
    # The panic of a decoder in Rust is printed, whatever is caught.
    assert capfd.readouterr().err == ""
