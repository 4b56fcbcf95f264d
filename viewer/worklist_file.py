"""The file of the worklist: made whole, checked, migrated, and mended when it is damaged.

One SQLite file, mode 0600. A new file is written aside and moved into place, so that a file
of no bytes is always damage and never another Overread that has just begun to make it. A
damaged file is set aside beside it; what can still be read of it, and the copy of the last
start, go into the new one. A file of a newer Overread is refused and never written.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from resources.problem import Problem
from resources.text import translate
from viewer.annotate.lock import CaseLock

FILE = "worklist.sqlite"
BACKUP = "worklist.backup.sqlite"
_DAMAGED = "worklist.damaged-"
_PART = "worklist.part-"
# "Ovwl"; tells a worklist from any other SQLite file.
APPLICATION_ID = 0x4F76776C
_WAIT_S = 5.0

# A step once released is never changed; new ones follow. ``user_version`` counts them.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE study (
            case_key TEXT PRIMARY KEY,
            part TEXT NOT NULL,
            paths TEXT NOT NULL,
            patient_name TEXT NOT NULL,
            patient_id TEXT NOT NULL,
            study_date TEXT NOT NULL,
            description TEXT NOT NULL,
            modality TEXT NOT NULL,
            images INTEGER NOT NULL,
            state TEXT NOT NULL,
            exported_mark TEXT NOT NULL,
            opened_number INTEGER NOT NULL,
            opened_utc TEXT NOT NULL,
            reader TEXT NOT NULL,
            view TEXT NOT NULL,
            thumbnail BLOB
        )
        """,
        "CREATE INDEX study_by_opening ON study (opened_number)",
    ),
    (
        """
        CREATE TABLE batch (
            case_key TEXT PRIMARY KEY,
            position INTEGER NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL
        )
        """,
    ),
)
COLUMNS = (
    "case_key", "part", "paths", "patient_name", "patient_id", "study_date", "description",
    "modality", "images", "state", "exported_mark", "opened_number", "opened_utc", "reader", "view",
)  # fmt: skip
_TEXT = ", ".join(COLUMNS)
_COPY = f"INSERT OR REPLACE INTO study ({_TEXT}) VALUES ({', '.join('?' * len(COLUMNS))})"


def make_ready(folder: Path, *, distrust: bool = False) -> str | None:
    """Make the worklist of a folder fit to be used.

    Parameters
    ----------
    distrust
        Mend it though a check finds nothing: SQLite has stumbled over it.

    Returns
    -------
    str or None
        Translated note when the file was damaged and a new one took its place.

    Raises
    ------
    Problem
        When it was written by a newer Overread. It is left as it is.
    OSError, sqlite3.Error
        When the folder cannot be written to, or the disk is full.
    """
    file = folder / FILE
    if not distrust and _sound(file):
        _migrate(file)
        return None
    end = time.monotonic() + _WAIT_S
    while True:
        try:
            lock = CaseLock(folder)
            break
        except Problem as problem:
            # Another Overread mends or makes it now; a folder that cannot be locked stays so.
            if time.monotonic() > end:
                raise OSError(problem.detail) from problem
            time.sleep(0.05)
    try:
        if not distrust and _sound(file):  # by the other one, meanwhile
            return None
        if not file.exists():
            _make(folder, None)
            return None
        return _mend(folder)
    finally:
        lock.release()


