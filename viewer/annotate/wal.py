"""Tells whether SQLite had to leave finished commits of a write-ahead log behind.

SQLite silently stops at the first damaged frame of a log. What follows it was committed and
is lost; a reader must be told so. Format: https://www.sqlite.org/fileformat.html, section 4.
"""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}


def has_lost_commits(database: Path) -> bool:
    """Tell whether the log of a database holds commits that SQLite did not take.

    To be called while a connection of this process is open that has read from the database,
    and none writes.

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
        at = _HEADER.size + _valid_frames(database) * (_FRAME.size + page)
        while at + _FRAME.size + page <= size:
            stream.seek(at)
            _, commit, frame_salt1, frame_salt2, _, _ = _FRAME.unpack(stream.read(_FRAME.size))
            if commit and (frame_salt1, frame_salt2) == (salt1, salt2):
                return True
            at += _FRAME.size + page
    return False


def _valid_frames(database: Path) -> int:
    # mxFrame of the index that SQLite made of the log, in the machine's byte order
    # (https://www.sqlite.org/walformat.html, section 2.1).
    try:
        with database.with_name(f"{database.name}-shm").open("rb") as stream:
            head = stream.read(20)
    except FileNotFoundError:
        return 0
    return int(struct.unpack("=I", head[16:])[0]) if len(head) == 20 else 0


def _checksum(data: bytes, order: str) -> tuple[int, int]:
    s0 = s1 = 0
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        s0 = (s0 + even + s1) & 0xFFFFFFFF
        s1 = (s1 + odd + s0) & 0xFFFFFFFF
    return s0, s1
