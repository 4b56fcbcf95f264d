"""What a compressed image says of itself, before a decoder believes it with memory."""

from __future__ import annotations

import itertools
import struct

_START, _END = b"\xff\xd8", b"\xff\xd9"
_SIZE_2000 = b"\xff\x4f\xff\x51"
# Where a JPEG 2000 codestream begins in a JP2 file, which some writers leave around it.
_BOXES = 4096
# One byte makes a fragment even; some writers leave more behind the image.
_PADDING = 64
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})


def jpeg_size(data: bytes) -> tuple[int, int, int] | None:
    """Return rows, columns and samples of a JPEG or JPEG-LS image (ISO 10918-1 B.2.2)."""
    if not data.startswith(_START):
        return None
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _ALONE:
            at += 2
        elif (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == 0xF7:
            head = data[at + 5 : at + 10]
            if len(head) < 5:
                return None
            rows, columns = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big")
            return rows, columns, head[4]
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def jpeg_2000_size(data: bytes) -> tuple[int, int, int] | None:
    """Return rows, columns and samples of a JPEG 2000 image (ISO 15444-1 A.5.1)."""
    at = data.find(_SIZE_2000, 0, _BOXES)
    head = data[at + 8 : at + 42]
    if at < 0 or len(head) < 34:
        return None
    right, bottom, left, top = (int.from_bytes(head[n : n + 4], "big") for n in (0, 4, 8, 12))
    return bottom - top, right - left, int.from_bytes(head[32:34], "big")


def ends(data: bytes) -> bool:
    """Return whether the image has its end marker; the marker stands nowhere else in it."""
    return _END in data[-_PADDING:]


def rle_segments(data: bytes, count: int) -> bool:
    """Return whether an RLE image has ``count`` segments, each in its place (PS3.5 G.5)."""
    head = struct.unpack_from("<16I", data) if len(data) >= 64 else ()
    offsets = (*head[1 : count + 1], len(data))
    ascending = all(a < b for a, b in itertools.pairwise(offsets))
    return head[:1] == (count,) and offsets[0] == 64 and ascending
