"""Overlay planes of an image (PS3.3 C.9.2): graphics that the scanner or a reader drew on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.study.series import FrameRef, InstanceHeader
from viewer.study.words import plain

# By element of the group: (60xx,0010) Overlay Rows and so on.
_ROWS, _COLUMNS, _FRAMES, _TYPE, _ORIGIN, _FIRST_FRAME = 0x10, 0x11, 0x15, 0x40, 0x50, 0x51
_ALLOCATED, _BIT, _LABEL, _DESCRIPTION, _DATA = 0x0100, 0x0102, 0x1500, 0x0022, 0x3000
_ELEMENTS = (
    _ROWS, _COLUMNS, _FRAMES, _TYPE, _ORIGIN, _FIRST_FRAME, _ALLOCATED, _BIT, _LABEL,
    _DESCRIPTION, _DATA,
)  # fmt: skip
# Bytes that writers leave out at the end, having rounded down; no more than 16 pixels.
_FORGOTTEN = 2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Overlay:
    """One overlay plane of one frame.

    Attributes
    ----------
    mask
        (row, column) bool of the overlay's own size, not writeable.
    origin_px
        Row and column of the image, from 0, at which its first pixel lies; may be negative.
    label
        Overlay Label (60xx,1500), else Overlay Description (60xx,0022), else empty.
    region
        True for a region of interest, False for graphics (60xx,0040).
    """

    mask: npt.NDArray[np.bool_]
    origin_px: tuple[int, int]
    label: str
    region: bool

    def __repr__(self) -> str:
        # Labels are typed by people, and may name the patient.
        return f"Overlay({self.mask.shape}, {self.origin_px})"

    def on_image(self, rows: int, columns: int) -> npt.NDArray[np.bool_]:
        """Return the part of it that lies on an image of that size: (row, column) bool."""
        out = np.zeros((rows, columns), dtype=np.bool_)
        row, column = self.origin_px
        height, width = self.mask.shape
        top, left = max(row, 0), max(column, 0)
        bottom, right = min(row + height, rows), min(column + width, columns)
        if top < bottom and left < right:
            out[top:bottom, left:right] = self.mask[
                top - row : bottom - row, left - column : right - column
            ]
        return out


def overlays(ref: FrameRef) -> tuple[Overlay, ...]:
    """Read the overlay planes of one frame, those in unused bits of its pixels too.

    Parameters
    ----------
    ref
        Of any kind of file; without overlays costs nothing.

    Returns
    -------
    tuple of Overlay
        By group. Those that are damaged are left out: the image is what counts.
    """
    instance = ref.instance
    if not instance.overlay_groups or instance.file_format != "dicom":
        return ()
    # Late: a plain study opens sooner than pydicom is imported.
    from viewer.study.pydicom_header import elements

    tags = [group << 16 | each for group in instance.overlay_groups for each in _ELEMENTS]
    try:
        data = elements(instance.path, tags)
    except Exception:
        # Of malformed files pydicom raises nearly anything.
        return ()
    found = []
    for group in instance.overlay_groups:
        try:
            overlay = _overlay(_Group(data, group), ref)
        except Exception:
            continue
        if overlay is not None:
            found.append(overlay)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Group:
    """The elements of one overlay group."""

    data: Any
    group: int

    def value(self, element: int) -> Any:
        tag = self.group << 16 | element
        return self.data[tag].value if tag in self.data else None

    def number(self, element: int, default: int) -> int:
        value = self.value(element)
        return default if value is None or value == "" else int(value)


def _overlay(group: _Group, ref: FrameRef) -> Overlay | None:
    rows, columns = group.number(_ROWS, 0), group.number(_COLUMNS, 0)
    count, first = group.number(_FRAMES, 1), group.number(_FIRST_FRAME, 1)
    if rows < 1 or columns < 1 or count < 1:
        return None
    frame = ref.frame - (first - 1)
    if count == 1 and group.value(_FIRST_FRAME) is None:
        frame = 0  # said of no frame, it is of all
    if not 0 <= frame < count:
        return None
    packed = group.value(_DATA)
    if packed is None:
        mask = _embedded(group, ref, rows, columns)
    else:
        mask = _unpacked(bytes(packed), frame, rows, columns)
    if mask is None:
        return None
    mask.flags.writeable = False
    row, column = (int(part) for part in group.value(_ORIGIN) or (1, 1))
    label = str(group.value(_LABEL) or group.value(_DESCRIPTION) or "")
    region = str(group.value(_TYPE) or "").strip() == "R"
    return Overlay(mask, (row - 1, column - 1), plain(label), region)


def _unpacked(packed: bytes, frame: int, rows: int, columns: int) -> npt.NDArray[np.bool_] | None:
    """Return one frame of Overlay Data: bits, the first the lowest (PS3.5 8.1.2)."""
    size = rows * columns
    begin = frame * size
    end = (begin + size + 7) // 8
    part = packed[begin // 8 : end]
    if len(part) < end - begin // 8 - _FORGOTTEN:
        return None
    part = part.ljust(end - begin // 8, b"\0")
    bits = np.unpackbits(np.frombuffer(part, dtype=np.uint8), bitorder="little")
    return bits[begin % 8 : begin % 8 + size].reshape(rows, columns).astype(np.bool_)


def _embedded(
    group: _Group, ref: FrameRef, rows: int, columns: int
) -> npt.NDArray[np.bool_] | None:
    """Return a plane that lies in a bit of Pixel Data above those stored (retired, PS3.5 8.1.2)."""
    instance, bit = ref.instance, group.number(_BIT, 0)
    used = range(instance.high_bit - instance.bits_stored + 1, instance.high_bit + 1)
    if (
        (rows, columns) != (instance.rows, instance.columns)
        or group.number(_ALLOCATED, 0) != instance.bits_allocated
        or instance.bits_allocated not in (8, 16)
        or instance.samples_per_pixel != 1
        or not 0 <= bit < instance.bits_allocated
        or bit in used
    ):
        return None
    pixels = _whole_pixels(instance, ref.frame)
    return None if pixels is None else (pixels >> bit & 1).astype(np.bool_)


def _whole_pixels(instance: InstanceHeader, frame: int) -> npt.NDArray[Any] | None:
    """Return the pixels of a frame with all their bits; None unless they are plain."""
    if instance.pixel_offset is None or instance.cut_short:
        return None
    with instance.path.open("rb") as stream:
        stream.seek(instance.pixel_offset + frame * instance.frame_bytes)
        data = stream.read(instance.frame_bytes)
    kind = np.dtype(f"<u{instance.bits_allocated // 8}")
    return np.frombuffer(data, dtype=kind).reshape(instance.rows, instance.columns)
