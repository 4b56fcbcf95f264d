"""The readings of a case: the first, the second that is kept apart from it, the adjudicated one.

Each is a journal of its own that begins with the same AI results; those of the second and of the
adjudication lie in folders within the case's. What is never opened cannot be shown: until its
reader commits the second he gets no other reading of the case, and nobody else gets his. What is
committed stays as it is.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resources.problem import Problem
from resources.text import translate
from viewer.annotate import salvage
from viewer.annotate.events import COMMITS, EVENT
from viewer.annotate.journal import FILE

Which = Literal["first", "second", "adjudicated"]

FOLDER = "second"
_FOLDERS: dict[Which, str] = {"first": "", "second": FOLDER, "adjudicated": "adjudicated"}


@dataclass(frozen=True, slots=True)
class SecondReading:
    """How one reading of a case stands.

    Attributes
    ----------
    readers
        Whose it is, as far as they are named.
    committed
        Whether it stays as it is.
    seen
        Whether its reader had the first reading on the screen before he began.
    """

    readers: tuple[str, ...]
    committed: bool
    seen: bool = False


def folder_of(home: Path, which: Which) -> Path:
    """Return where the journal of a reading lies; ``home`` is the case's own folder."""
    return home / _FOLDERS[which]


def home_of(folder: Path, which: Which) -> Path:
    """Return the case's own folder, given that of one of its readings."""
    return folder.parent if _FOLDERS[which] else folder


def standing(home: Path, which: Which = "second") -> SecondReading | None:
    """Return how a reading stands; None while there is none.

    Parameters
    ----------
    home
        The case's own folder.
    """
    file = folder_of(home, which) / FILE
    if not file.exists():
        return None
    try:
        with salvage.readable(file) as readable:
            uri = f"{readable.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=2.0)) as connection:
                query = "SELECT reader FROM record GROUP BY reader ORDER BY min(seq)"
                names = [str(row[0]) for row in connection.execute(query)]
                query = "SELECT body FROM record WHERE kind = ? ORDER BY seq"
                events = [str(row[0]) for row in connection.execute(query, (EVENT,))]
    except (OSError, sqlite3.Error):
        # What is damaged is mended when it is opened; until then it is under way.
        return SecondReading((), False)
    if not names:
        return None
    committed = seen = False
    for body in events:
        committed = commits(body, committed)
        seen |= '"seen"' in body
    return SecondReading(tuple(filter(None, names)), committed, seen)


def of_reader(home: Path, reader: str, *, own: bool = False) -> Which:
    """Return which reading of a case a reader gets.

    Parameters
    ----------
    own
        Whether who has no part in the first reading gets a second of his own, and sees nothing
        of the first, as long as nobody else has begun one.
    """
    found = standing(home)
    if found is not None:
        under_way = not found.committed and bool(reader) and reader in found.readers
        return "second" if under_way else "first"
    if own and reader:
        first = standing(home, "first")
        if first is not None and first.readers and reader not in first.readers:
            return "second"
    return "first"


def commits(body: str, before: bool) -> bool:
    """Tell whether a reading is committed after an event, which is JSON, and how it was before."""
    try:
        what = json.loads(body).get("what")
    except (ValueError, AttributeError):
        return before
    return COMMITS.get(what, before)


def committed_problem() -> Problem:
    """Return why nothing of a committed reading can be changed."""
    return Problem(
        translate("readers", "This reading is committed: it stays as it is."),
        translate("readers", "What two readings say otherwise is settled in the adjudication."),
    )
