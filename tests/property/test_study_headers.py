"""Headers from hostile bytes: the hand parse equals pydicom; only sentences come out."""

from __future__ import annotations

import io
import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from resources.problem import Problem
from tests.dicom_files import stored, write_slice
from viewer.study import plain_header, pydicom_header
from viewer.study.default_window import default_window
from viewer.study.header import Unusable, read_header
from viewer.study.inspect import inspect
from viewer.study.order import order
from viewer.study.read import read
from viewer.study.scan import scan
from viewer.study.thumbnail import thumbnail


def comparable(parsed: plain_header.Parsed) -> object:
    raw = {tag: value for tag, value in parsed.raw.items() if value}
    # The media class is only taken by hand of a DICOMDIR.
    raw.pop(plain_header.MEDIA_CLASS, None)
    # pydicom decodes the character set, and with it drops the padding.
    raw[0x00080005] = raw.get(0x00080005, b"").rstrip(b" \0")
    place = parsed.pixel_offset, parsed.pixel_length
    return raw, parsed.transfer_syntax, parsed.has_pixels, place


class Named(io.BytesIO):
    """Bytes that pydicom takes for a file."""

    name = "x"


def slowly(content: bytes) -> plain_header.Parsed | None:
    try:
        return pydicom_header.parse(Named(content))
    except Exception:
        return None


