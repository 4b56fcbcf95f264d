"""The same elements as ``plain_header``, by pydicom: for every file that is not plain.

Imported only when such a file turns up: pydicom takes longer to import than a plain study
takes to open.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_dataset
from pydicom.multival import MultiValue

from viewer.study import marks, plain_header, syntax
from viewer.study.plain_header import Parsed, Surprise
from viewer.study.quiet import hush

_TAGS: list[Any] = sorted(plain_header.WANTED | set(plain_header.FUNCTIONAL_GROUPS))
_BINARY = frozenset(
    {0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280120}
    | {0x00280121}
    | {group << 16 | 0x0010 for group in range(0x6000, 0x6020, 2)}
)


# Larger than the header of any image, functional groups of 20,000 frames included.
_MOST_BYTES = 48 << 20
_MOST_INFLATED = 32 << 20


class _Bounded(BufferedReader):
    """Refuses to read more than a header has, or all at once: no length of the file is trusted.

    pydicom inflates a deflated file with one such read, whatever comes of it: a bomb. The plain
    parser reads those, with a bound.
    """

    _room = _MOST_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > self._room:
            raise Surprise
        self._room -= size
        return super().read(size)


def elements(path: Path, tags: Sequence[int]) -> Any:
    """Return a pydicom data set of some elements; raises nearly anything when it is malformed."""
    hush()
    wanted: list[Any] = list(tags)
    with path.open("rb", buffering=0) as stream:
        try:
            name, _, start = plain_header.meta(stream)
        except (Surprise, struct.error):
            name, start = "", 0
        if name == syntax.DEFLATED_LITTLE:
            inflated = BytesIO(plain_header.inflate(stream, start, _MOST_INFLATED))
            return read_dataset(inflated, False, True, stop_when=_at_pixels, specific_tags=wanted)
        stream.seek(0)
        reader = _Bounded(stream, 65536)
        try:
            return pydicom.dcmread(
                reader, stop_before_pixels=True, force=True, specific_tags=wanted
            )
        finally:
            reader.detach()


def _at_pixels(tag: Any, _vr: str | None, _length: int) -> bool:
    return int(tag) >> 16 == 0x7FE0


def parse(stream: BinaryIO) -> Parsed:
    """Parse the header of ``stream``; raises nearly anything when the file is malformed."""
    hush()
    reader = _Bounded(stream, 65536)  # type: ignore[arg-type]
    try:
        data = pydicom.dcmread(reader, stop_before_pixels=True, force=True, specific_tags=_TAGS)
        at = reader.tell()
        tail = reader.read(12)
    finally:
        reader.detach()
    meta = getattr(data, "file_meta", None)
    implicit, little = data.original_encoding
    name = str(meta.get("TransferSyntaxUID", "") if meta is not None else "").strip()
    if not name:
        name = _guess(bool(implicit), bool(little))
    raw = {tag: value for tag in plain_header.WANTED if (value := _raw(data, tag, little))}
    if meta is not None:
        raw[plain_header.MEDIA_CLASS] = str(meta.get("MediaStorageSOPClassUID", "")).encode()
    groups = data if any(tag in data for tag in plain_header.FUNCTIONAL_GROUPS) else None
    offset, length, has_pixels = _pixels(tail, at, bool(implicit), bool(little))
    return Parsed(raw, name, has_pixels, offset, length, groups)


def _guess(implicit: bool, little: bool) -> str:
    if implicit:
        return syntax.IMPLICIT_LITTLE
    return syntax.EXPLICIT_LITTLE if little else syntax.EXPLICIT_BIG


def _raw(data: Any, tag: int, little: bool | None) -> bytes:
    if tag not in data:
        return b""
    if tag == plain_header.REGIONS:
        return _region_spacing(data[tag].value)
    item = data.get_item(tag)
    if tag in plain_header.SEQUENCES:
        return b"SQ" if item.value else b""
    if not isinstance(item, RawDataElement):
        # pydicom decodes the character set and empty values itself.
        value = item.value
        if value is None:
            return b""
        several = value if isinstance(value, MultiValue) else [value]
        return "\\".join(str(part) for part in several).encode("latin-1", "replace")
    found = bytes(item.value or b"")
    if tag in _BINARY and not little:
        found = found[1::-1]
    if tag in marks.DOUBLES and not little:
        found = b"".join(found[at : at + 8][::-1] for at in range(0, len(found), 8))
    return found


def _region_spacing(regions: Any) -> bytes:
    """Return the DS pair (between rows, between columns) in mm of PS3.3 C.8.5.5, or nothing.

    Only where all regions of tissue agree: one spacing stands for the whole image.
    """
    try:
        found = {
            (abs(float(region.PhysicalDeltaY)) * 10, abs(float(region.PhysicalDeltaX)) * 10)
            for region in regions
            if region.get("RegionSpatialFormat") == 1
            and region.get("PhysicalUnitsXDirection") == region.get("PhysicalUnitsYDirection") == 3
            and region.get("PhysicalDeltaX")
            and region.get("PhysicalDeltaY")
        }
    except Exception:
        # Nested values are parsed only now; a spacing is not worth the file.
        return b""
    return "\\".join(map(repr, found.pop())).encode() if len(found) == 1 else b""


def _pixels(
    tail: bytes, at: int, implicit: bool, little: bool
) -> tuple[int | None, int | None, bool]:
    order: Any = "little" if little else "big"
    group = int.from_bytes(tail[0:2], order)
    tag = group << 16 | int.from_bytes(tail[2:4], order)
    if tag not in (plain_header.PIXEL_DATA, 0x7FE00008, 0x7FE00009):
        return None, None, False
    begin = 8 if implicit else 12
    length = int.from_bytes(tail[begin - 4 : begin], order)
    if tag != plain_header.PIXEL_DATA:
        return None, None, True
    return at + begin, None if length == 0xFFFFFFFF else length, True
