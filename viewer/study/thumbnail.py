"""A small picture of a series, from one file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from resources.problem import Problem
from resources.text import translate
from viewer.display.grey import grey_of
from viewer.study import read
from viewer.study.default_window import first_window
from viewer.study.order import FrameRef, StackPlan
from viewer.study.suitable import pixels_refusal


def thumbnail(plan: StackPlan, size_px: int) -> npt.NDArray[np.uint8]:
    """Show the slice nearest to the middle that can be read, square pixels, default window.

    Parameters
    ----------
    plan
        Regular or not; also a stack that cannot be a volume has a middle image.
    size_px
        Pixels of the longer side of the result.

    Returns
    -------
    ndarray
        (row, column) uint8, 0 black to 255 white, inverted for MONOCHROME1.

    Raises
    ------
    Problem
        When no image is of a kind that can be read, or the one chosen is damaged.
    """
    if size_px < 1:
        raise ValueError("a picture needs at least one pixel")
    ref = _middle(plan)
    values = read.frame_values(ref)
    row_mm, column_mm = ref.plane.spacing_mm or (1.0, 1.0)
    height, width = values.shape[0] * row_mm, values.shape[1] * column_mm
    scale = size_px / max(height, width)
    if not np.isfinite(scale) or scale <= 0:
        raise Problem(translate("study", "The images contradict themselves about their size."))
    small = _resized(
        _resized(values, max(1, round(height * scale)), 0), max(1, round(width * scale)), 1
    )
    # Of one image alone, PET values are as the scanner wrote them.
    window = first_window(plan, values, factor=1.0)
    return grey_of(small, window, invert=plan.inverted)


def _middle(plan: StackPlan) -> FrameRef:
    middle, refusal = len(plan.planes) // 2, None
    for n in sorted(range(len(plan.planes)), key=lambda n: abs(n - middle)):
        ref = plan.planes[n]
        refused = pixels_refusal(ref.instance)
        if refused is None:
            return ref
        refusal = refusal or refused
    assert refusal is not None  # there is one plane at least
    raise refusal


def _resized(values: npt.NDArray[Any], count: int, axis: int) -> npt.NDArray[np.float32]:
    """Resize one axis: means where it shrinks, nearest where it grows."""
    length = values.shape[axis]
    edges = (np.arange(count + 1) * length) // count
    if count > length:
        return np.asarray(np.take(values, edges[:-1], axis=axis), dtype=np.float32)
    sums = np.add.reduceat(values, edges[:-1], axis=axis, dtype=np.float64)
    widths = np.diff(edges)
    shape = (-1, 1) if axis == 0 else (1, -1)
    return np.asarray(sums / widths.reshape(shape), dtype=np.float32)
