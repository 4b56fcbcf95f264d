"""Every kind of pixel that the standard knows comes back with the values that were stored."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from resources.problem import Problem
from viewer.study import colour, pixels
from viewer.study.header import read_header
from viewer.study.series import InstanceHeader

RANDOM = np.random.default_rng(7)
NATIVE = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


def write(
    path: Path,
    shape: tuple[int, ...],
    raw: bytes,
    syntax: str = ExplicitVRLittleEndian,
    **tags: Any,
) -> InstanceHeader:
    """Write one file: ``shape`` is (row, column) or (frame, row, column), ``raw`` Pixel Data."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = UID(syntax)
    data.SOPClassUID, data.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.Modality = "OT"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = shape[-2:]
    if len(shape) == 3:
        data.NumberOfFrames = shape[0]
    data.BitsAllocated, data.PixelRepresentation = 8, 0
    keyword = tags.pop("keyword", "PixelData")
    vr = tags.pop("vr", "OW")
    for name, value in tags.items():
        setattr(data, name, value)
    if keyword == "PixelData":
        data.BitsStored = tags.get("BitsStored", data.BitsAllocated)
        data.HighBit = tags.get("HighBit", data.BitsStored - 1)
    setattr(data, keyword, raw + b"\0" * (len(raw) % 2))
    if keyword == "PixelData":
        data["PixelData"].VR = vr
    data.save_as(path, enforce_file_format=True)
    return read_header(path)[0]


def values_of(instance: InstanceHeader) -> npt.NDArray[Any]:
    found = pixels.frames(instance, range(instance.n_frames))
    return np.stack(found) if instance.n_frames > 1 else found[0]


def ordered(values: npt.NDArray[Any], syntax: str) -> bytes:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    return values.astype(values.dtype.newbyteorder(order)).tobytes()


@pytest.mark.parametrize("syntax", [*NATIVE, DeflatedExplicitVRLittleEndian])
def test_whole_numbers_of_8_16_and_32_bits(tmp_path: Path, syntax: str) -> None:
    for kind in ("u1", "i1", "u2", "i2", "u4", "i4"):
        bounds = np.iinfo(kind)
        stored = RANDOM.integers(bounds.min, bounds.max, (2, 5, 7), dtype=kind, endpoint=True)
        stored.flat[0], stored.flat[1] = bounds.min, bounds.max
        bits = stored.dtype.itemsize * 8
        vr = "OB" if bits == 8 and syntax != ImplicitVRLittleEndian else "OW"
        instance = write(
            tmp_path / kind, (2, 5, 7), ordered(stored, syntax), syntax, vr=vr,
            BitsAllocated=bits, PixelRepresentation=int(kind[0] == "i"),
        )  # fmt: skip
        found = values_of(instance)
        assert found.dtype == stored.dtype and np.array_equal(found, stored)


def test_bytes_in_words_of_a_big_endian_file(tmp_path: Path) -> None:
    """PS3.5 Annex D.2: two 8-bit pixels in a word of OW stand in the other order."""
    stored = RANDOM.integers(0, 256, (3, 5), dtype=np.uint8)
    padded = np.append(stored.reshape(-1), np.uint8(0))
    swapped = padded.reshape(-1, 2)[:, ::-1].tobytes()
    found = values_of(write(tmp_path / "x", (3, 5), swapped, ExplicitVRBigEndian, vr="OW"))
    assert np.array_equal(found, stored)


def test_bits_run_on_from_frame_to_frame(tmp_path: Path) -> None:
    stored = RANDOM.integers(0, 2, (3, 5, 7), dtype=np.uint8)
    raw = np.packbits(stored.reshape(-1), bitorder="little").tobytes()
    for syntax in NATIVE:
        vr = "OW" if syntax == ImplicitVRLittleEndian else "OB"
        instance = write(tmp_path / syntax, (3, 5, 7), raw, syntax, vr=vr, BitsAllocated=1)
        found = values_of(instance)
        assert found.dtype == np.uint8 and np.array_equal(found, stored)


