"""Frames walked by hand are those that pydicom reads, however their sequences are written."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from viewer.imports import frame_groups as fg
from viewer.imports.held import Misfit


def frame(number: int, place, deep: int) -> Dataset:
    image = Dataset()
    image.ReferencedSOPInstanceUID = f"1.2.{number}"
    image.ReferencedFrameNumber = number
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = "1", "DCM", "p" * deep
    image.PurposeOfReferenceCodeSequence = [purpose]
    source = Dataset()
    source.SourceImageSequence = [image]
    out = Dataset()
    out.DerivationImageSequence = [source]
    content = Dataset()
    content.DimensionIndexValues = [1, number]
    out.FrameContentSequence = [content]
    position = Dataset()
    position.ImagePositionPatient = [float(v) for v in place]
    out.PlanePositionSequence = [position]
    segment = Dataset()
    segment.ReferencedSegmentNumber = number
    out.SegmentIdentificationSequence = [segment]
    return out


def encoded(frames, explicit: bool, undefined: bool) -> bytes:
    whole = Dataset()
    whole.PerFrameFunctionalGroupsSequence = frames
    whole.add_new(0x7FE00010, "OW", bytes(8))

    def set_lengths(dataset):
        for element in dataset:
            if element.VR == "SQ":
                element.is_undefined_length = undefined
                for item in element.value:
                    item.is_undefined_length_sequence_item = undefined
                    set_lengths(item)

    set_lengths(whole)
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, not explicit
    write_dataset(stream, whole)
    return stream.getvalue()


PLACES = st.tuples(*[st.integers(-3000, 3000).map(lambda n: n / 8)] * 3)


@given(
    st.lists(st.tuples(PLACES, st.integers(0, 40)), min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_all_frames_are_found(meant, explicit, undefined):
    frames = [frame(n + 1, place, deep) for n, (place, deep) in enumerate(meant)]
    data = encoded(frames, explicit, undefined)
    walked = fg.walk(data, 0, explicit, 100)
    assert len(walked.frames) == len(meant)
    assert (walked.pixels_length, data[walked.pixels_at :]) == (8, bytes(8))
    for n, (found, (place, _)) in enumerate(zip(walked.frames, meant, strict=True), start=1):
        assert tuple(float(v) for v in found[fg.POSITION].split(b"\\")) == place
        assert int.from_bytes(found[fg.SEGMENT], "little") == n
        assert found[fg.IMAGE].strip(b"\0 ") == b"1.2.%d" % n
        assert int(found[fg.IMAGE_FRAME]) == n


@pytest.mark.parametrize("undefined", [False, True])
def test_damage_is_told_and_nothing_else_happens(undefined):
    data = encoded([frame(1, (0, 0, 0), 3), frame(2, (0, 0, 1), 3)], True, undefined)
    for cut in range(4, len(data) - 8, 3):
        try:
            walked = fg.walk(data[:cut], 0, True, 100)
        except Misfit as misfit:
            assert misfit.said == ("damaged",)
        else:
            assert walked.pixels_at is None
    with pytest.raises(Misfit):
        fg.walk(data, 0, True, 1)
    assert io.BytesIO(data).read() == data
