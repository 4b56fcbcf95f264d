"""A second copy of a journal beside it, written ahead of it.

A record stands in this plain file a moment after the edit has ended, while the journal's own
commit still waits for the disk: what a program has handed to the operating system outlives it
when it is killed. So the copy gives back what a commit did not come to, and what a damaged
sector of the journal took. It vouches for nothing by itself: of its records only those are
believed that the chain of hashes links.

The file is ``_MAGIC`` and then frames, each a ``_FRAME`` with the lengths of its text and its
bytes (-1: none) and a link of the chain, then text and bytes. ``head``: the fingerprint.
``edit``: a record; the text holds its columns. ``done``: the record with that link and all
before it were committed to the journal.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from viewer.annotate.records import SELECT, Record, first_link, link

_log = logging.getLogger(__name__)

FILE = "journal.copy"
_PART = "journal.copy.part"
_MAGIC = b"Overread, second copy of a journal, 1\n"
_FRAME = struct.Struct("<4sIq32s")


@dataclass(frozen=True, slots=True)
class _Frame:
    """One frame as it lies in the file; ``end`` is where the next begins."""

    tag: bytes
    text: memoryview
    blob: memoryview | None
    chain: bytes
    end: int


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds.

    Attributes
    ----------
    head
        The fingerprint of the volume.
    records
        Those that the chain links, in order.
    committed
        How many of them were told to be in the journal; never more than there are.
    whole
        Whether nothing else is in the file.
    """

    head: str
    records: tuple[Record, ...]
    committed: int
    whole: bool


def read(file: Path, known: Sequence[Record] = ()) -> Copied | None:
    """Read a copy; None when there is none, or none of this journal.

    Parameters
    ----------
    known
        Records of the journal that are proven: where the copy holds the last of them at its
        place, what it holds before is not proven again, and these are handed out.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    frames = _frames(data)
    first = next(frames, None)
    if first is None or first.tag != b"head":
        return None
    head = bytes(first.text).decode(errors="replace")
    chain, end, committed = first_link(head), first.end, 0
    records: list[Record] = []
    numbers = {chain: 0}
    for frame in frames:
        if frame.tag == b"done":
            committed = max(committed, numbers.get(frame.chain, 0))
        elif frame.tag == b"edit":
            seq, before, chain = len(numbers), chain, frame.chain
            if seq > len(known):
                record = _record(frame, seq, before)
                if record is None:
                    break
                records.append(record)
            elif seq == len(known) and chain != known[-1].chain:
                return None
            numbers[chain] = seq
        end = frame.end
    if len(numbers) <= len(known):
        return None
    return Copied(head, (*known, *records), committed, end == len(data))


class SecondCopy:
    """The copy of one journal; one thread uses it.

    Whatever goes wrong with it is noted in the log once, and mended from the journal as soon as
    that holds all.

    Parameters
    ----------
    journal
        The journal's own file.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._file = journal.with_name(FILE)
        self._stream: BinaryIO | None = None
        self._last = (0, b"")
        self._told = False

    def follow(self, last: tuple[int, bytes], committed: int) -> None:
        """See that the copy ends with a record, as far as that can be.

        Parameters
        ----------
        last
            Number and link of the record; of none, 0 and the link that the first is chained to.
        committed
            How many records the journal holds.
        """
        with self._noting():
            self._reach(last, committed)

    def write(self, record: Record, before: bytes, committed: int) -> None:
        """Take in the next record.

        Parameters
        ----------
        before
            The link that it is chained to.
        committed
            How many records the journal holds.
        """
        with self._noting():
            if (stream := self._reach((record.seq - 1, before), committed)) is not None:
                _write(stream, _edit_frame(record))
                self._last = record.seq, record.chain

    def mark(self, committed: bytes) -> None:
        """Note that the record with this link and all before it are in the journal."""
        with self._noting():
            if self._stream is not None:
                _write(self._stream, _FRAME.pack(b"done", 0, -1, committed))

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            # The last frame may be torn: what is in the file is looked at before more is written.
            self.close()
            if not self._told:
                self._told = True
                _log.warning("the second copy of the journal cannot be written: %r", error)

    def _reach(self, last: tuple[int, bytes], committed: int) -> BinaryIO | None:
        """Return the open file that ends with this record; None while there can be none."""
        if self._stream is not None and self._last == last:
            return self._stream
        self.close()
        end = _end_of(self._file, *last)
        if end is None and committed == last[0]:
            self._copy_journal()
            end = _end_of(self._file, *last)
        if end is None:
            return None
        self._stream = self._file.open("r+b", buffering=0)
        self._stream.truncate(end)
        self._stream.seek(end)
        self._last = last
        return self._stream

    def _copy_journal(self) -> None:
        part = self._file.with_name(_PART)
        uri = f"{self._journal.absolute().as_uri()}?mode=ro"
        with (
            contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as connection,
            part.open("wb") as stream,
        ):
            (head,) = connection.execute("SELECT value FROM head").fetchone()
            stream.write(_MAGIC + _frame(b"head", head.encode(), None, first_link(head)))
            chain = None
            for row in connection.execute(SELECT):
                chain = row[-1]
                stream.write(_edit_frame(Record(*row)))
            if chain is not None:
                stream.write(_FRAME.pack(b"done", 0, -1, chain))
        part.replace(self._file)


def _end_of(file: Path, number: int, chain: bytes) -> int | None:
    """Return where in a copy the record of this number and link ends; None when it is not there."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    edits, end = 0, None
    for frame in _frames(data):
        if frame.tag == b"edit":
            edits += 1
        if edits > number:
            break
        if edits == number and frame.chain == chain:
            end = frame.end  # that of a later mark, where there is one
    return end


def _frames(data: bytes) -> Iterator[_Frame]:
    """Yield the frames of a file as far as they are whole."""
    if not data.startswith(_MAGIC):
        return
    view, at = memoryview(data), len(_MAGIC)
    while at + _FRAME.size <= len(data):
        tag, n_text, n_blob, chain = _FRAME.unpack_from(data, at)
        text = at + _FRAME.size
        blob = text + n_text
        end = blob + max(n_blob, 0)
        if tag not in (b"head", b"edit", b"done") or n_blob < -1 or end > len(data):
            return
        inner = view[text:blob], None if n_blob < 0 else view[blob:end]
        yield _Frame(tag, *inner, chain, end)
        at = end


def _record(frame: _Frame, seq: int, before: bytes) -> Record | None:
    """Return the record in a frame where it is chained to the one before."""
    with contextlib.suppress(ValueError, TypeError):
        utc, reader, role, tool, kind, body = json.loads(bytes(frame.text))
        blob = None if frame.blob is None else bytes(frame.blob)
        columns = (seq, utc, reader, role, tool, kind, body, blob)
        if link(before, columns) == frame.chain:
            return Record(*columns, chain=frame.chain)
    return None


def _edit_frame(record: Record) -> bytes:
    _, *columns, blob, chain = record.row()
    return _frame(b"edit", json.dumps(columns).encode(), blob, chain)


def _frame(tag: bytes, text: bytes, blob: bytes | None, chain: bytes) -> bytes:
    n_blob = -1 if blob is None else len(blob)
    return b"".join((_FRAME.pack(tag, len(text), n_blob, chain), text, blob or b""))


def _write(stream: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[stream.write(left) :]
