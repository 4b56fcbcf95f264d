"""Stored values of the frames of one file, by the shortest way that the file allows."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from resources.problem import Problem
from resources.text import translate
from viewer.study import plain_header, syntax
from viewer.study.quiet import mute_loggers
from viewer.study.series import InstanceHeader
from viewer.study.suitable import cut_short

_HEADER_ROOM = 16 << 20
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


def is_direct(instance: InstanceHeader) -> bool:
    """Return whether the 16-bit pixels of the file are already as they lie in memory."""
    return (
        instance.pixel_offset is not None
        and instance.bits_allocated == 16
        and instance.samples_per_pixel == 1
        and instance.high_bit == instance.bits_stored - 1
        and sys.byteorder == "little"
    )


def read_into(
    instance: InstanceHeader, frame: int, target: npt.NDArray[np.uint16]
) -> npt.NDArray[Any]:
    """Read one frame of a direct file into ``target`` (row, column), without a copy.

    Returns
    -------
    ndarray
        A view of ``target`` as the stored type, int16 or uint16, unused bits removed.

    Raises
    ------
    Problem
        When the file cannot be read or is cut short.
    """
    assert instance.pixel_offset is not None  # is_direct
    view = memoryview(target.data).cast("B")
    try:
        with instance.path.open("rb", buffering=0) as stream:
            stream.seek(instance.pixel_offset + frame * instance.frame_bytes)
            while len(view):
                count = stream.readinto(view)
                if not count:
                    raise cut_short(instance)
                view = view[count:]
    except OSError as error:
        raise unreadable(instance, error) from None
    stored = target.view(np.int16) if instance.signed else target
    trim(stored, instance)
    return stored


def trim(stored: npt.NDArray[Any], instance: InstanceHeader) -> None:
    """Clear or sign-extend, in place, the bits above Bits Stored (PS3.5 8.1.1).

    Old scanners keep overlays there; some writers leave the sign bits out.
    """
    spare = stored.dtype.itemsize * 8 - instance.bits_stored
    if spare <= 0:
        return
    if instance.signed:
        np.left_shift(stored, spare, out=stored)
        np.right_shift(stored, spare, out=stored)
    else:
        np.bitwise_and(stored, stored.dtype.type((1 << instance.bits_stored) - 1), out=stored)


def frames(instance: InstanceHeader, wanted: Sequence[int]) -> list[npt.NDArray[Any]]:
    """Read or decode some frames.

    Parameters
    ----------
    instance
        Greyscale, one sample a pixel, 8, 16 or 32 bits.
    wanted
        Frames, counted from 0.

    Returns
    -------
    list of ndarray
        (row, column) each, of the stored type, own memory.

    Raises
    ------
    Problem
        When the file is cut short or cannot be decoded.
    """
    if is_direct(instance):
        size = (instance.rows, instance.columns)
        return [read_into(instance, n, np.empty(size, dtype=np.uint16)) for n in wanted]
    try:
        if instance.transfer_syntax == syntax.DEFLATED_LITTLE:
            return [_finish(array, instance) for array in _deflated(instance, wanted)]
        _require_all_fragments(instance)
        return [_finish(array, instance) for array in _decoded(instance, wanted)]
    except Problem:
        raise
    except MemoryError:
        raise
    except OSError as error:
        raise unreadable(instance, error) from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # Decoders raise nearly anything, a Rust panic is no Exception, and what they say may
        # quote the file.
        raise undecodable(instance, type(error).__name__) from None


def _require_all_fragments(instance: InstanceHeader) -> None:
    """Raise when an item of encapsulated pixel data reaches beyond the end of the file.

    Decoders fill what is missing with anything and say nothing.
    """
    at = instance.fragments_offset
    if at is None:
        return
    with instance.path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        while at < size:
            stream.seek(at)
            item = stream.read(8)
            if item[:4] == _DELIMITER:
                return
            at += 8 + int.from_bytes(item[4:], "little")
            if len(item) < 8 or item[:4] != _ITEM or at > size:
                raise cut_short(instance)
    # Some writers leave the delimiter out; every item is there.


def _decoded(instance: InstanceHeader, wanted: Sequence[int]) -> Iterator[npt.NDArray[Any]]:
    # Late: a plain study opens sooner than pydicom is imported.
    import pydicom
    from pydicom.pixels.utils import iter_pixels

    mute_loggers()
    source: Any = instance.path
    if not _is_part_10(instance):
        source = pydicom.dcmread(instance.path, force=True)
        if "TransferSyntaxUID" not in source.file_meta:
            source.file_meta.TransferSyntaxUID = pydicom.uid.UID(instance.transfer_syntax)
    # The RLE decoder of pylibjpeg panics on lies about lengths and prints a traceback.
    plugin = "pydicom" if instance.transfer_syntax == syntax.RLE else ""
    return iter_pixels(source, indices=list(wanted), raw=True, decoding_plugin=plugin)


def _is_part_10(instance: InstanceHeader) -> bool:
    with instance.path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _deflated(instance: InstanceHeader, wanted: Sequence[int]) -> list[npt.NDArray[Any]]:
    size = instance.frame_bytes
    with instance.path.open("rb") as stream:
        _, _, start = plain_header.meta(stream)
        data = plain_header.inflate(stream, start, size * instance.n_frames + _HEADER_ROOM)
    begin = plain_header.pixel_offset(io.BytesIO(data))
    kind = np.dtype(f"{'i' if instance.signed else 'u'}{instance.bits_allocated // 8}")
    shape = (instance.rows, instance.columns)
    found = []
    for frame in wanted:
        part = data[begin + frame * size : begin + (frame + 1) * size]
        if len(part) < size:
            raise cut_short(instance)
        found.append(np.frombuffer(part, dtype=kind.newbyteorder("<")).reshape(shape))
    return found


def _finish(array: npt.NDArray[Any], instance: InstanceHeader) -> npt.NDArray[Any]:
    if array.shape != (instance.rows, instance.columns):
        raise undecodable(instance, "shape")
    kind = np.dtype(f"{'i' if instance.signed else 'u'}{instance.bits_allocated // 8}")
    if array.dtype.kind not in "iu":
        raise undecodable(instance, "type")
    # Decoders of 12-bit pixels may return a wider or an unsigned type: the bits count.
    wide = array.astype(kind, order="C", casting="unsafe", copy=True)
    if instance.bits_stored <= instance.high_bit + 1 <= instance.bits_allocated:
        trim(wide, instance)
    return wide


def undecodable(instance: InstanceHeader, detail: str) -> Problem:
    """Return the problem of a file whose pixels cannot be decoded."""
    return Problem(
        translate("study", "The image in {name} cannot be decoded.").format(
            name=instance.path.name
        ),
        translate("study", "Copy the study again, or ask for it uncompressed."),
        f"{detail} {instance.transfer_syntax}",
    )


def unreadable(instance: InstanceHeader, error: OSError) -> Problem:
    """Return the problem of a file that the system does not hand out."""
    return Problem(
        translate("study", "The file {name} cannot be read.").format(name=instance.path.name),
        translate("study", "Check that the medium is still connected, then open the study again."),
        f"{type(error).__name__} {error.errno}",
    )
