"""A copy of a volume in another order, so that its last axis is looked along at full speed.

A slice along the last index axis lies scattered over the whole volume: each of its voxels is in
another line of the processor's cache. In a copy with that axis first it is one piece. The other
two axes need none: their slices are whole, or whole rows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.display.slab import Span

# Below this a scattered slice is quick enough.
_WORTH_BYTES = 8 << 20
# What must be left to the rest of the computer beside the copy.
_SPARE_BYTES = 1 << 30
# Slices that are transposed one by one, then put in place together: both stay in the cache.
_AT_ONCE = 8


class Reordered:
    """The voxels of one volume, with a copy along the last axis or without.

    Parameters
    ----------
    voxels
        (k, j, i), C order.
    copy
        The same as (i, k, j), or None.
    """

    def __init__(self, voxels: npt.NDArray[Any], copy: npt.NDArray[Any] | None = None) -> None:
        k, j, i = voxels.shape
        if copy is not None and copy.shape != (i, k, j):
            raise ValueError("not a copy of this volume")
        self.voxels = voxels
        self._copy = copy

    @property
    def has_copy(self) -> bool:
        """Whether there is a copy."""
        return self._copy is not None

    def block(self, axis: int, span: Span) -> npt.NDArray[Any]:
        """Return slices along an axis as (slice, ., .): a view, the other axes ascending."""
        if axis == 2 and self._copy is not None:
            return self._copy[slice(*span)]
        return np.moveaxis(self.voxels[(slice(None),) * axis + (slice(*span),)], axis, 0)


def is_worth_it(voxels: npt.NDArray[Any], free_bytes: int | None) -> bool:
    """Tell whether a copy of a volume pays, and whether there is memory for it.

    Parameters
    ----------
    free_bytes
        As ``free_memory`` says; when nobody knows, no copy is made.
    """
    if voxels.nbytes < _WORTH_BYTES or min(voxels.shape) < 2 or free_bytes is None:
        return False
    return voxels.nbytes + max(_SPARE_BYTES, voxels.nbytes) <= free_bytes


def reordered(voxels: npt.NDArray[Any], cancelled: Callable[[], bool]) -> npt.NDArray[Any] | None:
    """Return a copy of (k, j, i) voxels as (i, k, j), not writeable; None when cancelled.

    Runs in a thread; other threads go on between its pieces of about a millisecond.

    Raises
    ------
    MemoryError
        When there is no room for it.
    """
    k, j, i = voxels.shape
    out = np.empty((i, k, j), dtype=voxels.dtype)
    piece = np.empty((i, min(_AT_ONCE, k), j), dtype=voxels.dtype)
    for first in range(0, k, _AT_ONCE):
        last = min(first + _AT_ONCE, k)
        for n in range(first, last):
            if cancelled():
                return None
            piece[:, n - first] = voxels[n].T
        for along in range(0, i, 64):
            if cancelled():
                return None
            rows = slice(along, along + 64)
            out[rows, first:last] = piece[rows, : last - first]
    out.flags.writeable = False
    return out


def free_memory() -> int | None:
    """Return the bytes of memory that programs may still take, or None when nobody says."""
    if sys.platform == "win32":
        return _free_on_windows()
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        line = next(line for line in text.splitlines() if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        pass
    try:
        # What is free is not told here; a quarter of all is a cautious guess.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
    except (ValueError, OSError):
        return None


def give_back() -> None:
    """Give memory that was freed back to the system, where the C library keeps it.

    glibc keeps what reading a series and taking in a result have freed: 30 to 40 MB. Takes
    milliseconds; not for the GUI thread.
    """
    if sys.platform != "linux":
        return
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)


def _free_on_windows() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
        )

    status = Status()
    status.length = ctypes.sizeof(Status)
    kernel = getattr(ctypes, "windll", None)
    if kernel is None or not kernel.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.free)
