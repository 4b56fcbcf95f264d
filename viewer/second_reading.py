"""The second reading of a case: a journal of its own, which the first reader's work stays out of.

It lies in the folder of the case and begins with the same AI results. Until its reader commits it
he gets no other reading of the case, and nobody else gets his.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from viewer.annotate import salvage
from viewer.annotate.events import EVENT
from viewer.annotate.journal import FILE

FOLDER = "second"


@dataclass(frozen=True, slots=True)
class SecondReading:
    """How the second reading of a case stands: by whom, and whether it is committed."""

    readers: tuple[str, ...]
    committed: bool


def standing(home: Path) -> SecondReading | None:
    """Return how the second reading stands; None while there is none.

    Parameters
    ----------
    home
        The case's own folder.
    """
    file = home / FOLDER / FILE
    if not file.exists():
        return None
    try:
        with salvage.readable(file) as readable:
            uri = f"{readable.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=2.0)) as connection:
                query = "SELECT reader, kind, body FROM record ORDER BY seq"
                rows = connection.execute(query).fetchall()
    except (OSError, sqlite3.Error):
        # What is damaged is mended when it is opened; until then it is under way.
        return SecondReading((), False)
    if not rows:
        return None
    readers = tuple(dict.fromkeys(str(row[0]) for row in rows if row[0]))
    return SecondReading(readers, any(_commits(str(row[1]), str(row[2])) for row in rows))


def is_to_be_opened(home: Path, reader: str) -> bool:
    """Tell whether this reader is in the midst of the second reading, and gets no other."""
    found = standing(home)
    return found is not None and not found.committed and bool(reader) and reader in found.readers


def _commits(kind: str, body: str) -> bool:
    if kind != EVENT:
        return False
    try:
        return bool(json.loads(body).get("what") == "second-committed")
    except (ValueError, AttributeError):
        return False
