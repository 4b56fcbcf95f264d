"""Headers of plain Part 10 files, parsed by hand because thousands of them are read at once.

Covers little endian files with a regular preamble and meta group. On the first surprise it
gives up and pydicom reads the file instead; a property test holds the two equal.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

from viewer.study import marks, syntax

WANTED = frozenset(
    {
        0x00080005, 0x00080008, 0x00080016, 0x00080018, 0x00080020, 0x00080021, 0x00080022,
        0x00080031, 0x00080032, 0x00080060, 0x00080201,
        0x00081030, 0x0008103E, 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00101010,
        0x00101030, 0x00181242,
        0x00180015, 0x00180050, 0x00180086, 0x00181164, 0x00182010, 0x00185100, 0x00186011,
        0x00189087, 0x0020000D, 0x0020000E,
        0x00200011, 0x00200012, 0x00200013, 0x00200032, 0x00200037, 0x00200052, 0x00200060,
        0x00200100, 0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280030,
        0x00280051, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280120, 0x00280121,
        0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281054, 0x00281055, 0x00281056,
        0x00283000, 0x00283010, 0x00541001, 0x00541006, 0x00541102, 0x00541300,
    }
    # Overlay Rows of every plane: that it is there is all that is asked.
    | {group << 16 | 0x0010 for group in range(0x6000, 0x6020, 2)}
    | marks.TAGS
)  # fmt: skip
SEQUENCES = frozenset({0x00283000, 0x00283010})
# Sequence of Ultrasound Regions: pydicom looks into it and says the spacing, as a DS pair.
REGIONS = 0x00186011
FUNCTIONAL_GROUPS = (0x52009229, 0x52009230)
PIXEL_DATA = 0x7FE00010
_FLOATS = frozenset({0x7FE00008, 0x7FE00009})
# Retired (PS3.5 7.2), yet written by old toolkits before the pixels too.
_GROUP_LENGTH = 0x7FE00000
MEDIA_CLASS = 0x00020002
# The directory of a medium (PS3.3 Annex F): it lists images, and the scan finds them itself.
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
MAX_VALUE = 65536

_WINDOW = 16384
_HEADER_LIMIT = 8 << 20
_UNDEFINED = 0xFFFFFFFF
_LONG = frozenset(b"OB OW OF OD OL OV SQ UT UN UC UR SV UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_TAG = struct.Struct("<HH")
_SHORT_LENGTH = struct.Struct("<H")
_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<HH2sH")
_SECOND_LOOK = SEQUENCES | {*FUNCTIONAL_GROUPS, REGIONS}


class Surprise(Exception):
    """Something that this small parser does not cover."""


@dataclass(frozen=True, slots=True, repr=False)
class Parsed:
    """The raw elements of ``WANTED`` and where the pixels are.

    Attributes
    ----------
    raw
        Value bytes by tag, little endian; a sequence is only marked.
    pixel_offset, pixel_length
        Of the value of Pixel Data in the stream; no length when it is encapsulated.
    functional_groups
        Pydicom data set with the functional group sequences, or None.
    """

    raw: dict[int, bytes]
    transfer_syntax: str
    has_pixels: bool
    pixel_offset: int | None = None
    pixel_length: int | None = None
    functional_groups: Any = None


def parse(stream: BinaryIO) -> Parsed | None:
    """Parse from the start of ``stream``; None when pydicom must look at it."""
    try:
        name, media, start = meta(stream)
        if media == MEDIA_DIRECTORY:
            return Parsed({MEDIA_CLASS: media.encode()}, name, False)
        if name == syntax.DEFLATED_LITTLE:
            return _elements(BytesIO(inflate(stream, start, _HEADER_LIMIT)), 0, name)
        if name in syntax.PLAIN or name in syntax.ENCAPSULATED:
            return _elements(stream, start, name)
    except (Surprise, struct.error, zlib.error):
        pass
    return None


def meta(stream: BinaryIO) -> tuple[str, str, int]:
    """Return transfer syntax, media storage SOP class, offset of the data set (PS3.10 7.1)."""
    stream.seek(0)
    data = stream.read(4096)
    if data[128:132] != b"DICM":
        raise Surprise
    name, media, at = "", "", 132
    while True:
        group, element = _TAG.unpack_from(data, at)
        if group != 0x0002:
            break
        vr = data[at + 4 : at + 6]
        if vr in _LONG:
            begin, length = at + 12, _LENGTH.unpack_from(data, at + 8)[0]
        elif vr in _SHORT:
            begin, length = at + 8, _SHORT_LENGTH.unpack_from(data, at + 6)[0]
        else:
            raise Surprise
        at = begin + length
        if element in (0x0002, 0x0010):
            value = data[begin:at].rstrip(b" \0").decode("ascii", "replace")
            name, media = (value, media) if element == 0x0010 else (name, value)
    return name, media, at


def inflate(stream: BinaryIO, start: int, limit: int) -> bytes:
    """Inflate a deflated data set (PS3.5 A.5), at most ``limit`` bytes: bombs stop there."""
    stream.seek(start)
    worker, parts, room = zlib.decompressobj(-zlib.MAX_WBITS), [], limit
    while room > 0 and not worker.eof:
        chunk = worker.unconsumed_tail or stream.read(65536)
        if not chunk:
            break
        part = worker.decompress(chunk, room)
        parts.append(part)
        room -= len(part)
    return b"".join(parts)


def pixel_offset(stream: BinaryIO) -> int:
    """Return the offset of the pixels in an inflated data set; raises ``Surprise``."""
    found = _elements(stream, 0, syntax.DEFLATED_LITTLE).pixel_offset
    if found is None:
        raise Surprise
    return found


def _elements(stream: BinaryIO, start: int, name: str) -> Parsed:
    explicit = name != syntax.IMPLICIT_LITTLE
    raw: dict[int, bytes] = {}
    reader = _Reader(stream, start)
    at, last = start, 0
    while True:
        if explicit:
            at, last = reader.plain_run(at, last, raw)
        tag, vr, begin, length = reader.element(at, explicit)
        if tag <= last or tag in FUNCTIONAL_GROUPS or tag == REGIONS:
            raise Surprise
        last = tag
        if tag >> 16 == 0x7FE0 and tag != _GROUP_LENGTH:
            return _pixels(raw, name, tag, begin, length)
        if length == _UNDEFINED:
            if explicit and vr not in (b"SQ", b"UN"):
                raise Surprise
            at = reader.after_sequence(begin, explicit and vr != b"UN", 0)
            # Of an empty one there is nothing but its delimiter.
            if tag in WANTED and at > begin + 8:
                raw[tag] = b"SQ"
            continue
        if tag in WANTED:
            if length > MAX_VALUE:
                raise Surprise
            if tag not in SEQUENCES:
                raw[tag] = reader.value(begin, length)
            elif length:
                raw[tag] = b"SQ"
        at = begin + length


def _pixels(raw: dict[int, bytes], name: str, tag: int, begin: int, length: int) -> Parsed:
    # Any other tag of group 7FE0 below the pixels is an offset table.
    if tag in _FLOATS and name not in syntax.ENCAPSULATED:
        return Parsed(raw, name, True)
    if tag != PIXEL_DATA:
        raise Surprise
    if name in syntax.ENCAPSULATED:
        return Parsed(raw, name, True, begin, None if length == _UNDEFINED else length)
    if length == _UNDEFINED:
        raise Surprise
    return Parsed(raw, name, True, begin, length)


class _Reader:
    """Looks at a stream through a window that moves only forward in big steps."""

    def __init__(self, stream: BinaryIO, start: int) -> None:
        self._stream = stream
        self._base = start
        self._data = b""

    def element(self, at: int, explicit: bool) -> tuple[int, bytes, int, int]:
        """Return tag, VR, offset and length of the value of the element at ``at``."""
        data, here = self._look(at, 12)
        group, element = _TAG.unpack_from(data, here)
        tag = group << 16 | element
        if not explicit or group == 0xFFFE:
            return tag, b"", at + 8, _LENGTH.unpack_from(data, here + 4)[0]
        vr = data[here + 4 : here + 6]
        if vr in _SHORT:
            return tag, vr, at + 8, _SHORT_LENGTH.unpack_from(data, here + 6)[0]
        if vr in _LONG:
            return tag, vr, at + 12, _LENGTH.unpack_from(data, here + 8)[0]
        raise Surprise

    def plain_run(self, at: int, last: int, raw: dict[int, bytes]) -> tuple[int, int]:
        """Skip elements of explicit VR and of known length as far as the window reaches.

        What ``WANTED`` names goes into ``raw``. Stops at whatever needs a second look; this
        loop is most of what a scan does.

        Returns
        -------
        tuple of int
            Where the next element begins, and the tag of the last one.
        """
        data, base = self._data, self._base
        here, end = at - base, len(data) - 12
        while 0 <= here <= end:
            group, element, vr, length = _HEAD.unpack_from(data, here)
            tag = group << 16 | element
            if tag <= last or tag in _SECOND_LOOK or group >= 0x7FE0:
                break
            begin = here + 8
            if vr not in _SHORT:
                if vr not in _LONG:
                    break
                begin = here + 12
                (length,) = _LENGTH.unpack_from(data, here + 8)
                if length == _UNDEFINED:
                    break
            if tag in WANTED:
                if length > MAX_VALUE or begin + length > len(data):
                    break
                raw[tag] = data[begin : begin + length]
            last = tag
            here = begin + length
        return base + here, last

    def value(self, begin: int, length: int) -> bytes:
        data, here = self._look(begin, length)
        found = data[here : here + length]
        if len(found) < length:
            raise Surprise
        return found

    def after_sequence(self, at: int, explicit: bool, depth: int) -> int:
        """Return the offset behind a sequence of undefined length (PS3.5 7.5)."""
        if depth > 16:
            raise Surprise
        while True:
            tag, _, begin, length = self.element(at, explicit)
            if tag == 0xFFFEE0DD:
                return begin
            if tag != 0xFFFEE000:
                raise Surprise
            at = (
                begin + length if length != _UNDEFINED else self._after_item(begin, explicit, depth)
            )

    def _after_item(self, at: int, explicit: bool, depth: int) -> int:
        while True:
            tag, vr, begin, length = self.element(at, explicit)
            if tag == 0xFFFEE00D:
                return begin
            if length != _UNDEFINED:
                at = begin + length
            elif explicit and vr not in (b"SQ", b"UN"):
                raise Surprise
            else:
                at = self.after_sequence(begin, explicit and vr != b"UN", depth + 1)

    def _look(self, at: int, count: int) -> tuple[bytes, int]:
        here = at - self._base
        if here < 0 or here + count > len(self._data):
            self._stream.seek(at)
            self._data = self._stream.read(max(_WINDOW, count))
            self._base, here = at, 0
        return self._data, here
