"""Makes a damaged database file readable again as far as its pages are whole.

SQLite gives nothing of a file that is shorter than its first page says, or whose first page
is lost, although the other pages are good. The first page of a journal holds nothing but
the schema, so that of a new journal takes its place.
Format: https://www.sqlite.org/fileformat.html, section 1.3.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CHANGE_COUNTER = 24
_PAGE_COUNT = 28
_FREE_LIST = slice(32, 40)
_COUNT_VALID_FOR = 92


def writable(folder: Path) -> bool:
    """Tell whether files may be made in a folder."""
    effective = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK, effective_ids=effective)


@contextmanager
def readable(file: Path) -> Iterator[Path]:
    """Give a database that can be read, for the time of the block: itself wherever that will do.

    SQLite cannot read a write-ahead log where it may not put its index beside it.
    """
    log = file.with_name(f"{file.name}-wal")
    if writable(file.parent) or not log.exists():
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="overread-") as folder:
        copy = Path(folder) / file.name
        shutil.copyfile(file, copy)
        shutil.copyfile(log, copy.with_name(log.name))
        yield copy


@contextmanager
def readable_copy(file: Path, fresh: Path, *, keep_first_page: bool) -> Iterator[Path]:
    """Give a mended copy of a damaged database, for the time of the block.

    Parameters
    ----------
    file
        The damaged database; it is left as it is. Its ``-wal`` file is copied as well.
    fresh
        A new database of the same schema and page size.
    keep_first_page
        Mend the numbers in the file's own first page, or take that of ``fresh``.
    """
    copy = file.with_name("journal.salvage")
    log = copy.with_name(f"{copy.name}-wal")
    try:
        shutil.copyfile(file, copy)
        with suppress(FileNotFoundError):
            shutil.copyfile(file.with_name(f"{file.name}-wal"), log)
        _mend(copy, fresh.read_bytes(), keep_first_page)
        yield copy
    finally:
        for leftover in (copy, log, copy.with_name(f"{copy.name}-shm")):
            leftover.unlink(missing_ok=True)


def _mend(copy: Path, fresh: bytes, keep_first_page: bool) -> None:
    (page,) = struct.unpack(">H", fresh[16:18])
    size = copy.stat().st_size
    pages = max(1, -(-size // page))
    with copy.open("r+b") as stream:
        first = bytearray(stream.read(page).ljust(page, b"\0"))
        if not keep_first_page:
            first[:] = fresh[:page]
        first[_PAGE_COUNT : _PAGE_COUNT + 4] = struct.pack(">I", pages)
        first[_FREE_LIST] = bytes(8)
        # Only with this equal to the change counter SQLite believes the page count.
        counter = first[_CHANGE_COUNTER : _CHANGE_COUNTER + 4]
        first[_COUNT_VALID_FOR : _COUNT_VALID_FOR + 4] = counter
        stream.truncate(pages * page)
        stream.seek(0)
        stream.write(first)
