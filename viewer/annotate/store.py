"""The threads that write a journal and its copy. Nobody waits for them but ``flush`` and ``close``.

One makes each entry a record and hands it to the operating system, in the second copy; it never
waits for the disk. The other commits records to the journal, which is when they are saved.
"""

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
    """What is to become the next record; ``blob`` is asked for in a thread of the store."""

    reader: str
    role: str
    tool: str
    kind: str
    body: str
    blob: Callable[[], bytes | None]
    utc: str


class Store:
    """Appends to one journal, in threads of its own, in the order of the calls.

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
        # Number and link of the last record in the journal, of that in the copy's last mark, and of
        # the last that is made.
        self._written = self._marked = journal.written
        self._made_last = len(journal.records), journal.chain
        self._on_saved = on_saved
        self._on_problem = on_problem
        self._changed = threading.Condition()
        self._entries: deque[tuple[int, Entry]] = deque()
        self._made = deque(journal.records[self._written[0] :])
        self._seq = len(journal.records)
        self._attempts = 0
        self._failing = False
        self._hurry = False
        self._closing = False
        self._ended = False
        self._over = False
        self._when_over: list[Callable[[], None]] = []
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for run, name in ((self._keep_copy, "overread-copy"), (self._run, "overread-store"))
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self.close)

    @property
    def unsaved(self) -> int:
        """Number of records that are not on the disk yet."""
        return self._seq - self._written[0]

    def append(self, entry: Entry) -> int:
        """Take in the next record and return its number at once."""
        with self._changed:
            if self._closing:
                raise RuntimeError("the store is closed")
            self._seq += 1
            self._entries.append((self._seq, entry))
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
            while self.unsaved and self._threads[-1].is_alive():
                left = end - time.monotonic()
                if left <= 0 or (self._failing and self._attempts >= stop):
                    break
                if self._failing:
                    self._hurry = True
                    self._changed.notify_all()
                self._changed.wait(min(left, 0.2))
            return self.unsaved

    def close(self, timeout_s: float = 10.0) -> int:
        """Write what is left, end the threads; return the number of records not on the disk."""
        atexit.unregister(self.close)
        end = time.monotonic() + timeout_s
        self.flush(timeout_s)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.1, end - time.monotonic()))
        return self.unsaved

    @property
    def stopped(self) -> bool:
        """Whether the threads have ended, so that nothing more is written."""
        return not any(thread.is_alive() for thread in self._threads)

    def when_over(self, act: Callable[[], None]) -> None:
        """Call something once nothing more is written: now, or later in a thread of the store."""
        with self._changed:
            if not self._over:
                self._when_over.append(act)
                return
        act()

    # ----------------------------------------------------------------- the copy

    def _keep_copy(self) -> None:
        """Make records of the entries, each in the copy before the journal gets it."""
        self._copy.follow(self._made_last, self._written[0])
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._entries or self._written != self._marked or self._ended
                )
                next_one = self._entries[0] if self._entries else None
                written, ended = self._written, self._ended
            if next_one is not None:
                if not self._make(*next_one, written[0]) and ended:
                    break
            elif written != self._marked:
                if written == self._made_last:
                    self._copy.follow(written, written[0])
                self._copy.mark(written[1])
                self._marked = written
            elif ended:
                break
        self._copy.close()
        with self._changed:
            self._over = True
        # They know the case, which knows this store: its volume would stay in memory until the
        # collector of garbage came by.
        self._on_saved = self._on_problem = None
        while self._when_over:
            self._when_over.pop()()

    def _make(self, seq: int, entry: Entry, committed: int) -> bool:
        before = self._made_last[1]
        # A defect in one record must not end the thread and with it all further saving.
        try:
            record = _record(seq, entry, before)
        except Exception as error:
            self._failed(error)
            with self._changed:
                self._changed.wait(_RETRY_S)
            return False
        self._copy.write(record, before, committed)
        with self._changed:
            self._entries.popleft()
            self._made.append(record)
            self._made_last = record.seq, record.chain
            self._changed.notify_all()
        return True

    # -------------------------------------------------------------- the journal

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            with self._changed:
                if self._failing:
                    self._changed.wait_for(lambda: self._hurry or self._closing, _RETRY_S)
                else:
                    self._changed.wait_for(lambda: self._made or self._is_over)
                self._hurry = False
                if self._is_over:
                    break
                records = [self._made[n] for n in range(min(_AT_ONCE, len(self._made)))]
            if not records:
                continue
            try:
                if connection is None:
                    connection = self._connect()
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
        if connection is not None:
            connection.close()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def _is_over(self) -> bool:
        return self._closing and (self._failing or not self.unsaved)

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
        last = connection.execute(query).fetchone() or (0, self._written[1])
        if last == (records[-1].seq, records[-1].chain):
            return True
        if last != self._written:
            raise ChangedOutside(f"the journal ends with {last[0]}, not {self._written[0]}")
        return False

    def _succeeded(self, records: list[Record]) -> None:
        with self._changed:
            self._written = records[-1].seq, records[-1].chain
            for _ in records:
                self._made.popleft()
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


def _record(seq: int, entry: Entry, before: bytes) -> Record:
    blob = entry.blob()
    who = entry.reader, entry.role, entry.tool
    columns = (seq, entry.utc, *who, entry.kind, entry.body, blob)
    return Record(*columns, chain=link(before, columns))


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
