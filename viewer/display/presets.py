"""Windows that a key gives: in units where they are proven, else as shares of what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import resources
from viewer.display.grey import LINEAR, LINEAR_EXACT, Window

_LEAST_SHARE = 1e-6


@dataclass(frozen=True, slots=True)
class Preset:
    """One row of the table of window presets.

    Attributes
    ----------
    key
        The digit that it stands on.
    name
        Its English name, to be translated.
    fixed
        Centre and width in the unit of the voxels, or None.
    percent
        Lowest and highest percentile of the values, or None.
    of_file
        Times the width of the file's own window, or None.
    """

    key: str
    name: str
    fixed: tuple[float, float] | None = None
    percent: tuple[float, float] | None = None
    of_file: float | None = None

    def window(
        self, first: Window, sample: Callable[[], npt.NDArray[Any]], *, fine: bool
    ) -> Window:
        """Return the window for an open case.

        Parameters
        ----------
        first
            The window that the case was first shown with.
        sample
            Returns values of the case, any shape; called only for shares of them.
        fine
            True where values are fractional: LINEAR is meant for steps of 1 (PS3.3 C.11.2.1.2).
        """
        function = LINEAR_EXACT if fine else LINEAR
        if self.fixed is not None:
            return Window(*self.fixed, function)
        if self.of_file is not None:
            return first.moved(first.centre, first.width * self.of_file)
        assert self.percent is not None
        return between(sample(), self.percent, function)


def between(values: npt.NDArray[Any], percent: tuple[float, float], function: str) -> Window:
    """Return the window from one percentile of some values to another.

    Parameters
    ----------
    values
        Any shape; what is no finite number is left out.
    percent
        Lower and upper, 0 to 100.
    """
    flat = values.reshape(-1)
    if flat.dtype.kind == "f":
        flat = flat[np.isfinite(flat)]
    if not flat.size:
        return Window(0.0, 1.0, function)
    low, high = (float(p) for p in np.percentile(flat, percent))
    if low == high:
        low, high = float(flat.min()), float(flat.max())
    least = 1.0 if function == LINEAR else max(abs(low), abs(high), 1e-9) * _LEAST_SHARE
    width = max(high - low, least)
    return Window((low + high) / 2.0, width, function)


def table_name(modality: str, unit: str) -> str:
    """Return which table of presets holds for a modality and the unit of its voxels.

    Hounsfield windows need Hounsfield units, uptake windows SUV: without the unit the values
    may be anything.
    """
    if unit == "HU":
        return "CT"
    if unit == "SUVbw":
        return "SUVbw"
    found = str(resources.table("window_presets")["tables"].get(modality, "other"))
    return "other" if found == "CT" else found


def presets(name: str) -> tuple[Preset, ...]:
    """Return the presets of a table such as ``"CT"``."""
    return tuple(_preset(row) for row in resources.table("window_presets")[name])


def _preset(row: Mapping[str, Any]) -> Preset:
    fixed = (float(row["centre"]), float(row["width"])) if "centre" in row else None
    percent = tuple(float(p) for p in row["percent"]) if "percent" in row else None
    return Preset(
        str(row["key"]),
        str(row["name"]),
        fixed,
        (percent[0], percent[1]) if percent is not None else None,
        float(row["file"]) if "file" in row else None,
    )
