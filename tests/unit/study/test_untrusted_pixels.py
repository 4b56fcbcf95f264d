"""RELIABILITY.md T5, T6, T7: what pixels may lie about, and what that may cost."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.dicom_files import write_slice
from tests.opening_costs import opened

MOST_CPU_S = 2.0
MOST_MB = 1024.0
NOISE = np.random.default_rng(3).integers(0, 4096, (64, 64), dtype=np.uint16)

PACKED = (RLELossless, JPEG2000Lossless, JPEGLSLossless)

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is told by /proc")


def refused(*paths: Path, most_mb: float = MOST_MB) -> dict[str, str]:
    """Open files; each must be refused cheaply, and a good file after each must open.

    Returns
    -------
    dict
        The sentences, by the names of the files without their suffixes.
    """
    good = compress(paths[0].with_name("good.dcm"), NOISE, JPEG2000Lossless)
    told = opened([good, *(each for path in paths for each in (path, good))])
    assert all(each["shape"] == [64, 64] for each in told[::2])
    for path, each in zip(paths, told[1::2], strict=True):
        assert not each["trace"]
        assert path.name in each["sentence"]
        assert each["cpu_s"] < MOST_CPU_S, path.name
        assert max(each["peak_mb"]) < most_mb, path.name
    return {Path(each["path"]).stem: each["sentence"] for each in told[1::2]}


def compress(path: Path, pixels: np.ndarray[Any, Any], syntax: str) -> Path:
    data = pydicom.dcmread(write_slice(path, pixels))
    data.compress(UID(syntax), generate_instance_uid=False)
    data.save_as(path)
    return path


def edited(path: Path, **tags: Any) -> Path:
    data = pydicom.dcmread(path)
    for name, value in tags.items():
        setattr(data, name, value)
    data.save_as(path)
    return path


# -- T5 -------------------------------------------------------------------------------------


def deflated(path: Path, **tags: Any) -> bytes:
    """Return the meta group of a deflated file, and leave its inflated data set in ``path``."""
    write_slice(path, NOISE, syntax=DeflatedExplicitVRLittleEndian, **tags)
    content = path.read_bytes()
    start = content.index(b"1.2.840.10008.1.2.1.99")
    at = 132
    while content[at : at + 2] == b"\x02\x00":
        long = content[at + 4 : at + 6] in (b"OB", b"UN")
        size = struct.unpack_from("<I" if long else "<H", content, at + (8 if long else 6))[0]
        at += (12 if long else 8) + size
    assert at > start
    path.write_bytes(zlib.decompress(content[at:], -15))
    return content[:at]


def bomb(path: Path, meta: bytes, begin: bytes, zeros: int, end: bytes = b"") -> Path:
    worker = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [meta, worker.compress(begin)]
    for _ in range(zeros >> 20):
        parts.append(worker.compress(bytes(1 << 20)))
    path.write_bytes(b"".join([*parts, worker.compress(end), worker.flush()]))
    assert path.stat().st_size < 500_000
    return path


@linux
def test_deflated_bombs_stop_at_their_bounds(tmp_path: Path) -> None:
    zeros = 390 << 20
    named = {"Rows": 8192, "Columns": 8192, "NumberOfFrames": 3}
    paths = {}
    for where in ("pixels", "named", "private"):
        path = paths[where] = tmp_path / f"{where}.dcm"
        meta = deflated(path, **(named if where == "named" else {}))
        data = path.read_bytes()
        if where == "private":
            at = data.index(b"\x10\x00\x10\x00PN")
            element = b"\x09\x00\x01\x10OB\0\0" + struct.pack("<I", zeros)
            bomb(path, meta, data[:at] + element, zeros, data[at:])
        else:
            at = data.index(b"\xe0\x7f\x10\x00OW")
            bomb(path, meta, data[: at + 8] + struct.pack("<I", zeros), zeros)
    # Here the image that is named is there, and no more than that is inflated.
    (told,) = opened([paths["pixels"]])
    assert told["shape"] == [64, 64] and max(told["peak_mb"]) < 300
    assert told["cpu_s"] < MOST_CPU_S
    refused(paths["named"], paths["private"], most_mb=300)


# -- T6 -------------------------------------------------------------------------------------


def lying(path: Path, size: int) -> Path:
    """Write a JPEG 2000 image of 64 x 64 whose codestream says another size."""
    compress(path, NOISE, JPEG2000Lossless)
    content = bytearray(path.read_bytes())
    at = content.index(b"\xff\x4f\xff\x51")
    for place in (8, 24):  # the image and its one tile
        struct.pack_into(">2I", content, at + place, size, size)
    path.write_bytes(content)
    return path


@linux
def test_sizes_that_lie_are_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    plain = write_slice(tmp_path / "plain.dcm", NOISE)
    content = plain.read_bytes()
    at = content.index(b"\xe0\x7f\x10\x00OW") + 8
    long = tmp_path / "long.dcm"
    long.write_bytes(content[:at] + struct.pack("<I", 3 << 30) + content[at + 4 :])
    paths = [edited(plain, Rows=65535, Columns=65535), long]
    for syntax in PACKED:
        name = UID(syntax).name[:9].replace(" ", "")
        paths.append(compress(tmp_path / f"huge-{name}.dcm", NOISE, syntax))
        edited(paths[-1], Rows=65535, Columns=65535)
        for count in (90_000, 1_000_000):
            paths.append(compress(tmp_path / f"frames-{count}-{name}.dcm", NOISE, syntax))
            edited(paths[-1], NumberOfFrames=count)
    lies = [lying(tmp_path / f"lie-{size}.dcm", size) for size in (65535, 30000, 8192)]
    frame = b"\xff\xd8\xff\xc0\x00\x0b\x08" + struct.pack(">2H", 65535, 65535) + b"\x01\x01\x11\x00"
    for syntax in (JPEGBaseline8Bit, JPEGLossless):
        lies.append(write_slice(tmp_path / f"lie-{syntax}.dcm", NOISE.astype(np.uint8)))
        data = pydicom.dcmread(lies[-1])
        data.file_meta.TransferSyntaxUID = UID(syntax)
        data.PixelData = encapsulate([frame + bytes(600) + b"\xff\xd9"])
        data["PixelData"].is_undefined_length = True
        data.save_as(lies[-1])
    told = refused(*paths, *lies)
    assert all("contradicts itself about the size" in told[path.stem] for path in lies)
    assert all("too large" in text for name, text in told.items() if name.startswith("huge"))
    assert "cut short" in told["plain"] and "cut short" in told["long"]


@linux
def test_a_codestream_and_a_header_that_lie_together_stay_within_the_cap(tmp_path: Path) -> None:
    path = edited(lying(tmp_path / "lie.dcm", 8192), Rows=8192, Columns=8192)
    (told,) = opened([path])
    assert not told["trace"] and max(told["peak_mb"]) < MOST_MB


# -- T7 -------------------------------------------------------------------------------------


@linux
def test_fragments_that_hold_too_little_and_rle_segments_that_lie(tmp_path: Path) -> None:
    paths = []
    for syntax in PACKED:
        name = UID(syntax).name[:9].replace(" ", "")
        cut = compress(tmp_path / f"cut-{name}.dcm", NOISE, syntax)
        cut.write_bytes(cut.read_bytes()[:-900])
        paths.append(cut)
        for keep in (2, 10, 500):
            path = compress(tmp_path / f"keep-{keep}-{name}.dcm", NOISE, syntax)
            data = pydicom.dcmread(path)
            (frame,) = pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1)
            data.PixelData = encapsulate([frame[:keep]])
            data.save_as(path)
            paths.append(path)
    for n, segments in enumerate(
        (
            (15, 64),  # more than there are
            (255, 64),  # more than there may be (PS3.5 G.5)
            (2, 64, 1 << 31),
            (2, 1 << 20, 64),
            (2, 64, 64),
            (1, 64),  # one byte of two
            (0,),
        )
    ):
        path = compress(tmp_path / f"rle-{n}.dcm", NOISE, RLELossless)
        content = bytearray(path.read_bytes())
        at = content.index(struct.pack("<2I", 2, 64))
        struct.pack_into(f"<{len(segments)}I", content, at, *segments)
        path.write_bytes(content)
        paths.append(path)
    told = refused(*paths)
    assert all("cut short" in text for name, text in told.items() if name.startswith("cut"))


@linux
def test_bytes_changed_at_random_cost_their_file_alone(tmp_path: Path) -> None:
    """Whatever decodes has the size that was named; whatever does not is a sentence."""
    random = np.random.default_rng(11)
    paths = []
    for syntax in PACKED:
        clean = compress(tmp_path / "clean.dcm", NOISE, syntax).read_bytes()
        start = clean.index(b"\xe0\x7f\x10\x00")
        for n in range(40):
            content = bytearray(clean)
            for _ in range(random.integers(1, 20)):
                content[random.integers(start, len(content))] = random.integers(0, 256)
            path = tmp_path / f"{syntax}-{n}.dcm"
            path.write_bytes(content)
            paths.append(path)
    for told in opened(paths):
        assert not told["trace"]
        assert Path(told["path"]).name in told["sentence"] or told["shape"] == [64, 64]
        assert max(told["peak_mb"]) < MOST_MB
