"""The job that reads a series and tells the window of each part that has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.volume import Volume
from resources.problem import Problem
from viewer.display.grey import Window
from viewer.session import Case, Reader
from viewer.study import default_window
from viewer.study.cancel import stop_if
from viewer.study.order import StackPlan
from viewer.study.staged import StagedRead

# How long a cancel may go unnoticed.
_POLL_S = 0.02
# No eye follows more changes a second, and each may paint three views.
_TELL_S = 1 / 15


@dataclass(frozen=True, eq=False)
class ShownCase:
    """A case to be looked at while the rest of it is read."""

    number: int
    case: Case
    window: Window
    staged: StagedRead


@dataclass(frozen=True, eq=False)
class ReadSlices:
    """A series of which all is read that can be."""

    number: int
    plan: StackPlan
    volume: Volume
    window: Window
    failed: Mapping[int, Problem]
    incomplete: Problem | None


@dataclass(frozen=True)
class Telling:
    """Whom to tell, from the thread that reads: of the first slice, of slices first to last."""

    shown: Callable[[ShownCase], Any]
    ready: Callable[[int, int], Any]


def read_staged(
    number: int,
    plan: StackPlan,
    reader: Reader,
    telling: Telling,
    report: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> ReadSlices:
    """Read a series, the middle slice first, and tell what has come, at most 15 times a second.

    Raises
    ------
    Problem
        When nothing of it can be read.
    Cancelled
        When ``cancelled`` says so.
    """
    staged = StagedRead(plan)
    try:
        window = _follow(number, staged, reader, telling, report, cancelled)
        return ReadSlices(
            number, staged.plan, staged.result(), window, staged.failed, staged.incomplete
        )
    finally:
        # A decoder may need its time; nobody waits for it here but this thread.
        staged.close()


def _follow(
    number: int,
    staged: StagedRead,
    reader: Reader,
    telling: Telling,
    report: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> Window:
    window = Window(0, 1)
    known = np.zeros(len(staged.ready), dtype=np.bool_)
    passes, told, done, finished = -1, 0.0, 0, False
    while not finished:
        # The first slice is waited for, then a little at a time.
        finished = staged.wait(_POLL_S, seen=done if passes < 0 else -1)
        stop_if(cancelled)
        done = staged.progress[0]
        if staged.passes != passes:
            k = _to_show(staged)
            if k is None:
                continue
            passes = staged.passes
            known[:] = False
            window = default_window.first_window(staged.plan, staged.volume.voxels[k])
            telling.shown(ShownCase(number, Case.being_read(staged, reader=reader), window, staged))
        now = time.monotonic()
        if finished or now - told >= _TELL_S:
            told = now
            new = np.flatnonzero(staged.ready & ~known)
            if len(new):
                known[new] = True
                telling.ready(int(new[0]), int(new[-1]))
                report(*staged.progress)
    return window


def _to_show(staged: StagedRead) -> int | None:
    """Return the slice to show first, or None as long as there is none."""
    failed = staged.failed
    if staged.ready[staged.first] and staged.first not in failed:
        return staged.first
    if staged.first in failed or staged.finished:
        return next((int(k) for k in np.flatnonzero(staged.ready) if int(k) not in failed), None)
    return None
