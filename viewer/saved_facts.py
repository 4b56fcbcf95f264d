"""What the journal of a reading says without its images: findings, verdicts, corrections. No Qt.

Journals are read, never opened for work: nothing is mended, locked or written. Of the voxels none
are unpacked, so that a list of hundreds of cases is read in seconds.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viewer.annotate import salvage
from viewer.annotate.events import EVENT
from viewer.annotate.journal import FILE
from viewer.impressions import TOPIC as IMPRESSION
from viewer.second_reading import commits

_FINDINGS, _HEAD_BYTES = "add-findings", 8
# The header of findings holds a hundred bytes or two for each; more is none of ours.
_MOST_HEADER = 16_000_000
_REDRAWS = ("paint", "reshape", "move-lesion")

Record = tuple[int, str, str, Mapping[str, Any]]  # number, reader, kind, body


@dataclass(frozen=True, slots=True)
class Proposed:
    """One finding of the latest run of the model.

    Attributes
    ----------
    id
        Of the lesion in the case.
    score, uncertainty, texture
        Of the model; None where it said nothing of it.
    diameter_mm
        As in ``inference.measure``.
    """

    id: str
    score: float
    diameter_mm: float
    uncertainty: float | None = None
    texture: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one reading says.

    Attributes
    ----------
    proposed
        Findings of the latest run of the model; None where none has run.
    threshold
        Score from which that run lists them.
    verdicts
        What stands of findings of the model, by the lesion's id.
    redrawn
        Ids of findings of the model whose outlines were changed.
    missed
        How many lesions were added that a run had not proposed.
    readers
        Who worked on it.
    knows_the_ai
        Which of them have seen what the model said.
    committed
        Whether it stays as it is.
    """

    proposed: tuple[Proposed, ...] | None = None
    threshold: float = 0.5
    verdicts: tuple[tuple[str, str], ...] = ()
    redrawn: frozenset[str] = frozenset()
    missed: int = 0
    readers: frozenset[str] = frozenset()
    knows_the_ai: frozenset[str] = frozenset()
    committed: bool = False


def state_of(folder: Path) -> tuple[tuple[int, int], ...]:
    """Return what changes when anything is written to a reading; empty when there is none."""
    out = []
    for name in (FILE, f"{FILE}-wal"):
        try:
            found = (folder / name).stat()
        except OSError:
            continue
        if found.st_size:  # an empty log comes and goes with whoever reads
            out.append((found.st_mtime_ns, found.st_size))
    return tuple(out)


def read_facts(folder: Path) -> Facts | None:
    """Return what the journal in a folder says; None when there is none or it is damaged."""
    file = folder / FILE
    if not file.exists():
        return None
    try:
        with salvage.readable(file) as readable:
            uri = f"{readable.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=2.0)) as connection:
                return _facts(connection)
    except (OSError, sqlite3.Error, ValueError, KeyError, TypeError, zlib.error, struct.error):
        return None  # what is damaged is mended when it is opened, and told then


def _facts(connection: sqlite3.Connection) -> Facts:
    query = "SELECT seq, reader, kind, body FROM record ORDER BY seq"
    records = [
        (int(seq), str(reader or ""), str(kind), json.loads(body))
        for seq, reader, kind, body in connection.execute(query)
    ]
    committed = False
    for _, _, kind, body in records:
        if kind == EVENT:
            committed = commits(json.dumps(body), committed)
    edits = [part for edit in _standing(records) for part in _parts(edit)]
    runs = [edit for edit in edits if edit[2] == _FINDINGS]
    proposed, threshold = (None, 0.5) if not runs else _proposed(connection, runs[-1])
    of_the_ai = {one.id for one in proposed or ()}
    verdicts, redrawn, missed, knows = _said(edits, of_the_ai)
    return Facts(
        proposed=proposed,
        threshold=threshold,
        verdicts=tuple(sorted(verdicts.items())),
        redrawn=redrawn,
        missed=missed,
        readers=frozenset(reader for _, reader, _, _ in records) - {""},
        knows_the_ai=knows,
        committed=committed,
    )


def _standing(records: list[Record]) -> list[Record]:
    """Return the edits that stand, as ``annotate.history`` plays them."""
    done: list[Record] = []
    undone: list[Record] = []
    for record in records:
        kind = record[2]
        if kind == EVENT:
            continue
        if kind == "undo":
            undone.append(done.pop())
        elif kind == "redo":
            done.append(undone.pop())
        else:
            done.append(record)
            undone.clear()
    return done


def _parts(edit: Record) -> list[Record]:
    number, reader, kind, body = edit
    if kind != "together":
        return [edit]
    return [(number, reader, str(part["kind"]), part["body"]) for part in body["parts"]]


def _proposed(connection: sqlite3.Connection, run: Record) -> tuple[tuple[Proposed, ...], float]:
    number, _, _, body = run
    (blob,) = connection.execute("SELECT blob FROM record WHERE seq = ?", (number,)).fetchone()
    value = _header(blob)["value"]
    known = {str(new): str(old) for new, old in body["known"]}
    head = "" if int(body["run"]) == 1 else f"r{body['run']}"
    opinions = value.get("opinions", {})
    found = []
    for one in value["detections"]:
        opinion = opinions.get(one["id"], {})
        impression = opinion.get("impression")
        found.append(
            Proposed(
                known.get(one["id"], head + one["id"]),
                float(one["score"]),
                float(one["diameter_mm"]),
                opinion.get("uncertainty"),
                None if impression is None else float(impression[1]),
            )
        )
    return tuple(found), float(value["threshold"])


def _header(blob: bytes) -> dict[str, Any]:
    """Return the header of packed findings (``inference.packing``) without their arrays."""
    inflater = zlib.decompressobj()
    first = inflater.decompress(blob, _HEAD_BYTES)
    (length,) = struct.unpack("<I", first[4:8])
    if length > _MOST_HEADER:
        raise ValueError("not findings")
    text = inflater.decompress(inflater.unconsumed_tail, length)
    found: dict[str, Any] = json.loads(text)
    return found


def _said(
    edits: list[Record], of_the_ai: set[str]
) -> tuple[dict[str, str], frozenset[str], int, frozenset[str]]:
    """Return verdicts, what was redrawn, how many were missed, and who knows the AI."""
    verdicts: dict[str, str] = {}
    redrawn: set[str] = set()
    knows: set[str] = set()
    missed: set[str] = set()
    deleted: set[str] = set()
    for _, _, kind, body in edits:
        target = str(body.get("lesion") or body.get("target") or "")
        if kind == "set-verdict":
            verdict = body["after"][0]
            if not target.startswith("h") and verdict:
                knows.add(str(body["after"][1] or ""))
            if target in of_the_ai:
                verdicts.pop(target, None)
                if verdict:
                    verdicts[target] = str(verdict)
        elif kind in _REDRAWS and target in of_the_ai:
            redrawn.add(target)
        elif kind in ("add-lesion", "add-outlined") and body.get("missed_by_ai"):
            missed.add(target)
        elif kind == "delete-lesion":
            (deleted.add if body.get("deleted", True) else deleted.discard)(target)
        elif kind == "set-note" and body.get("topic") == IMPRESSION:
            knows.add(str(body["note"]))
    # A finding of the model that was taken off the list was found wrong, whatever else was said.
    verdicts |= dict.fromkeys(deleted & of_the_ai, "rejected")
    return verdicts, frozenset(redrawn), len(missed - deleted), frozenset(knows - {""})
