"""The audit log of a case: its journal as a person reads it, proven link by link.

The chain of SHA-256 shows a change, an insertion and a removal among the records. Who can write
to the folder and knows this program can forge a whole new chain: the log tells of mishaps and of
clumsy hands, and it is no signature.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from resources.problem import Problem
from resources.text import translate
from viewer.annotate import edits, journal, salvage
from viewer.annotate.document import AnnotationDocument
from viewer.annotate.events import EVENT, event_text
from viewer.annotate.lesion import Lesion, SegmentState
from viewer.annotate.names import edit_text, target_text
from viewer.annotate.tool_words import reshaped_text

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_WITHOUT_BLOB = frozenset(
    (
        *("set-verdict", "add-lesion", "remove-lesion", "delete-lesion"),
        *("call-up", "set-label", "move-lesion", "set-note"),
    )
)
_WITH_BITS = frozenset(["paint", "reshape"])


@dataclass(frozen=True, slots=True)
class Row:
    """One record.

    Attributes
    ----------
    seq
        1, 2, 3, …
    utc
        When, ISO 8601, as the clock of that computer said.
    reader, role, tool, kind
        As in ``journal.Record``.
    step
        What was done, in words.
    chain
        Its link, hexadecimal.
    proven
        Whether it is as it was written, and every record before it too.
    """

    seq: int
    utc: str
    reader: str
    role: str
    tool: str
    kind: str
    step: str
    chain: str
    proven: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole log.

    Attributes
    ----------
    rows
        Every record that can be read, in order.
    broken_at
        Number of the first record that is not as it was written; None when all are.
    set_aside
        How many damaged files of this case are kept beside the journal.
    """

    rows: tuple[Row, ...]
    broken_at: int | None
    set_aside: int

    @property
    def verdict(self) -> str:
        """Return in a sentence whether the log can be relied on."""
        if self.broken_at is not None:
            return translate(
                "audit",
                "Entry {n} is not as Overread wrote it: it and what follows prove nothing.",
            ).format(n=self.broken_at)
        said = translate("audit", "{n} entries, each as it was written (chain of SHA-256).")
        return said.format(n=len(self.rows))


class Names(Protocol):
    """Gives the lesions and segments that entries name."""

    def lesion(self, lesion_id: str) -> Lesion:
        """Return one lesion; KeyError when there is none."""

    def segment(self, segment_id: str) -> SegmentState:
        """Return one structure; KeyError when there is none."""


class KnownNames:
    """Lesions and segments as they stood at one moment: fit for another thread."""

    def __init__(self, document: AnnotationDocument) -> None:
        self._lesions = {lesion.id: lesion for lesion in document.record}
        self._segments = {segment.id: segment for segment in document.segments}

    def lesion(self, lesion_id: str) -> Lesion:
        """Return one lesion; KeyError when there is none."""
        return self._lesions[lesion_id]

    def segment(self, segment_id: str) -> SegmentState:
        """Return one structure; KeyError when there is none."""
        return self._segments[segment_id]


def read_audit(folder: Path, names: Names) -> Audit:
    """Read and prove the log of a case from its file.

    Parameters
    ----------
    folder
        The case's own folder.
    names
        Lesions and segments, for the words.

    Raises
    ------
    Problem
        When the file cannot be read.
    """
    file = folder / journal.FILE
    found: list[Row] = []
    broken: int | None = None
    steps = _Steps(names)
    try:
        with salvage.readable(file) as readable, closing(_connect(readable)) as connection:
            head = connection.execute("SELECT value FROM head WHERE name = 'fingerprint'")
            before = journal.first_link(str(head.fetchone()[0]))
            for n, row in enumerate(connection.execute(journal.SELECT), 1):
                link = journal.link(before, row[:-1])
                if broken is None and (row[0] != n or link != row[-1]):
                    broken = n
                found.append(_row(row, steps, proven=broken is None))
                before = row[-1] if isinstance(row[-1], bytes) else b""
    except (OSError, sqlite3.Error, TypeError) as error:
        raise Problem(
            translate("audit", "The log of this case cannot be read."),
            translate("audit", "Reopen the case; what is damaged is mended then."),
            repr(error),
        ) from error
    aside = sum(1 for _ in folder.glob("journal.damaged-*.db"))
    return Audit(tuple(found), broken, aside)


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)


