"""Bytes of a file at any place, those of a compressed one from a private inflated copy."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO

from resources.problem import Problem
from resources.text import translate
from viewer.study import scratch
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.inflate import Inflating
from viewer.study.scratch import Scratch

_CHUNK = 1 << 20
_TRAILER = 1 << 16
_FREE_BYTES = 2 << 30


class Short(Exception):
    """The file ends before the bytes that were asked for."""


class Spool:
    """Reads a file as if it were not compressed; inflates only as far as it is asked to.

    Parameters
    ----------
    path
        The file.
    start
        Byte at which the stream begins; offsets count from there.
    compression
        As of ``inflate.Inflating``; empty for bytes as they are.
    needed
        Bytes of the inflated stream that will ever be asked for. No more are inflated.
    under
        What must last as long as this, such as the folder of an unpacked archive.
    about
        What its owner wants to find again with it.
    """

    def __init__(
        self,
        path: Path,
        start: int,
        compression: str,
        needed: int,
        *,
        under: object | None = None,
        about: object | None = None,
    ) -> None:
        self._path = path
        self._start = start
        self._compression = compression
        self._needed = needed
        self.under = under
        self.about = about
        self._lock = threading.Lock()
        self._room: Scratch | None = None
        self._packed: BinaryIO | None = None
        self._copy: BinaryIO | None = None
        self._source: Inflating | None = None
        self._done = 0

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Remove the inflated copy."""
        for stream in (self._packed, self._copy):
            if stream is not None:
                stream.close()
        self._packed = self._copy = self._source = None
        if self._room is not None:
            self._room.close()
            self._room = None
        self._done = 0

    def read(self, offset: int, size: int, cancelled: CancelCheck | None = None) -> bytes:
        """Return ``size`` bytes from ``offset`` on.

        Raises
        ------
        Short
            When the stream ends before.
        inflate.Damaged
            When it is damaged.
        Problem
            When the disk has no room for the inflated copy.
        """
        if not self._compression:
            with self._path.open("rb", buffering=0) as stream:
                return _exactly(stream, self._start + offset, size)
        with self._lock:
            self._inflate(min(offset + size, self._needed), cancelled)
            assert self._copy is not None
            return _exactly(self._copy, offset, size)

    def _inflate(self, until: int, cancelled: CancelCheck | None) -> None:
        if self._source is None:
            self._begin()
        assert self._source is not None
        assert self._copy is not None
        self._copy.seek(self._done)
        while self._done < until:
            stop_if(cancelled)
            data = self._source.some(min(_CHUNK, self._needed - self._done))
            if not data:
                raise Short
            self._copy.write(data)
            self._done += len(data)
            if self._done == self._needed:
                # The checksum stands behind the last byte.
                self._source.read(_TRAILER)

    def _begin(self) -> None:
        room = Scratch()
        try:
            if scratch.free_bytes(room.folder) < self._needed + _FREE_BYTES:
                raise Problem(
                    translate("study", "The disk has no room to unpack the file."),
                    translate("study", "Free {mb} MB, then open it again.").format(
                        mb=(self._needed + _FREE_BYTES) >> 20
                    ),
                )
            path = room.folder / "inflated"
            scratch.create(path).close()
            self._packed = self._path.open("rb")
            self._packed.seek(self._start)
            self._copy = path.open("r+b", buffering=0)
        except BaseException:
            room.close()
            raise
        self._room = room
        self._source = Inflating(self._packed, self._compression)


def _exactly(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    parts, left = [], size
    while left > 0:
        part = stream.read(left)
        if not part:
            raise Short
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
