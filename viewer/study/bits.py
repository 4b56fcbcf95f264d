"""The bits of stored values: which of a pixel cell count, and as which type of number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def stored_type(bits_allocated: int, *, signed: bool) -> np.dtype[Any]:
    """Return the type of whole numbers that a pixel cell holds; bits come as bytes."""
    size = max(1, bits_allocated // 8)
    return np.dtype(f"{'i' if signed and bits_allocated > 1 else 'u'}{size}")


def trim(stored: npt.NDArray[Any], *, signed: bool, bits_stored: int) -> None:
    """Clear or sign-extend, in place, the bits above Bits Stored (PS3.5 8.1.1).

    Old scanners keep overlays there; some writers leave the sign bits out.
    """
    spare = stored.dtype.itemsize * 8 - bits_stored
    if spare <= 0:
        return
    if signed:
        np.left_shift(stored, spare, out=stored)
        np.right_shift(stored, spare, out=stored)
    else:
        np.bitwise_and(stored, stored.dtype.type((1 << bits_stored) - 1), out=stored)


def lowered(
    stored: npt.NDArray[Any], *, signed: bool, bits_stored: int, high_bit: int
) -> npt.NDArray[Any] | None:
    """Move values that do not start at bit 0 of their cells down to it.

    The standard of old let High Bit (0028,0102) be any; today's wants it one less than Bits
    Stored (PS3.5 8.1.1), and writers exist that name another and mean that.

    Returns
    -------
    ndarray or None
        The values when only one reading is possible: every bit below the value is 0, and a
        value needs the bits that a reading from bit 0 would not have. None otherwise.
    """
    spare = high_bit + 1 - bits_stored
    cells = stored.view(stored.dtype.str.replace("i", "u"))
    if not cells.any():
        return stored
    if (cells & cells.dtype.type((1 << spare) - 1)).any() or int(cells.max()) >> bits_stored == 0:
        return None
    cells = cells >> cells.dtype.type(spare)
    moved: npt.NDArray[Any] = cells.view(stored.dtype)
    trim(moved, signed=signed, bits_stored=bits_stored)
    return moved
