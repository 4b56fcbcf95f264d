"""Decompression with a bound on every step: what comes out is counted, never believed."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

_CHUNK = 1 << 18
# A dictionary of more is not what anybody packs images with; xz -9 wants 65 MB.
_LZMA_MEMORY = 256 << 20

MAGIC = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"))


class Damaged(Exception):
    """What was compressed is damaged or cut short."""


class _Worker(Protocol):
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


_MAKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "zlib": lambda: zlib.decompressobj(wbits=47),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY),
}
_ERRORS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


def compression(start: bytes) -> str:
    """Return how a file that starts so is compressed: gzip, bzip2, xz or empty."""
    return next((name for magic, name in MAGIC if start.startswith(magic)), "")


class Inflating:
    """Reads a compressed stream forward; several streams one after another are one.

    Parameters
    ----------
    stream
        The compressed bytes; read from where it stands.
    kind
        ``"gzip"``, ``"zlib"``, ``"bzip2"``, ``"xz"`` or ``""`` for bytes as they are.
    """

    def __init__(self, stream: BinaryIO, kind: str) -> None:
        self._stream = stream
        self._kind = kind
        self._worker: Any = _MAKERS[kind]() if kind else None
        self._rest = b""
        self._ended = False

    def some(self, size: int = _CHUNK) -> bytes:
        """Return 1 to ``size`` bytes; nothing at the end.

        Raises
        ------
        Damaged
            When the stream is damaged or ends too early.
        OSError
            When it cannot be read.
        """
        if not self._kind:
            return self._stream.read(size)
        while not self._ended:
            worker = self._worker
            if not self._rest and (worker.eof or getattr(worker, "needs_input", True)):
                self._rest = self._stream.read(_CHUNK)
                if not self._rest:
                    # What zlib still holds comes without further input.
                    part = b"" if worker.eof else self._step(size)
                    if part:
                        return part
                    self._ended = True
                    if not self._worker.eof:
                        raise Damaged
                    break
            part = self._step(size)
            if part:
                return part
        return b""

    def _step(self, size: int) -> bytes:
        if self._worker.eof:
            # Another member may follow; padding and junk do not count.
            self._rest = self._rest.lstrip(b"\0")
            if not self._rest:
                return b""
            if not self._rest.startswith(tuple(m for m, name in MAGIC if name == self._kind)):
                self._ended = True
                return b""
            self._worker = _MAKERS[self._kind]()
        data, self._rest = self._rest, b""
        try:
            part: bytes = self._worker.decompress(data, size)
        except _ERRORS:
            raise Damaged from None
        if self._worker.eof:
            self._rest = self._worker.unused_data
        else:
            self._rest = getattr(self._worker, "unconsumed_tail", b"")
        return part

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer at the end only; ``tarfile`` asks for few at a time."""
        parts = []
        while size > 0 and (part := self.some(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
