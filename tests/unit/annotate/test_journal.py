"""The journal's file: append-only, chained, refused when newer, mended when damaged."""

import contextlib
import shutil
import sqlite3
import struct
import subprocess
import sys

import numpy as np
import pytest

from resources.problem import Problem
from tests.annotate_cases import affine, findings, open_case, volume
from viewer.annotate import journal as journal_module
from viewer.annotate import salvage, schema, wal
from viewer.annotate.journal import (
    FILE,
    Fingerprint,
    Record,
    connect,
    first_link,
    insert,
    link,
    open_journal,
)

UID = "1.2.826.0.1.3680043.8.498.77"


def _fingerprint(uid=UID, n=12, shape=(12, 24, 28), transform=None):
    return Fingerprint.of(uid, n, shape, affine() if transform is None else transform)


MINE = _fingerprint()


def _records(n, head=None, start=0, chain=None, size=3000):
    chain = first_link(head or MINE.to_json()) if chain is None else chain
    out = []
    for seq in range(start + 1, start + n + 1):
        blob = np.random.default_rng(seq).bytes(size) if seq % 3 else None
        row = (seq, "2026-11-21T07:31:05.123Z", "Ångström", "", "brush", "paint", "{}", blob)
        chain = link(chain, row)
        out.append(Record(*row, chain=chain))
    return out


def _filled(folder, n=20):
    """Write ``n`` records and leave the files as a killed program does: log and all."""
    journal = open_journal(folder, MINE)
    made = _records(n)
    connection = connect(journal.file)
    for record in made:
        insert(connection, [record])
    return made, connection


def _killed(tmp_path, n=20):
    live, dead = tmp_path / "live", tmp_path / "dead"
    live.mkdir()
    dead.mkdir()
    made, connection = _filled(live, n)
    for suffix in ("", "-wal"):
        shutil.copy(live / f"{FILE}{suffix}", dead / f"{FILE}{suffix}")
    connection.close()
    return made, dead


def _closed(tmp_path, n=20):
    made, connection = _filled(tmp_path, n)
    connection.close()
    return made


def test_what_was_written_is_read(tmp_path):
    made = _closed(tmp_path)
    journal = open_journal(tmp_path, MINE)
    assert list(journal.records) == made
    assert journal.chain == made[-1].chain
    assert not journal.damaged


def test_the_log_of_a_killed_program_is_read(tmp_path):
    made, dead = _killed(tmp_path)
    assert (dead / f"{FILE}-wal").stat().st_size > 0
    journal = open_journal(dead, MINE)
    assert list(journal.records) == made
    assert not journal.damaged


def test_commits_are_synchronous_and_logged_ahead(tmp_path):
    open_journal(tmp_path, MINE)
    with contextlib.closing(connect(tmp_path / FILE)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET reader = 'x' WHERE seq = 1",
        "DELETE FROM record WHERE seq = 20",
        "UPDATE head SET value = ''",
        "DELETE FROM head",
        "INSERT INTO record SELECT 22, utc, reader, role, tool, kind, body, blob, chain FROM record"
        " WHERE seq = 1",
        "INSERT OR REPLACE INTO record SELECT 3, utc, reader, role, tool, kind, body, blob, chain"
        " FROM record WHERE seq = 1",
    ],
)
def test_records_can_only_be_appended(tmp_path, statement):
    made = _closed(tmp_path)
    with (
        contextlib.closing(connect(tmp_path / FILE)) as connection,
        pytest.raises(sqlite3.DatabaseError, match=r"append-only|written once"),
    ):
        connection.execute(statement)
    assert list(open_journal(tmp_path, MINE).records) == made


def test_nothing_of_the_series_stands_in_the_file(tmp_path):
    _closed(tmp_path, 3)
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert UID.encode() not in data


@pytest.mark.parametrize(
    "other",
    [
        _fingerprint(uid=UID + "1"),
        _fingerprint(n=11),
        _fingerprint(shape=(11, 24, 28)),
        _fingerprint(transform=affine(flip=(1, 1, -1))),
        _fingerprint(transform=affine((2.0, 0.7, 0.81))),
    ],
)
def test_a_journal_is_never_opened_on_another_volume(tmp_path, other):
    _closed(tmp_path)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(Problem, match="other images"):
        open_journal(tmp_path, other)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_tremor_of_the_affine_is_the_same_volume(tmp_path):
    made = _closed(tmp_path)
    near = affine()
    near[0, 3] += 1e-6
    assert list(open_journal(tmp_path, _fingerprint(transform=near)).records) == made


