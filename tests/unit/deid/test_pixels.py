"""Identity in the pixels: who must look, boxes, and what hides beside the image."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000Lossless, RLELossless

from tests.deid_cases import write
from tests.dicom_files import write_slice
from viewer.deid import pixels
from viewer.deid.codestream import blank_comments
from viewer.deid.options import Box


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, ""),
        ({"BurnedInAnnotation": "NO"}, ""),
        ({"BurnedInAnnotation": "YES"}, "burned-in"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, "unknown"),
        ({"ImageType": ["DERIVED", "SECONDARY"], "BurnedInAnnotation": "NO"}, ""),
        ({"Modality": "US"}, "modality"),
        ({"Modality": "XA", "BurnedInAnnotation": "NO"}, "modality"),
        ({"ConversionType": "WSD"}, "modality"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "modality"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4", "ImageType": ["DERIVED"]}, ""),
        ({"SOPClassUID": "1.2.3.4"}, "unknown"),
        ({"PixelData": None}, ""),
    ],
)
def test_who_must_look(tmp_path, tags, expected):
    dataset = pydicom.dcmread(write(tmp_path / "in.dcm"))
    for keyword, value in tags.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    assert pixels.doubt(dataset) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"BodyPartExamined": "HEAD"}, True),
        ({"BodyPartExamined": "CHEST"}, False),
        ({"StudyDescription": "MR Brain w/o"}, True),
        ({"BodyPartExamined": "HEAD", "Modality": "US"}, False),
    ],
)
def test_a_head_has_a_face(tmp_path, tags, expected):
    dataset = pydicom.dcmread(write(tmp_path / "in.dcm", StudyDescription=None))
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    assert pixels.may_show_face(dataset) is expected


def boxed(path: Path, *boxes: Box) -> pydicom.Dataset:
    dataset = pydicom.dcmread(path)
    pixels.black_out(path, dataset, boxes)
    dataset.save_as(path.with_suffix(".out"))
    return pydicom.dcmread(path.with_suffix(".out"))


def test_a_box_is_black_and_all_else_stays(tmp_path):
    path = write(tmp_path / "in.dcm")
    before = pydicom.dcmread(path).pixel_array
    after = boxed(path, Box(3, 2, 6, 4)).pixel_array
    inside = np.zeros(before.shape, bool)
    inside[2:6, 3:9] = True
    assert (before[inside] == 900).all() and (after[inside] == before.min()).all()
    np.testing.assert_array_equal(after[~inside], before[~inside])


def test_a_box_in_a_negative_image_is_dark_too(tmp_path):
    path = write(tmp_path / "in.dcm", PhotometricInterpretation="MONOCHROME1")
    after = boxed(path, Box(0, 0, 5, 5)).pixel_array
    assert (after[:5, :5] == 900).all() and after[10, 10] == 100


def test_a_box_in_all_frames_of_compressed_colour(tmp_path):
    rng = np.random.default_rng(3)
    colour = rng.integers(1, 255, (3, 12, 14, 3), dtype=np.uint8)
    path = write_slice(tmp_path / "in.dcm", colour[:, :, :, 0], modality="MR")
    dataset = pydicom.dcmread(path)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
    dataset.PlanarConfiguration = 0
    dataset.PixelData = colour.tobytes()
    dataset.compress(RLELossless)
    dataset.save_as(path)
    found = boxed(path, Box(10, 8, 100, 100))
    assert not found.file_meta.TransferSyntaxUID.is_compressed
    after = found.pixel_array
    assert not after[:, 8:, 10:].any()
    np.testing.assert_array_equal(after[:, :8], colour[:, :8])
    np.testing.assert_array_equal(after[:, 8:, :10], colour[:, 8:, :10])


def test_an_image_that_cannot_be_decoded_cannot_be_boxed(tmp_path):
    path = write(tmp_path / "in.dcm")
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([b"\xff\xd8nothing"])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.save_as(path)
    with pytest.raises((pixels.Unblackable, Exception)) as caught:
        boxed(path, Box(0, 0, 1, 1))
    assert type(caught.value).__name__ in ("Unblackable", "Problem")


@pytest.mark.parametrize("signed", [0, 1])
def test_overlays_in_unused_bits_go_and_values_stay(tmp_path, signed):
    path = write(tmp_path / "in.dcm")
    dataset = pydicom.dcmread(path)
    values = np.array([[-5 if signed else 5, 2047], [0, 7]], np.int16)
    dataset.Rows = dataset.Columns = 2
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, signed
    drawn = (values.view(np.uint16) & 0x0FFF) | np.uint16(0x8000)
    dataset.PixelData = drawn.tobytes()
    dataset.add_new(0x60000102, "US", 15)
    assert pixels.clear_overlay_bits(dataset)
    np.testing.assert_array_equal(np.frombuffer(dataset.PixelData, np.int16).reshape(2, 2), values)


def test_without_such_an_overlay_unused_bits_are_left(tmp_path):
    dataset = pydicom.dcmread(write(tmp_path / "in.dcm"))
    dataset.BitsStored, dataset.HighBit = 12, 11
    before = dataset.PixelData
    assert not pixels.clear_overlay_bits(dataset)
    assert dataset.PixelData == before


def segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


def test_words_in_a_jpeg_go_and_its_picture_stays():
    scan = b"\xff\xda\x00\x04\x01\x00" + b"scan of Quxworthy stays" + b"\xff\xd9"
    frame = (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0")
        + segment(0xE1, b"Exif\0\0Quxworthy's camera")
        + segment(0xFE, b"Quxworthy")
        + segment(0xEE, b"Adobe\0d\0\0\0\0\0\x01")
        + scan
    )
    data = encapsulate([frame, frame])
    clean = blank_comments(data)
    assert len(clean) == len(data)
    for found in generate_frames(clean, number_of_frames=2):
        assert found.count(b"Quxworthy") == 1
        assert found[: len(frame)].endswith(scan)
        assert b"JFIF" in found and b"Adobe" in found


def test_words_in_a_jpeg_2000_go_and_it_decodes_to_the_same(tmp_path):
    path = write(tmp_path / "in.dcm", PixelRepresentation=0)
    dataset = pydicom.dcmread(path)
    before = np.tile(dataset.pixel_array, (8, 8))
    dataset.Rows, dataset.Columns = before.shape
    dataset.PixelData = before.tobytes()
    dataset.compress(JPEG2000Lossless)
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    size = struct.unpack(">H", frame[4:6])[0]
    word = struct.pack(">HHH", 0xFF64, 4 + 9, 1) + b"Quxworthy"
    dataset.PixelData = encapsulate([frame[: 4 + size] + word + frame[4 + size :]])
    dataset["PixelData"].is_undefined_length = True
    assert b"Quxworthy" in dataset.PixelData
    dataset.PixelData = blank_comments(dataset.PixelData)
    assert b"Quxworthy" not in dataset.PixelData
    np.testing.assert_array_equal(dataset.pixel_array, before)


def test_data_of_any_kind_keeps_its_length():
    rng = np.random.default_rng(1)
    for size in range(0, 200, 7):
        data = b"\xfe\xff\x00\xe0" + rng.bytes(size)
        assert len(blank_comments(data)) == len(data)
