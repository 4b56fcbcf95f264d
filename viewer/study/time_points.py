"""The volumes of a series that show one place at one time after the other (4-D)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.volume import Volume
from viewer.study import read
from viewer.study.order import StackPlan

# Identifiers that ``recurring`` parts volumes by, of what comes one after the other.
_OF_TIME = (
    "time=", "trigger_ms=", "frame_ms=", "acquisition=",
    "trigger_ms-rank=", "frame_ms-rank=", "number-rank=",
)  # fmt: skip
_SAME_MM = 0.01
# What a scanner wrote has been multiplied for these: one slice read alone has not.
_MULTIPLIED = ("SUVbw", "Bq/mL")


def time_points(plan: StackPlan, plans: Sequence[StackPlan]) -> tuple[StackPlan, ...]:
    """Return the volumes that differ from one in nothing but time, itself among them, in order.

    Parameters
    ----------
    plans
        The series list, where the volumes of a series stand in the order of their values.

    Returns
    -------
    tuple of StackPlan
        Empty when there is no other one.
    """
    parted = _parted(plan.part)
    if parted is None or plan.resampled or plan.affine is None:
        return ()
    found = tuple(
        other
        for other in plans
        if other.series is plan.series
        and other.refusal is None
        and _parted(other.part) == parted
        and other.shape_kji == plan.shape_kji
        and other.affine is not None
        and np.abs(other.affine - plan.affine).max() < _SAME_MM
    )
    return found if len(found) > 1 and plan in found else ()


def can_be_read(volume: Volume) -> bool:
    """Tell whether slices that are read alone have the values that the volume has."""
    return volume.colours is None and volume.unit not in _MULTIPLIED


def slice_values(plan: StackPlan, k: int, volume: Volume) -> npt.NDArray[Any]:
    """Read slice ``k`` of another time, as the open volume holds its own: (row, column).

    Raises
    ------
    Problem
        When the file is damaged.
    """
    values = read.frame_values(plan.planes[k])
    dtype = volume.voxels.dtype
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        values = np.clip(np.rint(values), info.min, info.max)
    return np.ascontiguousarray(values, dtype=dtype)


def _parted(part: str) -> tuple[str, ...] | None:
    """Return what a part says but for its time; None when it says nothing of time."""
    words = part.split(";")
    rest = tuple(word for word in words if not word.startswith(_OF_TIME))
    return rest if len(rest) == len(words) - 1 else None
