"""A stack that is looked at while it is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless

from inference import registry
from resources.problem import Problem
from tests.dicom_files import stored, write_slice, write_stack
from viewer.study import decode, filling, pixels
from viewer.study.cancel import Cancelled
from viewer.study.order import StackPlan, order
from viewer.study.read import read
from viewer.study.scan import scan
from viewer.study.staged import THREAD_NAME, StagedRead


@pytest.fixture(autouse=True)
def no_decoders() -> Iterator[None]:
    yield
    decode.close()


def plan_of(folder: Path) -> StackPlan:
    (series,) = scan(folder).series
    return order(series)


class Gate:
    """Lets one frame be read at a time, when told, and writes down which."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: list[float] = []
        self._free = threading.Semaphore(0)
        self.waiting = threading.Semaphore(0)
        honest = pixels.read_into

        def slow(instance: Any, frame: int, target: Any) -> Any:
            self.waiting.release()
            self._free.acquire()
            self.read.append(instance.planes[frame].position_lps_mm[2])
            return honest(instance, frame, target)

        monkeypatch.setattr(pixels, "read_into", slow)
        monkeypatch.setattr("viewer.study.staged._THREADS", 1)

    def open(self, count: int = 1_000) -> None:
        """Let ``count`` frames pass."""
        self._free.release(count)


def until(true: Any, timeout_s: float = 60.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith(THREAD_NAME)]


def test_the_middle_slice_comes_first_then_its_neighbours_outward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path, stored(9))
    gate = Gate(monkeypatch)
    gate.open()
    staged = StagedRead(plan_of(tmp_path))
    staged.result()
    staged.close()
    assert staged.first == 4
    assert gate.read == [4, 5, 3, 6, 2, 7, 1, 8, 0]


def test_the_wanted_slice_is_read_next_then_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path, stored(12))
    gate = Gate(monkeypatch)
    staged = StagedRead(plan_of(tmp_path), 2)
    gate.waiting.acquire()
    staged.want(9)
    gate.open(3)
    until(lambda: len(gate.read) == 3)
    staged.want(0)
    gate.open()
    staged.result()
    staged.close()
    # 2 was being read when 9 was asked for, 8 when 0 was.
    assert gate.read == [2, 9, 10, 8, 0, 1, 3, 4, 5, 6, 7, 11]


def test_what_is_there_can_be_seen_before_the_rest_and_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voxels = stored(5)
    write_stack(tmp_path, voxels)
    gate = Gate(monkeypatch)
    staged = StagedRead(plan_of(tmp_path), 3)
    assert not staged.wait_ready(3, 0.01)
    assert not staged.ready.any()
    gate.open(1)
    assert staged.wait_ready(3, 10)
    assert list(staged.ready) == [False, False, False, True, False]
    assert staged.progress == (1, 5)
    volume = staged.volume
    assert np.array_equal(volume.voxels[3], voxels[3] - 1024)
    for array in (volume.voxels, staged.ready):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    gate.open()
    assert np.array_equal(staged.result().voxels, voxels - 1024)
    # The volume that was shown filled itself meanwhile.
    assert np.array_equal(volume.voxels, voxels - 1024)
    assert staged.ready.all() and staged.finished
    staged.close()


def test_cancel_returns_at_once_and_no_thread_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path, stored(9))
    gate = Gate(monkeypatch)
    staged = StagedRead(plan_of(tmp_path))
    gate.waiting.acquire()
    staged.cancel()  # were it to wait for the thread, it would wait for ever: the gate is shut
    with pytest.raises(Cancelled):
        staged.result()
    gate.open()
    assert staged.close(10)
    assert not threads()
    assert len(gate.read) == 1


def test_it_rests_after_what_is_under_way_and_can_be_cancelled_at_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path, stored(9))
    gate = Gate(monkeypatch)
    staged = StagedRead(plan_of(tmp_path))
    gate.waiting.acquire()
    staged.rest(3600)
    gate.open()
    assert staged.wait_ready(4, 10)
    assert not gate.waiting.acquire(timeout=0.1), "nothing more is begun"
    assert gate.read == [4]
    assert staged.close(60)


