"""Brings a journal that an older Overread made to the latest step of the schema."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from pathlib import Path

from viewer.annotate import schema


def upgrade(file: Path) -> None:
    """Bring a journal to the latest step of the schema, so that the file itself says so.

    To be called while this thread has no connection to it, see ``header_numbers``.

    Raises
    ------
    OSError, sqlite3.Error
        When it is gone or cannot be written now; nothing is half done.
    """
    if header_numbers(file)[0] >= schema.VERSION:
        return
    uri = f"{file.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)
    with contextlib.closing(connection):
        _take_steps(connection)
    if header_numbers(file)[0] < schema.VERSION:
        raise sqlite3.OperationalError("another program reads the journal")


def _take_steps(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for statements in schema.MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {max(version, schema.VERSION)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    # Whoever opens the file asks its first page, not the log beside it. Not one record may be
    # there that an older Overread takes for its own.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def header_numbers(file: Path) -> tuple[int, int]:
    """Return user version and application id of a database file; noughts when it is none.

    Closing a file drops all locks that a process has on it (POSIX; https://www.sqlite.org/
    howtocorrupt.html, section 2.2): no connection of this thread may be open.
    """
    with file.open("rb") as stream:
        header = stream.read(100)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        return 0, 0
    # Bytes 60 and 68: no need to let SQLite touch what it may not change.
    (version,), (application,) = (struct.unpack(">I", header[n : n + 4]) for n in (60, 68))
    return version, application
