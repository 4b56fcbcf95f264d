"""What every kind of archive is unpacked by: the limits, the counting, the numbered files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from resources.text import translate
from viewer.study import scratch
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.scratch import Scratch

Progress = Callable[[int, int], None]

MAX_BYTES = 20 << 30
MAX_ENTRIES = 200_000
MAX_RATIO = 200
FREE_BYTES = 2 << 30
# Small archives may shrink any amount: an even image does.
RATIO_FLOOR = 64 << 20

CHUNK = 1 << 20
_DISK_EVERY = 64 << 20
_DRIVE = re.compile(r"^[A-Za-z]:")


class Refused(Exception):
    """The whole archive is not opened; the text is the translated reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, repr=False)
class Job:
    """One archive that is being unpacked.

    Attributes
    ----------
    room
        Where its members go.
    packed
        Bytes of the archive.
    members, skipped
        As of ``archives.Unpacked``.
    entries, written
        How many entries were met, how many bytes came out.
    """

    room: Scratch
    packed: int
    progress: Progress | None
    cancelled: CancelCheck | None
    members: list[tuple[Path, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    entries: int = 0
    written: int = 0
    checked: int = -_DISK_EVERY

    def entry(self) -> None:
        """Count one entry of the archive."""
        stop_if(self.cancelled)
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            raise Refused(too_many())

    def count(self, size: int) -> None:
        """Count bytes before they are written or thrown away."""
        stop_if(self.cancelled)
        self.written += size
        if self.written > MAX_BYTES or (
            self.written > RATIO_FLOOR and self.written > MAX_RATIO * self.packed
        ):
            raise Refused(
                translate(
                    "study",
                    "The archive was not opened: unpacked, it would be far larger than images are.",
                )
            )
        if self.written - self.checked >= _DISK_EVERY:
            self.checked = self.written
            if scratch.free_bytes(self.room.folder) < FREE_BYTES + _DISK_EVERY:
                raise Refused(
                    translate("study", "The archive was not opened: the disk has no room for it.")
                )

    def skip(self, name: str, reason: str) -> None:
        """Tell that a member is left out."""
        self.skipped.append((shown(name), reason))

    def take(self, name: str, source: IO[bytes]) -> None:
        """Write one member; one that is damaged is told and removed."""
        path = self.room.new_file(self.entries, clean(name))
        try:
            with scratch.create(path) as target:
                while data := _read(source):
                    self.count(len(data))
                    target.write(data)
        except _Broken:
            path.unlink(missing_ok=True)
            self.skip(name, translate("study", "The file is damaged inside the archive."))
            return
        self.members.append((path, shown(name)))


class _Broken(Exception):
    """A member cannot be unpacked, whatever the library says of it."""


def _read(source: IO[bytes]) -> bytes:
    try:
        return source.read(CHUNK)
    except (Refused, MemoryError):
        raise
    except OSError as error:
        if error.errno is not None:
            raise
        raise _Broken from None
    except Exception:
        raise _Broken from None


def too_many() -> str:
    """Return the reason of an archive of too many entries."""
    return translate(
        "study", "The archive was not opened: it holds more than {count} files."
    ).format(count=MAX_ENTRIES)


def damaged() -> Refused:
    """Return what is raised for an archive that is damaged as a whole."""
    return Refused(translate("study", "The archive is damaged or cut short."))


def outside(name: str) -> bool:
    """Return whether a member's name leads out of the folder that it is unpacked to."""
    name = name.replace("\\", "/")
    return name.startswith("/") or bool(_DRIVE.match(name)) or ".." in name.split("/")


def clean(name: str) -> PurePosixPath:
    """Return a member's name as a path, with slashes."""
    return PurePosixPath(name.replace("\\", "/"))


def shown(name: str) -> str:
    """Return a member's name for a message: a relative path, no control characters."""
    printable = "".join(c if c.isprintable() else "?" for c in name.replace("\\", "/"))
    return printable.replace(":", "_").lstrip("/")[-300:] or "?"


def reason_outside() -> str:
    """Return the reason of a name that leads out."""
    return translate("study", "Its name leads out of the archive.")


def reason_link() -> str:
    """Return the reason of a link."""
    return translate("study", "Links are not followed.")


def reason_empty() -> str:
    """Return the reason of a file of no bytes."""
    return translate("study", "The file is empty.")


def reason_special() -> str:
    """Return the reason of a device or its like."""
    return translate("study", "This is not a regular file.")
