"""Private temporary folders for what was unpacked or inflated; none outlives its need.

A folder goes when its ``Scratch`` is closed or no longer used, at the latest at the end of the
program; those of a program that was killed go when the next one looks for images.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import sys
import tempfile
import threading
import weakref
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from viewer import folders

_ROOM = "unpacked"
_LOCK = ".lock"
_guard = threading.Lock()
_homes: dict[Path, Path] = {}
_held: dict[Path, BinaryIO] = {}


class Scratch:
    """One private folder (0700) with a random name.

    Attributes
    ----------
    folder
        Where it is.
    names
        Of what lies in it under a number: its true name.
    """

    def __init__(self, under: object | None = None) -> None:
        self.folder = _home() / secrets.token_hex(8)
        self.folder.mkdir(mode=0o700)
        self.names: dict[Path, PurePosixPath] = {}
        self._by_name: dict[PurePosixPath, Path] = {}
        # What this one was made from must last as long.
        self.under = under
        self._finalizer = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def new_file(self, number: int, name: PurePosixPath) -> Path:
        """Return the path of a new numbered file and remember its true name."""
        path = self.folder / f"{number:06d}"
        self.names[path] = name
        self._by_name[name] = path
        return path

    def sibling(self, path: Path, name: str) -> Path | None:
        """Return the file that truly lies beside ``path`` under ``name``, or None."""
        own = self.names.get(path)
        return None if own is None else self._by_name.get(own.parent / name)

    def close(self) -> None:
        """Remove the folder."""
        self._finalizer()


def create(path: Path) -> BinaryIO:
    """Create a private file (0600) that must not be there yet and follow no link."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600), "wb")


def free_bytes(folder: Path) -> int:
    """Return the free room of the disk of ``folder``."""
    return shutil.disk_usage(folder).free


def sweep() -> threading.Thread | None:
    """Remove, in the background, what programs that were killed left behind.

    Returns
    -------
    Thread or None
        None when there was nothing.
    """
    try:
        room = _room()
        locks = [room / name for name in os.listdir(room) if name.endswith(_LOCK)]  # noqa: PTH208
    except OSError:
        return None
    left = [lock for lock in locks if lock not in _held]
    if not left:
        return None
    thread = threading.Thread(target=_sweep, args=(left,), name="overread-sweep", daemon=True)
    thread.start()
    return thread


def _sweep(locks: list[Path]) -> None:
    for lock in locks:
        try:
            stream = lock.open("r+b", buffering=0)
        except OSError:
            continue
        with stream:
            if not _try_lock(stream):
                continue  # its program lives
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            if sys.platform != "win32":
                lock.unlink(missing_ok=True)
        if sys.platform == "win32":
            try:
                lock.unlink(missing_ok=True)
            except OSError:
                continue


def _room() -> Path:
    try:
        room = folders.cache_dir() / _ROOM
        room.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        # A home that may not be written, or a full one.
        user = os.getuid() if hasattr(os, "getuid") else "user"
        room = Path(tempfile.gettempdir()) / f"overread-{user}"
        room.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and room.lstat().st_uid != os.getuid():
            raise
    return room


def _home() -> Path:
    """Return the folder of this process, made and locked on first use."""
    with _guard:
        room = _room()
        home = _homes.get(room)
        if home is not None and home.is_dir():
            return home
        while True:
            home = room / secrets.token_hex(8)
            lock = home.with_suffix(_LOCK)
            stream = create(lock)
            # Another process may have swept the lock away before it was locked.
            if _try_lock(stream) and lock.exists():
                break
            stream.close()
        home.mkdir(mode=0o700)
        _homes[room], _held[lock] = home, stream
        return home


def _try_lock(stream: BinaryIO) -> bool:
    """Lock a file until it is closed or the process dies; False when another holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@atexit.register
def _leave() -> None:
    for home in _homes.values():
        shutil.rmtree(home, ignore_errors=True)
    for lock, stream in _held.items():
        stream.close()
        try:
            lock.unlink(missing_ok=True)
        except OSError:
            continue
    _homes.clear()
    _held.clear()
