"""What a child does that works behind its parent: steps back, tells how far it is, ends with it."""

from __future__ import annotations

import _thread
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

Tell = Callable[[str, int, int], None]

_NICEST = 19
# IDLE_PRIORITY_CLASS of Windows' SetPriorityClass.
_WINDOWS_IDLE = 0x40
_EVERY_S = 0.5
_GRACE_S = 2.0


def step_back() -> None:
    """Take the lowest priority: whoever reads at this computer comes first."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _WINDOWS_IDLE)
    else:
        os.setpriority(os.PRIO_PROCESS, 0, _NICEST)  # whatever it was begun with


def end_with_parent() -> None:
    """Stop, as by Ctrl+C, when standard input ends: its other end is the parent's."""

    def wait() -> None:
        # Not sys.stdin: its lock would be held when the interpreter ends.
        while os.read(0, 1):
            pass
        # Ctrl+C reaches both: it is given time to be heard once.
        time.sleep(_GRACE_S)
        _thread.interrupt_main()

    threading.Thread(target=wait, name="parent", daemon=True).start()


class Telling:
    """Tells how far a piece of work is: a line of JSON, ``stage``, ``done``, ``total``, ``left_s``.

    Parameters
    ----------
    out
        Where to; by default standard output.
    clock
        Seconds, from anywhere.

    Notes
    -----
    A line each half second at most, but for the first and the last of a stage. ``left_s`` is how
    long the stage still takes by its pace since this process began it, None while that is unknown.
    """

    def __init__(
        self, out: IO[str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out, self._clock = out or sys.stdout, clock
        self._stage = ""
        self._began = self._said = 0.0
        self._first = 0
        self.at_most_s: float | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Tell it, unless it was told just now."""
        now = self._clock()
        if stage != self._stage:
            self._stage, self._began, self._first, self._said = stage, now, done, now - _EVERY_S
        if now - self._said < _EVERY_S and done < total:
            return
        self._said = now
        made = done - self._first
        left = (now - self._began) / made * (total - done) if made > 0 else None
        if left is not None and self.at_most_s is not None:
            left = min(left, max(self.at_most_s - (now - self._began), 0.0))
        said = {"stage": stage, "done": done, "total": total}
        print(
            json.dumps({**said, "left_s": None if left is None else round(left, 1)}),
            file=self._out,
            flush=True,
        )