@pytest.mark.parametrize("syntax", [*NATIVE, DeflatedExplicitVRLittleEndian])
def test_float_and_double_float_pixel_data(tmp_path: Path, syntax: str) -> None:
    for keyword, kind in (("Float", "f4"), ("DoubleFloat", "f8")):
        stored = (RANDOM.normal(size=(2, 5, 7)) * 1e6).astype(kind)
        instance = write(
            tmp_path / kind, (2, 5, 7), ordered(stored, syntax), syntax,
            keyword=f"{keyword}PixelData", BitsAllocated=stored.dtype.itemsize * 8,
        )  # fmt: skip
        found = values_of(instance)
        assert found.dtype == stored.dtype and np.array_equal(found, stored)


def test_64_bits_of_a_whole_number_are_refused(tmp_path: Path) -> None:
    instance = write(tmp_path / "x.dcm", (5, 7), bytes(5 * 7 * 8), BitsAllocated=64)
    with pytest.raises(Problem, match=r"x\.dcm has pixels of 64 bits"):
        values_of(instance)


@pytest.mark.parametrize("signed", [0, 1])
def test_values_in_the_upper_bits_are_moved_where_only_that_can_be_meant(
    tmp_path: Path, signed: int
) -> None:
    stored = RANDOM.integers(-2048 * signed, 4096 - 2048 * signed, (9, 8), dtype=np.int16)
    cells = (stored << 4).astype("i2" if signed else "u2")
    options: dict[str, Any] = {
        "BitsAllocated": 16, "BitsStored": 12, "HighBit": 15, "PixelRepresentation": signed
    }  # fmt: skip
    for syntax in (*NATIVE, RLELossless):
        path = tmp_path / syntax
        if syntax == RLELossless:
            instance = compressed(path, cells, syntax, **options)
        else:
            instance = write(path, (9, 8), ordered(cells, syntax), syntax, **options)
        assert np.array_equal(values_of(instance), stored)


@pytest.mark.parametrize("cells", [np.full((4, 4), 16), np.full((4, 4), 0x1001)])
def test_values_in_the_upper_bits_are_refused_where_they_may_not(
    tmp_path: Path, cells: npt.NDArray[Any]
) -> None:
    raw = ordered(cells.astype("u2"), ExplicitVRLittleEndian)
    instance = write(
        tmp_path / "x", (4, 4), raw, BitsAllocated=16, BitsStored=12, HighBit=15
    )  # fmt: skip
    with pytest.raises(Problem, match="unusual bits"):
        values_of(instance)


# -- colour ---------------------------------------------------------------------------------


def rgb(shape: tuple[int, ...] = (2, 6, 8, 3), kind: str = "u1") -> npt.NDArray[Any]:
    return RANDOM.integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)


@pytest.mark.parametrize("syntax", [*NATIVE, DeflatedExplicitVRLittleEndian])
def test_rgb_by_pixel_and_by_plane(tmp_path: Path, syntax: str) -> None:
    for planar, kind in ((0, "u1"), (1, "u1"), (0, "u2"), (1, "u2")):
        stored = rgb(kind=kind)
        laid = stored.transpose(0, 3, 1, 2) if planar else stored
        bits = stored.dtype.itemsize * 8
        instance = write(
            tmp_path / f"{kind}{planar}", (2, 6, 8), ordered(laid, syntax), syntax,
            vr="OW" if bits == 16 or syntax == ImplicitVRLittleEndian else "OB",
            SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=planar,
            BitsAllocated=bits,
        )  # fmt: skip
        found = values_of(instance)
        assert found.dtype == stored.dtype and np.array_equal(found, stored)
        assert colour.is_colour(instance)
        shown = colour.rgb_of(instance, found[0])
        assert shown.dtype == np.uint8
        assert np.array_equal(shown, stored[0] if bits == 8 else stored[0] >> 8)


