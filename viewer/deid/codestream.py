"""Words that a camera or a codec wrote into compressed frames: comments and EXIF, made blank."""

from __future__ import annotations

import struct

_ITEM = b"\xfe\xff\x00\xe0"
# JPEG, ISO/IEC 10918-1 B.1.1.3: comment; application data but for JFIF, colour of JPEG-LS (APP8)
# and of Adobe (APP14), without which the colours are wrong.
_JPEG = frozenset({0xFE, *range(0xE1, 0xF0)} - {0xE8, 0xEE})
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_SCAN, _JPEG_OVER = 0xDA, 0xD9
# JPEG 2000, ISO/IEC 15444-1 A.9.2: comment; then two bytes that say what it is.
_J2K_COMMENT, _J2K_TILE = 0x64, 0x90


def blank_comments(data: bytes) -> bytes:
    """Return encapsulated Pixel Data (PS3.5 A.4) of the same length, comments of frames blank.

    Notes
    -----
    Fragments that only go on with a frame hold no headers. Video is left as it is.
    """
    out = bytearray(data)
    at = 0
    while data[at : at + 4] == _ITEM and at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        start, end = at + 8, min(at + 8 + length, len(data))
        if data[start : start + 3] == b"\xff\xd8\xff":
            _jpeg(out, start + 2, end)
        elif data[start : start + 4] == b"\xff\x4f\xff\x51":
            _j2k(out, start + 2, end)
        at = end
    return bytes(out)


def _jpeg(out: bytearray, at: int, end: int) -> None:
    while at + 4 <= end and out[at] == 0xFF:
        kind = out[at + 1]
        if kind == 0xFF:  # filled up
            at += 1
            continue
        if kind in _JPEG_ALONE:
            at += 2
            continue
        if kind in (_JPEG_SCAN, _JPEG_OVER):
            return
        (length,) = struct.unpack_from(">H", out, at + 2)
        if kind in _JPEG:
            _blank(out, at + 4, min(at + 2 + length, end))
        at += 2 + max(length, 2)


def _j2k(out: bytearray, at: int, end: int) -> None:
    while at + 4 <= end and out[at] == 0xFF and out[at + 1] != _J2K_TILE:
        (length,) = struct.unpack_from(">H", out, at + 2)
        if out[at + 1] == _J2K_COMMENT:
            _blank(out, at + 6, min(at + 2 + length, end))
        at += 2 + max(length, 2)


def _blank(out: bytearray, start: int, end: int) -> None:
    if end > start:
        out[start:end] = b" " * (end - start)
