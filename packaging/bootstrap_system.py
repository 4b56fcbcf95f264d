"""What the operating system must bring: Python's own venv, and Qt's libraries on Linux."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from resources.problem import Problem
from resources.text import translate

# Shared library -> Debian package, for what PySide6-Essentials 6.11 leaves to the system:
# read by ldd off QtCore, QtGui, QtWidgets, QtSvg and the platform plugins in a bare Debian 12.
ALWAYS = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",  # depends on a font, too
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
WITH_DISPLAY = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def loads(library: str) -> bool:
    """Tell whether the loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing(display: bool) -> dict[str, str]:
    """Return what is missing, each with the Debian package that brings it."""
    found: dict[str, str] = {}
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        found["venv"] = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if platform.system() == "Linux":
        wanted = ALWAYS | (WITH_DISPLAY if display else {})
        found |= {name: package for name, package in wanted.items() if not loads(name)}
    return found


def prepare(*, display: bool) -> None:
    """See that the system has what Overread needs; as root on Debian or Ubuntu, install it.

    Raises
    ------
    Problem
        When something is missing and this user cannot install it, with the line to type.
    """
    lacking = missing(display)
    if not lacking:
        return
    packages = sorted(set(lacking.values()))
    debian = Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None
    if sys.platform == "win32" or not debian:
        raise Problem(
            translate("start", "This system lacks {names}.").format(names=", ".join(lacking)),
            translate("start", "Install them with its package manager, then start again."),
        )
    line = "apt-get install -y --no-install-recommends " + " ".join(packages)
    if os.geteuid() != 0:
        raise Problem(
            translate("start", "This system lacks {count} packages that Overread needs.").format(
                count=len(packages)
            ),
            translate("start", "Type this line, then start again:") + f"\nsudo {line}",
        )
    print(
        translate("start", "Installing system packages: {names}").format(names=" ".join(packages)),
        flush=True,
    )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], line.split()):
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace",
        )  # fmt: skip
        # A failed update alone is no reason to stop: the packages may be known already.
        if done.returncode and command[1] == "install":
            raise Problem(
                translate(
                    "start", "Debian's package manager could not install them: {reason}"
                ).format(reason=(done.stderr.strip().splitlines() or ["?"])[-1]),
                translate("start", "Check the network and the disk, then type: {line}").format(
                    line=line
                ),
            )
    importlib.invalidate_caches()
    if lacking := missing(display):
        raise Problem(
            translate("start", "This system still lacks {names}.").format(names=", ".join(lacking)),
            translate("start", "Install them by hand, then start again."),
        )
