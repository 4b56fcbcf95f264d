"""PNG, JPEG and TIFF: the values of pillow and tifffile, no place, no spacing, no bomb."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, ImageOps

from inference.volume import Volume
from resources.problem import Problem
from tests.dicom_files import stored, write_slice
from viewer.study.order import volumes
from viewer.study.read import read
from viewer.study.scan import scan

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 255, (30, 40), np.uint8)
WIDE = RNG.integers(0, 65535, (30, 40), np.uint16)
COLOUR = RNG.integers(0, 255, (30, 40, 3), np.uint8)


def opened(path: Path) -> Volume:
    result = scan(path)
    assert result.skipped == ()
    (series,) = result.series
    assert series.modality == "OT"
    assert series.description == path.name
    (plan,) = volumes(series)
    assert not plan.regular
    assert all(plane.plane.spacing_mm is None for plane in plan.planes)
    found = read(plan)
    assert not found.placed
    assert not found.in_mm
    assert found.unit == ""
    return found


def save(path: Path, array: npt.NDArray[Any], **options: Any) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


# A decoding process takes seconds to start and lives for one test: many files a test.


def test_values_are_those_stored(tmp_path: Path) -> None:
    for end in ("png", "tif"):
        for array in (GREY, WIDE):
            # A resolution is said, and must not be believed.
            path = save(tmp_path / f"x.{end}", array, dpi=(300, 300))
            assert np.array_equal(opened(path).voxels[0], array)
    for end in ("png", "tif", "jpg"):
        path = save(tmp_path / f"x.{end}", COLOUR)
        found = opened(path)
        assert found.colours is not None
        with Image.open(path) as image:
            assert np.array_equal(found.colours[0], np.array(image))
    path = save(tmp_path / "x", GREY, format="JPEG")
    found = opened(path)
    assert found.colours is None
    with Image.open(path) as image:
        assert np.array_equal(found.voxels[0], np.array(image))


def test_tiff_of_several_pages_is_a_stack(tmp_path: Path) -> None:
    for dtype in ("uint8", "uint16", "float32", "int32"):
        for compression in (None, "zlib"):
            check_pages(tmp_path, dtype, compression)
    for name, options in (("a.tif", {"bigtiff": True}), ("b.tif", {"byteorder": ">"})):
        tifffile.imwrite(tmp_path / name, WIDE, photometric="minisblack", **options)
        assert np.array_equal(opened(tmp_path / name).voxels[0], WIDE)


def check_pages(tmp_path: Path, dtype: str, compression: str | None) -> None:
    pages = (RNG.normal(100, 20, (5, 30, 40)) * (100 if dtype == "int32" else 1)).astype(dtype)
    tifffile.imwrite(tmp_path / "x.tif", pages, photometric="minisblack", compression=compression)
    found = opened(tmp_path / "x.tif")
    assert found.voxels.shape == (5, 30, 40)
    assert np.array_equal(found.voxels, tifffile.imread(tmp_path / "x.tif"))


def test_pages_of_another_size_are_left_out_and_told(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        for page in (GREY, GREY[::-1], GREY[:5], WIDE):
            writer.write(page, photometric="minisblack", contiguous=False)
    (series,) = scan(tmp_path).series
    (plan,) = volumes(series)
    assert np.array_equal(read(plan).voxels, [GREY, GREY[::-1]])
    assert ("other-pages", "Pages of another size or kind are left out: 2.") in [
        (problem.kind, problem.text) for problem in plan.problems
    ]


def test_white_is_zero_is_seen(tmp_path: Path) -> None:
    for array in (GREY, WIDE):
        tifffile.imwrite(tmp_path / "x.tif", array, photometric="miniswhite")
        (series,) = scan(tmp_path).series
        (plan,) = volumes(series)
        found = read(plan).voxels[0]
        # Either the values are turned or the plan says so: bright is bright.
        shown = -found.astype(np.int32) if plan.inverted else found
        assert np.corrcoef(shown.ravel(), -array.ravel().astype(float))[0, 1] > 0.999


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    for end in ("jpg", "png", "tif"):
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            path = save(tmp_path / f"x{orientation}.{end}", GREY, exif=exif)
            if end == "tif" and orientation > 4:
                assert "lies on its side" in scan(path).skipped[0].reason
                continue
            with Image.open(path) as image:
                wanted = np.array(ImageOps.exif_transpose(image))
            assert np.array_equal(opened(path).voxels[0], wanted), (end, orientation)


def test_clear_pixels_are_black_and_palettes_are_colours(tmp_path: Path) -> None:
    clear = np.dstack([COLOUR, np.zeros((30, 40), np.uint8)])
    found = opened(save(tmp_path / "a.png", clear))
    assert found.colours is not None
    assert not found.colours.any()
    Image.fromarray(COLOUR).quantize(16).save(tmp_path / "b.png")
    found = opened(tmp_path / "b.png")
    assert found.colours is not None
    with Image.open(tmp_path / "b.png") as image:
        assert np.array_equal(found.colours[0], np.array(image.convert("RGB")))
    Image.fromarray(GREY > 99).save(tmp_path / "c.png")
    assert np.array_equal(opened(tmp_path / "c.png").voxels[0] > 0, GREY > 99)


def test_a_picture_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    for width, height in ((9000, 9000), (60_000, 60_000)):
        head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        body = zlib.compress(b"\0" * 100_000)
        (tmp_path / "x.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
        )
        (skipped,) = scan(tmp_path).skipped
        assert skipped.reason == "The images are too large to be opened."


def test_a_damaged_picture_costs_itself_a_sentence(tmp_path: Path) -> None:
    for end in ("png", "tif", "jpg"):
        path = save(tmp_path / f"x.{end}", np.tile(COLOUR, (8, 8, 1)))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        found = scan(path)
        if not found.series:
            assert "damaged" in found.skipped[0].reason
            continue
        (plan,) = volumes(found.series[0])
        with pytest.raises(Problem, match=f"x.{end}"):
            read(plan)
    (tmp_path / "junk.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"junk" * 30)
    (skipped,) = scan(tmp_path / "junk.png").skipped
    assert "damaged" in skipped.reason


def test_a_dicom_file_that_begins_as_a_tiff_is_dicom(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "x.dcm", stored(1)[0])
    data = bytearray(path.read_bytes())
    data[:4] = b"II*\0"
    path.write_bytes(data)
    assert scan(path).series[0].modality == "CT"
