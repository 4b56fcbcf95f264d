"""The frames of a multi-frame object, walked by hand: pydicom takes a millisecond for each.

Little endian, explicit or implicit, sequences of any length (PS3.5 7.5). Only what says where a
frame lies and what it is of is picked up. A property test holds it equal to pydicom.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from viewer.imports.held import Misfit

PER_FRAME = 0x52009230
_PIXELS = 0x7FE00010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG = frozenset(b"OB OW OF OD OL OV SQ UT UN UC UR SV UV".split())
_TAG = struct.Struct("<HH")
_SHORT_LENGTH = struct.Struct("<H")
_LENGTH = struct.Struct("<I")
_DEPTH = 12

# The first of each within a frame; sequences among them are gone into.
POSITION, ORIENTATION, SPACING = 0x00200032, 0x00200037, 0x00280030
SEGMENT, IMAGE, IMAGE_FRAME = 0x0062000B, 0x00081155, 0x00081160
_WANTED = frozenset({POSITION, ORIENTATION, SPACING, SEGMENT, IMAGE, IMAGE_FRAME})
_SEQUENCES = frozenset(
    {
        0x00209113,  # Plane Position
        0x00209116,  # Plane Orientation
        0x00289110,  # Pixel Measures
        0x0062000A,  # Segment Identification
        0x00089124,  # Derivation Image
        0x00082112,  # Source Image
    }
)

Found = dict[int, bytes]


@dataclass(frozen=True, slots=True)
class Walked:
    """What was found: the raw values of each frame, and where the pixels are.

    Attributes
    ----------
    frames
        Value bytes by tag, one a frame.
    pixels_at, pixels_length
        Offset and length of the value of Pixel Data; None when it is encapsulated or absent.
    """

    frames: list[Found]
    pixels_at: int | None
    pixels_length: int | None


def walk(data: Any, at: int, explicit: bool, most_frames: int) -> Walked:
    """Walk from Per-Frame Functional Groups (5200,9230), or what follows it, to the pixels.

    Parameters
    ----------
    data
        The bytes of the file: a buffer.
    at
        Where an element begins, at or before (5200,9230) and outside of any sequence.

    Raises
    ------
    Misfit
        When the file is damaged or cut short.
    """
    walker = _Walker(data, explicit)
    frames: list[Found] = []
    try:
        while at + 8 <= len(data):
            tag, begin, length = walker.element(at)
            if tag == _PIXELS:
                if length == _UNDEFINED:
                    return Walked(frames, None, None)
                return Walked(frames, begin, length)
            if tag == PER_FRAME:
                at = walker.items(begin, length, frames, most_frames)
            else:
                at = walker.skip(begin, length)
    except (struct.error, RecursionError, IndexError):
        raise Misfit("damaged") from None
    return Walked(frames, None, None)


def is_whole(data: Any, at: int, explicit: bool) -> bool:
    """Tell whether the last element of a data set ends where its bytes do.

    pydicom takes what there is of a file that is cut short, and half of the contours of a
    structure would be no structure.
    """
    walker = _Walker(data, explicit)
    try:
        while at + 8 <= len(data):
            _, begin, length = walker.element(at)
            at = walker.skip(begin, length)
    except (struct.error, RecursionError, IndexError, Misfit):
        return False
    return at == len(data)


class _Walker:
    def __init__(self, data: Any, explicit: bool) -> None:
        self._data = data
        self._explicit = explicit

    def element(self, at: int) -> tuple[int, int, int]:
        """Return tag, offset and length of the value of the element at ``at``."""
        data = self._data
        group, element = _TAG.unpack_from(data, at)
        if not self._explicit or group == 0xFFFE:
            return group << 16 | element, at + 8, _LENGTH.unpack_from(data, at + 4)[0]
        if data[at + 4 : at + 6] in _LONG:
            return group << 16 | element, at + 12, _LENGTH.unpack_from(data, at + 8)[0]
        return group << 16 | element, at + 8, _SHORT_LENGTH.unpack_from(data, at + 6)[0]

    def skip(self, begin: int, length: int) -> int:
        """Return where the element ends whose value begins so."""
        if length != _UNDEFINED:
            return begin + length
        return self._sequence(begin, _UNDEFINED, None, 0)

    def items(self, at: int, length: int, frames: list[Found], most: int) -> int:
        end = len(self._data) if length == _UNDEFINED else at + length
        while at < end:
            tag, begin, size = self.element(at)
            if tag == _SEQUENCE_END:
                return begin
            if tag != _ITEM or len(frames) >= most:
                raise Misfit("damaged")
            found: Found = {}
            at = self._elements(begin, size, found, 1)
            frames.append(found)
        return at

    def _sequence(self, at: int, length: int, found: Found | None, depth: int) -> int:
        if depth > _DEPTH:
            raise Misfit("damaged")
        end = len(self._data) if length == _UNDEFINED else at + length
        while at < end:
            tag, begin, size = self.element(at)
            if tag == _SEQUENCE_END:
                return begin
            if tag != _ITEM:
                raise Misfit("damaged")
            at = self._elements(begin, size, found, depth + 1)
        return at

    def _elements(self, at: int, length: int, found: Found | None, depth: int) -> int:
        """Walk one item; return where it ends."""
        end = len(self._data) if length == _UNDEFINED else at + length
        if found is None and length != _UNDEFINED:
            return end
        while at < end:
            tag, begin, size = self.element(at)
            if tag == _ITEM_END:
                return begin
            if found is not None and tag in _SEQUENCES:
                at = self._sequence(begin, size, found, depth)
            elif size == _UNDEFINED:
                at = self._sequence(begin, size, None, depth)
            else:
                if found is not None and tag in _WANTED and tag not in found:
                    found[tag] = bytes(self._data[begin : begin + size])
                at = begin + size
        return at
