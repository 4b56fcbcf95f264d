"""One frame of a file that needs a decoder. Runs in the decoding process alone.

Knows pydicom and the codecs, and trusts neither the file nor them: what comes back has the
size and the type that the request names, or a reason why not.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.encaps import get_frame
from pydicom.filereader import read_dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from viewer.study import bits, codestream, palette, plain_header, syntax
from viewer.study.quiet import hush

_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_PLANAR = 0x00280006
_EXTENDED = (0x7FE00001, 0x7FE00002)
_KEYWORDS = {
    0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"
}  # fmt: skip
_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")
_HEADER_ROOM = 16 << 20
_UNDEFINED = 0xFFFFFFFF

# Loaded now: the codecs are looked up at the first decoding otherwise.
hush()
for _name in syntax.ENCAPSULATED:
    get_decoder(UID(_name))


class Failure(Exception):
    """The frame cannot be had; the text is one of the kinds that ``decode`` has words for."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is needed of a file beside the request.

    Attributes
    ----------
    value
        Offset of the value of the pixel data.
    options
        For the decoder: planar configuration, VR, keyword, offsets of frames.
    fragments
        Offset and length of each fragment of encapsulated pixel data.
    inflated
        The data set of a deflated file.
    """

    value: int
    options: dict[str, Any]
    fragments: tuple[tuple[int, int], ...] = ()
    inflated: bytes = b""


class Memory:
    """The facts of the file asked for last: its next frame is likely to be asked for next."""

    def __init__(self) -> None:
        self._pictures: Any = None
        self._key: tuple[Any, ...] = ()
        self._facts: _Facts | None = None

    def facts(self, request: Mapping[str, Any], stream: BinaryIO) -> _Facts:
        """Return the facts of the file of ``request``, open as ``stream``."""
        info = os.fstat(stream.fileno())
        key = request["path"], info.st_size, info.st_mtime_ns
        if self._facts is None or key != self._key:
            self._facts = None
            self._facts, self._key = _facts(request, stream, info.st_size), key
        return self._facts

    def picture(self, request: Mapping[str, Any]) -> npt.NDArray[Any]:
        """Return a page of a file that is no DICOM."""
        if self._pictures is None:
            from viewer.study.raster import Decoder

            self._pictures = Decoder()
        found: npt.NDArray[Any] = self._pictures.frame(request["path"], request["frame"])
        if request["frames"] == 1:
            self._pictures.close()  # on Windows nobody could remove it else
        return found


def answer(request: Mapping[str, Any], memory: Memory) -> tuple[dict[str, Any], memoryview]:
    """Return the head of the reply and the bytes of a frame or of a palette; never raises."""
    try:
        with open(request["path"], "rb") as stream:  # noqa: PTH123 - may hold no path's text
            if request["format"] == "raster":
                found: npt.NDArray[Any] = memory.picture(request)
            elif request["kind"] == "palette":
                found = _palette(request, stream)
            else:
                found = _frame(request, memory.facts(request, stream), stream)
    except Failure as failure:
        return _failed(str(failure))
    except MemoryError:
        return _failed("memory")
    except OSError as error:
        if error.errno is None:
            return _failed("damaged", type(error).__name__)
        return {**_failed("unreadable", type(error).__name__)[0], "errno": error.errno}, _NONE
    except BaseException as error:
        # Decoders raise nearly anything, a Rust panic is no Exception, and what they say may
        # quote the file.
        return _failed("damaged", type(error).__name__)
    found = np.ascontiguousarray(found)
    head = {"shape": found.shape, "dtype": found.dtype.str, "bytes": found.nbytes}
    return head, memoryview(found.data).cast("B")


_NONE = memoryview(b"")


def _failed(kind: str, detail: str = "") -> tuple[dict[str, Any], memoryview]:
    return {"failure": kind, "detail": detail}, _NONE


# -- facts ----------------------------------------------------------------------------------


def _facts(request: Mapping[str, Any], stream: BinaryIO, size: int) -> _Facts:
    name = request["syntax"]
    if name == syntax.DEFLATED_LITTLE:
        return _deflated(request, stream)
    start = request["fragments"]
    alone = request["samples"] == 1 and request["frames"] == 1
    if start is not None and alone:
        # Nothing else of the header matters.
        return _Facts(start, {}, _fragments(stream, start, size))
    data = pydicom.dcmread(
        stream, stop_before_pixels=True, force=True, specific_tags=[_PLANAR, *_EXTENDED]
    )
    little = name != syntax.EXPLICIT_BIG
    value, options = _element(
        stream,
        implicit=name == syntax.IMPLICIT_LITTLE,
        little=little,
        packed=name in syntax.ENCAPSULATED,
    )
    options.update(_options(data))
    if name not in syntax.ENCAPSULATED:
        return _Facts(value, options)
    return _Facts(value, options, _fragments(stream, value, size))


def _deflated(request: Mapping[str, Any], stream: BinaryIO) -> _Facts:
    _, _, start = plain_header.meta(stream)
    limit = (request["frame_bits"] * request["frames"] + 7) // 8 + _HEADER_ROOM
    inflated = plain_header.inflate(stream, start, limit)
    inside = io.BytesIO(inflated)
    data = read_dataset(
        inside,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, vr, length: int(tag) in _KEYWORDS,
        specific_tags=[pydicom.tag.Tag(_PLANAR)],
    )
    value, options = _element(inside, implicit=False, little=True, packed=False)
    return _Facts(value, options | _options(data), inflated=inflated)


def _element(
    stream: BinaryIO, *, implicit: bool, little: bool, packed: bool
) -> tuple[int, dict[str, Any]]:
    """Read the head of the pixel data element, at which the header ended."""
    order: Any = "little" if little else "big"
    head = stream.read(8)
    if len(head) < 8:
        raise Failure("cut-short")
    tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)
    if tag not in _KEYWORDS:
        raise Failure("damaged")
    options: dict[str, Any] = {"pixel_keyword": _KEYWORDS[tag]}
    length = head[4:8]
    # Some writers of compressed files leave the VR out, against PS3.5 A.4.
    if not implicit and head[4:6] in _VRS:
        options["pixel_vr"] = head[4:6].decode("ascii", "replace")
        length = stream.read(4)
    if (int.from_bytes(length, order) == _UNDEFINED) != packed:
        raise Failure("syntax")  # only encapsulated pixels are of undefined length (PS3.5 A.4)
    return stream.tell(), options


def _options(data: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"planar_configuration": 0}
    if _PLANAR in data and data[_PLANAR].value in (0, 1):
        found["planar_configuration"] = data[_PLANAR].value
    if all(tag in data for tag in _EXTENDED):
        found["extended_offsets"] = tuple(data[tag].value for tag in _EXTENDED)
    return found


def _fragments(stream: BinaryIO, at: int, size: int) -> tuple[tuple[int, int], ...]:
    """Return where the fragments are; none may reach beyond the end of the file.

    Decoders fill what is missing with anything and say nothing.
    """
    found = []
    stream.seek(at - 4)
    if stream.read(8)[:4] == _ITEM:
        at -= 4  # the header said a VR, the element has none
    while at < size:
        stream.seek(at)
        item = stream.read(8)
        if item[:4] == _DELIMITER:
            break
        length = int.from_bytes(item[4:], "little")
        if len(item) < 8 or item[:4] != _ITEM or at + 8 + length > size:
            raise Failure("cut-short")
        found.append((at + 8, length))
        at += 8 + length
    # Some writers leave the delimiter out; every item is there. The first is the offset table.
    return tuple(found[1:])


# -- pixels ---------------------------------------------------------------------------------


def _frame(request: Mapping[str, Any], facts: _Facts, stream: BinaryIO) -> npt.NDArray[Any]:
    """Return one frame: (row, column), or (row, column, 3) in RGB."""
    name, number = request["syntax"], request["frame"]
    options = dict(facts.options)
    for key in (
        "rows", "columns", "bits_allocated", "bits_stored", "pixel_representation",
        "photometric_interpretation",
    ):  # fmt: skip
        options[key] = request[key]
    options["samples_per_pixel"] = request["samples"]
    options["number_of_frames"] = request["frames"]
    options.setdefault("pixel_keyword", "PixelData")
    source: Any = stream
    if name in syntax.ENCAPSULATED:
        data = _compressed(request, facts, stream)
        _believe(request, data)
        source = _ITEM + bytes(4) + _ITEM + len(data).to_bytes(4, "little") + data
        number, options["number_of_frames"] = 0, 1
        options.pop("extended_offsets", None)
        options["pixel_keyword"] = "PixelData"
        if name != syntax.RLE:
            options["planar_configuration"] = 0  # PS3.5 8.2: colour by pixel
    elif facts.inflated:
        source = io.BytesIO(facts.inflated)
    if source is stream or facts.inflated:
        source.seek(facts.value)
        _require_bytes(request, source, number)
        if request["bits_allocated"] == 1:
            return _unpacked(request, source, number)
    floats = options["pixel_keyword"] != "PixelData"
    if floats:
        del options["pixel_representation"], options["bits_stored"]
    if name not in syntax.JPEG_2000 | syntax.JPEG_LS:
        options["correct_unused_bits"] = False  # looked at before they are lost
    found, properties = get_decoder(UID(name)).as_array(
        source, index=number, decoding_plugin=_PLUGINS.get(name, ""), **options
    )
    if request["samples"] == 3 and properties["photometric_interpretation"] != "RGB":
        raise Failure("colour")
    return _finished(found, request, floats)


# Of several that could, the one that was measured faster or is stricter.
_PLUGINS = {
    **dict.fromkeys(syntax.JPEG_2000, "pylibjpeg"),
    **dict.fromkeys(syntax.JPEG_LS, "pyjpegls"),
    syntax.RLE: "pylibjpeg",
}


def _compressed(request: Mapping[str, Any], facts: _Facts, stream: BinaryIO) -> bytes:
    """Return the codestream of the frame."""
    number, count, fragments = request["frame"], request["frames"], facts.fragments
    if len(fragments) < count:
        raise Failure("cut-short")
    if count > 1 and len(fragments) != count:
        stream.seek(facts.value)
        return get_frame(
            stream,
            number,
            number_of_frames=count,
            extended_offsets=facts.options.get("extended_offsets"),
        )
    wanted = fragments if count == 1 else fragments[number : number + 1]
    parts = []
    for at, length in wanted:
        stream.seek(at)
        parts.append(stream.read(length))
    return b"".join(parts)


def _believe(request: Mapping[str, Any], data: bytes) -> None:
    """Raise when the codestream is of another size than the header, or ends too early."""
    name = request["syntax"]
    if name == syntax.RLE:
        if not codestream.rle_segments(data, request["samples"] * request["bits_allocated"] // 8):
            raise Failure("damaged")
        return
    two_thousand = name in syntax.JPEG_2000
    said = codestream.jpeg_2000_size(data) if two_thousand else codestream.jpeg_size(data)
    if said is None:
        raise Failure("damaged")
    rows, columns, samples = said
    # JPEG may tell the number of rows behind the image, and then says 0 (ISO 10918-1 B.2.5).
    if (rows or request["rows"], columns, samples) != (
        request["rows"], request["columns"], request["samples"]
    ):  # fmt: skip
        raise Failure("size")
    if not codestream.ends(data):
        raise Failure("cut-short")


def _require_bytes(request: Mapping[str, Any], source: BinaryIO, number: int) -> None:
    at = source.tell()
    there = source.seek(0, os.SEEK_END) - at
    source.seek(at)
    if there * 8 < request["frame_bits"] * (number + 1):
        raise Failure("cut-short")


def _unpacked(request: Mapping[str, Any], source: BinaryIO, number: int) -> npt.NDArray[np.uint8]:
    """Return a frame of bits, which may begin and end within a byte (PS3.5 8.1.1)."""
    count = request["frame_bits"]
    begin, end = number * count, (number + 1) * count
    source.seek(begin // 8, os.SEEK_CUR)
    raw = np.frombuffer(source.read((end + 7) // 8 - begin // 8), dtype=np.uint8)
    found = np.unpackbits(raw, bitorder="little")[begin % 8 :][:count]
    return found.reshape(request["rows"], request["columns"])


def _finished(
    found: npt.NDArray[Any], request: Mapping[str, Any], floats: bool
) -> npt.NDArray[Any]:
    shape: tuple[int, ...] = (request["rows"], request["columns"])
    if request["samples"] == 3:
        shape = (*shape, 3)
    if found.shape != shape:
        raise Failure("size")
    if floats:
        return found.astype(f"<f{request['bits_allocated'] // 8}")
    if found.dtype.kind not in "iu":
        raise Failure("damaged")
    if request["bits_allocated"] > 32:
        raise Failure("bits")
    signed = request["pixel_representation"] == 1
    stored = bits.stored_type(request["bits_allocated"], signed=signed)
    # Decoders of 12-bit pixels may return a wider or an unsigned type: the bits count.
    wide = found.astype(stored, order="C", casting="unsafe", copy=True)
    if request["bits_allocated"] == 1:
        return wide
    width, high = request["bits_stored"], request["high_bit"]
    native = request["syntax"] in syntax.NATIVE or request["syntax"] == syntax.RLE
    if high >= width and native:
        moved = bits.lowered(wide, signed=signed, bits_stored=width, high_bit=high)
        if moved is None:
            raise Failure("bits")
        return moved
    if high + 1 >= width:
        bits.trim(wide, signed=signed, bits_stored=width)
    return wide


def _palette(request: Mapping[str, Any], stream: BinaryIO) -> npt.NDArray[np.uint8]:
    name = request["syntax"]
    if name == syntax.DEFLATED_LITTLE:
        _, _, start = plain_header.meta(stream)
        inflated = plain_header.inflate(stream, start, _HEADER_ROOM)
        data: Any = read_dataset(
            io.BytesIO(inflated), is_implicit_VR=False, is_little_endian=True,
            stop_when=lambda tag, vr, length: int(tag) in _KEYWORDS,
            specific_tags=[pydicom.tag.Tag(tag) for tag in palette.TAGS],
        )  # fmt: skip
    else:
        data = pydicom.dcmread(
            stream, stop_before_pixels=True, force=True, specific_tags=list(palette.TAGS)
        )
    try:
        return palette.table(
            data,
            bits=request["bits_allocated"],
            signed=request["pixel_representation"] == 1,
            big=name == syntax.EXPLICIT_BIG,
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise Failure("palette") from None