@contextlib.contextmanager
def transaction(file: Path) -> Iterator[sqlite3.Connection]:
    """Open the file for one short transaction: committed at the end, or nothing of it."""
    with contextlib.closing(_open(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        # What is forgotten must not stay in free pages.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another Overread, a newer one, may have renewed it since it was checked.
            _refuse_newer(connection.execute("PRAGMA user_version").fetchone()[0])
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def back_up(folder: Path) -> None:
    """Keep a copy of all rows, without pictures, for the day on which the file is damaged."""
    part = folder / f"{_PART}{secrets.token_hex(8)}"
    try:
        with contextlib.closing(_open(folder / FILE)) as connection:
            rows = connection.execute(f"SELECT {_TEXT} FROM study").fetchall()
        _write_new(part, rows)
        part.replace(folder / BACKUP)
    finally:
        _remove(part)


def purge_copies(folder: Path) -> None:
    """Delete the copy and all files set aside: what was forgotten stands in them too."""
    for pattern in (f"{BACKUP}*", f"{_DAMAGED}*", f"{_PART}*"):
        for copy in folder.glob(pattern):
            copy.unlink(missing_ok=True)


def shrink(file: Path) -> None:
    """Empty the write-ahead log, which still holds what was forgotten."""
    with contextlib.closing(_open(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def is_broken(error: sqlite3.Error) -> bool:
    """Tell whether SQLite has found its own structures broken."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_damage(error: sqlite3.Error) -> bool:
    """Tell damage of the file from a full disk, a lock or a missing right."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return is_broken(error) or code == sqlite3.SQLITE_ERROR


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection has the file for a moment."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


# ------------------------------------------------------------------------- inside


def _open(file: Path) -> sqlite3.Connection:
    # mode=rw: a file that is gone must not come back empty.
    uri = f"{file.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_WAIT_S)


def _sound(file: Path) -> bool:
    """Tell whether a file is there and whole; refuse one of a newer Overread."""
    try:
        with file.open("rb") as stream:
            header = stream.read(100)
    except FileNotFoundError:
        return False
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        return False
    # Bytes 60 and 68 of the file: no need to let SQLite touch what it may not change.
    (version,), (application,) = (struct.unpack(">I", header[n : n + 4]) for n in (60, 68))
    if application != APPLICATION_ID:
        return False
    _refuse_newer(version)
    try:
        with contextlib.closing(_open(file)) as connection:
            whole = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            connection.execute("SELECT * FROM study LIMIT 1").fetchone()
        return bool(whole)
    except sqlite3.Error as error:
        if is_damage(error):
            return False
        raise


def _refuse_newer(version: int) -> None:
    if version > len(MIGRATIONS):
        raise Problem(
            translate("worklist", "The worklist was saved by a newer Overread."),
            translate(
                "worklist",
                "Update Overread to see it; the file was left as it is, and studies open as ever.",
            ),
            f"worklist schema {version} > {len(MIGRATIONS)}",
        )


def _migrate(file: Path) -> None:
    with transaction(file) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        if version < len(MIGRATIONS):
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _write_new(part: Path, rows: list[tuple[Any, ...]]) -> None:
    # SQLite gives its log and index the mode of the file.
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with contextlib.closing(_open(part)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN")
        for statements in MIGRATIONS:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.executemany(_COPY, rows)
        connection.execute("COMMIT")


def _make(folder: Path, saved: _Saved | None) -> None:
    """Put a new file in place; its rows are those that were saved."""
    part = folder / f"{_PART}{secrets.token_hex(8)}"
    try:
        _write_new(part, list(saved.rows.values()) if saved else [])
        if saved:
            with contextlib.closing(_open(part)) as connection, connection:
                connection.executemany(
                    "UPDATE study SET thumbnail = ? WHERE case_key = ?",
                    [(picture, key) for key, picture in saved.pictures.items()],
                )
        part.replace(folder / FILE)
    finally:
        _remove(part)


def _mend(folder: Path) -> str:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = folder / f"{_DAMAGED}{stamp}.sqlite"
    for suffix in ("-wal", "-shm", ""):
        old = folder / f"{FILE}{suffix}"
        if old.exists():
            old.replace(Path(f"{aside}{suffix}"))
    saved = _Saved()
    saved.take(folder / BACKUP)
    saved.take(aside)  # newer than the copy, as far as it can be read
    _make(folder, saved)
    return translate(
        "worklist",
        "The worklist was damaged. {count} studies could be kept; others are listed when they "
        "are opened again. No correction is lost.",
    ).format(count=len(saved.rows))


class _Saved:
    """Rows and pictures that could be read of damaged files, by case key."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.pictures: dict[str, bytes] = {}

    def take(self, file: Path) -> None:
        if not file.exists() or file.stat().st_size == 0:
            return
        # From both ends: reading stops at a broken page, and what lies behind it may be good.
        for direction in ("ASC", "DESC"):
            self._scan(file, f"SELECT {_TEXT} FROM study ORDER BY rowid {direction}")
        with contextlib.suppress(sqlite3.Error), contextlib.closing(_open(file)) as connection:
            for key in self.rows:
                with contextlib.suppress(sqlite3.Error):
                    found = connection.execute(
                        "SELECT thumbnail FROM study WHERE case_key = ?", (key,)
                    ).fetchone()
                    if found and isinstance(found[0], bytes):
                        self.pictures[key] = found[0]

    def _scan(self, file: Path, select: str) -> None:
        with contextlib.suppress(sqlite3.Error), contextlib.closing(_open(file)) as connection:
            for row in connection.execute(select):
                numbers = {COLUMNS.index("images"), COLUMNS.index("opened_number")}
                if all(isinstance(v, int if n in numbers else str) for n, v in enumerate(row)):
                    self.rows[row[0]] = row


def _remove(part: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        Path(f"{part}{suffix}").unlink(missing_ok=True)
