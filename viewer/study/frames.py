"""Image planes from header values, those of multi-frame objects frame by frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from viewer.study import marks
from viewer.study.series import Plane, Vector
from viewer.study.words import plain

# Nothing of a patient is further away, smaller or larger than this; such values are nonsense.
_FAR_MM = 1e5
_SMALL_MM = 1e-5
# Wide enough for the slopes of PET (1e-8) and of MR with private scales (1e6).
_STEEP = 1e12


def position(values: tuple[float, ...] | None) -> Vector | None:
    """Return a position in LPS mm when it can be one of a patient."""
    if values is None or any(abs(value) > _FAR_MM for value in values):
        return None
    return values[0], values[1], values[2]


def thickness(values: tuple[float, ...] | None) -> float | None:
    """Return a thickness in mm when it can be one."""
    return values[0] if values and _SMALL_MM <= values[0] <= _FAR_MM else None


def rescale(
    slope: tuple[float, ...] | None, intercept: tuple[float, ...] | None
) -> tuple[float, float]:
    """Return slope and intercept, 1 and 0 when absent; a slope of 0 counts as absent.

    Raises
    ------
    ValueError
        When the values would be nonsense: to ignore such a rescale would show wrong values.
    """
    pair = (slope[0] if slope and slope[0] != 0 else 1.0), (intercept[0] if intercept else 0.0)
    if not 1 / _STEEP <= abs(pair[0]) <= _STEEP or abs(pair[1]) > _STEEP:
        raise ValueError("implausible rescale")
    return pair


def rescales(slope: tuple[float, ...] | None, intercept: tuple[float, ...] | None) -> bool:
    """Return whether a rescale stands in the file that can be meant: a slope of 0 cannot."""
    return intercept is not None and not (slope and slope[0] == 0)


def unit_pair(cosines: tuple[float, ...] | None) -> tuple[Vector | None, Vector | None]:
    """Check six direction cosines; return unit vectors along a row and down a column.

    Two vectors that are not of unit length within 1 % or not at right angles within
    0.5 degrees place nothing (PS3.3 C.7.6.2.1.1) and are returned as None.
    """
    if cosines is None:
        return None, None
    row, column = cosines[:3], cosines[3:]
    lengths = math.hypot(*row), math.hypot(*column)
    if any(abs(length - 1.0) > 0.01 for length in lengths):
        return None, None
    a = (row[0] / lengths[0], row[1] / lengths[0], row[2] / lengths[0])
    b = (column[0] / lengths[1], column[1] / lengths[1], column[2] / lengths[1])
    if abs(sum(x * y for x, y in zip(a, b, strict=True))) > 0.0087:
        return None, None
    return a, b


def spacing_pair(values: tuple[float, ...] | None) -> tuple[float, float] | None:
    """Return (between rows, between columns) in mm when both can be meant."""
    if values is None or any(not _SMALL_MM <= value <= _FAR_MM for value in values):
        return None
    return values[0], values[1]


def windows(
    centres: tuple[float, ...] | None, widths: tuple[float, ...] | None
) -> tuple[tuple[float, float], ...]:
    """Pair window centres with widths; those that can show nothing are dropped."""
    if centres is None or widths is None:
        return ()
    return tuple(pair for pair in zip(centres, widths, strict=False) if _shows(*pair))


def window_names(
    centres: tuple[float, ...] | None, widths: tuple[float, ...] | None, names: Sequence[str]
) -> tuple[str, ...]:
    """Return the explanations of those windows that ``windows`` keeps, empty where none is."""
    if centres is None or widths is None or not any(names):
        return ()
    filled = zip(centres, widths, [*names, *[""] * len(centres)], strict=False)
    return tuple(name for centre, width, name in filled if _shows(centre, width))


def voi_function(value: str) -> str:
    """Return the VOI LUT Function, LINEAR when it is none of the standard's (C.11.2.1.2)."""
    return value if value in ("LINEAR_EXACT", "SIGMOID") else "LINEAR"


def _shows(centre: float, width: float) -> bool:
    return abs(centre) <= _STEEP and 1 / _STEEP <= width <= _STEEP


def planes(groups: Any, n_frames: int, common: Plane) -> tuple[Plane, ...]:
    """Return one plane a frame.

    Parameters
    ----------
    groups
        Pydicom data set that holds the functional group sequences (PS3.3 C.7.6.16), or None.
    n_frames
        Number of Frames (0028,0008).
    common
        What the top level of the header says; functional groups override it.
    """
    if groups is None:
        if n_frames == 1:
            return (common,)
        # One position cannot be that of every frame: nothing places the frames.
        return (replace(common, position_lps_mm=None),) * n_frames
    shared = _first(groups, "SharedFunctionalGroupsSequence")
    per_frame = groups.get("PerFrameFunctionalGroupsSequence") or []
    if len(per_frame) != n_frames:
        return (replace(common, position_lps_mm=None),) * n_frames
    base = _apply(common, shared)
    return tuple(_apply(base, frame) for frame in per_frame)


def _apply(plane: Plane, group: Any) -> Plane:
    if group is None:
        return plane
    changes: dict[str, Any] = {}
    if (macro := _first(group, "PlanePositionSequence")) is not None:
        changes["position_lps_mm"] = position(_values(macro, "ImagePositionPatient", 3))
    if (macro := _first(group, "PlaneOrientationSequence")) is not None:
        row, column = unit_pair(_values(macro, "ImageOrientationPatient", 6))
        changes["row_lps"], changes["column_lps"] = row, column
    if (macro := _first(group, "PixelMeasuresSequence")) is not None:
        spacing = spacing_pair(_values(macro, "PixelSpacing", 2))
        changes["spacing_mm"] = spacing
        changes["spacing_source"] = "Pixel Spacing" if spacing else ""
        changes["thickness_mm"] = thickness(_values(macro, "SliceThickness", 1))
    if (macro := _first(group, "PixelValueTransformationSequence")) is not None:
        slope, intercept = _values(macro, "RescaleSlope", 1), _values(macro, "RescaleIntercept", 1)
        changes["slope"], changes["intercept"] = rescale(slope, intercept)
        changes["has_rescale"] = rescales(slope, intercept)
        changes["rescale_type"] = str(macro.get("RescaleType", "") or "")
    if (macro := _first(group, "FrameVOILUTSequence")) is not None:
        centres, widths = _all(macro, "WindowCenter"), _all(macro, "WindowWidth")
        if found := windows(centres, widths):
            changes["window"] = found
            changes["window_names"] = window_names(centres, widths, _texts(macro))
            changes["voi_function"] = voi_function(str(macro.get("VOILUTFunction", "")))
    content = _first(group, "FrameContentSequence")
    if content is not None and content.get("StackID"):
        changes["stack"] = str(content.get("StackID"))[:16]
    changes["marks"] = marks.of_groups(group, plane.marks)
    return replace(plane, **changes)


def _first(data: Any, keyword: str) -> Any:
    found = data.get(keyword)
    return found[0] if found else None


def _all(data: Any, keyword: str) -> tuple[float, ...] | None:
    value = data.get(keyword)
    if value is None:
        return None
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    numbers = tuple(float(part) for part in several)
    return numbers if all(math.isfinite(part) for part in numbers) else None


def _texts(macro: Any) -> list[str]:
    value = macro.get("WindowCenterWidthExplanation") or ""
    several = [value] if isinstance(value, str) else list(value)
    return [plain(str(part)) for part in several]


def _values(data: Any, keyword: str, count: int) -> Any:
    numbers = _all(data, keyword)
    return numbers[:count] if numbers is not None and len(numbers) >= count else None
