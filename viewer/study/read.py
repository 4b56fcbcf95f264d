"""From a plan to a volume: every pixel once, straight into its place."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer.study import pixels
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.order import FrameRef, StackPlan
from viewer.study.quiet import hush
from viewer.study.series import InstanceHeader
from viewer.study.values import rescaled, unit, whole_rescale

Progress = Callable[[int, int], None]

# Two readers keep a disk busy while the other thread rescales; more gain nothing.
_THREADS = 2
# Frames of one file that are decoded before any is placed: bounds memory, shares the work.
_FRAMES_A_TASK = 16
# How long a cancel may go unnoticed while a slow file is read.
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class _Task:
    """The frames of one instance and their places in the volume."""

    instance: InstanceHeader
    places: tuple[tuple[int, int], ...]


def read(
    plan: StackPlan, *, progress: Progress | None = None, cancelled: CancelCheck | None = None
) -> Volume:
    """Read the voxels of a regular stack.

    Parameters
    ----------
    plan
        Of ``order``; the files must not have changed since.
    progress
        Called with the number of slices read and of all slices.
    cancelled
        Asked between slices and at least every 50 ms.

    Returns
    -------
    Volume
        Voxels (k, j, i), rescaled (PS3.3 C.11.1): int16 when every value fits, else uint16,
        else float32; float32 also when the rescale is not of whole numbers or differs
        between slices. Padding is left as it is. MONOCHROME1 is not inverted.

    Raises
    ------
    Problem
        When the plan is refused, a file is damaged or the memory does not suffice.
    Cancelled
        When ``cancelled`` says so.
    """
    if plan.refusal is not None:
        raise plan.refusal
    assert plan.affine is not None  # no refusal without one
    stop_if(cancelled)
    hush()
    whole = whole_rescale(plan.planes)
    try:
        voxels = _whole(plan, whole, progress, cancelled) if whole else None
        if voxels is None:
            voxels = _fractional(plan, progress, cancelled)
    except MemoryError:
        raise Problem(
            translate("study", "The memory does not suffice to open this series."),
            translate("study", "Close other programs or other cases, then open it again."),
            f"{plan.shape_kji}",
        ) from None
    voxels.flags.writeable = False
    return Volume(voxels, plan.affine, plan.series.modality, unit(plan.planes))


def frame_values(ref: FrameRef) -> npt.NDArray[np.float32]:
    """Read one plane alone, rescaled: (row, column) float32.

    Raises
    ------
    Problem
        When the file is damaged.
    """
    hush()
    stored = pixels.frames(ref.instance, [ref.frame])[0]
    return rescaled(stored, ref)


def _whole(
    plan: StackPlan,
    rescale: tuple[int, int],
    progress: Progress | None,
    cancelled: CancelCheck | None,
) -> npt.NDArray[Any] | None:
    """Read with a whole-number rescale in 16 bits; None when a value does not fit those.

    Sums and products are taken modulo 65,536, in place, while each slice is still in the
    cache: they are right whenever the true result fits, and the extremes of the stored
    values tell whether it does and as which of the two types.
    """
    slope, intercept = rescale
    bits = np.empty(plan.shape_kji, dtype=np.uint16)
    low = np.zeros(len(plan.planes), dtype=np.int64)
    high = np.zeros(len(plan.planes), dtype=np.int64)

    def place(k: int, _: FrameRef, stored: npt.NDArray[Any]) -> None:
        low[k], high[k] = int(stored.min()), int(stored.max())
        target = bits[k]
        if stored.dtype.itemsize == 1:
            target.view(np.int16)[...] = stored
        elif not np.may_share_memory(stored, target):
            target[...] = stored.view(np.uint16)
        if slope != 1:
            np.multiply(target, np.uint16(slope), out=target)
        if intercept:
            np.add(target, np.uint16(intercept % 65536), out=target)

    _run(plan, place, bits, progress, cancelled)
    least, most = int(low.min()) * slope + intercept, int(high.max()) * slope + intercept
    if least >= -32768 and most <= 32767:
        return bits.view(np.int16)
    return bits if least >= 0 and most <= 65535 else None


def _fractional(
    plan: StackPlan, progress: Progress | None, cancelled: CancelCheck | None
) -> npt.NDArray[np.float32]:
    values = np.empty(plan.shape_kji, dtype=np.float32)

    def place(k: int, ref: FrameRef, stored: npt.NDArray[Any]) -> None:
        values[k] = rescaled(stored, ref)

    _run(plan, place, None, progress, cancelled)
    return values


def _run(
    plan: StackPlan,
    place: Callable[[int, FrameRef, npt.NDArray[Any]], None],
    bits: npt.NDArray[np.uint16] | None,
    progress: Progress | None,
    cancelled: CancelCheck | None,
) -> None:
    """Read all planes on a few threads; progress and cancel stay on the calling one."""
    stop = threading.Event()

    def work(task: _Task) -> int:
        if stop.is_set():
            return 0
        instance = task.instance
        if bits is not None and pixels.is_direct(instance):
            for k, frame in task.places:
                stored = pixels.read_into(instance, frame, bits[k])
                place(k, plan.planes[k], stored)
            return len(task.places)
        decoded = pixels.frames(instance, [frame for _, frame in task.places])
        for (k, _), stored in zip(task.places, decoded, strict=True):
            if stop.is_set():
                return 0
            place(k, plan.planes[k], stored)
        return len(task.places)

    total, done = len(plan.planes), 0
    pool = ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), "overread-read")
    try:
        pending: set[Future[int]] = {pool.submit(work, task) for task in _tasks(plan.planes)}
        while pending:
            ready, pending = wait(pending, _POLL_S, FIRST_COMPLETED)
            for future in ready:
                done += future.result()
            stop_if(cancelled)
            if progress is not None and ready:
                progress(done, total)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _tasks(planes: Sequence[FrameRef]) -> list[_Task]:
    places: dict[int, list[tuple[int, int]]] = {}
    instances: dict[int, InstanceHeader] = {}
    for k, ref in enumerate(planes):
        instances[id(ref.instance)] = ref.instance
        places.setdefault(id(ref.instance), []).append((k, ref.frame))
    return [
        _Task(instances[key], tuple(found[start : start + _FRAMES_A_TASK]))
        for key, found in places.items()
        for start in range(0, len(found), _FRAMES_A_TASK)
    ]
