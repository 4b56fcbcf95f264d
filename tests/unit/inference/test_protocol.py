from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.packing import unpack
from inference.protocol import read_message, write_message


class _Dribble(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._left = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        part = self._left.read(min(3, len(buffer)))
        buffer[: len(part)] = part
        return len(part)


def _frame(value, arrays=None) -> bytes:
    stream = io.BytesIO()
    write_message(stream, value, arrays)
    return stream.getvalue()


@given(
    st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=4),
    st.lists(st.integers(0, 5), min_size=1, max_size=3),
)
def test_what_is_written_is_read(value, shape):
    array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    found, arrays = read_message(_Dribble(_frame(value, {"a": array})))
    assert found == value
    assert arrays["a"].dtype == np.int16
    assert np.array_equal(arrays["a"], array)


def test_frames_follow_each_other_until_the_end():
    stream = io.BytesIO(_frame({"n": 1}) + _frame({"n": 2}))
    assert read_message(stream)[0] == {"n": 1}
    assert read_message(stream)[0] == {"n": 2}
    assert read_message(stream) is None


@pytest.mark.parametrize("keep", [1, 7, 8, 12, -1])
def test_a_cut_stream_is_no_message(keep: int):
    with pytest.raises(ValueError, match=r"ended within a frame|not an Overread"):
        read_message(io.BytesIO(_frame({"n": 1})[:keep]))


def test_noise_is_no_frame_and_costs_no_memory():
    with pytest.raises(ValueError, match="not a frame"):
        read_message(io.BytesIO(b"\xff" * 64))


@pytest.mark.parametrize(
    "header",
    [b"3", b"[]", b"{}", b'{"value": {}}', b'{"value": 3, "arrays": []}', b'{"arrays": 0}'],
)
def test_a_header_with_the_wrong_members_is_no_message(header: bytes):
    with pytest.raises(ValueError, match="not an Overread message"):
        unpack(b"OVR1" + len(header).to_bytes(4, "little") + header)
