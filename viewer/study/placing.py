"""From voxels that were read to a volume in its place, regular or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine
from inference.volume import Volume
from viewer.study.order import StackPlan
from viewer.study.series import Plane
from viewer.study.values import padding, unit


def placed_volume(
    plan: StackPlan, voxels: npt.NDArray[Any], colours: npt.NDArray[np.uint8] | None = None
) -> Volume:
    """Return the volume of a plan.

    Parameters
    ----------
    plan
        Not refused.
    voxels
        (k, j, i), rescaled; luminance when there are colours.
    colours
        (k, j, i, 3) red, green, blue, or None.
    """
    modality, measured = plan.series.modality, unit(plan.planes)
    empty = padding(plan.planes) if colours is None else None
    if plan.affine is not None and plan.irregularity is None:
        return Volume(voxels, plan.affine, modality, measured, colours=colours, padding=empty)
    planes = [ref.plane for ref in plan.planes]
    placed = all(plane.position_lps_mm and plane.row_lps and plane.column_lps for plane in planes)
    places = None
    if placed:
        places = plan.places
        if places is None:
            places = np.array([_place(plane) for plane in planes])
    return Volume(
        voxels,
        _stand_in(planes, places),
        modality,
        measured,
        places=places,
        placed=placed,
        in_mm=all(plane.spacing_mm is not None for plane in planes),
        colours=colours,
        padding=empty,
    )


def _place(plane: Plane) -> Affine:
    """Return (0, j, i, 1) to LPS mm of one plane; its first column is its unit normal."""
    assert plane.position_lps_mm and plane.row_lps and plane.column_lps
    row_mm, column_mm = plane.spacing_mm or (1.0, 1.0)
    place = np.eye(4)
    place[:3, 0] = np.cross(plane.row_lps, plane.column_lps)
    place[:3, 1] = np.asarray(plane.column_lps) * row_mm
    place[:3, 2] = np.asarray(plane.row_lps) * column_mm
    place[:3, 3] = plane.position_lps_mm
    return place


def _stand_in(planes: list[Plane], places: npt.NDArray[np.float64] | None) -> Affine:
    """Return the affine of the first slice with a made-up step: fit to show, not to measure."""
    if places is None:
        row_mm, column_mm = planes[0].spacing_mm or (1.0, 1.0)
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = 1.0, row_mm, column_mm, 1.0
        return affine
    affine = np.array(places[0], dtype=np.float64)
    normal = np.cross(affine[:3, 2], affine[:3, 1])
    normal /= np.linalg.norm(normal)
    steps = np.diff(places[:, :3, 3] @ normal)
    usual = float(np.median(steps)) if len(steps) else 0.0
    affine[:3, 0] = normal * (usual if usual > 0.01 else 1.0)
    return affine
