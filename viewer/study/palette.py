"""The colours of PALETTE COLOR images as one table. Runs in the decoding process alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.pixels.processing import _expand_segmented_lut

from viewer.study.bits import stored_type

_DESCRIPTORS = (0x00281101, 0x00281102, 0x00281103)
_DATA = (0x00281201, 0x00281202, 0x00281203)
_SEGMENTED = (0x00281221, 0x00281222, 0x00281223)
TAGS = (0x00280103, *_DESCRIPTORS, *_DATA, *_SEGMENTED)


def table(data: Any, *, bits: int, signed: bool, big: bool) -> npt.NDArray[np.uint8]:
    """Return the colour of every stored value that a pixel can hold (PS3.3 C.7.6.3.1.5, .6).

    Parameters
    ----------
    data
        Pydicom data set with the elements of ``TAGS``.
    bits
        Bits Allocated, 8 or 16.
    signed
        Pixel Representation (0028,0103): then the first value mapped may be below 0.
    big
        Byte order of the file.

    Returns
    -------
    ndarray
        (2 ** bits, 3) uint8 RGB, by the stored value taken as an unsigned number. Values
        below the first one mapped have its colour, those above the last one the last colour.

    Raises
    ------
    ValueError
        When the tables contradict their descriptors.
    """
    values = np.arange(1 << bits, dtype=stored_type(bits, signed=False))
    values = values.view(stored_type(bits, signed=signed))
    channels = []
    for descriptor, plain, segmented in zip(_DESCRIPTORS, _DATA, _SEGMENTED, strict=True):
        count, first, depth = (int(part) & 0xFFFF for part in data[descriptor].value)
        if signed and first >= 0x8000:
            first -= 0x10000
        count = count or 65536
        entries = (
            _plain(bytes(data[plain].value), count, big)
            if plain in data and data[plain].value
            else _expanded(bytes(data[segmented].value), depth, big)
        )
        if len(entries) < count:
            raise ValueError("short table")
        channels.append(entries[np.clip(values.astype(np.int64) - first, 0, count - 1)])
    colours = np.stack(channels, axis=-1)
    # Sixteen bits mean the full range (C.7.6.3.1.6), but writers exist that use eight of them.
    if colours.dtype == np.uint16 and colours.max() > 255:
        colours >>= 8
    return colours.astype(np.uint8)


def _plain(raw: bytes, count: int, big: bool) -> npt.NDArray[Any]:
    """Return the entries; the length alone tells whether one has 8 or 16 bits."""
    if len(raw) >= 2 * count:
        return np.frombuffer(raw, dtype=">u2" if big else "<u2", count=count).astype(np.uint16)
    if len(raw) not in (count, count + 1):
        raise ValueError("short table")
    entries = np.frombuffer(raw, dtype=np.uint8)
    if big and len(raw) % 2 == 0:
        # Two entries a word (PS3.5 8.1.2 and Annex D): the first is the low byte.
        entries = entries.reshape(-1, 2)[:, ::-1].reshape(-1)
    return entries[:count]


def _expanded(raw: bytes, depth: int, big: bool) -> npt.NDArray[Any]:
    """Return the entries of a segmented table (PS3.3 C.7.9.2)."""
    size = 1 if depth == 8 else 2
    words = np.frombuffer(raw[: len(raw) // size * size], dtype=f"{'>' if big else '<'}u{size}")
    form = f"{'>' if big else '<'}{len(words)}{'B' if size == 1 else 'H'}"
    found = _expand_segmented_lut(tuple(int(word) for word in words), form)
    return np.asarray(found).astype(np.uint8 if size == 1 else np.uint16)
