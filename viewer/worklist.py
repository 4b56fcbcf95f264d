"""The list of studies that were opened, with their state and how they were last shown. No Qt.

This file (``worklist.sqlite`` in the data folder, with its copies ``worklist.backup.sqlite``
and ``worklist.damaged-*.sqlite``) and the journals of the cases are the only places in which
Overread keeps anything of a patient: name, ID, study date, description, a small picture and
the paths of the files stand here in plain. (A retraining keeps pictures of the data set that its
reader named: ``viewer.retraining``.) Only its owner may read it (mode 0600 in a folder
of 0700). ``forget`` and ``clear`` delete rows, copies and what SQLite keeps of them; the
corrections of a study are not here and stay.

No call belongs into the GUI thread. Several processes may use the file at once.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

from resources.problem import Problem
from resources.text import translate
from viewer import folders, worklist_file

State = Literal["new", "ai", "review", "done", "exported"]
STATES: tuple[State, ...] = get_args(State)
# A list longer than this is no list any more; older studies stay in the file.
_LISTED = 5000
_PATIENCE_S = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Study:
    """One line of the worklist. Its ``repr`` hides who it is.

    Attributes
    ----------
    case_key
        Of the series that was opened, as in ``Case.key``; the same series has one line.
    part
        ``StackPlan.part``: which volume of the series; empty when it is alone.
    paths
        Files and folders to be scanned to open it again, the most exact first.
    patient_name
        Person name as in the file (PS3.5 6.2.1), with ``^`` and ``=``.
    study_date
        DA (PS3.5 6.2), eight digits, or empty.
    images
        Slices of the volume.
    state
        How far the reading is.
    exported_mark
        Digest of the corrections when they were exported last; empty when never.
    opened_number
        Grows with every opening, whatever the clock says: the order of the list.
    opened_utc
        When it was opened last, ISO 8601 in UTC.
    reader
        Who opened it last.
    view
        JSON of how it was shown when it was left; empty when not known.
    """

    case_key: str
    part: str = ""
    paths: tuple[str, ...] = ()
    patient_name: str = ""
    patient_id: str = ""
    study_date: str = ""
    description: str = ""
    modality: str = ""
    images: int = 0
    state: State = "new"
    exported_mark: str = ""
    opened_number: int = 0
    opened_utc: str = ""
    reader: str = ""
    view: str = ""

    def __repr__(self) -> str:
        return f"Study({self.case_key!r}, {self.modality!r}, {self.state!r})"

    def matches(self, wanted: str) -> bool:
        """Tell whether every word that is looked for stands in name, ID, description or date."""
        text = " ".join(
            (
                self.patient_name.replace("^", " ").replace("=", " "),
                self.patient_id,
                self.description,
                self.modality,
                self.study_date,
                f"{self.study_date[:4]}-{self.study_date[4:6]}-{self.study_date[6:8]}",
            )
        ).casefold()
        return all(word in text for word in wanted.casefold().replace("^", " ").split())


def state_of(*, ai: bool, judged: int, total: int, work: bool, exported: bool) -> State:
    """Return how far a reading is.

    Parameters
    ----------
    ai
        Whether there are findings of a model.
    judged, total
        How many of the findings have a verdict, and how many there are.
    work
        Whether a person changed anything.
    exported
        Whether all of it stands in an export.
    """
    if exported:
        return "exported"
    if ai and total and judged == total:
        return "done"
    if judged or work:
        return "review"
    return "ai" if ai else "new"


class Worklist:
    """The rows of one file.

    Every method may raise ``Problem`` when the file cannot be read or written, or is of a newer
    Overread; it is then left as it is. A damaged file is set aside and made anew, and
    ``take_notice`` says so once.

    Parameters
    ----------
    folder
        Where the file lies; by default the data folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._ready = False
        self._notice: str | None = None
        self._times_ready = 0
        self._preparing = threading.Lock()  # the rooms of one window share it, each with its pool

    def take_notice(self) -> str | None:
        """Return, once, the translated note that the file was damaged; None when it was not."""
        notice, self._notice = self._notice, None
        return notice

    # ------------------------------------------------------------------ reading

    def studies(self) -> tuple[Study, ...]:
        """Return all studies, the one that was opened last first."""
        select = (
            f"SELECT {', '.join(worklist_file.COLUMNS)} FROM study "
            f"ORDER BY opened_number DESC, case_key LIMIT {_LISTED}"
        )
        rows = self._run(lambda connection: connection.execute(select).fetchall())
        return tuple(_study(row) for row in rows)

    def thumbnails(self, case_keys: Iterable[str]) -> dict[str, bytes]:
        """Return the pictures (PNG) of some studies, as far as there are any."""
        keys = list(case_keys)

        def read(connection: sqlite3.Connection) -> dict[str, bytes]:
            found = {}
            for key in keys:
                row = connection.execute(
                    "SELECT thumbnail FROM study WHERE case_key = ?", (key,)
                ).fetchone()
                if row is not None and isinstance(row[0], bytes):
                    found[key] = row[0]
            return found

        return self._run(read)

    # ------------------------------------------------------------------ writing

    def opened(self, study: Study) -> Study:
        """Put a study on top of the list; return it as it stands there now.

        What the list alone knows of it (picture, view, mark of the export) stays.
        """

        def write(connection: sqlite3.Connection) -> Study:
            (last,) = connection.execute("SELECT max(opened_number) FROM study").fetchone()
            known = _find(connection, study.case_key)
            stands = replace(study, opened_number=(last or 0) + 1)
            if known is not None:
                stands = replace(stands, view=known.view, exported_mark=known.exported_mark)
            values = _row(stands)
            columns = worklist_file.COLUMNS
            updates = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
            connection.execute(
                f"INSERT INTO study ({', '.join(columns)}) "
                f"VALUES ({', '.join('?' * len(columns))}) "
                f"ON CONFLICT (case_key) DO UPDATE SET {updates}",
                values,
            )
            return stands

        return self._run(write)

    def changed(self, case_key: str, state: State, *, exported_mark: str | None = None) -> None:
        """Note how far the reading of a study is, and what was exported of it."""
        self._update(case_key, state=state, exported_mark=exported_mark)

    def left(self, case_key: str, view: str) -> None:
        """Note how a study was shown."""
        self._update(case_key, view=view)

    def pictured(self, case_key: str, png: bytes) -> None:
        """Keep a small picture (PNG) of a study."""
        self._update(case_key, thumbnail=png)

    def forget(self, case_key: str) -> None:
        """Delete a study from the list and from all copies; its corrections stay."""

        def delete(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM study WHERE case_key = ?", (case_key,))
            connection.execute("DELETE FROM batch WHERE case_key = ?", (case_key,))

        self._run(delete)
        self._clean()

    def clear(self) -> None:
        """Delete all studies from the list and from all copies; their corrections stay."""

        def delete(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM study")
            connection.execute("DELETE FROM batch")

        self._run(delete)
        self._clean()

    # ------------------------------------------------------------------- beside

    def listed(self, study: Study) -> None:
        """Put a study on top of the list that nobody has opened yet; one there is stays."""

        def write(connection: sqlite3.Connection) -> None:
            (last,) = connection.execute("SELECT max(opened_number) FROM study").fetchone()
            new = replace(study, opened_number=(last or 0) + 1)
            columns = worklist_file.COLUMNS
            connection.execute(
                f"INSERT INTO study ({', '.join(columns)}) VALUES "
                f"({', '.join('?' * len(columns))}) ON CONFLICT (case_key) DO NOTHING",
                _row(new),
            )

        self._run(write)

    def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something in one transaction: for the queue, which stands in the same file."""
        return self._run(work)

    # ------------------------------------------------------------------- inside

    def _update(self, case_key: str, **values: Any) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        pairs = ", ".join(f"{name} = ?" for name in given)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"UPDATE study SET {pairs} WHERE case_key = ?", (*given.values(), case_key)
            )

        self._run(write)

    def _clean(self) -> None:
        folder = self._home()

        def clean() -> None:
            worklist_file.purge_copies(folder)
            worklist_file.shrink(folder / worklist_file.FILE)

        _told(clean)

    def _home(self) -> Path:
        return self._folder or folders.data_dir()

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something in one transaction; mend a damaged file first, once."""
        seen = 0

        def once(distrust: bool = False) -> T:
            nonlocal seen
            folder = self._home()
            with self._preparing:
                if not self._ready:
                    notice = worklist_file.make_ready(folder, distrust=distrust)
                    self._notice = notice or self._notice
                    self._back_up(folder)
                    self._ready = True
                    self._times_ready += 1
                seen = self._times_ready
            with worklist_file.transaction(folder / worklist_file.FILE) as connection:
                return work(connection)

        def twice() -> T:
            try:
                return once()
            except sqlite3.Error as error:
                gone = not (self._home() / worklist_file.FILE).exists()
                if not gone and not worklist_file.is_damage(error):
                    raise
                with self._preparing:
                    mine = seen == self._times_ready  # else another thread has mended it already
                    if mine:
                        self._ready = False
                return once(mine and worklist_file.is_broken(error))

        return _told(lambda: _patiently(twice))

    @staticmethod
    def _back_up(folder: Path) -> None:
        try:
            worklist_file.back_up(folder)
        except OSError:
            return  # a full disk must not take the list away
        except sqlite3.Error as error:
            if worklist_file.is_damage(error):
                raise


def _patiently(work: Callable[[], T]) -> T:
    """Try again while another connection begins or ends its work: SQLite does not wait for that.

    Whoever closes the file last takes it for himself for a moment, whatever the time to wait.
    """
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if not worklist_file.is_busy(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except (OSError, sqlite3.Error) as error:
        # No text of the error: it may quote a path.
        name = getattr(error, "sqlite_errorname", "") or getattr(error, "errno", "")
        raise Problem(
            translate("worklist", "The worklist cannot be read or saved."),
            translate(
                "worklist",
                "Check the disk and the rights of the data folder; studies and corrections "
                "are not touched by this.",
            ),
            f"worklist: {type(error).__name__} {name}".strip(),
        ) from error


def _find(connection: sqlite3.Connection, case_key: str) -> Study | None:
    columns = ", ".join(worklist_file.COLUMNS)
    row = connection.execute(
        f"SELECT {columns} FROM study WHERE case_key = ?", (case_key,)
    ).fetchone()
    return _study(row) if row is not None else None


def _row(study: Study) -> tuple[Any, ...]:
    values = {name: getattr(study, name) for name in worklist_file.COLUMNS}
    values["paths"] = json.dumps(study.paths)
    return tuple(
        # A surrogate (a file name that is no text) cannot go into SQLite.
        value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for value in values.values()
    )


def _study(row: tuple[Any, ...]) -> Study:
    values = dict(zip(worklist_file.COLUMNS, row, strict=True))
    try:
        paths = json.loads(values["paths"])
        values["paths"] = tuple(path for path in paths if isinstance(path, str))
    except (ValueError, TypeError):
        values["paths"] = ()
    if values["state"] not in STATES:
        values["state"] = "new"
    values["state"] = cast(State, values["state"])
    return Study(**values)
