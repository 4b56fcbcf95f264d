"""What can happen to saved work, done to it; each fault gives figures that a test can judge.

``tests/unit/session/test_faults.py`` runs them, and ``python -m tests.faults`` prints them.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import numpy as np

from inference.findings import Mask
from resources.problem import Problem
from tests.annotate_cases import findings, findings_sha, open_case, state, volume
from tests.fault_session import ROOT, Nursery, fixed_clock, records_of, step
from tests.outcomes import Judge, Outcome
from tests.small_disks import fill, small_disk
from viewer import session
from viewer.annotate import store as store_module
from viewer.annotate.journal import FILE
from viewer.session import Case

AI = findings(volume())
AI_SHA = findings_sha(AI)


def journal_of(home: Path) -> Path:
    """Return the one journal under a home."""
    (file,) = (home / "data" / "cases").glob(f"*/{FILE}")
    return file


def sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def integrity(file: Path) -> str:
    """Return what SQLite's own whole check says of a file."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def opened(home: Path, **options: object) -> Case:
    """Open the case of the session in a home, as the next start of the program does."""
    with mock.patch.dict(os.environ, {"OVERREAD_HOME": str(home)}):
        return open_case(of=volume(), **options)


def wholly_undone(case: Case) -> list[str]:
    """Take back all but the AI run; return what then differs from what the AI said."""
    while len(case._history.done) > 1:
        if case.undo() is None:
            return ["undo came to a halt before the AI result"]
    wrong = []
    if len(case.document.record) != len(AI.detections):
        return [f"{len(case.document.record)} findings; records {records_of(case)}"]
    for lesion, detection in zip(case.document.record, AI.detections, strict=True):
        if not _same(lesion.mask, detection.mask) or lesion.origin != "ai" or lesion.verdict:
            wrong.append(f"{lesion.id} is not as the AI drew it")
    for segment, drawn in zip(case.document.segments, AI.segments, strict=True):
        if not _same(segment.mask, drawn.mask) or segment.origin != "ai":
            wrong.append(f"{segment.id} is not as the AI drew it")
    if findings_sha(case.document.findings) != AI_SHA:
        wrong.append("the AI result is another")
    return wrong


def _same(a: Mask, b: Mask) -> bool:
    return a.origin_kji == b.origin_kji and a.voxels.tobytes() == b.voxels.tobytes()