def _row(row: tuple[Any, ...], steps: _Steps, *, proven: bool) -> Row:
    seq, utc, reader, role, tool, kind, body, _blob, chain = row
    link = chain.hex() if isinstance(chain, bytes) else ""
    texts = (str(utc), str(reader), str(role), str(tool), str(kind))
    return Row(int(seq), *texts, steps.text(str(kind), str(body)), link, proven)


class _Steps:
    """Names each step in turn: an undo by what it took back."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._done: list[str] = []
        self._undone: list[str] = []

    def text(self, kind: str, body: str) -> str:
        """Return what a record did."""
        if kind == "undo":
            step = self._done.pop() if self._done else ""
            self._undone.append(step)
            return translate("audit", "Undo: {step}").format(step=step)
        if kind == "redo":
            step = self._undone.pop() if self._undone else ""
            self._done.append(step)
            return translate("audit", "Redo: {step}").format(step=step)
        try:
            found = json.loads(body)
            said = step_text(kind, found, self._names)
        except (ValueError, KeyError, TypeError):
            said = kind
        if kind != EVENT:
            self._done.append(said)
            self._undone.clear()
        return said


def step_text(kind: str, body: Mapping[str, Any], names: Names) -> str:
    """Return what one record did, without looking at its voxels.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the body is not that of such a record, or names what is not there any more.
    """
    if kind == EVENT and body["what"] == "attended":
        return translate("audit", "{seconds} s at {what}").format(
            seconds=f"{float(body['seconds']):.1f}",
            what=target_text(cast(AnnotationDocument, names), str(body["lesion"])),
        )
    if kind == EVENT:
        return event_text(body)
    if kind in _WITHOUT_BLOB or kind in _WITH_BITS:
        edit = edits.decode(kind, body, b"" if kind in _WITH_BITS else None)
        # Nothing else of a document is asked for than lesions and segments.
        return edit_text(cast(AnnotationDocument, names), edit)
    if kind in ("add-findings", "remove-findings"):
        return translate("audit", "AI run {n}").format(n=int(body["run"]))
    if kind == "add-outlined":
        return translate("audit", "Outline finding {n} at a click").format(n=int(body["number"]))
    if kind == "together":
        first = body["parts"][0]
        if first["kind"] == "set-note" and first["body"]["topic"] == "adjudication":
            edit = edits.SetNote.read(first["body"], None)
            settled = edits.Together(str(body["made_by"]), (edit,))
            return edit_text(cast(AnnotationDocument, names), settled)
        targets = (
            str(part["body"]["target"]) for part in body["parts"] if part["kind"] == "reshape"
        )
        target = next(targets, "")
        what = names.lesion(target) if target else None
        number = "" if what is None else str(what.number)
        return reshaped_text(str(body["made_by"])).format(
            what=translate("audit", "finding {n}").format(n=number)
            if number
            else translate("annotate", "outlines")
        )
    return kind


def matches(row: Row, wanted: str) -> bool:
    """Tell whether every word of a filter stands somewhere in a row; capitals do not matter."""
    text = " ".join((str(row.seq), row.utc, row.reader, row.role, row.tool, row.kind, row.step))
    return all(word in text.casefold() for word in wanted.casefold().split())


def as_csv(rows: Iterable[Row]) -> str:
    """Return rows as CSV (RFC 4180) that no spreadsheet takes for formulas.

    A cell that begins as a formula does gets an apostrophe before it
    (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        ("number", "utc", "reader", "role", "tool", "kind", "step", "proven", "sha256_chain")
    )
    for row in rows:
        proven = "yes" if row.proven else "no"
        cells = (str(row.seq), row.utc, row.reader, row.role, row.tool, row.kind, row.step)
        writer.writerow([safe_cell(cell) for cell in (*cells, proven, row.chain)])
    return out.getvalue()


def safe_value(value: object) -> str:
    """Return a value as such a cell as ``safe_cell``; numbers stay as they are."""
    text = str(value)
    try:
        float(text)  # a number below zero is no formula
    except ValueError:
        return safe_cell(text)
    return text


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
