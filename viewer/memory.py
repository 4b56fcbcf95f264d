"""How much memory is free, before something is read that nobody has asked for yet. No Qt."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path

# Of what is free; the rest is the model's, the reader's own case and that of other programs.
_SHARE = 0.25


def free_bytes() -> int | None:
    """Return the memory that programs can still take, in bytes; None where it is not told."""
    try:
        system = platform.system()
        if system == "Linux":
            return _linux()
        if system == "Windows":
            return _windows()
        # macOS tells only all of it without a call of another program: half of it is assumed.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (OSError, ValueError, AttributeError):
        return None


def has_room_for(size_bytes: int) -> bool:
    """Tell whether something can be read ahead without taking memory from what is at work."""
    free = free_bytes()
    return free is not None and size_bytes <= free * _SHARE


def _linux() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no MemAvailable")


def _windows() -> int:
    class Status(ctypes.Structure):
        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in (
                "total", "free", "total_page", "free_page", "total_virtual", "free_virtual",
                "free_extended",
            )),
        ]  # fmt: skip

    status = Status(length=ctypes.sizeof(Status))
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        raise OSError("GlobalMemoryStatusEx")
    return int(status.free)