def test_a_newer_schema_is_refused_and_left_alone(tmp_path):
    _closed(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(Problem, match="newer Overread"):
        open_journal(tmp_path, MINE)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def _recovers(folder, made, fewest, most):
    journal = open_journal(folder, MINE)
    n = len(journal.records)
    assert list(journal.records) == made[:n]
    assert fewest <= n <= most
    assert journal.damaged
    aside = list(folder.glob("journal.damaged-*.db"))
    assert len(aside) == 1
    # It works on: one more record, and next time nothing is wrong.
    more = _records(1, start=n, chain=journal.chain)
    with contextlib.closing(connect(journal.file)) as connection:
        insert(connection, more)
    again = open_journal(folder, MINE)
    assert list(again.records) == made[:n] + more
    assert not again.damaged
    return n


def test_a_changed_record_cuts_off_itself_and_what_follows(tmp_path):
    made = _closed(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("DROP TRIGGER record_no_update")
        connection.execute("UPDATE record SET reader = 'Somebody else' WHERE seq = 8")
        connection.commit()
    _recovers(tmp_path, made, 7, 7)


def test_a_record_taken_out_cuts_off_what_follows(tmp_path):
    made = _closed(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("DROP TRIGGER record_no_delete")
        connection.execute("DELETE FROM record WHERE seq = 8")
        connection.commit()
    _recovers(tmp_path, made, 7, 7)


def test_a_file_cut_short_gives_what_is_left(tmp_path):
    made = _closed(tmp_path)
    file = tmp_path / FILE
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.truncate(size * 2 // 3)
    _recovers(tmp_path, made, 1, 19)


@pytest.mark.parametrize("seed", range(12))
def test_four_random_kilobytes_overwritten(tmp_path, seed):
    made = _closed(tmp_path, 40)
    file = tmp_path / FILE
    rng = np.random.default_rng(seed)
    at = int(rng.integers(0, file.stat().st_size - 4096))
    with file.open("r+b") as stream:
        stream.seek(at)
        stream.write(rng.bytes(4096))
    _recovers(tmp_path, made, 0, 40)


def _overwrite_page(file, page):
    with file.open("r+b") as stream:
        stream.seek(4096 * (page - 1))
        stream.write(np.random.default_rng(0).bytes(4096))


def test_the_first_page_can_be_lost(tmp_path):
    made = _closed(tmp_path, 40)
    _overwrite_page(tmp_path / FILE, 1)
    _recovers(tmp_path, made, 40, 40)
    assert not list(tmp_path.glob("journal.salvage*"))
    assert not list(tmp_path.glob("journal.part*"))


def test_the_fingerprint_can_be_lost(tmp_path):
    made = _closed(tmp_path, 40)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'head'"
        ).fetchone()
    _overwrite_page(tmp_path / FILE, page)
    _recovers(tmp_path, made, 40, 40)


@pytest.mark.parametrize("data", [b"", b"rubbish" * 1000, b"SQLite format 3\0" + b"\0" * 3000])
def test_a_file_that_is_no_journal_is_kept_aside(tmp_path, data):
    (tmp_path / FILE).write_bytes(data)
    _recovers(tmp_path, [], 0, 0)
    (aside,) = tmp_path.glob("journal.damaged-*.db")
    assert aside.read_bytes() == data


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_damaged_log_is_noticed(tmp_path, share):
    made, dead = _killed(tmp_path)
    log = dead / f"{FILE}-wal"
    at = int(log.stat().st_size * share)
    with log.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)
        stream.seek(at)
        stream.write(bytes([byte[0] ^ 255]))
    _recovers(dead, made, int(20 * share) - 4, 19)


def test_a_damaged_head_of_the_log_is_noticed(tmp_path):
    made, dead = _killed(tmp_path)
    with (dead / f"{FILE}-wal").open("r+b") as stream:
        stream.seek(16)
        stream.write(struct.pack(">I", 1))
    _recovers(dead, made, 0, 0)


def test_a_last_commit_that_never_finished_is_no_damage(tmp_path):
    made, dead = _killed(tmp_path)
    log = dead / f"{FILE}-wal"
    with log.open("r+b") as stream:
        stream.truncate(log.stat().st_size - 100)
    journal = open_journal(dead, MINE)
    assert list(journal.records) == made[:19]
    assert not journal.damaged


def test_reading_only_mends_nothing(tmp_path):
    made = _closed(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("DROP TRIGGER record_no_update")
        connection.execute("UPDATE record SET utc = '' WHERE seq = 8")
        connection.commit()
    before = (tmp_path / FILE).read_bytes()
    journal = open_journal(tmp_path, MINE, read_only=True)
    assert list(journal.records) == made[:7]
    assert journal.damaged
    assert (tmp_path / FILE).read_bytes() == before
    assert not list(tmp_path.glob("journal.damaged-*"))


def test_reading_only_makes_nothing(tmp_path):
    assert open_journal(tmp_path, MINE, read_only=True).records == ()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("moved", [(), ("-wal",), ("-wal", "")])
def test_a_replacement_that_was_interrupted_is_finished(tmp_path, moved):
    made, dead = _killed(tmp_path)
    # The good records stand ready; of the old files, some were moved aside already.
    other = tmp_path / "other"
    other.mkdir()
    _closed(other, 5)
    shutil.copy(other / FILE, dead / "journal.ready")
    for suffix in moved:
        (dead / f"{FILE}{suffix}").rename(dead / f"journal.damaged-1.db{suffix}")
    journal = open_journal(dead, MINE)
    assert list(journal.records) == made[:5]
    assert not (dead / "journal.ready").exists()


def test_a_folder_that_cannot_be_read_is_a_problem(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(Problem, match="cannot be read"):
        open_journal(tmp_path, MINE)


_TAKE_ALONE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
try:
    print(connection.execute("PRAGMA journal_mode = DELETE").fetchone())
except sqlite3.OperationalError as error:
    print(error)
"""


def test_another_program_finds_the_open_journal_locked(tmp_path):
    """A file that is opened and closed beside SQLite drops its locks (POSIX)."""
    _closed(tmp_path, 2)
    with contextlib.closing(connect(tmp_path / FILE)) as connection:
        connection.execute("SELECT count(*) FROM record").fetchone()
        arguments = [sys.executable, "-c", _TAKE_ALONE, str(tmp_path / FILE)]
        said = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert said == "database is locked\n"


def test_the_log_is_judged_when_no_connection_is_open(tmp_path, monkeypatch):
    made, dead = _killed(tmp_path)
    opened, judged = [], []

    def connecting(*arguments):
        opened.append(_connect(*arguments))
        return opened[-1]

    def judging(file):
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            opened[-1].execute("SELECT 1")
        judged.append(_judge(file))
        return judged[-1]

    _connect, _judge = journal_module._connect_to_read, wal.has_lost_commits
    monkeypatch.setattr(journal_module, "_connect_to_read", connecting)
    monkeypatch.setattr(wal, "has_lost_commits", judging)
    assert list(open_journal(dead, MINE).records) == made
    assert judged == [False]


def test_an_index_that_another_program_makes_anew_is_not_judged(tmp_path, monkeypatch):
    _, dead = _killed(tmp_path)
    with contextlib.closing(journal_module._connect_to_read(dead / FILE)) as connection:
        connection.execute("SELECT count(*) FROM record").fetchone()
    monkeypatch.setattr(wal, "_PAUSE_S", 0.0)
    assert not wal.has_lost_commits(dead / FILE)
    index = dead / f"{FILE}-shm"
    whole = index.read_bytes()
    for half in (whole[:3], bytes(len(whole)), whole[:48] + bytes(48) + whole[96:]):
        index.write_bytes(half)
        assert not wal.has_lost_commits(dead / FILE)
    # Of half the frames: that is what a lost commit looks like.
    head = bytearray(whole[:40])
    head[16:20] = struct.pack("=I", struct.unpack("=I", head[16:20])[0] // 2)
    head += struct.pack("=2I", *wal._checksum(bytes(head), wal._NATIVE))
    index.write_bytes(bytes(head) * 2 + whole[96:])
    assert wal.has_lost_commits(dead / FILE)


def test_the_chain_keeps_columns_apart():
    rows = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("abc", None), ("abc", None, None)]
    assert len({link(b"start", row) for row in rows}) == len(rows)
    assert link(b"start", (1, "x")) != link(b"other", (1, "x"))


def test_on_a_read_only_medium_nothing_is_put_beside_the_journal(tmp_path, monkeypatch):
    case = open_case(folder=tmp_path)
    case.add_findings(findings(volume()))
    assert case.close() == 0
    (file,) = tmp_path.rglob(FILE)
    # A real one cannot be had without the rights to mount.
    monkeypatch.setattr(salvage, "writable", lambda _folder: False)
    before = {path.name for path in file.parent.iterdir()}
    with contextlib.closing(journal_module._connect_to_read(file)) as connection:
        assert connection.execute("SELECT count(*) FROM record").fetchone() == (1,)
        assert {path.name for path in file.parent.iterdir()} == before
