"""A scripted session of a reader, and programs that are killed or starved in the midst of it.

What the session does next follows from how many records its journal has and from nothing else,
so that a second run in another process tells what should be there after any number of them.

Run as ``python -m tests.fault_session nursery SECONDS``: it reads the home of a session and how
many records it shall make at most from each line of its input, starts it, and says what it does:
``pid``, ``open``, ``begin N``, ``end N`` and ``saved N`` (N: records). Each commit waits so many
seconds for the disk.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np

from tests.annotate_cases import SHAPE, findings, open_case, volume
from viewer import editing
from viewer.annotate import store as store_module
from viewer.session import Case
from viewer.tools.brush import Brush

ROOT = Path(__file__).resolve().parents[1]
# The pause between two gestures: with them, eight or nine a second, quicker than any hand.
PACE_S = 0.1
_UTC = "2026-11-21T07:31:05.123Z"
_LABELS = ("nodule", "lung_left")


@contextlib.contextmanager
def fixed_clock() -> Iterator[None]:
    """Let verdicts and runs carry one time: two sessions are to be compared."""
    with mock.patch.object(editing, "utc_now", lambda: _UTC):
        yield


def records_of(case: Case) -> int:
    """Return how many edits, undos and redos a case has, those not on the disk yet too."""
    return int(case._store._seq) - case.events


def step(case: Case) -> None:
    """Do the next thing of the session: exactly one record."""
    before = records_of(case)
    attempt = 0
    while records_of(case) == before:
        _try(case, before, np.random.default_rng((before, attempt)))
        attempt += 1


def _try(case: Case, n: int, rng: np.random.Generator) -> None:
    document = case.document
    if not document.runs:
        case.add_findings(findings(case.volume))
        return
    lesion = document.record[int(rng.integers(len(document.record)))]
    match rng.choice(9, p=[0.4, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.1, 0.05]):
        case 0:
            _stroke(case, rng)
        case 1:
            case.set_verdict(lesion.id, (None, "accepted", "unsure")[n % 3])
        case 2:
            case.set_verdict(lesion.id, "rejected", ("", "vessel", "other")[n % 3])
        case 3:
            case.set_note("measurement", f"m{n % 5}", {"mm": float(rng.uniform(1, 9))})
        case 4:
            case.move(lesion.id, tuple(float(v) for v in rng.uniform(-4, 4, 3)))
        case 5:
            case.delete(lesion.id)
        case 6:
            case.set_label(lesion.id, _LABELS[n % 2])
        case 7:
            # The run is the ground that all stands on: a session does not take it back.
            if len(case._history.done) > 1:
                case.undo()
        case _:
            case.redo()


def _stroke(case: Case, rng: np.random.Generator) -> None:
    lesions = [lesion.id for lesion in case.document.lesions]
    targets = [*lesions, *(segment.id for segment in case.document.segments)]
    target = targets[int(rng.integers(len(targets)))]
    mode = ("add", "erase")[int(rng.integers(2))]
    brush = Brush(float(rng.uniform(1, 5)), "ball", 0, mode)
    stroke = case.start_stroke(target, brush)
    for point in rng.uniform(0, SHAPE, (3, 3)):
        stroke.move_to(point)
    case.commit_stroke(stroke)


def say(line: str) -> None:
    """Write a line at once: a kill must not leave half of one."""
    os.write(1, f"{line}\n".encode())


def live(home: str, most: int, pace_s: float = PACE_S) -> None:
    """Be the reader until there are ``most`` records, saying each step."""
    os.environ["OVERREAD_HOME"] = home
    with fixed_clock():
        # A case that is taken over begins with an entry that is no edit: so many less are saved.
        cases: list[Case] = []

        def saved(seq: int, _utc: str) -> None:
            say(f"saved {seq - cases[0].events}" if cases else "saved 0")

        case = open_case(of=volume(), on_saved=saved)
        cases.append(case)
        say("open")
        while (n := records_of(case)) < most:
            say(f"begin {n + 1}")
            step(case)
            say(f"end {n + 1}")
            time.sleep(pace_s)
        case.close()


def turns(home: str, times: int, name: str) -> None:
    """Open the case whenever it is free, make one change, close it."""
    os.environ["OVERREAD_HOME"] = home
    done = 0
    while done < times:
        case = open_case(of=volume())
        if case.read_only:
            case.close()
            continue
        case.set_note("comment", f"{name}{done}", {"text": name})
        # On a slow disk it takes longer than a reader is let wait.
        while case.close() and not case._store.stopped:
            pass
        assert case.unsaved == 0
        done += 1
        say(f"saved {done}")


def slow_disk(seconds: float) -> None:
    """Let every commit wait as one does for a disk that is busy; what is only written does not."""
    real = store_module.insert

    def insert(*arguments: object) -> None:
        time.sleep(seconds)
        real(*arguments)

    store_module.insert = insert


def nursery() -> None:
    """Start a session for each line of the input, one after another, ready warmed."""
    open_case(of=volume(), folder=Path(os.environ["OVERREAD_HOME"]) / "warm").close()
    say("ready")
    for line in sys.stdin:
        home, most = line.rstrip("\n").rsplit(" ", 1)
        pid = os.fork()
        if pid == 0:
            live(home, int(most))
            os._exit(0)
        say(f"pid {pid}")
        os.waitpid(pid, 0)
        say("dead")


class Nursery:
    """Starts sessions to be killed; where a process cannot be copied, each starts from nothing."""

    def __init__(self, home: Path, commit_s: float = 0.0) -> None:
        self.forks = hasattr(os, "fork")
        self._commit_s = str(commit_s)
        self._environment = {**os.environ, "OVERREAD_HOME": str(home)}
        self._process = self._start("nursery", self._commit_s) if self.forks else None
        if self._process is not None:
            assert self._process.stdout.readline() == "ready\n"

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.fault_session", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            text=True,
        )

    def killed(self, home: Path, most: int, after_s: float) -> list[str]:
        """Let a session go for so long, kill it, and return what it had said."""
        import signal
        import threading

        if self._process is None:
            with self._start("live", self._commit_s, str(home), str(most)) as alone:
                timer = threading.Timer(after_s + 1.0, alone.kill)
                timer.start()
                said = alone.stdout.read().splitlines()
                timer.join()
            return said
        self._process.stdin.write(f"{home} {most}\n")
        self._process.stdin.flush()
        word, pid = self._process.stdout.readline().split()
        assert word == "pid"

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

        timer = threading.Timer(after_s, kill)
        timer.start()
        said = []
        for line in self._process.stdout:
            if line == "dead\n":
                break
            said.append(line.rstrip("\n"))
        timer.cancel()
        timer.join()
        return said

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait(30)


def main() -> None:
    what, *rest = sys.argv[1:]
    if what == "turns":
        turns(rest[0], int(rest[1]), rest[2])
        return
    slow_disk(float(rest[0]))
    if what == "nursery":
        nursery()
    else:
        live(rest[1], int(rest[2]))


if __name__ == "__main__":
    main()
