"""One SQLite file a case: every edit, undo and redo, in order, chained by SHA-256.

This module makes, reads and mends the file; ``viewer.annotate.store`` writes to it. There is
no patient text in it: the series stands as a hash.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from resources.problem import Problem
from resources.text import translate
from viewer.annotate import salvage, schema, second_copy, wal
from viewer.annotate.records import SELECT as SELECT
from viewer.annotate.records import Fingerprint as Fingerprint
from viewer.annotate.records import Record as Record
from viewer.annotate.records import first_link as first_link
from viewer.annotate.records import link as link
from viewer.annotate.records import utc_now as utc_now
from viewer.annotate.second_copy import FILE as COPY
from viewer.annotate.upgrade import header_numbers, upgrade

FILE = "journal.db"
_READY = "journal.ready"
_PART = "journal.part"
_INSERT = "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Journal:
    """What was read from a file.

    Attributes
    ----------
    file
        Where further records go.
    head
        The fingerprint as it stands in the file.
    records
        All good records, in order.
    damaged
        Whether something behind the last good record, or around it, was lost or unreadable.
    restored
        Whether it was damaged and the second copy gave back all that is known of.
    waiting
        How many of the records, the last ones, are in the second copy only: a program was
        killed before its commit.
    """

    file: Path
    head: str
    records: tuple[Record, ...]
    damaged: bool
    restored: bool = False
    waiting: int = 0

    @property
    def chain(self) -> bytes:
        """The link that the next record is chained to."""
        return self.records[-1].chain if self.records else first_link(self.head)

    @property
    def written(self) -> tuple[int, bytes]:
        """Number and link of the last record that is in the file."""
        number = len(self.records) - self.waiting
        return number, self.records[number - 1].chain if number else first_link(self.head)


def connect(file: Path) -> sqlite3.Connection:
    """Open a journal for writing: a commit that returned is on the disk.

    The file goes through the steps of the schema that it lacks. One that is gone is not made.
    """
    upgrade(file)
    uri = f"{file.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def insert(connection: sqlite3.Connection, records: Iterable[Record]) -> None:
    """Append records in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(_INSERT, (record.row() for record in records))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def open_journal(folder: Path, fingerprint: Fingerprint, *, read_only: bool = False) -> Journal:
    """Read the journal of a case; make it when there is none, mend it when it is damaged.

    Parameters
    ----------
    folder
        The case's own folder.
    fingerprint
        Of the volume that is open.
    read_only
        Leave every file as it is: another process owns them.

    Raises
    ------
    Problem
        When the file is of a newer Overread, belongs to another volume, or cannot be read
        or made. It is then left as it is.
    """
    try:
        if not read_only:
            _finish_replacing(folder)
        journal = _read(folder / FILE, fingerprint, read_only)
        if journal is None:
            head = fingerprint.to_json()
            journal = Journal(folder / FILE, head, (), False)
            if not read_only:
                replace(journal)
        elif journal.damaged and not read_only:
            replace(journal)
    except (OSError, sqlite3.Error) as error:
        if read_only and (aside := _as_copied(folder / FILE, fingerprint)) is not None:
            return aside
        raise _unreadable(error) from error
    return journal


def _as_copied(file: Path, fingerprint: Fingerprint) -> Journal | None:
    """Return a journal from its second copy; None where there is none.

    A program that closes the journal locks it until the disk has all, and no lock lies on the
    copy.
    """
    copied = _from_copy(Journal(file, fingerprint.to_json(), (), False), fingerprint)
    return copied and Journal(file, copied.head, copied.records, False)


def _unreadable(error: OSError | sqlite3.Error) -> Problem:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL):
        return Problem(
            translate("annotate", "Another program is writing the saved work on this case."),
            translate("annotate", "Open it again in a moment."),
            repr(error),
        )
    return Problem(
        translate("annotate", "The saved work on this case cannot be read."),
        translate("annotate", "Check the disk and the rights of the data folder, then reopen."),
        repr(error),
    )


def replace(journal: Journal) -> None:
    """Put a new file of a journal's good records in place; keep what was there beside it.

    The new file is whole before the old one is touched, and a kill at any moment leaves
    either of them to be found.
    """
    folder = journal.file.parent
    part = folder / _PART
    _make(part, journal)
    part.replace(folder / _READY)
    _finish_replacing(folder)


def _make(file: Path, journal: Journal) -> None:
    for leftover in (file, Path(f"{file}-journal")):
        leftover.unlink(missing_ok=True)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 4096")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute("BEGIN")
        for statements in schema.MIGRATIONS:
            for statement in statements:
                connection.execute(statement)
        connection.execute("INSERT INTO head VALUES ('fingerprint', ?)", (journal.head,))
        connection.executemany(_INSERT, (record.row() for record in journal.records))
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        connection.execute("COMMIT")


