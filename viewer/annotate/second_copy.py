"""A second copy of a journal beside it: what one damaged sector takes, the other still has.

It is written after the journal and never waited for. It vouches for nothing by itself: each of
its records is believed for its link of the chain only, as those of the journal are.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from viewer.annotate import schema

_log = logging.getLogger(__name__)

FILE = "journal.copy.db"
_COLUMNS = "seq, utc, reader, role, tool, kind, body, blob, chain"
_AT_ONCE = 256


def length(file: Path) -> int:
    """Return how many records a copy has.

    Raises
    ------
    sqlite3.Error, OSError
        When it cannot be read.
    """
    if not file.exists():
        return 0
    uri = f"{file.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as connection:
        (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM record").fetchone()
    return int(last)


def forget_longer(file: Path, records: int) -> None:
    """Take away a copy that has more records than the journal is to have from now on."""
    try:
        keep = length(file) <= records
    except (OSError, sqlite3.Error):
        keep = False
    if not keep:
        file.unlink(missing_ok=True)


class SecondCopy:
    """The copy of one journal; used by the thread that writes the journal.

    Whatever goes wrong with it is noted in the log and tried again with the next records.

    Parameters
    ----------
    journal
        The journal's own file, as far as it is on the disk.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._connection: sqlite3.Connection | None = None
        self._told = False

    def follow(self, main: sqlite3.Connection) -> None:
        """Take in what the journal has and the copy has not.

        Parameters
        ----------
        main
            Connection of the journal.
        """
        try:
            if self._connection is None:
                self._connection = self._opened(main)
                # Not waited for: it is the journal that a commit has to reach the disk for.
                self._connection.execute("PRAGMA synchronous = OFF")
            connection = self._connection
            while rows := _rows_after(main, _last(connection)[0]):
                _insert(connection, rows)
        except (OSError, sqlite3.Error) as error:
            self.close()
            if not self._told:
                self._told = True
                _log.warning("the second copy of the journal cannot be written: %r", error)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self, main: sqlite3.Connection) -> sqlite3.Connection:
        file = self._journal.with_name(FILE)
        with contextlib.ExitStack() as stack, contextlib.suppress(sqlite3.DatabaseError):
            connection = self._connect(file)
            stack.callback(connection.close)
            if self._belongs(connection, main):
                stack.pop_all()
                return connection
        for suffix in ("", "-journal"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
        connection = self._connect(file)
        _make(connection, main)
        return connection

    @staticmethod
    def _connect(file: Path) -> sqlite3.Connection:
        return sqlite3.connect(file, isolation_level=None, timeout=1.0)

    @staticmethod
    def _belongs(connection: sqlite3.Connection, main: sqlite3.Connection) -> bool:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != schema.APPLICATION_ID or version != schema.VERSION:
            return False
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            return False
        heads = [c.execute("SELECT value FROM head").fetchone() for c in (connection, main)]
        seq, chain = _last(connection)
        theirs = main.execute("SELECT chain FROM record WHERE seq = ?", (seq,)).fetchone()
        return heads[0] == heads[1] and (seq == 0 or theirs == (chain,))


def _make(connection: sqlite3.Connection, main: sqlite3.Connection) -> None:
    (head,) = main.execute("SELECT value FROM head WHERE name = 'fingerprint'").fetchone()
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute("BEGIN")
    for statements in schema.MIGRATIONS:
        for statement in statements:
            connection.execute(statement)
    connection.execute("INSERT INTO head VALUES ('fingerprint', ?)", (head,))
    connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    connection.execute("COMMIT")


def _last(connection: sqlite3.Connection) -> tuple[int, bytes]:
    found = connection.execute("SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, b"") if found is None else (int(found[0]), bytes(found[1]))


def _rows_after(main: sqlite3.Connection, seq: int) -> list[tuple[Any, ...]]:
    query = f"SELECT {_COLUMNS} FROM record WHERE seq > ? ORDER BY seq LIMIT {_AT_ONCE}"
    return main.execute(query, (seq,)).fetchall()


def _insert(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
