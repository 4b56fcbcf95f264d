"""Stored values of the frames of one file, by the shortest way that the file allows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from viewer.study import bits, decode
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.decode_problems import undecodable, unreadable
from viewer.study.series import InstanceHeader
from viewer.study.suitable import cut_short, pixels_refusal

_CELLS = (8, 16, 32)
_PIXEL_DATA = b"\xe0\x7f\x10\x00"


def is_direct(instance: InstanceHeader) -> bool:
    """Return whether the 16-bit pixels of the file are already as they lie in memory."""
    return instance.bits_allocated == 16 and _is_plain(instance)


def _is_plain(instance: InstanceHeader) -> bool:
    """Return whether the stored values can be copied out of the file."""
    return (
        instance.pixel_offset is not None
        and instance.file_format == "dicom"
        and instance.bits_allocated in _CELLS
        and instance.samples_per_pixel == 1
        and instance.high_bit == instance.bits_stored - 1
        and sys.byteorder == "little"
    )


def read_into(instance: InstanceHeader, frame: int, target: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Read one frame of a plain file into ``target`` (row, column), without a copy.

    Parameters
    ----------
    instance
        For which ``is_direct`` holds.
    frame
        Counted from 0.
    target
        Unsigned, of the size of a pixel cell.

    Returns
    -------
    ndarray
        A view of ``target`` as the stored type, signed or not, unused bits removed.

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
            if frame == 0 and _has_another(instance, stream):
                raise undecodable(instance, "twice")
    except OSError as error:
        raise unreadable(instance, type(error).__name__, error.errno) from None
    stored = target.view(bits.stored_type(instance.bits_allocated, signed=instance.signed))
    bits.trim(stored, signed=instance.signed, bits_stored=instance.bits_stored)
    return stored


def _has_another(instance: InstanceHeader, stream: BinaryIO) -> bool:
    """Return whether a second Pixel Data follows the first: nobody knows which one is meant."""
    end = (instance.pixel_offset or 0) + (instance.pixel_length or 0)
    if instance.file_size < end + 8:
        return False
    stream.seek(end)
    return stream.read(4) == _PIXEL_DATA


def frames(
    instance: InstanceHeader, wanted: Sequence[int], *, cancelled: CancelCheck | None = None
) -> list[npt.NDArray[Any]]:
    """Read or decode some frames.

    Parameters
    ----------
    instance
        Any that ``suitable.pixels_refusal`` has no word against.
    wanted
        Frames, counted from 0.
    cancelled
        Asked before each frame.

    Returns
    -------
    list of ndarray
        Each with memory of its own. Greyscale and PALETTE COLOR: (row, column), of the stored
        type: 8, 16 or 32 bits signed or unsigned, bits as uint8, float32, float64. Other
        colours: (row, column, 3) unsigned RGB of Bits Stored, for only the decoder knows in
        which space a compressed image was written; see ``viewer.study.colour``.

    Raises
    ------
    Problem
        When the file is cut short or cannot be decoded; it names the file and the reason.
    Cancelled
        When ``cancelled`` says so.
    """
    if instance.file_format != "dicom":
        # Late: their readers import what stands above this module.
        from viewer.study import sources

        return sources.frames(instance, wanted, cancelled=cancelled)
    if not _is_plain(instance):
        return decode.decode(instance, wanted, cancelled=cancelled)
    refusal = pixels_refusal(instance)
    if refusal is not None:
        raise refusal
    cell = bits.stored_type(instance.bits_allocated, signed=False)
    found = []
    for frame in wanted:
        stop_if(cancelled)
        target = np.empty((instance.rows, instance.columns), dtype=cell)
        found.append(read_into(instance, frame, target))
    return found
