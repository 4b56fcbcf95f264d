"""The worklist's file: rows, order, damage, newer files, several processes, forgetting."""

import os
import random
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from resources.problem import Problem
from viewer import worklist_file
from viewer.worklist import Study, Worklist, _row, state_of

CANARY = "CANARY^Patient=山田^太郎"
_ROOT = Path(__file__).resolve().parents[3]


def study(key="a", **values):
    given = {"patient_name": CANARY, "patient_id": "CANARY-ID", "paths": ("/somewhere/CANARY",)}
    return Study(case_key=key, **(given | values))


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def worklist(folder):
    return Worklist(folder)


@pytest.fixture
def file(folder):
    return folder / worklist_file.FILE


def test_a_study_comes_back_as_it_was_put_in(worklist, folder):
    put = worklist.opened(
        study(
            part="1",
            study_date="20200102",
            description="Thorax 胸部",
            modality="CT",
            images=133,
            state="ai",
            opened_utc="2026-11-21T10:00:00.000Z",
            reader="Dr. Ä",
        )
    )
    assert put.opened_number == 1
    assert Worklist(folder).studies() == (put,)


def test_the_study_opened_last_is_first_whatever_the_clock_says(worklist):
    worklist.opened(study("a", opened_utc="2026-11-21T10:00:00.000Z"))
    worklist.opened(study("b", opened_utc="2020-01-01T00:00:00.000Z"))
    assert [s.case_key for s in worklist.studies()] == ["b", "a"]
    worklist.opened(study("a", opened_utc="1999-01-01T00:00:00.000Z"))
    assert [s.case_key for s in worklist.studies()] == ["a", "b"]


def test_opening_again_keeps_view_picture_and_export(worklist):
    worklist.opened(study())
    worklist.left("a", '{"window": [40, 400]}')
    worklist.pictured("a", b"\x89PNG")
    worklist.changed("a", "exported", exported_mark="f00")
    again = worklist.opened(study(state="exported", paths=("/elsewhere",)))
    assert (again.view, again.exported_mark) == ('{"window": [40, 400]}', "f00")
    assert worklist.studies() == (again,)
    assert again.paths == ("/elsewhere",)
    assert worklist.thumbnails(["a", "no such"]) == {"a": b"\x89PNG"}


def test_a_study_that_is_not_listed_is_not_made_by_a_change(worklist):
    worklist.changed("a", "done")
    worklist.left("a", "{}")
    assert worklist.studies() == ()


def test_names_of_files_that_are_no_text_survive(worklist):
    odd = os.fsdecode(b"/data/\xff\xfe")
    worklist.opened(study(paths=(odd,), patient_name="bad \udcff name"))
    (found,) = worklist.studies()
    assert found.paths == (odd,)
    assert found.patient_name == "bad ? name"


def test_who_it_is_does_not_show_in_a_repr(worklist):
    assert "CANARY" not in repr(worklist.opened(study()))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", True),
        ("canary", True),
        ("Patient canary", True),
        ("CANARY^Patient", True),
        ("canary-id", True),
        ("太郎", True),
        ("thorax ct", True),
        ("2020-01", True),
        ("20200102", True),
        ("thorax mr", False),
        ("nobody", False),
    ],
)
def test_every_word_must_be_found(wanted, found):
    one = study(description="CT Thorax", modality="CT", study_date="20200102")
    assert one.matches(wanted) is found


@pytest.mark.parametrize(
    ("ai", "judged", "total", "work", "exported", "state"),
    [
        (False, 0, 0, False, False, "new"),
        (False, 0, 1, True, False, "review"),
        (False, 1, 1, True, False, "review"),
        (True, 0, 3, False, False, "ai"),
        (True, 0, 0, False, False, "ai"),
        (True, 1, 3, True, False, "review"),
        (True, 0, 3, True, False, "review"),
        (True, 3, 3, True, False, "done"),
        (True, 3, 3, True, True, "exported"),
        (False, 0, 0, False, True, "exported"),
    ],
)
def test_how_far_a_reading_is(ai, judged, total, work, exported, state):
    assert state_of(ai=ai, judged=judged, total=total, work=work, exported=exported) == state


# ------------------------------------------------------------------------ privacy


