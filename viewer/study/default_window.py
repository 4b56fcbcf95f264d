"""The window that a series is first shown with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.volume import Volume
from viewer.study.order import StackPlan

# About how many voxels the percentiles are taken from: more changes nothing that is seen.
_SAMPLES = 200_000


def default_window(plan: StackPlan, volume: Volume) -> tuple[float, float]:
    """Return the window centre and width to start with, in the unit of the voxels.

    Parameters
    ----------
    plan
        Its middle slice is asked first, as the outer ones are often odd.
    volume
        The voxels, for when the file has no sane window.

    Returns
    -------
    tuple of float
        (0028,1050) Window Center and (0028,1051) Window Width of the file when they are
        sane, else from the 1st to the 99th percentile.
    """
    return window_of(plan, volume.voxels)


def window_of(plan: StackPlan, values: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the default window for ``values`` of any shape, rescaled."""
    flat = values.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLES)]
    if sample.dtype.kind == "f":
        sample = sample[np.isfinite(sample)]
    low, high = (float(sample.min()), float(sample.max())) if sample.size else (0.0, 0.0)
    for centre, width in plan.planes[len(plan.planes) // 2].plane.window:
        if _sane(centre, width, low, high):
            return centre, width
    if low == high:
        return low, 1.0
    dark, bright = (float(p) for p in np.percentile(sample, (1.0, 99.0)))
    if dark == bright:
        dark, bright = low, high
    return (dark + bright) / 2.0, bright - dark


def _sane(centre: float, width: float, low: float, high: float) -> bool:
    """Return whether a window shows anything of values from ``low`` to ``high``."""
    if not (math.isfinite(centre) and math.isfinite(width) and width > 0):
        return False
    return centre - width / 2 < high and centre + width / 2 > low
