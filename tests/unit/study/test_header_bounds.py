"""Headers that lie about sizes cost a reason, not memory or time."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.dicom_files import stored, write_slice
from viewer.study.header import Unusable, read_header
from viewer.study.overlay import overlays
from viewer.study.scan import scan
from viewer.study.series import FrameRef
from viewer.study.tables import voi_lookups

MEBIBYTE = 1 << 20


@contextmanager
def bounded(mebibytes: int, seconds: float = 20.0) -> Iterator[None]:
    """Fail when more Python memory is taken at any time; the time is that of a busy computer."""
    began = time.monotonic()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < mebibytes * MEBIBYTE, f"{peak / MEBIBYTE:.0f} MiB"
    assert time.monotonic() - began < seconds


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    head = struct.pack("<HH", group, number) + vr
    if vr in (b"OB", b"OW", b"SQ", b"UN"):
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def meta(syntax: str, filling: bytes = b"") -> bytes:
    name = syntax.encode().ljust((len(syntax) + 1) // 2 * 2, b"\0")
    inside = element(2, 1, b"OB", b"\0\1" + filling) + element(2, 0x10, b"UI", name)
    return bytes(128) + b"DICM" + element(2, 0, b"UL", struct.pack("<I", len(inside))) + inside


@pytest.mark.parametrize("filling", [0, 5000, 2 * MEBIBYTE])
def test_a_deflated_bomb_behind_a_meta_group_of_any_length(tmp_path: Path, filling: int) -> None:
    worker = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = element(8, 0x60, b"CS", b"CT") + struct.pack("<HH2sHI", 0x10, 0x10, b"UN", 0, 1 << 29)
    packed = worker.compress(start + bytes(400 * MEBIBYTE)) + worker.flush()
    path = tmp_path / "x.dcm"
    path.write_bytes(meta(DeflatedExplicitVRLittleEndian, bytes(filling)) + packed)
    assert path.stat().st_size < 3 * MEBIBYTE
    with bounded(64), pytest.raises(Unusable):
        read_header(path)


@pytest.mark.parametrize("preamble", [True, False])
def test_a_text_of_a_gigabyte_is_not_read(tmp_path: Path, preamble: bool) -> None:
    path = tmp_path / "x.dcm"
    content = meta(ImplicitVRLittleEndian) if preamble else b""
    content += struct.pack("<HHI", 8, 0x60, 2) + b"CT"
    content += struct.pack("<HHI", 8, 0x103E, 1 << 30)
    with path.open("wb") as stream:
        stream.write(content)
        stream.truncate(len(content) + (1 << 30) + 4096)
    with bounded(96), pytest.raises(Unusable):
        read_header(path)


def test_sequences_in_sequences_without_end(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    sequence = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    deep = (sequence + item) * 20_000
    path.write_bytes(meta("1.2.840.10008.1.2.1") + element(8, 0x60, b"CS", b"CT") + deep)
    with bounded(256), pytest.raises(Unusable):
        read_header(path)


@pytest.mark.parametrize(
    "frames", [b"2000000000", b"-1", b"1e300", b"100001", b"nan ", b"1000000000000"]
)
def test_an_impossible_number_of_frames(tmp_path: Path, frames: bytes) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(1), NumberOfFrames=1)
    field = struct.pack("<HH2sH", 0x28, 8, b"IS", 2)
    padded = frames.ljust((len(frames) + 1) // 2 * 2)
    content = path.read_bytes()
    at = content.index(field)
    path.write_bytes(
        content[:at] + element(0x28, 8, b"IS", padded) + content[at + len(field) + 2 :]
    )
    with bounded(16):
        found = scan(path)
    if frames == b"nan ":
        assert found.series[0].instances[0].n_frames == 1
    else:
        assert [skipped.reason for skipped in found.skipped] == [
            "The file names an impossible number of frames."
        ]


def test_overlays_and_tables_of_a_gigabyte_are_left_out(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(1)[0], syntax=ImplicitVRLittleEndian)
    content = path.read_bytes()
    at = content.index(struct.pack("<HH", 0x7FE0, 0x10))
    head = content[:at] + struct.pack("<HHI", 0x6000, 0x10, 2) + b"\x10\0"
    head += struct.pack("<HHI", 0x6000, 0x11, 2) + b"\x10\0"
    head += struct.pack("<HHI", 0x6000, 0x3000, 1 << 30)
    with path.open("wb") as stream:
        stream.write(head)
        stream.seek((1 << 30) - 1, 1)
        stream.write(b"\0" + content[at:])
    with bounded(96):
        (series,) = scan(path).series
        (instance,) = series.instances
        assert instance.overlay_groups == (0x6000,)
        assert overlays(FrameRef(instance, 0)) == ()
        assert voi_lookups(instance, instance.planes[0]) == ()