def test_a_short_rest_costs_nothing_but_time(tmp_path: Path) -> None:
    write_stack(tmp_path, stored(9))
    staged = StagedRead(plan_of(tmp_path))
    staged.rest(0.02)
    assert len(staged.result().voxels) == 9
    staged.close()


def test_a_bad_file_leaves_its_slice_empty_and_is_told(tmp_path: Path) -> None:
    voxels = stored(6)
    files = write_stack(tmp_path, voxels)
    plan = plan_of(tmp_path)
    files[2].write_bytes(files[2].read_bytes()[:-6])
    files[4].unlink()
    staged = StagedRead(plan)
    volume = staged.result()
    staged.close()
    assert sorted(staged.failed) == [2, 4]
    assert staged.failed[2].sentence == f"The file {files[2].name} is cut short."
    assert staged.failed[4].sentence == f"The file {files[4].name} cannot be read."
    whole = [0, 1, 3, 5]
    assert np.array_equal(volume.voxels[whole], voxels[whole] - 1024)
    assert (volume.voxels[[2, 4]] == voxels[whole].min() - 1024).all()
    assert [problem.kind for problem in staged.plan.problems] == ["unreadable-files"]
    assert staged.plan.problems[0].text == (
        f"2 of 6 images cannot be read and stay empty: The file {files[2].name} is cut short."
    )
    assert staged.incomplete is not None and staged.incomplete.remedy
    with pytest.raises(Problem, match="cut short"):
        read(plan)


def test_one_damaged_frame_of_a_file_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voxels = stored(8, dtype=np.uint8)
    write_slice(tmp_path / "x.dcm", voxels, SliceThickness=1)
    plan = plan_of(tmp_path)
    honest = pixels.frames

    def damaged(instance: Any, wanted: Any, **options: Any) -> Any:
        if 5 in wanted:
            raise Problem("The image cannot be decoded.", "Copy it again.")
        return honest(instance, wanted, **options)

    monkeypatch.setattr(pixels, "frames", damaged)
    staged = StagedRead(plan)
    volume = staged.result()
    staged.close()
    assert list(staged.failed) == [5]
    rest = [0, 1, 2, 3, 4, 6, 7]
    assert np.array_equal(volume.voxels[rest], voxels[rest].astype(np.int16) - 1024)


def test_when_nothing_can_be_read_the_reason_is_raised(tmp_path: Path) -> None:
    files = write_stack(tmp_path, stored(4))
    plan = plan_of(tmp_path)
    for file in files:
        file.unlink()
    staged = StagedRead(plan)
    with pytest.raises(Problem, match="cannot be read"):
        staged.result()
    staged.close()


def test_a_value_that_does_not_fit_has_all_read_again_as_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voxels = np.full((5, 8, 8), 1024, dtype=np.uint16)
    voxels[0], voxels[4] = 0, 65535
    write_stack(tmp_path, voxels)
    gate = Gate(monkeypatch)
    staged = StagedRead(plan_of(tmp_path))
    gate.open(1)
    assert staged.wait_ready(2, 10)
    shown = staged.volume
    assert shown.voxels.dtype == np.int16 and staged.passes == 0
    gate.open()
    volume = staged.result()
    staged.close()
    assert staged.passes >= 1
    assert volume.voxels.dtype == np.float32
    assert np.array_equal(volume.voxels, voxels.astype(np.float32) - 1024)
    assert (shown.voxels[2] == 0).all()  # the old one stays as it was


def test_large_values_of_16_bits_need_no_second_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voxels = np.full((5, 8, 8), 65000, dtype=np.uint16)
    write_stack(tmp_path, voxels)
    gate = Gate(monkeypatch)
    gate.open()
    staged = StagedRead(plan_of(tmp_path))
    volume = staged.result()
    staged.close()
    assert (staged.passes, volume.voxels.dtype) == (1, np.uint16)
    assert np.array_equal(volume.voxels, voxels - np.uint16(1024))
    # Only the slice that was the surprise is read twice.
    assert len(gate.read) == 6


