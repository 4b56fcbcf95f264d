"""From a plan to a volume: every pixel once, straight into its place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from inference.volume import Volume
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.filling import one_frame
from viewer.study.order import FrameRef, StackPlan
from viewer.study.quiet import hush
from viewer.study.staged import StagedRead

Progress = Callable[[int, int], None]

# How long a cancel may go unnoticed while a slow file is read.
_POLL_S = 0.05


def read(
    plan: StackPlan, *, progress: Progress | None = None, cancelled: CancelCheck | None = None
) -> Volume:
    """Read the voxels of a stack, and wait for them.

    Parameters
    ----------
    plan
        Of ``order``; the files must not have changed since.
    progress
        Called with the number of slices read and of all slices, in the calling thread.
    cancelled
        Asked between slices and at least every 50 ms.

    Returns
    -------
    Volume
        Voxels (k, j, i), rescaled (PS3.3 C.11.1): int16 when every value fits, else uint16,
        else float32; float32 also when the rescale is not of whole numbers or differs
        between slices; of colours their luminance, uint8. Padding is left as it is. MONOCHROME1
        is not inverted. Not ``regular`` when the plan says so.

    Raises
    ------
    Problem
        When the plan is refused, a file is damaged or the memory does not suffice.
    Cancelled
        When ``cancelled`` says so.

    See Also
    --------
    viewer.study.staged.StagedRead : The same, to be looked at meanwhile.
    """
    if plan.refusal is not None:
        raise plan.refusal
    stop_if(cancelled)
    staged = StagedRead(plan, 0, strict=True)
    told = 0
    try:
        finished = False
        while not finished:
            finished = staged.wait(_POLL_S, seen=told)
            stop_if(cancelled)
            done, total = staged.progress
            if progress is not None and done != told:
                progress(done, total)
            told = done
        return staged.result()
    finally:
        staged.close()


def frame_values(ref: FrameRef) -> npt.NDArray[np.float32]:
    """Read one plane alone, rescaled, or the luminance of colours: (row, column) float32.

    Raises
    ------
    Problem
        When the file is damaged.
    """
    hush()
    return one_frame(ref)
