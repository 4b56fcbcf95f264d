"""Look-up tables of one file, read when they are needed: few files have one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resources.problem import Problem
from resources.text import translate
from viewer.display.lookup import Lookup
from viewer.study.series import InstanceHeader, Plane
from viewer.study.words import plain

_MODALITY, _VOI = 0x00283000, 0x00283010
# Says of which type the first value of a table is where the file does not (implicit VR).
_PIXEL_REPRESENTATION = 0x00280103
# More are no choice that anyone would look through.
_MAX_TABLES = 64
_ENTRIES = 1 << 16


def modality_lookup(instance: InstanceHeader) -> Lookup:
    """Return the Modality LUT of a file that has one: stored values to what they measure.

    Raises
    ------
    Problem
        When it is damaged or the file cannot be read: without it every value is wrong.
    """
    try:
        return _lookups(*_state(instance), _MODALITY, instance.signed)[0]
    except Exception as error:
        # Of malformed sequences pydicom raises nearly anything.
        raise Problem(
            translate("study", "The modality look-up table of {name} cannot be read.").format(
                name=instance.name
            ),
            translate("study", "Copy the study again from where it came from."),
            type(error).__name__,
        ) from None


def voi_lookups(instance: InstanceHeader, plane: Plane) -> tuple[Lookup, ...]:
    """Return the VOI LUTs of a file: rescaled values to grey. Damaged ones are left out.

    Parameters
    ----------
    plane
        Whose values are to be shown: they may be below 0 when its intercept is, and so then
        may be the first value of a table (PS3.3 C.11.2.1.1).
    """
    if not instance.has_voi_lut or instance.file_format != "dicom":
        return ()
    signed = not instance.has_modality_lut and (instance.signed or plane.intercept < 0)
    try:
        found = _lookups(*_state(instance), _VOI, signed)
    except Exception:
        return ()
    return tuple(lookup for lookup in found if lookup.entries.min() < lookup.entries.max())


def _state(instance: InstanceHeader) -> tuple[Path, int, int]:
    # Together they change when the file does.
    info = instance.path.stat()
    return instance.path, info.st_size, info.st_mtime_ns


@lru_cache(maxsize=8)
def _lookups(path: Path, _size: int, _modified: int, tag: int, signed: bool) -> tuple[Lookup, ...]:
    # Late: a plain study opens sooner than pydicom is imported.
    from viewer.study.pydicom_header import elements

    data = elements(path, (_PIXEL_REPRESENTATION, tag))
    little = data.original_encoding[1] is not False
    found = []
    for item in data[tag].value[:_MAX_TABLES]:
        try:
            found.append(_lookup(item, little, signed))
        except Exception:
            # One damaged table does not spoil the others, but is the only one of its kind.
            if tag == _MODALITY:
                raise
    return tuple(found)


def _lookup(data: Any, little: bool, signed: bool) -> Lookup:
    count, first, bits = (int(value) & 0xFFFF for value in data.LUTDescriptor)
    if signed and first >= 0x8000:
        first -= 0x10000
    count = count or _ENTRIES
    entries = _entries(data["LUTData"].value, count, little)
    explanation = data.get("LUTExplanation") or data.get("ModalityLUTType") or ""
    # Some writers name 16 bits for every word; entries beyond the bits named are there as well.
    bits = max(min(bits, 16), int(entries.max()).bit_length(), 1)
    return Lookup(first, entries, bits, plain(str(explanation)))


def _entries(value: Any, count: int, little: bool) -> npt.NDArray[np.uint16]:
    if isinstance(value, (bytes, bytearray)):
        # Two bytes an entry, or with 8 bits one (PS3.3 C.11.1.1.1).
        wide = len(value) >= 2 * count
        kind = np.dtype(np.uint16).newbyteorder("<" if little else ">") if wide else np.uint8
        found = np.frombuffer(value, dtype=kind)
    else:
        several = value if isinstance(value, Iterable) else [value]
        found = np.asarray([int(entry) & 0xFFFF for entry in several], dtype=np.uint16)
        if len(found) < count <= 2 * len(found):
            found = found.view(np.uint8)
    if len(found) < count:
        raise ValueError("fewer entries than the descriptor says")
    return np.ascontiguousarray(found[:count], dtype=np.uint16)