def _ybr(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """PS3.3 C.7.6.3.1.2."""
    turn = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
    return np.asarray(values @ turn.T + [0, 128, 128])


def test_ybr_full_and_422_become_rgb(tmp_path: Path) -> None:
    stored = rgb((4, 6, 3))
    stored[:, 1::2] = stored[:, ::2]  # a pair of pixels shares its colour
    ybr = np.clip(np.rint(_ybr(stored)), 0, 255).astype(np.uint8)
    halved = np.concatenate(
        [ybr[:, ::2, :1], ybr[:, 1::2, :1], ybr[:, ::2, 1:]], axis=-1
    )  # Y Y B R
    for name, laid in (("YBR_FULL", ybr), ("YBR_FULL_422", halved), ("YBR_FULL_422", ybr)):
        instance = write(
            tmp_path / "x", (4, 6), laid.tobytes(), vr="OB", SamplesPerPixel=3,
            PhotometricInterpretation=name, PlanarConfiguration=0,
        )  # fmt: skip
        found = values_of(instance)
        assert np.abs(found.astype(int) - stored).max() <= 2
        y = ybr[..., 0].astype(int)
        assert np.abs(colour.luminance(colour.rgb_of(instance, found)).astype(int) - y).max() <= 2


def _lut(entries: npt.NDArray[Any], bits: int, first: int = 0) -> dict[str, Any]:
    kind = "<u2" if bits == 16 else "u1"
    found: dict[str, Any] = {}
    for n, name in enumerate(("Red", "Green", "Blue")):
        found[f"{name}PaletteColorLookupTableDescriptor"] = [len(entries) % 65536, first, bits]
        raw = entries[:, n].astype(kind).tobytes()
        found[f"{name}PaletteColorLookupTableData"] = raw + b"\0" * (len(raw) % 2)
    return found


@pytest.mark.parametrize("bits", [8, 16])
def test_palettes_of_8_and_16_bits(tmp_path: Path, bits: int) -> None:
    entries = RANDOM.integers(0, 1 << bits, (200, 3))
    stored = RANDOM.integers(0, 256, (6, 8), dtype=np.uint8)
    instance = write(
        tmp_path / "x", (6, 8), stored.tobytes(), vr="OB",
        PhotometricInterpretation="PALETTE COLOR", **_lut(entries, bits, first=20),
    )  # fmt: skip
    found = values_of(instance)
    assert np.array_equal(found, stored)  # indices
    # PS3.3 C.7.6.3.1.5: values outside have the first or the last colour.
    wanted = entries[np.clip(stored.astype(int) - 20, 0, 199)] >> (bits - 8)
    assert np.array_equal(colour.rgb_of(instance, found), wanted)


def test_a_palette_for_16_bit_and_signed_values(tmp_path: Path) -> None:
    entries = RANDOM.integers(0, 256, (1000, 3))
    entries[0] = 255, 0, 0
    stored = RANDOM.integers(-800, 800, (6, 8), dtype=np.int16)
    instance = write(
        tmp_path / "x", (6, 8), stored.tobytes(), BitsAllocated=16, PixelRepresentation=1,
        PhotometricInterpretation="PALETTE COLOR", **_lut(entries, 8, first=-500),
    )  # fmt: skip
    wanted = entries[np.clip(stored.astype(int) + 500, 0, 999)]
    assert np.array_equal(colour.rgb_of(instance, values_of(instance)), wanted)


def test_sixteen_bit_entries_that_use_eight_are_not_black(tmp_path: Path) -> None:
    entries = RANDOM.integers(0, 256, (256, 3))
    stored = np.arange(256, dtype=np.uint8).reshape(16, 16)
    instance = write(
        tmp_path / "x", (16, 16), stored.tobytes(), vr="OB",
        PhotometricInterpretation="PALETTE COLOR", **_lut(entries, 16),
    )  # fmt: skip
    shown = colour.rgb_of(instance, values_of(instance))
    assert np.array_equal(shown, entries.reshape(16, 16, 3))


def test_segmented_palettes(tmp_path: Path) -> None:
    """PS3.3 C.7.9.2: two values as they are, then a straight line of 254 to the last."""
    segments = struct.pack("<7H", 0, 2, 0, 0, 1, 254, 254 << 8)
    tables: dict[str, Any] = {}
    for name in ("Red", "Green", "Blue"):
        tables[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"Segmented{name}PaletteColorLookupTableData"] = segments
    stored = np.arange(256, dtype=np.uint8).reshape(16, 16)
    instance = write(
        tmp_path / "x", (16, 16), stored.tobytes(), vr="OB",
        PhotometricInterpretation="PALETTE COLOR", **tables,
    )  # fmt: skip
    shown = colour.rgb_of(instance, values_of(instance)).reshape(256, 3)
    wanted = np.repeat(np.clip(np.arange(256) - 1, 0, None)[:, np.newaxis], 3, axis=1)
    assert np.array_equal(shown, wanted)


@pytest.mark.parametrize("fault", ["short", "none", "segments"])
def test_a_palette_that_lies_is_a_problem_of_its_file(tmp_path: Path, fault: str) -> None:
    tables = _lut(RANDOM.integers(0, 256, (256, 3)), 8)
    if fault == "short":
        tables["BluePaletteColorLookupTableData"] = bytes(100)
    else:
        for name in ("Red", "Green", "Blue"):
            del tables[f"{name}PaletteColorLookupTableData"]
            if fault == "segments":
                # An indirect segment that copies itself.
                raw = struct.pack("<10H", 0, 2, 0, 0, 2, 9, 8, 0, 2, 9)
                tables[f"Segmented{name}PaletteColorLookupTableData"] = raw
    instance = write(
        tmp_path / "x.dcm", (6, 8), bytes(48), vr="OB", PhotometricInterpretation="PALETTE COLOR",
        **tables,
    )  # fmt: skip
    with pytest.raises(Problem, match=r"x\.dcm holds no usable palette"):
        colour.rgb_of(instance, values_of(instance))


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"PhotometricInterpretation": "RGB"}, "contradicts itself about its colours"),
        ({"PhotometricInterpretation": "HSV", "SamplesPerPixel": 3}, "unknown kind of colour: HSV"),
        ({"SamplesPerPixel": 3}, "contradicts itself about its colours"),
        ({"HighBit": 9}, "unusual bits"),
    ],
)
def test_what_cannot_be_shown_is_told_with_its_file(
    tmp_path: Path, tags: dict[str, Any], reason: str
) -> None:
    instance = write(tmp_path / "x.dcm", (4, 4), bytes(48), vr="OB", **tags)
    with pytest.raises(Problem) as caught:
        values_of(instance)
    assert reason in caught.value.sentence and "x.dcm" in caught.value.sentence


