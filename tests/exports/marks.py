"""A reader of DICOM files of its own: none of the program's code, and no library, takes part."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from pathlib import Path

MARK = re.compile(rb"PHI[0-9A-Fa-f]{8}\w*")
LONG = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UN", b"UT", b"UC", b"UR"})
SEQUENCE_END, ITEM, ITEM_END = (0xFFFE, 0xE0DD), (0xFFFE, 0xE000), (0xFFFE, 0xE00D)


def elements(data: bytes, at: int, end: int, depth: int = 0):
    """Yield (group, element, VR, value, depth) of explicit little endian (PS3.5 7.1.2)."""
    while at + 8 <= end:
        tag = struct.unpack_from("<HH", data, at)
        if tag[0] == 0xFFFE:
            (length,) = struct.unpack_from("<I", data, at + 4)
            at += 8
            if tag == ITEM and length != 0xFFFFFFFF:
                yield from elements(data, at, at + length, depth)
                at += length
            continue
        vr = data[at + 4 : at + 6]
        if vr in LONG:
            (length,) = struct.unpack_from("<I", data, at + 8)
            at += 12
        else:
            (length,) = struct.unpack_from("<H", data, at + 6)
            at += 8
        if vr == b"SQ":
            yield *tag, vr, b"", depth
            if length == 0xFFFFFFFF:
                continue  # its items follow, and its end
            yield from elements(data, at, at + length, depth + 1)
        else:
            assert length != 0xFFFFFFFF
            yield *tag, vr, data[at : at + length], depth
        at += length


def walked(path: Path) -> list[tuple[int, int, bytes, bytes, int]]:
    data = path.read_bytes()
    assert data[128:132] == b"DICM"
    return list(elements(data, 132, len(data)))


def top(path: Path) -> dict[tuple[int, int], tuple[bytes, bytes]]:
    """Return VR and value at the top level."""
    return {(g, e): (vr, value) for g, e, vr, value, depth in walked(path) if not depth}


def uids_of(path: Path) -> set[bytes]:
    """Return all UIDs of a file that are not the standard's own."""
    return {
        one
        for _, _, vr, value, _ in walked(path)
        if vr == b"UI"
        for one in value.rstrip(b"\0").split(b"\\")
        if one and not one.startswith(b"1.2.840.10008.")
    }


def uids_in(uids: Iterable[bytes], data: bytes) -> list[bytes]:
    """Return which of the UIDs stand in these bytes, as such and not as a part of longer ones."""
    return [u for u in uids if re.search(rb"(?<![\d.])%s(?![\d.])" % re.escape(u), data)]
