"""Tells whether SQLite had to leave finished commits of a write-ahead log behind.

SQLite silently stops at the first damaged frame of a log. What follows it was committed and
is lost; a reader must be told so. Format: https://www.sqlite.org/fileformat.html, section 4.
"""

from __future__ import annotations

import struct
import sys
import time
from pathlib import Path

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_INDEX_SIZE = 48
_NATIVE = "<" if sys.byteorder == "little" else ">"
_TRIES, _PAUSE_S = 100, 0.01
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}


def has_lost_commits(database: Path) -> bool:
    """Tell whether the log of a database holds commits that SQLite did not take.

    To be called when a connection of this process has read from the database and is closed
    again, and no process writes. Not before: closing a file drops all locks that a process has
    on it, those of an open connection too, and another process then takes its index away
    (https://www.sqlite.org/howtocorrupt.html, section 2.2).

    Returns
    -------
    bool
        True when a frame of the log's present generation ends a commit and was not taken, or
        when the log's own header is damaged while frames follow it.
    """
    log = database.with_name(f"{database.name}-wal")
    try:
        stream = log.open("rb")
    except FileNotFoundError:
        return False
    with stream:
        head = stream.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return False
        magic, _, page, _, salt1, salt2, check1, check2 = _HEADER.unpack(head)
        size = log.stat().st_size
        if magic not in _MAGIC or _checksum(head[:24], _MAGIC[magic]) != (check1, check2):
            return size > _HEADER.size
        index = _index(database)
        if index is None or index[1:] not in ((0, 0), (salt1, salt2)):
            return False  # of a log that is being made anew, or that was just begun again
        at = _HEADER.size + index[0] * (_FRAME.size + page)
        while at + _FRAME.size + page <= size:
            stream.seek(at)
            _, commit, frame_salt1, frame_salt2, _, _ = _FRAME.unpack(stream.read(_FRAME.size))
            if commit and (frame_salt1, frame_salt2) == (salt1, salt2):
                return True
            at += _FRAME.size + page
    return False


def _index(database: Path) -> tuple[int, int, int] | None:
    """Return how many frames SQLite took, and the salts of the log that it took them from.

    Noughts when it made no index, None when another process goes on making one.
    """
    for _ in range(_TRIES):
        try:
            with database.with_name(f"{database.name}-shm").open("rb") as stream:
                data = stream.read(2 * _INDEX_SIZE)
        except FileNotFoundError:
            return 0, 0, 0
        head, twin = data[:_INDEX_SIZE], data[_INDEX_SIZE:]
        # Written twice, one after the other, and ending in a checksum, in the machine's byte
        # order (https://www.sqlite.org/walformat.html, section 2.1); the salts as in the log.
        same = len(twin) == _INDEX_SIZE and head == twin and head[12]
        if same and _checksum(head[:40], _NATIVE) == struct.unpack("=2I", head[40:]):
            (taken,) = struct.unpack("=I", head[16:20])
            salt1, salt2 = struct.unpack(">2I", head[32:40])
            return taken, salt1, salt2
        time.sleep(_PAUSE_S)
    return None


def _checksum(data: bytes, order: str) -> tuple[int, int]:
    s0 = s1 = 0
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        s0 = (s0 + even + s1) & 0xFFFFFFFF
        s1 = (s1 + odd + s0) & 0xFFFFFFFF
    return s0, s1