class Reference:
    """The session without a fault: its document after any number of records."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._states: list[tuple[object, ...]] = []

    def after(self, records: int) -> tuple[object, ...]:
        """Return the whole state of the document after so many records."""
        if records >= len(self._states):
            shutil.rmtree(self._home, ignore_errors=True)
            self._states = []
            with fixed_clock():
                case = opened(self._home)
                self._states.append(state(case.document))
                while records_of(case) < records + 64:
                    step(case)
                    self._states.append(state(case.document))
                case.close()
        return self._states[records]


# ------------------------------------------------------------------------ kill -9


def killed(
    times: int, home: Path, lost_most: int | None = 1, most: int = 16, commit_s: float = 0.0
) -> Outcome:
    """Kill a session at random moments, from its start to its end; each fourth goes on.

    How many gestures may be lost that had ended, but were not said to be saved, is a matter of
    how soon a thread gets its turn; None where that is not to be judged.
    """
    judge, rng = Judge(), np.random.default_rng(0)
    reference = Reference(home / "reference")
    nursery = Nursery(home, commit_s)
    length_s, lost, found, whole = most * 0.12, [], [], 0
    here = home / "first"
    try:
        for number in range(times):
            goes_on = number % 4 == 3
            if not goes_on:
                here = home / f"trial-{number}"
            begun = _records_in(here)
            said = nursery.killed(here, begun + most, float(rng.uniform(0.0, length_s)))
            whole += said[-1:] == [f"end {begun + most}"]
            where = f"trial {number}"
            n, ended = _judged(judge, where, here, said, reference)
            found.append(n - begun)
            lost.append(max(0, ended - n))
            if not goes_on and number >= 4:
                shutil.rmtree(home / f"trial-{number - 4}", ignore_errors=True)
    finally:
        nursery.close()
    opened_well = times - len({failure.split(":")[0] for failure in judge.failures})
    if lost_most is not None:
        judge(max(lost) <= lost_most, f"{max(lost)} gestures that had ended were lost")
    return Outcome(
        f"kill -9 while a commit takes {commit_s:g} s"
        if commit_s
        else "kill -9 at a random moment",
        times,
        "opens, whole, at most the last gesture lost, undo leads to the AI result",
        {
            "opened whole": opened_well,
            "records at the kill, median": int(np.median(found)),
            "gestures lost at most": max(lost),
            "trials that lost one": sum(n > 0 for n in lost),
            "ended by themselves": whole,
        },
        tuple(judge.failures),
    )


def _records_in(home: Path) -> int:
    if not (home / "data").exists():
        return 0
    case = opened(home)
    case.close()
    return records_of(case)


def _judged(
    judge: Judge, where: str, home: Path, said: list[str], reference: Reference
) -> tuple[int, int]:
    """Judge what a killed session left; return its records and how many gestures had ended."""
    saved = max((int(line.split()[1]) for line in said if line.startswith("saved")), default=0)
    ended = max((int(line.split()[1]) for line in said if line.startswith("end")), default=0)
    if (home / "data" / "cases").exists():
        for file in (home / "data" / "cases").glob(f"*/{FILE}"):
            judge(integrity(file) == "ok", f"{where}: integrity_check")
    case = opened(home)
    judge(not case.read_only and case.recovered is None, f"{where}: {case.recovered}")
    n = records_of(case)
    judge(n >= saved, f"{where}: {saved} records were said to be saved, {n} are there")
    judge(state(case.document) == reference.after(n), f"{where}: another document")
    judge(case.close() == 0, f"{where}: not closed")
    if n:
        copy = home.with_name(f"{where}-undone".replace(" ", "-"))
        shutil.copytree(home, copy)
        case = opened(copy)
        for wrong in wholly_undone(case):
            judge(False, f"{where}: {wrong}")
        case.close()
        shutil.rmtree(copy)
    return n, ended


# ------------------------------------------------------------------------- damage


def _worked_on(home: Path, records: int) -> tuple[object, ...]:
    """Make a case with so many records; return its state."""
    with fixed_clock():
        case = opened(home)
        while records_of(case) < records:
            step(case)
        told = state(case.document)
        assert case.close() == 0
    return told


def overwritten(times: int, home: Path, records: int = 120, size: int = 4096) -> Outcome:
    """Write random bytes over a random part of the journal."""
    judge, shares = Judge(), []
    reference = Reference(home / "reference")
    _worked_on(home / "made", records)
    for seed in range(times):
        here = home / "damaged"
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(home / "made", here)
        file = journal_of(here)
        rng = np.random.default_rng(seed)
        with file.open("r+b") as stream:
            stream.seek(int(rng.integers(0, file.stat().st_size - size)))
            stream.write(rng.bytes(size))
        before = sha(file)
        case = opened(here)
        n = records_of(case)
        shares.append(n / records)
        judge(state(case.document) == reference.after(n), f"seed {seed}: another document")
        judge(n == records or case.recovered, f"seed {seed}: steps are gone and nothing is said")
        kept = {sha(path) for path in file.parent.glob("journal.damaged-*.db")}
        judge(not case.recovered or before in kept, f"seed {seed}: the damaged file is not kept")
        judge(case.close() == 0, f"seed {seed}: not closed")
        judge(integrity(file) == "ok", f"seed {seed}: integrity_check of the mended file")
        again = opened(here)
        judge(again.recovered is None, f"seed {seed}: mended, and told a second time")
        again.close()
    return Outcome(
        f"random {size // 1024} KB of the journal overwritten",
        times,
        "told, damaged file kept, the work back",
        {
            "steps back, least %": round(100 * min(shares), 1),
            "steps back, mean %": round(100 * float(np.mean(shares)), 1),
        },
        tuple(judge.failures),
    )


def emptied(home: Path, records: int = 60) -> Outcome:
    """Cut the journal to nothing."""
    judge = Judge()
    told = _worked_on(home, records)
    file = journal_of(home)
    file.write_bytes(b"")
    case = opened(home)
    n = records_of(case)
    judge(case.recovered, "nothing is said")
    judge(n == 0 or state(case.document) == told, "another document")
    case.close()
    return Outcome(
        "journal of 0 bytes",
        1,
        "told, the work back",
        {"steps back %": round(100 * n / records, 1)},
        tuple(judge.failures),
    )


# --------------------------------------------------------------------------- time


def clock_set_back(home: Path, records: int = 60) -> Outcome:
    """Set the clock back by two hours in the midst of a session, and forward by a year."""
    judge, now = Judge(), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    ticks = iter(range(1, 10_000))

    def clock() -> str:
        n = next(ticks)
        leap = timedelta(hours=-2) if n > 20 else timedelta(0)
        leap += timedelta(days=365) if n > 40 else timedelta(0)
        at = now + leap + timedelta(seconds=n)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    with mock.patch.object(session, "utc_now", clock), fixed_clock():
        case = opened(home)
        while records_of(case) < records:
            step(case)
        told = state(case.document)
        judge(case.close() == 0, "not closed")
    with contextlib.closing(sqlite3.connect(journal_of(home))) as connection:
        rows = connection.execute("SELECT seq, utc FROM record ORDER BY seq").fetchall()
    times = [utc for _, utc in rows]
    back = sum(a > b for a, b in itertools.pairwise(times))
    judge(back == 1, f"the clock went back {back} times: nothing was tried")
    judge([seq for seq, _ in rows] == list(range(1, records + 1)), "the numbers have gaps")
    case = opened(home)
    judge(case.recovered is None, str(case.recovered))
    judge(state(case.document) == told, "another document")
    case.close()
    return Outcome(
        "clock set back 2 h, then on by a year",
        1,
        "order by number, all there",
        {"records": len(rows), "times that run back": back},
        tuple(judge.failures),
    )


# --------------------------------------------------------------------------- disk


def disk_full(home: Path) -> Outcome:
    """Fill a disk of 10 MB while a session goes on, then make room again."""
    expected = "work kept in memory, told once, saved when there is room"
    with small_disk(home / "disk") as why_not:
        if why_not:
            return Outcome("disk full (10 MB)", 0, expected, skipped=why_not)
        return _filled(home / "disk", expected)


def _filled(disk: Path, expected: str) -> Outcome:
    judge, problems = Judge(), []
    with fixed_clock(), mock.patch.object(store_module, "_RETRY_S", 0.05):
        case = opened(disk / "home", on_problem=problems.append)
        while records_of(case) < 20:
            step(case)
        judge(case.flush() == 0, "not saved while there is room")
        filler = disk / "filler"
        fill(filler)
        n = 0
        while records_of(case) < 100:
            case.set_note("comment", f"c{n}", {"text": np.random.default_rng(n).bytes(9000).hex()})
            n += 1
        left = case.flush(3.0)
        time.sleep(0.5)  # several more attempts, of which nothing may be said
        judge(left > 0, "nothing was left over: the disk was not full")
        judge(len(problems) == 1, f"told {len(problems)} times")
        told = state(case.document), case.document.notes("comment")
        try:
            second = opened(disk / "second")
        except Problem as problem:
            judge(problem.remedy, "a sentence without a remedy")
        else:
            judge(second.read_only, "a case that cannot be saved is open for writing")
            second.close()
        filler.unlink()
        after = case.flush()
        judge(after == 0, f"{after} records are not saved although there is room")
        judge(case.close() == 0, "not closed")
    judge(integrity(journal_of(disk / "home")) == "ok", "integrity_check")
    again = opened(disk / "home")
    judge(again.recovered is None, str(again.recovered))
    judge((state(again.document), again.document.notes("comment")) == told, "another document")
    for wrong in wholly_undone(again):
        judge(False, wrong)
    again.close()
    return Outcome(
        "disk full (10 MB)",
        1,
        expected,
        {"records waiting": left, "messages": len(problems), "lost": after},
        tuple(judge.failures),
    )


def folder_gone(home: Path) -> Outcome:
    """Take the folder of saved work away while a session goes on, and bring it back."""
    judge, problems = Judge(), []
    with fixed_clock(), mock.patch.object(store_module, "_RETRY_S", 0.05):
        case = opened(home, on_problem=problems.append)
        while records_of(case) < 20:
            step(case)
        judge(case.flush() == 0, "not saved while the folder is there")
        folder = journal_of(home).parent
        folder.rename(folder.with_name("away"))
        slowest = 0.0
        while records_of(case) < 40:
            started = time.perf_counter()
            step(case)
            slowest = max(slowest, time.perf_counter() - started)
        left = case.flush(3.0)
        judge(left == 20, f"{left} of 20 records wait")
        judge(len(problems) == 1, f"told {len(problems)} times")
        told = state(case.document)
        folder.with_name("away").rename(folder)
        after = case.flush()
        judge(after == 0, f"{after} records are not saved although the folder is back")
        judge(case.close() == 0, "not closed")
    again = opened(home)
    judge(again.recovered is None, str(again.recovered))
    judge(state(again.document) == told, "another document")
    again.close()
    return Outcome(
        "folder of saved work gone, then back",
        1,
        "told once, no wait for the reader, all saved when it is back",
        {"records waiting": left, "messages": len(problems), "slowest step ms": _ms(slowest)},
        tuple(judge.failures),
    )


def disk_hangs(home: Path, hang_s: float = 1.5) -> Outcome:
    """Let the disk not answer for a while: the reader goes on."""
    judge, let_go = Judge(), threading.Event()
    real = store_module.insert

    def hanging(*arguments: object) -> None:
        let_go.wait(30)
        real(*arguments)

    with fixed_clock():
        case = opened(home)
        while records_of(case) < 20:
            step(case)
        judge(case.flush() == 0, "not saved")
        with mock.patch.object(store_module, "insert", hanging):
            timer = threading.Timer(hang_s, let_go.set)
            timer.start()
            slowest = 0.0
            while records_of(case) < 60:
                started = time.perf_counter()
                step(case)
                slowest = max(slowest, time.perf_counter() - started)
            waiting = case.unsaved
            judge(case.flush() == 0, "not saved after the disk answers again")
            timer.join()
        told = state(case.document)
        case.close()
    again = opened(home)
    judge(state(again.document) == told, "another document")
    again.close()
    return Outcome(
        "disk does not answer",
        1,
        "no wait for the reader, all saved afterwards",
        {"records waiting": waiting, "slowest step ms": _ms(slowest)},
        tuple(judge.failures),
    )


def read_only_folder(home: Path) -> Outcome:
    """Open a case whose folder may not be written to, as a user who is not root."""
    expected = "opens for reading with a sentence, nothing is written"
    told = _worked_on(home, 40)
    if not hasattr(os, "geteuid"):
        return Outcome("folder read-only", 0, expected, skipped="no such rights on this system")
    folder = journal_of(home).parent
    before = {path.name: sha(path) for path in folder.iterdir()}
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    judge = Judge()
    try:
        with _not_root(home):
            case = opened(home)
            judge(case.read_only, "a folder that cannot be written to is taken for writable")
            judge(str(case.read_only_problem), "no sentence")
            judge(state(case.document) == told, "another document")
            case.close()
    finally:
        folder.chmod(0o700)
    after = {path.name: sha(path) for path in folder.iterdir()}
    judge(after == before, f"{sorted(after.items() ^ before.items())} changed")
    sentence = case.read_only_problem.sentence if case.read_only_problem else ""
    return Outcome("folder read-only", 1, expected, {"said": sentence}, tuple(judge.failures))


@contextlib.contextmanager
def _not_root(home: Path) -> Iterator[None]:
    """Give up the rights of root for a while: they make every folder writable."""
    if os.geteuid() != 0:
        yield
        return
    nobody = 65534
    for path in (home, *home.rglob("*")):
        os.chown(path, nobody, nobody)
    parents = [(p, p.stat().st_mode) for p in home.parents if p.stat().st_uid == 0]
    opened_up = [(p, mode) for p, mode in parents if mode & 0o011 != 0o011]
    for path, mode in opened_up:
        path.chmod(mode | 0o011)  # as root's group too
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)
        for path, mode in opened_up:
            path.chmod(mode)


# ---------------------------------------------------------------------- two at once


def two_readers(times: int, home: Path) -> Outcome:
    """Let two programs open, change and close one case in turn, as quickly as they can."""
    import subprocess
    import sys

    judge = Judge()
    program = [sys.executable, "-m", "tests.fault_session", "turns", str(home), str(times // 2)]
    made = 0
    with contextlib.ExitStack() as stack:
        both = []
        for name in "ab":
            said = stack.enter_context((home / f"said-{name}").open("w+b"))
            each = subprocess.Popen([*program, name], cwd=ROOT, stdout=said, stderr=said)
            both.append((each, said))
        for each, said in both:
            code = each.wait(900)
            said.seek(0)
            lines = said.read().decode().splitlines()
            judge(code == 0, f"a program ended with {code}: {lines[-1:]}")
            made += max((int(line.split()[1]) for line in lines if line[:5] == "saved"), default=0)
    case = opened(home)
    notes = case.document.notes("comment")
    judge(case.recovered is None, str(case.recovered))
    judge(made == times // 2 * 2, f"the programs made {made} of {times // 2 * 2} changes")
    judge(len(notes) >= made, f"{len(notes)} of {made} changes are there")
    case.close()
    judge(integrity(journal_of(home)) == "ok", "integrity_check")
    return Outcome(
        "two programs on one case, in turn",
        times // 2 * 2,
        "no change lost",
        {"changes": made, "lost": made - len(notes)},
        tuple(judge.failures),
    )


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)
