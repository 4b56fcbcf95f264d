"""From stored values to what they measure: modality rescale or table, and the unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.study import suv
from viewer.study.series import FrameRef
from viewer.study.tables import modality_lookup

# What CT measures in tissue, bone and most metal: a padding value among these cannot be meant.
_TISSUE_HU = (-990.0, 3000.0)


def whole_rescale(planes: Sequence[FrameRef]) -> tuple[int, int] | None:
    """Return (slope, intercept) when they are whole and the same in all planes, else None."""
    found = {(ref.plane.slope, ref.plane.intercept) for ref in planes}
    if len(found) != 1 or factor(planes) != 1.0:
        return None
    slope, intercept = found.pop()
    if slope != int(slope) or intercept != int(intercept) or abs(intercept) > 65535:
        return None
    # Wide pixels and steep slopes would overflow; float32 holds those.
    narrow = all(
        ref.instance.bits_allocated <= 16 and not ref.instance.has_modality_lut for ref in planes
    )
    return (int(slope), int(intercept)) if narrow and 0 < slope < 256 else None


def unit(planes: Sequence[FrameRef]) -> str:
    """Return the unit of the values that ``rescaled`` gives; empty when it is not proven.

    Returns
    -------
    str
        ``"HU"``, of PET ``"SUVbw"`` or ``"Bq/mL"``, or an empty string.

    Notes
    -----
    A CT image without Rescale Type is in HU (PS3.3 C.8.2.1, Table C.8-3); a localizer is not a
    measurement of attenuation in a voxel, and a rescale must be there at all.
    """
    if any(ref.instance.pet is not None for ref in planes):
        return suv.uptake(planes).unit
    proven = all(
        ref.instance.modality == "CT"
        and ref.plane.has_rescale
        and not ref.instance.has_modality_lut
        and ref.plane.rescale_type in ("", "HU", "HU_MOD")
        and "LOCALIZER" not in ref.instance.image_type
        for ref in planes
    )
    return "HU" if proven else ""


def factor(planes: Sequence[FrameRef]) -> float:
    """Return what rescaled values are to be multiplied with: that of SUVbw in PET, else 1."""
    if any(ref.instance.pet is not None for ref in planes):
        return suv.uptake(planes).factor
    return 1.0


def rescaled(
    stored: npt.NDArray[Any], ref: FrameRef, factor: float = 1.0
) -> npt.NDArray[np.float32]:
    """Apply the Modality LUT or the rescale of one plane to its stored values (PS3.3 C.11.1).

    Parameters
    ----------
    factor
        Of ``factor``, for all planes of the stack.

    Raises
    ------
    Problem
        When the Modality LUT of the file is damaged.
    """
    if ref.instance.has_modality_lut:
        # Where both stand in a file against the standard, the table is the one meant.
        return modality_lookup(ref.instance)(stored).astype(np.float32)
    values = stored * np.float64(ref.plane.slope * factor)
    values += np.float64(ref.plane.intercept * factor)
    return np.asarray(values, dtype=np.float32)


def narrowed(values: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """Return (k, j, i) values as int16 or uint16 when that loses nothing, else as they are."""
    least, most = np.inf, -np.inf
    for plane in values:
        if not np.array_equal(plane, np.rint(plane)):  # of no number neither
            return values
        least, most = min(least, float(plane.min())), max(most, float(plane.max()))
    for kind in (np.int16, np.uint16):
        bounds = np.iinfo(kind)
        if bounds.min <= least and most <= bounds.max:
            return values.astype(kind)
    return values


def padding(planes: Sequence[FrameRef]) -> tuple[float, float] | None:
    """Return the lowest and highest value that stand for no value, as ``rescaled`` gives them.

    Returns
    -------
    tuple of float or None
        Pixel Padding Value (0028,0120) to Pixel Padding Range Limit (0028,0121) when every
        plane has the same (PS3.3 C.7.5.1.1.2); None when none is named, when they differ, and
        when tissue has such values: to hide it would be worse than to show the padding.
    """
    found = {
        (
            ref.instance.padding_value,
            ref.instance.padding_limit,
            ref.plane.slope,
            ref.plane.intercept,
            ref.instance.has_modality_lut,
        )
        for ref in planes
    }
    if len(found) != 1:
        return None
    value, limit, slope, intercept, table = found.pop()
    if value is None or table:
        return None
    times = factor(planes)
    ends = [
        np.float32(end * (slope * times) + intercept * times)
        for end in (value, value if limit is None else limit)
    ]
    low, high = float(min(ends)), float(max(ends))
    if unit(planes) == "HU" and low <= _TISSUE_HU[1] and high >= _TISSUE_HU[0]:
        return None
    return low, high
