"""On which half of the body a point lies, where no lungs are known: from the images themselves.

The half is that of the body's outline in the slices around the point, as patient space has right
and left. It is told only where nothing speaks against it: a CT in Hounsfield units that holds the
whole width of the body, in all slices around the point, and well off the middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inference.geometry import lps_mm_to_kji
from inference.volume import Volume
from resources.text import translate
from viewer.annotate.lesion import Point
from viewer.annotate.place import Side

if TYPE_CHECKING:
    from collections.abc import Callable

# Air and lung lie below, all else of a body above.
_BODY_HU = -300
# The sides of a body are thicker from front to back than this; a sleeve or a table is not.
_THICK_MM = 40.0
# So much wall is there in front of and behind any lung; a table alone has less.
_WALLS_MM = 14.0
# Of the width: no body is so far from even that its middle is off by more.
_LEAST_MM, _LEAST_SHARE = 20.0, 0.08
# A trunk is no narrower, and what is wider is two things.
_NARROW_MM, _WIDE_MM = 150.0, 620.0
# Columns at the edge of the image that must be free of it.
_FREE_MM = 2.0
_AROUND_MM = (-8.0, -4.0, 0.0, 4.0, 8.0)
# Of the angle between an axis of the volume and that of the patient.
_ALONG = float(np.cos(np.radians(25)))


class BodyHalves:
    """Halves of the body of one volume, each point asked for once."""

    def __init__(self) -> None:
        self._known: dict[Point, Side | None] = {}

    def text(self, volume: Volume, point_lps_mm: Point, has: Callable[[int], bool]) -> str:
        """Return the half in words, such as ``"right half of the body"``; empty when not known.

        Parameters
        ----------
        has
            Tells of an acquired slice whether it is there.
        """
        if point_lps_mm not in self._known:
            self._known[point_lps_mm] = body_side(volume, point_lps_mm, has)
        side = self._known[point_lps_mm]
        if side is None:
            return ""
        if side == "right":
            return translate("annotate", "right half of the body")
        return translate("annotate", "left half of the body")


def body_side(
    volume: Volume, point_lps_mm: Point, has: Callable[[int], bool] = lambda _k: True
) -> Side | None:
    """Return the half of the body that a point (LPS mm) lies in; None where that is not certain."""
    if not (volume.regular and volume.placed and volume.in_mm) or volume.unit != "HU":
        return None
    affine = volume.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    directions = affine[:3, :3] / spacing
    across, down, along = (int(np.abs(directions[n]).argmax()) for n in range(3))
    if len({across, down, along}) < 3 or np.abs(directions).max(axis=1).min() < _ALONG:
        return None
    kji = lps_mm_to_kji(affine, point_lps_mm)
    found: set[Side | None] = set()
    for away_mm in _AROUND_MM:
        index = round(float(kji[along] + away_mm / spacing[along]))
        if not 0 <= index < volume.shape_kji[along]:
            continue
        acquired = [index] if along == 0 else range(volume.shape_kji[0])
        if not all(has(k) for k in acquired):
            return None
        # (down, across) of one slice, head or feet first.
        values = np.moveaxis(volume.voxels, (along, down, across), (0, 1, 2))[index]
        middle = _middle(values, float(spacing[down]), float(spacing[across]))
        if middle is None:
            return None
        column, width_mm = middle
        # Patient x grows to the left.
        left_mm = float((kji[across] - column) * affine[0, across])
        margin = max(_LEAST_MM, _LEAST_SHARE * width_mm)
        found.add(None if abs(left_mm) < margin else "left" if left_mm > 0 else "right")
    return found.pop() if len(found) == 1 else None


def _middle(
    values: npt.NDArray[Any], down_mm: float, across_mm: float
) -> tuple[float, float] | None:
    """Return the middle column of the body in a slice (down, across) and its width, mm."""
    deep_mm = (values > _BODY_HU).sum(axis=0) * down_mm
    there = np.concatenate(([False], deep_mm >= _WALLS_MM, [False]))
    # Arms that lie beside the trunk are runs of their own.
    runs = np.flatnonzero(np.diff(there.astype(np.int8))).reshape(-1, 2)
    if not len(runs):
        return None
    start, stop = (int(edge) for edge in runs[np.diff(runs, axis=1).argmax()])
    thick = np.flatnonzero(deep_mm[start:stop] >= _THICK_MM)
    if not len(thick):
        return None
    first, after = start + int(thick[0]), start + int(thick[-1]) + 1
    free = max(1, round(_FREE_MM / across_mm))
    width_mm = (after - first) * across_mm
    cut = first < free or after > values.shape[1] - free
    if cut or not _NARROW_MM <= width_mm <= _WIDE_MM:
        return None
    return (first + after - 1) / 2, width_mm