def everything_in(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_only_the_owner_can_read_it(worklist, folder, file):
    with worklist_file_open(worklist, folder) as connection:
        connection.execute("SELECT * FROM study").fetchone()
        names = {path.name for path in folder.glob("worklist*")}
        assert {"worklist.sqlite", "worklist.sqlite-wal", "worklist.sqlite-shm"} <= names
        for path in folder.glob("worklist*"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def worklist_file_open(worklist, folder):
    worklist.opened(study())
    return worklist_file.transaction(folder / worklist_file.FILE)


def test_what_is_forgotten_is_gone_from_every_file(worklist, folder):
    worklist.opened(study())
    worklist.opened(study("b", patient_name="KEPT", patient_id="KEPT", paths=("KEPT",)))
    Worklist(folder).studies()  # the next start makes the copy
    (folder / "worklist.damaged-1.sqlite").write_bytes(b"CANARY")
    assert b"CANARY" in everything_in(folder)
    worklist.forget("a")
    assert b"CANARY" not in everything_in(folder)
    assert [s.case_key for s in worklist.studies()] == ["b"]


def test_clearing_empties_the_list_and_every_file(worklist, folder):
    for key in "abc":
        worklist.opened(study(key))
    Worklist(folder).studies()
    worklist.clear()
    assert worklist.studies() == ()
    assert b"CANARY" not in everything_in(folder)


# ------------------------------------------------------------------------- damage


def filled(folder, count=300):
    """A worklist of many studies, put in at once: each on its own would wait for the disk."""
    worklist = Worklist(folder)
    worklist.studies()
    columns = worklist_file.COLUMNS
    rows = [
        _row(study(f"{n:032x}", description="x" * 200, opened_number=n + 1)) for n in range(count)
    ]
    with worklist_file.transaction(folder / worklist_file.FILE) as connection:
        connection.executemany(
            f"INSERT INTO study ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            rows,
        )
    return worklist


def test_a_file_of_no_bytes_is_set_aside_and_said(folder, file):
    file.write_bytes(b"")
    worklist = Worklist(folder)
    assert worklist.studies() == ()
    assert "damaged" in worklist.take_notice()
    assert worklist.take_notice() is None
    assert len(list(folder.glob("worklist.damaged-*.sqlite"))) == 1
    worklist.opened(study())
    assert len(Worklist(folder).studies()) == 1


def test_a_file_of_no_bytes_comes_back_from_the_copy(folder, file):
    filled(folder, 5)
    Worklist(folder).studies()
    file.write_bytes(b"")
    worklist = Worklist(folder)
    assert len(worklist.studies()) == 5
    assert "5 studies" in worklist.take_notice()


@pytest.mark.parametrize("seed", range(20))
def test_four_damaged_kilobytes_never_empty_the_list_in_silence(folder, file, seed):
    filled(folder)
    worklist_file.shrink(file)
    dice = random.Random(seed)
    at = dice.randrange(file.stat().st_size // 4096) * 4096
    with file.open("r+b") as stream:
        stream.seek(at)
        stream.write(dice.randbytes(4096))
    worklist = Worklist(folder)
    found = worklist.studies()
    notice = worklist.take_notice()
    assert len(found) == 300 or (found and notice)
    assert notice is None or "damaged" in notice
    worklist.opened(study("new"))
    again = Worklist(folder)
    assert "new" in {s.case_key for s in again.studies()}
    assert again.take_notice() is None


def test_rows_behind_a_damaged_page_are_kept_without_a_copy(folder, file):
    filled(folder)
    worklist_file.shrink(file)
    for copy in folder.glob("worklist.backup*"):
        copy.unlink()
    with closing(sqlite3.connect(file)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    with file.open("r+b") as stream:
        stream.seek(pages // 2 * 4096)
        stream.write(b"\x99" * 4096)
    worklist = Worklist(folder)
    assert 200 < len(worklist.studies()) < 300
    assert worklist.take_notice()


def test_damage_while_the_program_runs_is_mended_too(folder, file):
    worklist = filled(folder, 5)
    Worklist(folder).studies()
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    file.write_bytes(b"no database at all" * 1000)
    worklist.opened(study("new"))
    assert len(worklist.studies()) == 6
    assert worklist.take_notice()


def test_two_rooms_of_a_window_mend_the_damage_once(folder, file, monkeypatch):
    shared = filled(folder, 5)
    shared.studies()
    Worklist(folder).studies()
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    file.write_bytes(b"no database at all" * 1000)
    both, stumbled = threading.Barrier(2, timeout=60), set()
    real = worklist_file.transaction

    @contextmanager
    def met(path):
        try:
            with real(path) as connection:
                yield connection
        except sqlite3.Error as error:
            # Neither mends before the other has stumbled too. One that only found the file
            # busy comes again, and has not seen the damage yet.
            if worklist_file.is_busy(error) or threading.get_ident() in stumbled:
                raise
            stumbled.add(threading.get_ident())
            both.wait()
            raise

    monkeypatch.setattr(worklist_file, "transaction", met)
    with ThreadPoolExecutor(2) as pool:
        found = [job.result(60) for job in [pool.submit(shared.studies) for _ in range(2)]]
    assert [len(studies) for studies in found] == [5, 5]
    assert "5 studies" in shared.take_notice()
    assert len(list(folder.glob("worklist.damaged-*.sqlite"))) == 1


def test_damage_that_no_check_finds_is_mended_when_it_shows(folder, file, monkeypatch):
    filled(folder)
    Worklist(folder).studies()
    worklist_file.shrink(file)
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\x99" * 8 * 4096)
    monkeypatch.setattr(worklist_file, "_sound", lambda _file: True)
    worklist = Worklist(folder)
    assert len(worklist.studies()) == 300
    assert worklist.take_notice()


def test_a_copy_that_cannot_be_made_does_not_take_the_list_away(folder, monkeypatch):
    filled(folder, 3)

    def full(_folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(worklist_file, "back_up", full)
    assert len(Worklist(folder).studies()) == 3


def test_a_deleted_file_is_made_anew(folder, file):
    worklist = filled(folder, 2)
    file.unlink()
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    worklist.opened(study("new"))
    assert [s.case_key for s in worklist.studies()] == ["new"]


# ----------------------------------------------------------- newer and older files


def test_a_newer_file_is_refused_and_not_one_byte_changed(folder, file):
    filled(folder, 2)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {len(worklist_file.MIGRATIONS) + 1}")
    before = file.read_bytes()
    worklist = Worklist(folder)
    for act in (worklist.studies, worklist.clear, lambda: worklist.opened(study("c"))):
        with pytest.raises(Problem, match="newer Overread"):
            act()
    assert file.read_bytes() == before
    assert not list(folder.glob("worklist.damaged*"))


def test_a_file_that_becomes_newer_while_it_is_used_is_refused(folder, file):
    worklist = filled(folder, 2)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {len(worklist_file.MIGRATIONS) + 1}")
    with pytest.raises(Problem, match="newer Overread"):
        worklist.opened(study("c"))


def test_an_older_file_goes_through_the_steps_that_it_lacks(folder, file, monkeypatch):
    filled(folder, 2)
    more = (*worklist_file.MIGRATIONS, ("ALTER TABLE study ADD COLUMN note TEXT DEFAULT 'n'",))
    monkeypatch.setattr(worklist_file, "MIGRATIONS", more)
    assert len(Worklist(folder).studies()) == 2
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(more),)
        assert connection.execute("SELECT note FROM study").fetchall() == [("n",), ("n",)]


def test_what_is_no_worklist_is_set_aside(folder, file):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE other (x)")
    worklist = Worklist(folder)
    assert worklist.studies() == ()
    assert worklist.take_notice()


# ------------------------------------------------------------- disk and processes


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_a_problem_in_a_sentence(folder, monkeypatch):
    monkeypatch.setattr(worklist_file, "_WAIT_S", 0.1)
    folder.chmod(0o500)
    try:
        with pytest.raises(Problem, match="worklist cannot be read or saved"):
            Worklist(folder).studies()
    finally:
        folder.chmod(0o700)


def test_a_full_disk_is_told_and_harms_nothing(folder, monkeypatch):
    worklist = filled(folder, 3)
    whole = worklist_file.transaction

    def full(file):
        raise sqlite3.OperationalError("database or disk is full CANARY")

    monkeypatch.setattr(worklist_file, "transaction", full)
    monkeypatch.setattr(worklist_file, "is_damage", lambda error: False)
    with pytest.raises(Problem) as caught:
        worklist.opened(study("c"))
    assert "CANARY" not in caught.value.detail
    monkeypatch.setattr(worklist_file, "transaction", whole)
    assert len(worklist.studies()) == 3


_WRITER = """
    import sys
    from pathlib import Path
    from viewer.worklist import Study, Worklist
    folder, name = Path(sys.argv[1]), sys.argv[2]
    worklist = Worklist(folder)
    for n in range(15):
        worklist.opened(Study(case_key=f"{name}-{n}", patient_name=name))
        worklist.opened(Study(case_key="shared", patient_name=name))
        worklist.left("shared", f'"{name}"')
    print(worklist.take_notice())
"""


@pytest.mark.parametrize("start", ["none", "empty file"])
def test_several_processes_at_once_lose_nothing(folder, file, start):
    if start == "empty file":
        file.write_bytes(b"")
    script = textwrap.dedent(_WRITER)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(folder), name],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("one", "two", "three")
    ]
    said = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    mended = [text for text in said if "damaged" in text]
    assert len(mended) == (1 if start == "empty file" else 0), said
    studies = Worklist(folder).studies()
    assert len(studies) == 3 * 15 + 1
    assert studies[0].opened_number == 3 * 30
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def busy():
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
    return error


def test_a_file_that_is_busy_for_a_moment_is_waited_for(worklist, monkeypatch):
    transaction, refused = worklist_file.transaction, [busy(), busy()]

    @contextmanager
    def sometimes(file):
        if refused:
            raise refused.pop()
        with transaction(file) as connection:
            yield connection

    monkeypatch.setattr(worklist_file, "transaction", sometimes)
    assert worklist.opened(study()).opened_number == 1
    assert not refused


def test_a_file_that_stays_busy_is_told(worklist, monkeypatch):
    @contextmanager
    def never(file):
        raise busy()
        yield

    monkeypatch.setattr("viewer.worklist._PATIENCE_S", 0.05)
    monkeypatch.setattr(worklist_file, "transaction", never)
    with pytest.raises(Problem):
        worklist.opened(study())
