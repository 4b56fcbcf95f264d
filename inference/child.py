"""A process as a child of this one: starting it, draining it, watching it, ending it."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

_FROZEN_NAME = "overread-model"
_STDERR_LINES = 200
END_S = 2.0
_POLL_S = 0.05


class Child:
    """One running process, and a thread that drains what it prints."""

    def __init__(self, command: Sequence[str]) -> None:
        # No console window on Windows; elsewhere there is no such flag.
        flags: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            creationflags=flags,
        )
        pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        stdin, stdout, stderr = pipes
        assert stdin is not None and stdout is not None and stderr is not None
        self.stdin, self.stdout = stdin, stdout
        self.printed: deque[str] = deque(maxlen=_STDERR_LINES)
        self.killed = False
        self._drain = threading.Thread(
            target=self._collect, args=(stderr,), name="model-stderr", daemon=True
        )
        self._drain.start()

    def _collect(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in stderr:
                self.printed.append(line.decode("utf-8", "replace").rstrip())

    def kill(self) -> None:
        """End the process at once; it is of no use any more."""
        self.killed = True
        self.process.kill()

    def end(self) -> None:
        """Kill the process and leave nothing behind: no zombie, thread or open pipe."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self._drain.join()

    def last_words(self) -> str:
        """Wait for the process to end; return how it ended and what it printed last."""
        try:
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.wait()
        self._drain.join()
        return "\n".join((f"exit code {code}", *self.printed))


@contextlib.contextmanager
def watched(
    child: Child, cancelled: Callable[[], bool] | None, limit_s: float = math.inf
) -> Iterator[list[str]]:
    """Kill a process when it is cancelled or takes too long; it is gone when this ends.

    Its pipes then come to their end. Nothing of it is left: on Windows its files cannot go before
    it has.

    Returns
    -------
    list of str
        ``"cancelled"`` or ``"time"`` once it was killed for that.
    """
    stopped: list[str] = []
    over = threading.Event()
    end = time.monotonic() + limit_s

    def watch() -> None:
        while not over.wait(_POLL_S):
            late = time.monotonic() > end
            if late or (cancelled is not None and cancelled()):
                stopped.append("time" if late else "cancelled")
                child.kill()
                return

    thread = threading.Thread(target=watch, name="child-watch", daemon=True)
    thread.start()
    try:
        yield stopped
    finally:
        over.set()
        thread.join()
        child.end()


def environment() -> dict[str, str]:
    """Return the environment variables of the process."""
    out = dict(os.environ)
    # The child finds the same packages as this process, wherever it was started from.
    out["PYTHONPATH"] = os.pathsep.join(str(Path(entry or ".").resolve()) for entry in sys.path)
    # Spinning threads would take the cores from the window while they wait.
    out.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return out


def default_command() -> list[str]:
    """Return what starts the model process: a sibling program when frozen, else this Python."""
    if getattr(sys, "frozen", False):
        suffix = ".exe" if sys.platform == "win32" else ""
        return [str(Path(sys.executable).with_name(_FROZEN_NAME + suffix))]
    return [sys.executable, "-m", "inference.worker"]
