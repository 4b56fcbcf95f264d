"""What the window and the model process say to each other: messages in frames.

A frame is its length (uint64, little-endian) and a message of ``inference.packing``. The
value of every message has ``"kind"`` and the number of the ``"request"`` that it belongs to.

To the process: ``devices`` (also loads torch ahead of time), ``analyze`` (pack folder,
device, modality, unit; arrays voxels and affine), ``outline`` (pack folder, device, point in
LPS mm, if need be the ends of a box; arrays voxels and affine of what is round it),
``refine`` (the same with an array mask, the outline there, and in the place of the point the
voxels that were pointed at, each with whether it belongs, the latest last). From it:
``devices``, ``progress``, ``findings``, ``outline`` (indices count from the box), ``failed`` (a
code of ``FAILURES`` and a detail without patient data).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from inference import packing

STAGES = ("start", "prepare", "lungs", "load", "detect", "reduce", "measure")
OUTLINE_STAGES = ("start", "outline")
FAILURES = ("no_lungs", "memory", "model", "device", "crash")
NOTES = ("", "smaller", "cpu")
_LENGTH = struct.Struct("<Q")
_LONGEST = 1 << 33


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    stage
        One of ``STAGES``, of ``OUTLINE_STAGES`` for one outline; the caller translates it.
    done, total
        Steps of this stage; total 0 when it is unknown.
    note
        What was given up because memory ran out: ``"smaller"`` batches, or the ``"cpu"``
        instead of the GPU; else empty.
    """

    stage: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """Where a model can run: ``"cpu"`` or ``"cuda:0"``, and its name as shown to a reader."""

    id: str
    name: str


class Writer(Protocol):
    """A binary stream to write to."""

    def write(self, data: Any, /) -> Any:
        """Write all of ``data``."""

    def flush(self) -> Any:
        """Hand over what was written."""


class Reader(Protocol):
    """A buffered binary stream to read from."""

    def readinto(self, buffer: Any, /) -> int | None:
        """Fill ``buffer``, fully unless the stream ends."""


def write_message(
    stream: Writer, value: Mapping[str, Any], arrays: Mapping[str, packing.Array] | None = None
) -> None:
    """Write one frame."""
    parts = packing.pack(value, arrays or {})
    stream.write(_LENGTH.pack(sum(len(part) for part in parts)))
    for part in parts:
        stream.write(part)
    stream.flush()


def read_message(stream: Reader) -> tuple[dict[str, Any], dict[str, packing.Array]] | None:
    """Read one frame; None when the stream has ended between two frames.

    Raises
    ------
    ValueError
        When the stream ends within a frame, or holds something else.
    """
    head = _exactly(stream, _LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise ValueError("the stream ended within a frame")
    (length,) = _LENGTH.unpack(head)
    if length > _LONGEST:
        raise ValueError("not a frame")
    body = _exactly(stream, length)
    if len(body) < length:
        raise ValueError("the stream ended within a frame")
    return packing.unpack(body)


def _exactly(stream: Reader, length: int) -> memoryview:
    """Read ``length`` bytes, fewer only at the end of the stream."""
    # Not a bytearray: to fill a hundred megabytes with zeros would hold up every other thread.
    body = np.empty(length, dtype=np.uint8).data
    done = 0
    while done < length:
        count = stream.readinto(body[done:])
        if not count:
            break
        done += count
    return body[:done]
