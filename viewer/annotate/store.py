"""The thread that writes a journal. Nobody waits for it but ``flush`` and ``close``."""

from __future__ import annotations

import atexit
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from resources.problem import Problem
from resources.text import translate
from viewer.annotate.journal import Journal, Record, connect, insert, link, utc_now
from viewer.annotate.second_copy import SecondCopy

_log = logging.getLogger(__name__)

_RETRY_S = 2.0
_AT_ONCE = 256

OnSaved = Callable[[int, str], None]
OnProblem = Callable[[Problem], None]


class ChangedOutside(Exception):
    """Another program has written to the journal meanwhile."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to become the next record; ``blob`` is asked for in the store thread."""

    reader: str
    role: str
    tool: str
    kind: str
    body: str
    blob: Callable[[], bytes | None]
    utc: str


class Store:
    """Appends to one journal, in its own thread, in the order of the calls.

    What cannot be written, for want of space for instance, is kept and tried again; the
    reader is told once.

    Parameters
    ----------
    journal
        As it was read; its file is there.
    on_saved
        Called in the store thread with number and time (ISO 8601, UTC) of the last record
        that is on the disk.
    on_problem
        Called in the store thread when writing begins to fail.
    """

    def __init__(
        self,
        journal: Journal,
        on_saved: OnSaved | None = None,
        on_problem: OnProblem | None = None,
    ) -> None:
        self._file = journal.file
        self._copy = SecondCopy(journal.file)
        self._identity: tuple[int, int] | None = None
        self._chain = journal.chain
        self._written = len(journal.records)
        self._on_saved = on_saved
        self._on_problem = on_problem
        self._changed = threading.Condition()
        self._pending: deque[tuple[int, Entry]] = deque()
        self._seq = len(journal.records)
        self._attempts = 0
        self._failing = False
        self._hurry = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="overread-store", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def unsaved(self) -> int:
        """Number of records that are not on the disk yet."""
        return len(self._pending)

    def append(self, entry: Entry) -> int:
        """Take in the next record and return its number at once."""
        with self._changed:
            if self._closing:
                raise RuntimeError("the store is closed")
            self._seq += 1
            self._pending.append((self._seq, entry))
            self._changed.notify_all()
            return self._seq

    def flush(self, timeout_s: float = 10.0) -> int:
        """Wait until all is on the disk, an attempt fails, or time is up.

        Returns
        -------
        int
            Number of records that are not on the disk.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            # One whole attempt from now on: the one under way may be a moment from failing.
            stop = self._attempts + 2
            while self._pending and self._thread.is_alive():
                left = end - time.monotonic()
                if left <= 0 or (self._failing and self._attempts >= stop):
                    break
                if self._failing:
                    self._hurry = True
                    self._changed.notify_all()
                self._changed.wait(min(left, 0.2))
            return len(self._pending)

    def close(self, timeout_s: float = 10.0) -> int:
        """Write what is left, end the thread; return the number of records not on the disk."""
        atexit.unregister(self.close)
        end = time.monotonic() + timeout_s
        self.flush(timeout_s)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(max(0.1, end - time.monotonic()))
        if self.stopped:
            # They know the case, which knows this store: its volume would stay in memory until
            # the collector of garbage came by.
            self._on_saved = self._on_problem = None
        return len(self._pending)

    @property
    def stopped(self) -> bool:
        """Whether the thread has ended, so that nothing more is written."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            with self._changed:
                if self._failing:
                    self._changed.wait_for(lambda: self._hurry or self._closing, _RETRY_S)
                else:
                    self._changed.wait_for(lambda: self._pending or self._closing)
                self._hurry = False
                if self._closing and (self._failing or not self._pending):
                    break
                batch = [self._pending[n] for n in range(min(_AT_ONCE, len(self._pending)))]
            try:
                if connection is None:
                    connection = self._connect()
                records = self._records(batch)
                self._check_there()
                if not self._is_there(connection, records):
                    insert(connection, records)
            # A defect in one record must not end the thread and with it all further saving.
            except Exception as error:
                if connection is not None:
                    connection.close()
                    connection = None
                self._failed(error)
            else:
                self._succeeded(records)
                self._copy.follow(connection)
        self._copy.close()
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self._file)
        found = self._file.stat()
        self._identity = (found.st_dev, found.st_ino)
        return connection

    def _check_there(self) -> None:
        """See that the name still leads to the open file.

        A file that was moved away or whose disk is gone takes in what is written and keeps it
        to itself.

        Raises
        ------
        OSError
            When it does not.
        """
        found = self._file.stat()
        if (found.st_dev, found.st_ino) != self._identity:
            raise FileNotFoundError(f"another file stands at {self._file.name}")

    def _is_there(self, connection: sqlite3.Connection, records: list[Record]) -> bool:
        """Tell whether records are in the file although their commit was said to have failed.

        Raises
        ------
        ChangedOutside
            When the file does not end with what was written last.
        """
        if not self._failing:
            return False
        query = "SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1"
        last = connection.execute(query).fetchone() or (0, self._chain)
        if last == (records[-1].seq, records[-1].chain):
            return True
        if last != (self._written, self._chain):
            raise ChangedOutside(f"the journal ends with {last[0]}, not {self._written}")
        return False

    def _records(self, batch: list[tuple[int, Entry]]) -> list[Record]:
        records, chain = [], self._chain
        for seq, entry in batch:
            columns = (
                seq,
                entry.utc,
                entry.reader,
                entry.role,
                entry.tool,
                entry.kind,
                entry.body,
                entry.blob(),
            )
            chain = link(chain, columns)
            records.append(Record(*columns, chain=chain))
        return records

    def _succeeded(self, records: list[Record]) -> None:
        with self._changed:
            self._chain = records[-1].chain
            self._written = records[-1].seq
            for _ in records:
                self._pending.popleft()
            self._attempts += 1
            self._failing = False
            self._changed.notify_all()
        if self._on_saved is not None:
            _tell(partial(self._on_saved, records[-1].seq, utc_now()))

    def _failed(self, error: Exception) -> None:
        with self._changed:
            first, self._failing = not self._failing, True
            self._attempts += 1
            self._changed.notify_all()
        if first:
            _log.error("the journal cannot be written: %r", error)
            if self._on_problem is not None:
                _tell(partial(self._on_problem, _problem(error)))


def _tell(listener: Callable[[], None]) -> None:
    try:
        listener()
    except Exception:
        _log.exception("a listener of the store failed")


def _problem(error: Exception) -> Problem:
    name = getattr(error, "sqlite_errorname", "")
    keep = translate(
        "annotate", "Your work is kept in memory and tried again; do not end the program."
    )
    if name == "SQLITE_FULL":
        return Problem(
            translate("annotate", "The disk is full: your latest work is not saved yet."),
            translate("annotate", "Free some space; Overread goes on trying to save."),
            repr(error),
        )
    if isinstance(error, ChangedOutside):
        return Problem(
            translate("annotate", "Another program has changed the saved work on this case."),
            translate("annotate", "Your latest work is in memory only: export it before leaving."),
            repr(error),
        )
    if isinstance(error, FileNotFoundError) or name == "SQLITE_CANTOPEN":
        return Problem(
            translate("annotate", "The folder of saved work is gone: your work is not saved yet."),
            translate("annotate", "Bring its disk or network back; Overread goes on trying."),
            repr(error),
        )
    return Problem(
        translate("annotate", "Your latest work on this case cannot be saved yet."),
        keep,
        f"{name} {error!r}".strip(),
    )
