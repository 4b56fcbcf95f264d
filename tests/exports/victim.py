"""A program that exports, again and again, and is killed while it does.

Run as ``python -m tests.exports.victim HOME``: it makes a small case, says ``ready``, and for each
line ``HOW FOLDER`` of its input it starts a process that exports the case there, saying ``pid N``
before and ``dead`` after it. ``HOW`` is ``here`` (as the command does), ``apart`` (as the window
does, another process writing), ``stop-N`` (it kills itself at the Nth file that gets its name) or
``set`` (it begins a training set, or adds a version to the one that is there).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.export_cases import whole_case
from tests.fault_session import ROOT, say
from viewer.deid.keyed import Keys
from viewer.export import export_case
from viewer.export.formats import FORMATS
from viewer.export.leaving import Leave
from viewer.export.sets.formats import SET_FORMATS
from viewer.export.sets.grow import Wish, grow
from viewer.export.snapshot import CaseSnapshot


def _stop_at(names: int) -> None:
    """Kill this process before so many of its files have got their names."""
    real, left = Path.replace, [names]

    def replace(path: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(path, target)

    Path.replace = replace


def _export(case: CaseSnapshot, how: str, folder: str) -> None:
    if how == "set":
        _grow(case, Path(folder))
        say("done")
        return
    if how.startswith("stop-"):
        _stop_at(int(how[5:]))
    export_case(case, Path(folder), replace=True, apart=how == "apart", formats=FORMATS)
    say("done")


def _grow(case: CaseSnapshot, folder: Path) -> None:
    """Begin a set with a case; where there is one, add the case with another verdict."""
    new = Wish(SET_FORMATS, 0, Leave(Keys(bytes(range(32))), lambda patients: None))
    first = case.lesions[0]
    other = replace(case, lesions=(replace(first, verdict="unsure"), *case.lesions[1:]))
    there = folder.is_dir()
    grow(folder, [other if there else case], replace(new, formats=None) if there else new)


def main(home: str) -> None:
    """Serve until the input ends."""
    case = whole_case(Path(home) / "study")
    export_case(case, Path(home) / "warm", formats=FORMATS)
    say("ready")
    for line in sys.stdin:
        how, folder = line.rstrip("\n").split(" ", 1)
        pid = os.fork()
        if pid == 0:
            _export(case, how, folder)
            os._exit(0)
        say(f"pid {pid}")
        os.waitpid(pid, 0)
        say("dead")


class Victim:
    """Starts exports to be killed."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.exports.victim", str(home)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OVERREAD_HOME": str(home / "home")},
            text=True,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        return self._process.stdout.readline().rstrip("\n")

    def export(self, how: str, folder: Path, kill_after_s: float | None = None) -> bool:
        """Export once; return whether it ended by itself."""
        self._process.stdin.write(f"{how} {folder}\n")
        self._process.stdin.flush()
        word, pid = self._line().split()
        assert word == "pid"
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.kill(int(pid), signal.SIGKILL)
        said = []
        while (line := self._line()) != "dead":
            assert line, "the victim's parent has gone"
            said.append(line)
        return said == ["done"]

    def close(self) -> None:
        """End the process that starts them."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


if __name__ == "__main__":
    main(sys.argv[1])
