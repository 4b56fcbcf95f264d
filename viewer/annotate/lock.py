"""One process at a time changes a case: a lock that dies with its process.

The operating system holds the lock on an open file, so a crash cannot leave it behind; what
the file says about its owner is only for the sentence that others are shown.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from resources.problem import Problem
from resources.text import translate
from viewer.annotate.journal import utc_now

_FILE = "lock"
_LENGTH = 512
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}
# Windows refuses others even to read a locked range: so lock a byte behind the text.
_LOCKED_BYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a case: computer, process, and since when (ISO 8601, UTC)."""

    host: str
    pid: int
    utc: str


class CaseLock:
    """The right to change one case.

    Parameters
    ----------
    folder
        The case's own folder.

    Raises
    ------
    Problem
        When another process has it, or the folder cannot be written. The case can then be
        opened for reading only.
    """

    def __init__(self, folder: Path) -> None:
        self._handle: int | None = None
        # What is left in the file when its owner died without closing.
        self.stale: Owner | None = None
        file = folder / _FILE
        try:
            handle = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            raise Problem(
                translate("annotate", "The folder of saved work cannot be written to."),
                translate("annotate", "The case is open for reading only; nothing is saved."),
                repr(error),
            ) from error
        try:
            _lock(handle)
        except OSError as error:
            owner = _read(handle)
            os.close(handle)
            if error.errno in _TAKEN:
                raise _held(owner, repr(error)) from error
            raise Problem(
                translate("annotate", "The folder of saved work lies where it cannot be locked."),
                translate("annotate", "Move the data folder to a disk of this computer."),
                repr(error),
            ) from error
        self._handle = handle
        self.stale = _read(handle)
        # On a full disk the lock itself holds, only its text is missing.
        with contextlib.suppress(OSError):
            _write(handle, {"host": platform.node(), "pid": os.getpid(), "utc": utc_now()})

    def release(self) -> None:
        """Give the case free; harmless when that was done."""
        if self._handle is None:
            return
        with contextlib.suppress(OSError):
            _write(self._handle, None)
        os.close(self._handle)
        self._handle = None


def _held(owner: Owner | None, detail: str) -> Problem:
    remedy = translate("annotate", "You can read it here; close it there to change it here.")
    if owner is None:
        return Problem(
            translate("annotate", "This case is open in another Overread."), remedy, detail
        )
    sentence = translate(
        "annotate",
        "This case is open in another Overread on {host} (process {pid}, since {time} UTC).",
    ).format(host=owner.host, pid=owner.pid, time=owner.utc[:16].replace("T", " "))
    return Problem(sentence, remedy, detail)


def _read(handle: int) -> Owner | None:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        found = json.loads(os.read(handle, _LENGTH))
        return Owner(str(found["host"]), int(found["pid"]), str(found["utc"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(handle: int, value: dict[str, str | int] | None) -> None:
    data = b"" if value is None else json.dumps(value).encode()
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, data.ljust(_LENGTH))


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
