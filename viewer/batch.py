"""The queue of studies that are analysed in the background: what waits, what became of it. No Qt.

It stands in the file of the worklist, so that a study that is forgotten there is forgotten
here too. What is under way is not written down: after a restart, or a crash, it waits again.

No call belongs into the GUI thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from viewer.worklist import Worklist

State = Literal["waiting", "done", "refused", "failed"]
_STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class Item:
    """One study of the queue.

    Attributes
    ----------
    case_key
        As in the worklist.
    state
        ``"refused"``: the model may not read it, and ``reason`` names the rule. ``"failed"``:
        it ended without a result, and ``reason`` says why.
    reason
        A sentence for the reader; empty while it waits and when it is done.
    """

    case_key: str
    state: State = "waiting"
    reason: str = ""


class Batch:
    """The rows of the queue; raises ``Problem`` as ``Worklist`` does.

    Parameters
    ----------
    worklist
        In whose file it stands.
    """

    def __init__(self, worklist: Worklist) -> None:
        self._worklist = worklist

    def items(self) -> tuple[Item, ...]:
        """Return all of it, in the order in which it is worked off."""
        return self._worklist.transact(_items)

    def add(self, case_keys: Sequence[str]) -> tuple[Item, ...]:
        """Let studies wait at the end; those that wait already keep their place."""

        def write(connection: sqlite3.Connection) -> tuple[Item, ...]:
            (last,) = connection.execute("SELECT max(position) FROM batch").fetchone()
            waiting = {item.case_key for item in _items(connection) if item.state == "waiting"}
            for number, key in enumerate(case_keys, start=(last or 0) + 1):
                if key not in waiting:
                    connection.execute(
                        "INSERT OR REPLACE INTO batch VALUES (?, ?, 'waiting', '')", (key, number)
                    )
            return _items(connection)

        return self._worklist.transact(write)

    def mark(self, case_key: str, state: State, reason: str = "") -> tuple[Item, ...]:
        """Note what became of a study; one that was taken out meanwhile stays out."""

        def write(connection: sqlite3.Connection) -> tuple[Item, ...]:
            connection.execute(
                "UPDATE batch SET state = ?, reason = ? WHERE case_key = ?",
                (state, reason, case_key),
            )
            return _items(connection)

        return self._worklist.transact(write)

    def remove(self, case_keys: Sequence[str]) -> tuple[Item, ...]:
        """Take studies out of the queue."""

        def write(connection: sqlite3.Connection) -> tuple[Item, ...]:
            connection.executemany(
                "DELETE FROM batch WHERE case_key = ?", [(key,) for key in case_keys]
            )
            return _items(connection)

        return self._worklist.transact(write)

    def move(self, case_key: str, by: int) -> tuple[Item, ...]:
        """Let a study that waits go before (-1) or behind (1) its neighbour that waits."""

        def write(connection: sqlite3.Connection) -> tuple[Item, ...]:
            rows = connection.execute(
                "SELECT case_key, position FROM batch WHERE state = 'waiting' ORDER BY position"
            ).fetchall()
            at = next((n for n, (key, _) in enumerate(rows) if key == case_key), None)
            if at is not None and 0 <= at + by < len(rows):
                (one, first), (other, second) = rows[at], rows[at + by]
                connection.executemany(
                    "UPDATE batch SET position = ? WHERE case_key = ?",
                    [(second, one), (first, other)],
                )
            return _items(connection)

        return self._worklist.transact(write)


def _items(connection: sqlite3.Connection) -> tuple[Item, ...]:
    rows = connection.execute(
        "SELECT case_key, state, reason FROM batch ORDER BY position, case_key"
    ).fetchall()
    return tuple(
        Item(key, cast(State, state) if state in _STATES else "waiting", reason)
        for key, state, reason in rows
    )