# -- compressed -----------------------------------------------------------------------------


def compressed(
    path: Path, stored: npt.NDArray[Any], syntax: str, *, samples: int = 1, **tags: Any
) -> InstanceHeader:
    shape = stored.shape[:-1] if samples == 3 else stored.shape
    options: dict[str, Any] = {
        "BitsAllocated": stored.dtype.itemsize * 8,
        "PixelRepresentation": int(stored.dtype.kind == "i"),
        **tags,
    }
    if samples == 3:
        options |= {
            "SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0
        }  # fmt: skip
    vr = "OB" if stored.dtype.itemsize == 1 else "OW"
    write(path, shape, ordered(stored, ""), vr=vr, **options)
    data = pydicom.dcmread(path)
    data.compress(UID(syntax), generate_instance_uid=False)
    data.save_as(path)
    return read_header(path)[0]


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_lossless_greyscale_and_colour_of_several_frames(tmp_path: Path, syntax: str) -> None:
    for kind in ("u1", "u2", "i2"):
        bounds = np.iinfo(kind)
        stored = RANDOM.integers(bounds.min, bounds.max, (3, 64, 80), dtype=kind, endpoint=True)
        found = values_of(compressed(tmp_path / kind, stored, syntax))
        assert found.dtype == stored.dtype and np.array_equal(found, stored)
    stored = rgb((3, 64, 80, 3))
    found = values_of(compressed(tmp_path / "rgb", stored, syntax, samples=3))
    assert np.array_equal(found, stored)


def test_frames_in_any_order_and_of_several_fragments(tmp_path: Path) -> None:
    stored = RANDOM.integers(0, 4000, (5, 64, 64), dtype=np.uint16)
    path = tmp_path / "x"
    compressed(path, stored, JPEG2000Lossless)
    data = pydicom.dcmread(path)
    parts = list(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=5))
    data.PixelData = pydicom.encaps.encapsulate(parts, fragments_per_frame=3)
    data.save_as(path)
    instance, _ = read_header(path)
    for order in ([4, 0, 2], [3], [1, 1]):
        for number, found in zip(order, pixels.frames(instance, order), strict=True):
            assert np.array_equal(found, stored[number])
    with pytest.raises(IndexError):
        pixels.frames(instance, [5])
