"""Overlay planes as pydicom reads them, in their own element and in bits of the pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.pixels.utils import pack_bits
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from tests.dicom_files import stored, write_slice
from viewer.study.overlay import Overlay, overlays
from viewer.study.scan import scan
from viewer.study.series import FrameRef

SHAPE = (5, 7)


def drawn(count: int = 1) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 2, (count, *SHAPE), dtype=np.uint8)


def add(path: Path, bits: npt.NDArray[np.uint8], group: int = 0x6000, **tags: Any) -> None:
    data = pydicom.dcmread(path)
    rows, columns = bits.shape[-2:]
    for element, vr, value in (
        (0x0010, "US", rows),
        (0x0011, "US", columns),
        (0x0015, "IS", tags.get("frames")),
        (0x0022, "LO", tags.get("description")),
        (0x0040, "CS", tags.get("type", "G")),
        (0x0050, "SS", tags.get("origin", [1, 1])),
        (0x0051, "US", tags.get("first")),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
        (0x1500, "LO", tags.get("label")),
        (0x3000, "OW", tags.get("data", pack_bits(bits.ravel()))),
    ):
        if value is not None:
            data.add_new(group << 16 | element, vr, value)
    data.save_as(path)


def of(folder: Path, frame: int = 0) -> tuple[Overlay, ...]:
    (series,) = scan(folder).series
    return overlays(FrameRef(series.instances[0], frame))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_planes_are_pydicoms(tmp_path: Path, syntax: str) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(1)[0], syntax=syntax)
    add(path, drawn(), label="LESION", description="not this")
    add(path, drawn()[:, ::-1], 0x6002, description="<b>drawn</b>", type="R", origin=[-1, 4])
    first, second = of(tmp_path)
    data = pydicom.dcmread(path)
    np.testing.assert_array_equal(first.mask, data.overlay_array(0x6000))
    np.testing.assert_array_equal(second.mask, data.overlay_array(0x6002))
    assert (first.label, first.region, first.origin_px) == ("LESION", False, (0, 0))
    assert (second.label, second.region, second.origin_px) == ("<b>drawn</b>", True, (-2, 3))
    assert not first.mask.flags.writeable and "LESION" not in repr(first)


def test_a_plane_is_cut_to_the_image() -> None:
    mask = np.ones((3, 4), dtype=bool)
    assert Overlay(mask, (-2, 5), "", False).on_image(6, 7).sum() == 1 * 2
    assert Overlay(mask, (4, -3), "", False).on_image(6, 7).sum() == 2 * 1
    assert Overlay(mask, (9, 9), "", False).on_image(6, 7).sum() == 0
    found = Overlay(mask, (1, 2), "", False).on_image(6, 7)
    assert found[1:4, 2:6].all() and found.sum() == 12


def test_frames_of_an_overlay_belong_to_frames_of_the_image(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(4))
    bits = drawn(2)
    add(path, bits, frames=2, first=2)
    add(path, drawn(), 0x6002)
    add(path, drawn(), 0x6004, first=4)
    found = [of(tmp_path, frame) for frame in range(4)]
    assert [len(each) for each in found] == [1, 2, 2, 2]
    np.testing.assert_array_equal(found[1][0].mask, bits[0])
    # 35 bits a frame: the second begins in the middle of a byte.
    np.testing.assert_array_equal(found[2][0].mask, bits[1])
    np.testing.assert_array_equal(found[0][0].mask, drawn()[0])


def test_a_plane_in_the_unused_bits_of_the_pixels(tmp_path: Path) -> None:
    bits = np.random.default_rng(5).integers(0, 2, (6, 5), dtype=np.uint16)
    pixels = stored(1, dtype=np.uint16)[0] | bits << 12 | np.uint16(1 << 15)
    path = write_slice(tmp_path / "x.dcm", pixels, BitsStored=12, HighBit=11)
    data = pydicom.dcmread(path)
    for element, value in ((0x0010, 6), (0x0011, 5), (0x0100, 16), (0x0102, 12)):
        data.add_new(0x60000000 | element, "US", value)
    data.save_as(path)
    (found,) = of(tmp_path)
    np.testing.assert_array_equal(found.mask, bits)
    # A bit of the value is no overlay.
    data.add_new(0x60000102, "US", 3)
    data.save_as(path)
    assert of(tmp_path) == ()


@pytest.mark.parametrize(
    ("element", "vr", "value"),
    [
        (0x0010, "US", 65535),
        (0x0011, "US", 0),
        (0x0015, "IS", 2_000_000_000),
        (0x0015, "IS", 0),
        (0x0051, "US", 9),
        (0x3000, "OW", b"\1\1"),  # of 5 bytes
        (0x3000, "OW", b""),
        (0x0050, "SS", [1, 1, 1]),
    ],
)
def test_a_damaged_plane_is_left_out(tmp_path: Path, element: int, vr: str, value: Any) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(1)[0])
    add(path, drawn())
    add(path, drawn(), 0x6002)
    data = pydicom.dcmread(path)
    data.add_new(0x60000000 | element, vr, value)
    data.save_as(path)
    assert len(of(tmp_path)) in ((1, 2) if element == 0x0015 and value > 1 else (1,))


def test_the_overlays_of_the_corpus_are_pydicoms(corpus: Path) -> None:
    compared = 0
    for series in scan(corpus).series:
        for instance in series.instances:
            if not instance.overlay_groups:
                continue
            data = pydicom.dcmread(instance.path, force=True)
            found = overlays(FrameRef(instance, 0))
            groups = [group for group in instance.overlay_groups if (group, 0x3000) in data]
            assert len(found) >= len(groups)
            for ours, group in zip(found, groups, strict=False):
                try:
                    theirs = data.overlay_array(group)
                except ValueError:  # a byte short
                    continue
                np.testing.assert_array_equal(ours.mask, theirs if theirs.ndim == 2 else theirs[0])
                compared += 1
    assert compared >= 5
