"""Reading a stack slice by slice in the background, the wanted one first."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer.study.cancel import Cancelled
from viewer.study.filling import Filling, Misfit, Places, filling_for, wide_filling_for
from viewer.study.order import FrameRef, StackPlan
from viewer.study.placing import placed_volume
from viewer.study.quiet import hush
from viewer.study.series import InstanceHeader
from viewer.study.spacing import GeometryProblem
from viewer.study.suitable import pixels_refusal

THREAD_NAME = "overread-read"

# Two readers keep a disk busy while the other thread rescales; more gain nothing.
_THREADS = 2
# Frames of one file that are decoded before any is shown: bounds memory, shares the work.
_FRAMES_A_TASK = 16


@dataclass(frozen=True, slots=True)
class _Task:
    """Frames of one instance, and their slices."""

    instance: InstanceHeader
    places: Places


class StagedRead:
    """A stack that is being read, and may be looked at meanwhile.

    The threads begin at once. All methods may be called from any thread, and none but
    ``wait``, ``wait_ready``, ``result`` and ``close`` waits.

    Parameters
    ----------
    plan
        Of ``order``; the files must not have changed since.
    first
        Slice to read first; by default the middle one. Its neighbours follow, outward.
    strict
        True ends the read at the first file that is damaged; else its slices stay empty, and
        stand in ``failed``.

    Attributes
    ----------
    ready
        (k,) bool, not writeable: of each slice, whether it is there or is known to fail.
    first
        The slice that is read first.

    Raises
    ------
    Problem
        When the plan is refused or the memory does not suffice.
    """

    def __init__(self, plan: StackPlan, first: int | None = None, *, strict: bool = False) -> None:
        if plan.refusal is not None:
            raise plan.refusal
        hush()
        count = len(plan.planes)
        self._plan = plan
        self._strict = strict
        self._changed = threading.Condition()
        self._tasks = _tasks(plan.planes)
        self._task_of = {k: n for n, task in enumerate(self._tasks) for k, _ in task.places}
        self.first = (count - 1) // 2 if first is None else min(max(first, 0), count - 1)
        self._ready = np.full(count, False)
        self.ready = self._ready.view()
        self.ready.flags.writeable = False
        # Never changed, only put in the place of another.
        self._failed: Mapping[int, Problem] = {}
        self._error: BaseException | None = None
        self._cancelled = threading.Event()
        self._finished = False
        self._passes = 0
        self._go_on_at = 0.0
        try:
            self._begin(filling_for(plan), self.first)
        except MemoryError:
            raise _no_memory(plan) from None
        self._threads = [
            threading.Thread(target=self._work, name=f"{THREAD_NAME}-{n}", daemon=True)
            for n in range(min(_THREADS, os.cpu_count() or 1, len(self._tasks)))
        ]
        for thread in self._threads:
            thread.start()

    # ---------------------------------------------------------------- looking
    # Without the lock: a window that paints must not wait for a thread that reads.

    @property
    def volume(self) -> Volume:
        """The volume, its slices filled in as they are read; another one after ``passes`` grew.

        What is not ``ready`` is 0. When all is read, it is the whole one, of the type that
        suits its values.
        """
        return self._volume

    @property
    def plan(self) -> StackPlan:
        """The plan, with a problem more when files could not be read."""
        failed = self._failed
        if not failed:
            return self._plan
        found = (*self._plan.problems, GeometryProblem("unreadable-files", self._told(failed)))
        return replace(self._plan, problems=found)

    @property
    def failed(self) -> Mapping[int, Problem]:
        """Why slices could not be read, by their number in the stack."""
        return self._failed

    @property
    def incomplete(self) -> Problem | None:
        """Why the volume must not be measured or given to a model, or None."""
        failed = self._failed
        if not failed:
            return None
        return Problem(
            self._told(failed),
            translate("study", "The others can be looked at. Copy the study again to work on it."),
        )

    @property
    def passes(self) -> int:
        """How often the reading began anew: a value did not fit the type the headers promised."""
        return self._passes

    @property
    def progress(self) -> tuple[int, int]:
        """How many slices are ready, and how many there are."""
        return self._done, len(self._ready)

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come: all is read, or it failed, or was cancelled."""
        return self._finished

    # --------------------------------------------------------------- steering

    def want(self, k: int) -> None:
        """Read slice ``k`` next, then its neighbours, outward."""
        with self._changed:
            self._aim(k)

    def rest(self, seconds: float) -> None:
        """Read nothing more for a moment, but for what is under way: somebody needs the cores."""
        self._go_on_at = time.monotonic() + seconds

    def wait_ready(self, k: int, timeout_s: float | None = None) -> bool:
        """Wait until slice ``k`` is there; tell whether it is."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._ready[k]) or self._finished, timeout_s)
            return bool(self._ready[k])

    def wait(self, timeout_s: float | None = None, *, seen: int = -1) -> bool:
        """Wait until other than ``seen`` slices are ready, or nothing more is to come.

        Parameters
        ----------
        seen
            Number of ready slices that the caller knows of; by default waits for the end.

        Returns
        -------
        bool
            Whether nothing more is to come.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._finished or (seen >= 0 and self._done != seen), timeout_s
            )
            return self._finished

    def result(self) -> Volume:
        """Wait for the end and return the whole volume.

        Raises
        ------
        Problem
            When nothing could be read, or one file could not and the read is strict.
        Cancelled
            After ``cancel``.
        """
        self.wait()
        if self._error is not None:
            raise self._error
        if self._cancelled.is_set():
            raise Cancelled
        return self.volume

    def cancel(self) -> None:
        """Stop; returns at once. The threads end when what they are in the middle of ends."""
        self._cancelled.set()
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self, timeout_s: float | None = None) -> bool:
        """Stop and wait for the threads; tell whether they have ended."""
        self.cancel()
        for thread in self._threads:
            thread.join(timeout_s)
        return not self.alive

    @property
    def alive(self) -> bool:
        """Whether a thread is still at work."""
        return any(thread.is_alive() for thread in self._threads)

    # ----------------------------------------------------------------- inside

    def _begin(self, filling: Filling, k: int) -> None:
        self._filling = filling
        self._volume = placed_volume(self._plan, filling.voxels, filling.colours)
        self._taken = bytearray(len(self._tasks))
        self._open = len(self._tasks)
        self._ready[:] = False
        self._done = 0
        self._failed = {}
        self._aim(k)

    def _aim(self, k: int) -> None:
        # What is read lies below ``_down`` and from ``_up`` on, seen from where the reader is.
        self._centre = min(max(k, 0), len(self._ready) - 1)
        self._down, self._up = self._centre, self._centre + 1

    def _next(self) -> _Task | None:
        """Take the task with the slice nearest to the wanted one that nobody has begun."""
        count = len(self._ready)
        while self._down >= 0 or self._up < count:
            below = self._down >= 0 and (
                self._up >= count or self._centre - self._down < self._up - self._centre
            )
            k = self._down if below else self._up
            if below:
                self._down -= 1
            else:
                self._up += 1
            number = self._task_of[k]
            if not self._taken[number]:
                self._taken[number] = 1
                return self._tasks[number]
        return None

    def _work(self) -> None:
        try:
            while not self._cancelled.wait(max(0.0, self._go_on_at - time.monotonic())):
                with self._changed:
                    task, filling = self._next(), self._filling
                if task is None:
                    return
                self._one(task, filling)
        except Cancelled:
            pass
        except MemoryError:
            self._end(_no_memory(self._plan))
        except BaseException as error:
            # Raised where the result is asked for.
            self._end(error)

    def _one(self, task: _Task, filling: Filling) -> None:
        failed: dict[int, Problem] = {}
        try:
            self._read(task.instance, task.places, filling)
        except Problem as problem:
            if self._strict:
                raise
            if len(task.places) == 1:
                failed[task.places[0][0]] = problem
            else:
                # One frame of a file may be damaged, and the others not.
                for k, frame in task.places:
                    try:
                        self._read(task.instance, ((k, frame),), filling)
                    except Problem as one:
                        failed[k] = one
        self._note(task, filling, failed)

    def _read(self, instance: InstanceHeader, places: Places, filling: Filling) -> None:
        refusal = pixels_refusal(instance)
        if refusal is not None:
            raise refusal
        try:
            filling.read(instance, places, self._cancelled.is_set)
        except Misfit:
            if self._repeat(filling):
                self._read(instance, places, filling)

    def _note(self, task: _Task, filling: Filling, failed: dict[int, Problem]) -> None:
        with self._changed:
            if filling is not self._filling:
                return  # of a pass that was given up
            if failed:
                self._failed = {**self._failed, **failed}
            self._ready[[k for k, _ in task.places]] = True
            self._done += len(task.places)
            self._open -= 1
            last = self._open == 0
            if not last:
                self._changed.notify_all()
        if last:
            self._complete()

    def _repeat(self, filling: Filling) -> bool:
        """Go on as another type that fits, or read all again as one that always does.

        Tells whether the filling stays.
        """
        with self._changed:
            if filling is not self._filling or self._finished:
                return False
            stays = filling.retyped()
            if stays:
                self._volume = placed_volume(self._plan, filling.voxels, filling.colours)
            else:
                self._begin(wide_filling_for(self._plan), self._centre)
            self._passes += 1
            self._changed.notify_all()
            return stays

    def _complete(self) -> None:
        missing = sorted(self._failed)
        if len(missing) == len(self._ready):
            self._end(self._failed[missing[0]])
            return
        voxels = self._filling.finished(missing)
        self._volume = placed_volume(self._plan, voxels, self._filling.colours)
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        with self._changed:
            if not self._finished:
                self._error, self._finished = error, True
            self._changed.notify_all()
        if error is not None:
            self._cancelled.set()  # the other thread

    def _told(self, failed: Mapping[int, Problem]) -> str:
        reason = failed[min(failed)].sentence
        return translate(
            "study", "{count} of {all} images cannot be read and stay empty: {reason}"
        ).format(count=len(failed), all=len(self._ready), reason=reason)


def _tasks(planes: Sequence[FrameRef]) -> list[_Task]:
    frames: dict[int, list[tuple[int, int]]] = {}
    instances: dict[int, InstanceHeader] = {}
    for k, ref in enumerate(planes):
        instances[id(ref.instance)] = ref.instance
        frames.setdefault(id(ref.instance), []).append((k, ref.frame))
    return [
        _Task(instances[key], tuple(found[start : start + _FRAMES_A_TASK]))
        for key, found in frames.items()
        for start in range(0, len(found), _FRAMES_A_TASK)
    ]


def _no_memory(plan: StackPlan) -> Problem:
    return Problem(
        translate("study", "The memory does not suffice to open this series."),
        translate("study", "Close other programs or other cases, then open it again."),
        f"{plan.shape_kji}",
    )
