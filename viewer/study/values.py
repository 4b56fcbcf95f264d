"""From stored values to what they measure: modality rescale, and its unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.study.order import FrameRef


def whole_rescale(planes: Sequence[FrameRef]) -> tuple[int, int] | None:
    """Return (slope, intercept) when they are whole and the same in all planes, else None."""
    found = {(ref.plane.slope, ref.plane.intercept) for ref in planes}
    if len(found) != 1:
        return None
    slope, intercept = found.pop()
    if slope != int(slope) or intercept != int(intercept) or abs(intercept) > 65535:
        return None
    # Wide pixels and steep slopes would overflow; float32 holds those.
    narrow = all(ref.instance.bits_allocated <= 16 for ref in planes)
    return (int(slope), int(intercept)) if narrow and 0 < slope < 256 else None


def unit(planes: Sequence[FrameRef]) -> str:
    """Return ``"HU"`` when the rescaled values are proven to be, else an empty string.

    A CT image without Rescale Type is in HU (PS3.3 C.8.2.1, Table C.8-3); a localizer is not a
    measurement of attenuation in a voxel, and a rescale must be there at all.
    """
    proven = all(
        ref.instance.modality == "CT"
        and ref.plane.has_rescale
        and ref.plane.rescale_type in ("", "HU", "HU_MOD")
        and "LOCALIZER" not in ref.instance.image_type
        for ref in planes
    )
    return "HU" if proven else ""


def rescaled(stored: npt.NDArray[Any], ref: FrameRef) -> npt.NDArray[np.float32]:
    """Apply the modality rescale of one plane to its stored values."""
    values = stored * np.float64(ref.plane.slope) + np.float64(ref.plane.intercept)
    return np.asarray(values, dtype=np.float32)