def _finish_replacing(folder: Path) -> None:
    ready = folder / _READY
    if not ready.exists():
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    for suffix in ("-wal", "-shm", ""):
        old = folder / f"{FILE}{suffix}"
        if old.exists():
            old.replace(folder / f"journal.damaged-{stamp}.db{suffix}")
    ready.replace(folder / FILE)
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(file: Path, fingerprint: Fingerprint, read_only: bool) -> Journal | None:
    try:
        version, application = header_numbers(file)
    except FileNotFoundError:
        return _from_copy(Journal(file, fingerprint.to_json(), (), True), fingerprint)
    if application == schema.APPLICATION_ID and version > schema.VERSION:
        raise Problem(
            translate("annotate", "The work on this case was saved by a newer Overread."),
            translate("annotate", "Update Overread to open it; the file was left as it is."),
            f"schema {version} > {schema.VERSION}",
        )
    journal = _scan(file, fingerprint, read_only)
    if not journal.damaged:
        return _with_waiting(journal, read_only)
    copied = _from_copy(journal, fingerprint)
    if copied is not None:
        return copied
    if not read_only and not journal.records and file.stat().st_size:
        return _salvage(journal, fingerprint)
    return journal


def _with_waiting(journal: Journal, read_only: bool) -> Journal:
    """Return a whole journal with what only its second copy has."""
    with contextlib.suppress(OSError):
        copied = second_copy.read(journal.file.with_name(COPY), journal.records)
        if copied is not None and copied.head == journal.head:
            here = len(journal.records)
            # While another program writes, the copy that is read after the journal is ahead.
            lost = copied.committed > here and not read_only
            return Journal(
                journal.file,
                journal.head,
                copied.records,
                damaged=lost,
                restored=lost and copied.whole,
                waiting=0 if lost else len(copied.records) - here,
            )
    return journal


def _from_copy(journal: Journal, fingerprint: Fingerprint) -> Journal | None:
    """Return a damaged journal as its second copy has it; None where that has less."""
    with contextlib.suppress(OSError, ValueError):
        copied = second_copy.read(journal.file.with_name(COPY))
        if (
            copied is not None
            and fingerprint.matches(copied.head)
            and len(copied.records) >= max(1, len(journal.records))
        ):
            return Journal(journal.file, copied.head, copied.records, True, copied.whole)
    return None


def _salvage(journal: Journal, fingerprint: Fingerprint) -> Journal:
    """Return the journal with what records a mended copy of its file gives."""
    found = journal
    fresh = journal.file.with_name(_PART)
    _make(fresh, Journal(fresh, fingerprint.to_json(), (), False))
    for keep in (True, False):
        with salvage.readable_copy(journal.file, fresh, keep_first_page=keep) as copy:
            tried = _scan(copy, fingerprint, read_only=True)
        if len(tried.records) > len(found.records):
            found = Journal(journal.file, tried.head, tried.records, True)
    return found


def _scan(file: Path, fingerprint: Fingerprint, read_only: bool) -> Journal:
    head = fingerprint.to_json()
    records: list[Record] = []
    damaged = False
    wait_s = 1.0 if read_only else 5.0
    with (
        salvage.readable(file) as readable,
        closing(_connect_to_read(readable, wait_s)) as connection,
    ):
        with _noting_damage() as seen:
            damaged |= connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
        damaged |= bool(seen)
        with _noting_damage() as seen:
            found = connection.execute("SELECT value FROM head WHERE name = 'fingerprint'")
            head, mine = _head(found.fetchone(), fingerprint)
            damaged |= not mine
        damaged |= bool(seen)
        with _noting_damage() as seen:
            damaged |= not _collect(connection, head, records.append)
        damaged |= bool(seen)
    # A log that grows while another process writes it cannot be judged.
    damaged |= not read_only and wal.has_lost_commits(file)
    return Journal(file, head, tuple(records), damaged)


@contextlib.contextmanager
def _noting_damage() -> Iterator[list[sqlite3.DatabaseError]]:
    """End the block at the first sign of damage and note it; other errors pass through."""
    seen: list[sqlite3.DatabaseError] = []
    try:
        yield seen
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and not _means_damage(error):
            raise
        seen.append(error)


def _connect_to_read(file: Path, wait_s: float = 5.0) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?mode=ro"
    if not (file.with_name(f"{file.name}-wal").exists() or salvage.writable(file.parent)):
        # SQLite wants to put its index beside the file. Without a log it needs none, and on a
        # read-only medium it may not: https://www.sqlite.org/wal.html, read-only databases.
        uri += "&immutable=1"
    return sqlite3.connect(uri, uri=True, timeout=wait_s)


def _head(row: tuple[str] | None, fingerprint: Fingerprint) -> tuple[str, bool]:
    """Return the fingerprint to chain from, and whether it was read whole."""
    try:
        if row is None or not isinstance(row[0], str):
            raise ValueError("no fingerprint")
        if fingerprint.matches(row[0]):
            return row[0], True
    except ValueError:
        return fingerprint.to_json(), False
    raise Problem(
        translate("annotate", "The saved work on this case belongs to other images."),
        translate(
            "annotate", "Open the series complete, with the files that the work was done on."
        ),
        "the fingerprint of the volume differs",
    )


def _collect(connection: sqlite3.Connection, head: str, keep: Callable[[Record], None]) -> bool:
    """Hand over the good records in order; tell whether these are all there are."""
    before = first_link(head)
    for n, row in enumerate(_rows(connection), 1):
        if row[0] != n or link(before, row[:-1]) != row[-1]:
            return False
        keep(Record(*row))
        before = row[-1]
    return True


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    cursor = connection.execute(SELECT)
    try:
        yield from cursor
    except UnicodeDecodeError:
        yield (0, b"")


def _means_damage(error: sqlite3.OperationalError) -> bool:
    # "no such table", text that is not UTF-8, a page that cannot be: damage. Locked, no
    # right to open, no memory: not.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT)