def test_slices_that_lie_irregularly_keep_their_true_places(tmp_path: Path) -> None:
    depths = [0.0, 1.0, 2.5, 7.0]
    for k, depth in enumerate(depths):
        write_slice(tmp_path / f"{k}.dcm", stored(4)[k], position=(3, 4, depth), spacing=(0.5, 0.8))
    plan = plan_of(tmp_path)
    assert plan.irregularity is not None and plan.refusal is None
    staged = StagedRead(plan)
    volume = staged.result()
    staged.close()
    assert not volume.regular and volume.placed and volume.in_mm
    assert volume.places is not None
    for k, depth in enumerate(depths):
        at = volume.places[k] @ [0, 2, 1, 1]
        assert np.allclose(at[:3], [3 + 0.8, 4 + 2 * 0.5, depth])
    assert np.allclose(volume.affine @ [0, 2, 1, 1], volume.places[0] @ [0, 2, 1, 1])
    assert np.array_equal(volume.voxels, stored(4) - 1024)
    for pack in registry.available():
        assert registry.eligibility(pack, volume)


def test_images_without_a_place_are_shown_as_they_are_stored(tmp_path: Path) -> None:
    voxels = stored(3)
    for k in range(3):
        write_slice(
            tmp_path / f"{k}.dcm",
            voxels[k],
            position=None,
            orientation=None,
            spacing=None,
            number=k + 1,
        )
    volume = read(plan_of(tmp_path))
    assert (volume.placed, volume.in_mm, volume.places) == (False, False, None)
    assert np.array_equal(volume.voxels, voxels - 1024)
    # x along the rows, y down the columns.
    assert np.allclose(volume.affine @ [0, 2, 1, 1], [1, 2, 0, 1])


def test_colours_stay_colours_and_have_a_luminance(tmp_path: Path) -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (2, 6, 8, 3)).astype(np.uint8)
    for k in range(2):
        path = write_slice(tmp_path / f"{k}.dcm", rgb[k, ..., 0], modality="US", position=(0, 0, k))
        data = pydicom.dcmread(path)
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
        data.PixelData = rgb[k].tobytes()
        data.save_as(path)
    staged = StagedRead(plan_of(tmp_path))
    volume = staged.result()
    staged.close()
    assert volume.colours is not None and volume.voxels.dtype == np.uint8
    assert np.array_equal(volume.colours, rgb)
    grey = rgb @ np.array([0.299, 0.587, 0.114])
    assert np.abs(volume.voxels - grey).max() <= 0.51


def test_compressed_slices_are_the_same_read_slowly_or_at_once(tmp_path: Path) -> None:
    voxels = np.random.default_rng(5).integers(0, 4096, (7, 64, 48)).astype(np.uint16)
    for path in write_stack(tmp_path, voxels):
        data = pydicom.dcmread(path)
        data.compress(JPEG2000Lossless, generate_instance_uid=False)
        data.save_as(path)
    staged = StagedRead(plan_of(tmp_path), 6)
    assert np.array_equal(staged.result().voxels, voxels.astype(np.int32) - 1024)
    staged.close()


def test_too_little_memory_for_the_wider_type_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voxels = np.zeros((3, 8, 8), dtype=np.uint16)
    voxels[2] = 65535
    write_stack(tmp_path, voxels)

    def none_left(_plan: StackPlan) -> Any:
        raise MemoryError

    monkeypatch.setattr("viewer.study.staged.wide_filling_for", none_left)
    staged = StagedRead(plan_of(tmp_path))
    with pytest.raises(Problem, match="memory"):
        staged.result()
    staged.close()


def test_a_defect_is_raised_where_the_result_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path, stored(3))

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(filling._Whole, "read", broken)
    staged = StagedRead(plan_of(tmp_path))
    with pytest.raises(ZeroDivisionError):
        staged.result()
    staged.close()