def test_the_hand_parse_equals_pydicom_on_the_whole_corpus(corpus: Path) -> None:
    compared = 0
    for path in sorted(p for p in corpus.rglob("*") if p.is_file()):
        content = path.read_bytes()
        by_hand = plain_header.parse(io.BytesIO(content))
        if by_hand is None or by_hand.transfer_syntax == DeflatedExplicitVRLittleEndian:
            continue
        by_pydicom = slowly(content)
        if by_pydicom is None:
            continue
        if not by_hand.has_pixels:
            assert by_hand.raw[plain_header.MEDIA_CLASS] == plain_header.MEDIA_DIRECTORY.encode()
            continue
        assert comparable(by_hand) == comparable(by_pydicom), path.relative_to(corpus)
        compared += 1
    assert compared > 200


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Small valid files of different encodings, to be damaged."""
    folder = tmp_path_factory.mktemp("seeds")
    tags = {"WindowCenter": [40, 50], "WindowWidth": [400, 500], "SeriesDescription": "abc"}
    tags["SliceThickness"] = 2
    pixels = stored(1, 8, 8)[0]
    found = [
        write_slice(folder / "explicit", pixels, **tags),
        write_slice(folder / "implicit", pixels, syntax=ImplicitVRLittleEndian, **tags),
        write_slice(folder / "deflated", pixels, syntax=DeflatedExplicitVRLittleEndian, **tags),
    ]
    packed = write_slice(folder / "rle", pixels, **tags)
    data = pydicom.dcmread(packed)
    item = pydicom.Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    data.ReferencedImageSequence = [item]
    data["ReferencedImageSequence"].is_undefined_length = True
    data.compress(RLELossless, generate_instance_uid=False)
    data.save_as(packed)
    return [path.read_bytes() for path in (*found, packed)]


DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "double", "fill"]),
        st.integers(0, 2**16),
        st.binary(min_size=1, max_size=8),
    ),
    max_size=4,
)


def damaged(content: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, data in changes:
        at = place % (len(content) + 1)
        end = at + len(data)
        if kind == "flip":
            content = content[:at] + data + content[end:]
        elif kind == "cut":
            content = content[:at]
        elif kind == "drop":
            content = content[:at] + content[end:]
        elif kind == "double":
            content = content[:end] + content[at:]
        else:
            content = content[:at] + data[:1] * (len(data) * 16) + content[end:]
    return content


@settings(max_examples=300)
@given(which=st.integers(0, 3), changes=DAMAGE)
def test_damaged_files_are_parsed_alike_or_left_to_pydicom(
    seeds: list[bytes], which: int, changes: list[tuple[str, int, bytes]]
) -> None:
    content = damaged(seeds[which], changes)
    by_hand = plain_header.parse(io.BytesIO(content))
    if by_hand is None or not by_hand.has_pixels:
        return
    if by_hand.transfer_syntax == DeflatedExplicitVRLittleEndian:
        return
    by_pydicom = slowly(content)
    if by_pydicom is not None and by_pydicom.has_pixels:
        assert comparable(by_hand) == comparable(by_pydicom)


@settings(max_examples=200)
@given(which=st.integers(0, 3), changes=DAMAGE)
def test_a_damaged_file_ends_in_a_picture_or_in_a_sentence(
    seeds: list[bytes],
    tmp_path_factory: pytest.TempPathFactory,
    which: int,
    changes: list[tuple[str, int, bytes]],
) -> None:
    ends_well(tmp_path_factory.getbasetemp() / "damaged.dcm", damaged(seeds[which], changes))


@settings(max_examples=100)
@given(content=st.binary(max_size=400), preamble=st.booleans())
def test_garbage_ends_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, preamble: bool
) -> None:
    start = bytes(128) + b"DICM" if preamble else b""
    ends_well(tmp_path_factory.getbasetemp() / "garbage.dcm", start + content)


def ends_well(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        inspect(path)
    except Problem as problem:
        assert problem.sentence and problem.remedy
        return
    for series in scan(path).series:
        plan = order(series)
        try:
            picture = thumbnail(plan, 16)
            assert picture.dtype == np.uint8
            if plan.refusal is None:
                assert read(plan).shape_kji == plan.shape_kji
        except Problem as problem:
            assert problem.sentence and problem.remedy


NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-2000, 2000),
    st.sampled_from([0.0, 1.0, -1.0, 1e-320, 1e300, -1e300, 3.4e38, 65536.0]),
)


@settings(max_examples=80)
@given(
    positions=st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=3),
    spacing=st.tuples(NUMBER, NUMBER),
    rescale=st.tuples(NUMBER, NUMBER),
    window=st.tuples(NUMBER, NUMBER),
    thickness=NUMBER,
)
def test_no_number_of_a_header_breaks_anything(
    tmp_path_factory: pytest.TempPathFactory,
    positions: list[tuple[float, float, float]],
    spacing: tuple[float, float],
    rescale: tuple[float, float],
    window: tuple[float, float],
    thickness: float,
) -> None:
    folder = tmp_path_factory.getbasetemp() / "numbers"
    shutil.rmtree(folder, ignore_errors=True)
    for n, position in enumerate(positions):
        write_slice(
            folder / f"{n}.dcm",
            stored(1)[0],
            position=position,
            spacing=spacing,
            RescaleSlope=f"{rescale[0]:.9g}",
            RescaleIntercept=f"{rescale[1]:.9g}",
            WindowCenter=f"{window[0]:.9g}",
            WindowWidth=f"{window[1]:.9g}",
            SliceThickness=f"{thickness:.9g}",
        )
    try:
        json.dumps(inspect(folder), allow_nan=False)
    except Problem as problem:
        assert "its numbers cannot be meant" in problem.remedy
        return
    for series in scan(folder).series:
        plan = order(series)
        try:
            thumbnail(plan, 16)
            if plan.refusal is None:
                centre, width = default_window(plan, read(plan))
                assert np.isfinite(centre) and np.isfinite(width) and width > 0
        except Problem as problem:
            assert problem.sentence


@given(content=st.binary(max_size=2000))
def test_a_header_is_read_or_unusable(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "header.dcm"
    path.write_bytes(content)
    with pytest.raises(Unusable):
        read_header(path)


@settings(max_examples=50)
@given(size=st.integers(1, 5000), limit=st.integers(1, 3000))
def test_inflating_stops_at_the_limit(size: int, limit: int) -> None:
    worker = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = worker.compress(b"\0" * size * 1000) + worker.flush()
    found = plain_header.inflate(io.BytesIO(b"x" + packed), 1, limit)
    assert found == b"\0" * min(limit, size * 1000)
