"""The windows that a series may be shown with, and the one that it is first shown with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.volume import Volume
from viewer.display.grey import LINEAR, LINEAR_EXACT, Window
from viewer.study import values as of_values
from viewer.study.colour import is_colour
from viewer.study.order import StackPlan
from viewer.study.tables import voi_lookups

# About how many voxels the percentiles are taken from: more changes nothing that is seen.
_SAMPLES = 200_000


def default_window(plan: StackPlan, volume: Volume) -> tuple[float, float]:
    """Return centre and width of ``first_window``, in the unit of the voxels."""
    window = first_window(plan, volume.voxels)
    return window.centre, window.width


def first_window(
    plan: StackPlan, values: npt.NDArray[Any], *, factor: float | None = None
) -> Window:
    """Return the window to start with; see ``windows``."""
    return windows(plan, values, factor=factor)[0]


def windows(
    plan: StackPlan, values: npt.NDArray[Any], *, factor: float | None = None
) -> tuple[Window, ...]:
    """Return the windows of the file that show anything, and one from the values.

    Parameters
    ----------
    plan
        Its middle slice is asked, as the outer ones are often odd.
    values
        Voxels of any shape, as ``read`` gives them; padding is not counted.
    factor
        What rescaled values were multiplied with to give these; by default that of PET.

    Returns
    -------
    tuple of Window
        First the default: of the VOI LUTs (0028,3010) the first, else of Window Center
        (0028,1050) and Width (0028,1051), as their VOI LUT Function (0028,1056) has them,
        else from the 1st to the 99th percentile, which is always the last.
    """
    if is_colour(plan.planes[0].instance):
        return (Window(128.0, 256.0),)  # changes no colour
    sample = _sample(plan, values)
    low, high = (float(sample.min()), float(sample.max())) if sample.size else (0.0, 0.0)
    times = of_values.factor(plan.planes) if factor is None else factor
    ref = plan.planes[len(plan.planes) // 2]
    found: list[Window] = []
    if times == 1.0:
        for table in voi_lookups(ref.instance, ref.plane):
            if table.first <= high and table.last >= low:
                width = float(max(table.last - table.first + 1, 1))
                found.append(Window(table.first + width / 2, width, LINEAR, table, table.name))
    names = (*ref.plane.window_names, *[""] * len(ref.plane.window))
    for (centre, width), name in zip(ref.plane.window, names, strict=False):
        if _sane(centre * times, width * times, low, high):
            found.append(_window(centre, width, ref.plane.voi_function, name, times))
    return (*found, _from_values(sample, low, high))


def _sample(plan: StackPlan, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    flat = values.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLES)]
    if sample.dtype.kind == "f":
        sample = sample[np.isfinite(sample)]
    padding = of_values.padding(plan.planes)
    if padding is None:
        return sample
    real = sample[(sample < padding[0]) | (sample > padding[1])]
    return real if real.size else sample


def _window(centre: float, width: float, function: str, name: str, times: float) -> Window:
    # LINEAR is meant for steps of 1; scaled or narrow, it is only exact without them.
    exact = function == LINEAR and (times != 1.0 or width < 1.0)
    return Window(centre * times, width * times, LINEAR_EXACT if exact else function, None, name)


def _from_values(sample: npt.NDArray[Any], low: float, high: float) -> Window:
    if low == high:
        return Window(low, 1.0)
    dark, bright = (float(p) for p in np.percentile(sample, (1.0, 99.0)))
    if dark == bright:
        dark, bright = low, high
    function = LINEAR_EXACT if sample.dtype.kind == "f" else LINEAR
    return Window((dark + bright) / 2.0, bright - dark, function)


def _sane(centre: float, width: float, low: float, high: float) -> bool:
    """Return whether a window shows anything of values from ``low`` to ``high``."""
    if not (math.isfinite(centre) and math.isfinite(width) and width > 0):
        return False
    return centre - width / 2 < high and centre + width / 2 > low
