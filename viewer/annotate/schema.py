"""The schema of a journal, as data. A step once released is never changed; new ones follow.

``user_version`` of the file counts the steps that it has gone through. A file with more
steps than are known here was written by a newer Overread: it is refused, and never
rewritten.
"""

from __future__ import annotations

# "Ovrd"; tells a journal from any other SQLite file.
APPLICATION_ID = 0x4F767264

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE head (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE record (
            seq INTEGER PRIMARY KEY,
            utc TEXT NOT NULL,
            reader TEXT NOT NULL,
            role TEXT NOT NULL,
            tool TEXT NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            blob BLOB,
            chain BLOB NOT NULL
        )
        """,
        # Append only, also for a later version of this program with a defect.
        """
        CREATE TRIGGER record_no_update BEFORE UPDATE ON record
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
        """
        CREATE TRIGGER record_no_delete BEFORE DELETE ON record
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
        """
        CREATE TRIGGER record_in_order BEFORE INSERT ON record
        WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM record)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
        """
        CREATE TRIGGER head_no_update BEFORE UPDATE ON head
        BEGIN SELECT RAISE(ABORT, 'the head is written once'); END
        """,
        """
        CREATE TRIGGER head_no_delete BEFORE DELETE ON head
        BEGIN SELECT RAISE(ABORT, 'the head is written once'); END
        """,
    ),
    # No table is another. From here on records may be of kinds that an Overread of step 1 does
    # not know, such as notes: it would take them for damage and cut them off.
    (),
    # The same for what readers do with other tools than strokes, for several edits as one step,
    # for the threshold as a step, and for what happens to a case beside edits, such as an export.
    (),
    # The same for voxels that are kept by the ends of their runs, see ``packed``.
    (),
    # The same for outlines that come from other files, see ``imported``.
    (),
)

VERSION = len(MIGRATIONS)
