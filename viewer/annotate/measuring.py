"""From points that a reader put to a measurement with its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine, kji_to_lps_mm, lps_mm_to_kji
from inference.volume import Volume
from viewer.annotate.lesion import Point
from viewer.annotate.measurements import Absence, Kind, Measurement, Value
from viewer.study.order import StackPlan
from viewer.tools.measures.lines import angle_degrees, length_mm
from viewer.tools.measures.regions import Region, voxels_in
from viewer.tools.measures.statistics import statistics

Floats = npt.NDArray[np.float64]
# Of a slice: a plane that is off by less shows the acquired slice itself.
_SAME_SLICE = 1e-3
# Cosine of half a degree: a plane that is turned by less is the same for the eye.
_PARALLEL = 0.99996
# Of a slice, for what was measured in a plane that is not parallel.
_IN_PLANE = 0.05


class ShownPlane(Protocol):
    """What measuring asks of the plane of a view, straight or oblique."""

    def lps_at(self, x_mm: float, y_mm: float, index: int) -> Floats:
        """Map a view position in mm on slice ``index`` to LPS mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The plane that something is measured in.

    Attributes
    ----------
    origin_lps_mm
        A point of it.
    normal_lps
        Its unit normal.
    slice_mm
        Distance to the next slice of the same view.
    k
        The acquired slice that it is, or None.
    """

    origin_lps_mm: Floats
    normal_lps: Floats
    slice_mm: float
    k: int | None

    def shows(self, one: Measurement) -> bool:
        """Return whether a measurement is to be seen on it.

        One of a parallel plane is, within half a slice. One of another plane is only where it
        truly lies in this one, as a distance along the line in which both cut each other: else
        it would be drawn shorter than it is.
        """
        if abs(float(self.normal_lps @ np.asarray(one.normal_lps))) > _PARALLEL:
            return self.holds(one.points_lps_mm)
        return bool((np.abs(self._slices_away(one.points_lps_mm)) <= _IN_PLANE).all())

    def holds(self, points_lps_mm: npt.ArrayLike) -> bool:
        """Return whether all points lie within half a slice of it."""
        away = self._slices_away(points_lps_mm)
        # Half open, so that what lies midway between two slices is seen on one of them.
        return bool((np.floor(away + 0.5 + 1e-6) == 0).all())

    def _slices_away(self, points_lps_mm: npt.ArrayLike) -> Floats:
        away: Floats = np.asarray(points_lps_mm, dtype=np.float64) - self.origin_lps_mm
        return np.asarray(away @ self.normal_lps / self.slice_mm)


def sheet_of(plane: ShownPlane, index: int, volume: Volume) -> Sheet:
    """Return the sheet that slice ``index`` of a view's plane is."""
    origin = plane.lps_at(0.0, 0.0, index)
    normal = np.cross(
        plane.lps_at(1.0, 0.0, index) - origin, plane.lps_at(0.0, 1.0, index) - origin
    )
    normal = normal / np.linalg.norm(normal)
    slice_mm = float(abs((plane.lps_at(0.0, 0.0, index + 1) - origin) @ normal))
    sheet = Sheet(np.asarray(origin, dtype=np.float64), normal, slice_mm, None)
    step = volume.affine[:3, 0]
    if abs(abs(step @ normal) / np.linalg.norm(step) - 1.0) < 1e-6:
        k = float(lps_mm_to_kji(volume.affine, origin)[0])
        if abs(k - round(k)) < _SAME_SLICE and 0 <= round(k) < volume.shape_kji[0]:
            return Sheet(sheet.origin_lps_mm, normal, slice_mm, round(k))
    return sheet


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of a measurement, and why some are missing."""

    values: tuple[Value, ...]
    absence: Absence = ""


def measure(
    kind: Kind,
    points_lps_mm: Sequence[Point] | Floats,
    sheet: Sheet,
    volume: Volume,
    plan: StackPlan,
    *,
    without: Absence = "",
) -> Measured:
    """Return what points in a sheet measure.

    Parameters
    ----------
    points_lps_mm
        As ``Measurement`` has them, in the volume's own affine.
    without
        Why the values of voxels are not to be measured; empty when they are.

    Raises
    ------
    ValueError
        When an axis or an arm has no length, or a stack without one grid is measured across.
    """
    k = sheet.k
    if k is None and not volume.regular:
        raise ValueError("across such slices nothing is measured")
    unit = "mm" if volume.in_mm else "px"
    points = np.asarray(points_lps_mm, dtype=np.float64)
    normal, affine = sheet.normal_lps, volume.affine
    if not volume.regular and k is not None:
        # Of each slice its own place and size of pixels; the affine is made up.
        affine = own_affine(volume, plan, k)
        kji = lps_mm_to_kji(volume.affine, points)
        kji[:, 0] = 0.0
        points = kji_to_lps_mm(affine, kji)
        normal = np.cross(affine[:3, 2], affine[:3, 1])
        normal /= np.linalg.norm(normal)
    if kind == "angle":
        return Measured((Value("angle", angle_degrees(*points), "deg"),))
    if kind == "distance":
        return Measured((Value("length", length_mm(*points), unit),))
    if kind == "bidirectional":
        long_mm, short_mm = length_mm(*points[:2]), length_mm(*points[2:])
        return Measured(
            (Value("long_axis", long_mm, unit), Value("short_axis", short_mm, unit)),
        )
    region = Region(kind, points, normal)
    if region.crosses_itself():
        return Measured((), "crosses-itself")
    values = (Value("area", region.area_mm2(), f"{unit}2"),)
    if volume.colours is not None:
        without = without or "colours"
    if without:
        return Measured(values, without)
    if volume.regular:
        indices = voxels_in(region, affine, volume.shape_kji, sheet.slice_mm)
    else:
        _, rows, columns = volume.shape_kji
        indices = voxels_in(region, affine, (1, rows, columns), 1.0)
        assert k is not None  # asked before
        indices[:, 0] = k
    found = statistics(volume.voxels, indices, volume.padding)
    if not found.n:
        return Measured((*values, Value("n_voxels", 0.0, "voxels")), "no-voxel")
    figures: tuple[tuple[Any, float, str], ...] = (
        ("n_voxels", found.n, "voxels"),
        ("mean", found.mean, volume.unit),
        ("sd", found.sd, volume.unit),
        ("min", found.low, volume.unit),
        ("max", found.high, volume.unit),
    )
    return Measured((*values, *(Value(name, float(x), u) for name, x, u in figures)))


def own_affine(volume: Volume, plan: StackPlan, k: int) -> Affine:
    """Return (0, j, i, 1) to mm of one slice of an irregular stack, by its own header.

    Its first column is the unit normal; without a place x runs along the rows and y down the
    columns.
    """
    affine = np.array(volume.affine if volume.places is None else volume.places[k])
    if volume.places is None and volume.in_mm:
        affine[1, 1], affine[0, 2] = plan.planes[k].plane.spacing_mm or (1.0, 1.0)
    affine[:3, 0] = np.cross(affine[:3, 2], affine[:3, 1])
    affine[:3, 0] /= np.linalg.norm(affine[:3, 0])
    return affine
