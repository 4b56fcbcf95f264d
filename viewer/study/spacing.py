"""Do planes make one regular stack? Measured on their positions and directions only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine
from resources.problem import Problem
from resources.text import translate
from viewer.study.series import Plane

# No slice may be further from its true place than this. Positions that a scanner rounded to
# 0.1 mm (0.6, 0.7 for 0.625) just pass.
_PLACE_MM = 0.06
# For thin slices the tolerance is a share of the spacing, lest a jitter pass as rounding.
_PLACE_SHARE = 0.1
# Along a long stack the rounding of direction cosines adds up: 0.5 mm in a metre.
_DRIFT_SHARE = 0.0005
SAME_PLACE_MM = 0.001
_MISSING_SHARE = 0.05
# Largest difference of one direction cosine within a stack: 0.06 degrees, far more than the
# rounding of a DS value and far less than any tilt or rotation on purpose.
_SAME_DIRECTION = 1e-3
# Largest relative difference of pixel spacing: rounding of a DS value.
_SAME_SPACING = 1e-4

Depths = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GeometryProblem:
    """One thing a reader should know of the geometry.

    Attributes
    ----------
    kind
        Stable slug, such as ``"gantry-tilt"``.
    text
        One plain translated sentence.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The affine of a regular stack, or why there is none and where its slices lie.

    Attributes
    ----------
    places
        (k, 4, 4) float64 of an irregular stack: of each slice, (0, j, i, 1) to LPS mm; None
        when the images do not say where they lie.
    """

    affine: Affine | None
    problems: tuple[GeometryProblem, ...] = ()
    irregularity: Problem | None = None
    places: npt.NDArray[np.float64] | None = None


def normal_lps(plane: Plane) -> npt.NDArray[np.float64]:
    """Return the unit vector row x column, along which slices ascend."""
    vector = np.cross(np.asarray(plane.row_lps), np.asarray(plane.column_lps))
    return np.asarray(vector / np.linalg.norm(vector))


def depths_mm(planes: Sequence[Plane]) -> Depths:
    """Return the positions along the normal of the first plane, in mm."""
    positions = np.array([plane.position_lps_mm for plane in planes], dtype=np.float64)
    return np.asarray(positions @ normal_lps(planes[0]))


def judge(planes: Sequence[Plane]) -> Verdict:
    """Judge planes of equal size, those of equal orientation sorted along their normal.

    Parameters
    ----------
    planes
        One or more.

    Returns
    -------
    Verdict
        With an affine only when a regular grid, its slices at right angles to the normal,
        is within 0.06 mm of every plane (a tenth of the spacing for thin slices).
    """
    first = planes[0]
    if not all(is_placed(plane) for plane in planes):
        return _irregular(
            planes,
            "missing-geometry",
            translate("study", "The images do not say where in the patient they lie."),
        )
    if first.spacing_mm is None:
        return _irregular(
            planes,
            "missing-spacing",
            translate("study", "The images do not say the size of a pixel."),
        )
    # Each of them is like the one that the stack was gathered around.
    alike = (parallel(first, p, slack=2) and same_spacing(first, p, slack=2) for p in planes)
    if not all(alike):
        return _irregular(
            planes,
            "mixed-orientation",
            translate("study", "The images are turned against each other."),
        )
    if len(planes) == 1:
        return _single(first)
    depths = depths_mm(planes)
    steps = np.diff(depths)
    alone = np.concatenate([[True], steps >= SAME_PLACE_MM])
    found = []
    if not alone.all():
        said = translate("study", "Images lie at the same place as another: {count}.")
        found.append(GeometryProblem("duplicate-positions", said.format(count=int((~alone).sum()))))
    found += _faults([plane for plane, one in zip(planes, alone, strict=True) if one])
    if found:
        return Verdict(None, tuple(found), _irregularity(found[0]), places_lps_mm(planes))
    start, step = _grid(depths)
    return Verdict(_affine(first, start - float(depths[0]), step))


def _faults(planes: Sequence[Plane]) -> list[GeometryProblem]:
    """Return what is wrong with the places of planes of which no two coincide."""
    if len(planes) < 2:
        return []
    depths = depths_mm(planes)
    start, step = _grid(depths)
    found = _tilt(planes, depths, step), _unevenness(depths, np.diff(depths), start, step)
    return [problem for problem in found if problem is not None]


def unsorted(planes: Sequence[Plane]) -> Verdict:
    """Return the verdict on planes that are kept in the order of their files on purpose."""
    return _irregular(
        planes,
        "file-order",
        translate("study", "All images of the series are in the order of their files."),
    )


def places_lps_mm(planes: Sequence[Plane]) -> npt.NDArray[np.float64] | None:
    """Return where each plane lies by its own header, None when one of them does not say it.

    Returns
    -------
    ndarray
        (k, 4, 4) float64, of each slice (0, j, i, 1) to LPS mm. Its first column is the normal
        with the usual step, or the thickness; a millimetre where neither is known. A pixel
        whose size is not said stands for a millimetre.
    """
    if not all(is_placed(plane) for plane in planes):
        return None
    steps = np.diff(depths_mm(planes))
    steps = steps[steps > SAME_PLACE_MM]
    usual = float(np.median(steps)) if len(steps) else planes[0].thickness_mm or 1.0
    places = np.zeros((len(planes), 4, 4))
    places[:, 3, 3] = 1.0
    for place, plane in zip(places, planes, strict=True):
        row_mm, column_mm = plane.spacing_mm or (1.0, 1.0)
        place[:3, 0] = normal_lps(plane) * usual
        place[:3, 1] = np.asarray(plane.column_lps) * row_mm
        place[:3, 2] = np.asarray(plane.row_lps) * column_mm
        place[:3, 3] = plane.position_lps_mm
    return places


def is_placed(plane: Plane) -> bool:
    """Return whether the plane says where in the patient it lies, and how it is turned."""
    return (
        plane.position_lps_mm is not None
        and plane.row_lps is not None
        and plane.column_lps is not None
    )


def parallel(a: Plane, b: Plane, slack: float = 1.0) -> bool:
    """Return whether rows and columns of two placed planes run the same way."""
    if a.row_lps == b.row_lps and a.column_lps == b.column_lps:
        return True
    assert a.row_lps and a.column_lps and b.row_lps and b.column_lps  # placed
    pairs = zip(a.row_lps + a.column_lps, b.row_lps + b.column_lps, strict=True)
    return all(abs(x - y) <= slack * _SAME_DIRECTION for x, y in pairs)


def same_spacing(a: Plane, b: Plane, slack: float = 1.0) -> bool:
    """Return whether the pixels of two planes are of one size, or neither says it."""
    if a.spacing_mm is None or b.spacing_mm is None:
        return a.spacing_mm is b.spacing_mm
    pairs = zip(a.spacing_mm, b.spacing_mm, strict=True)
    return all(abs(x - y) <= slack * _SAME_SPACING * x for x, y in pairs)


def tolerance_mm(step: float) -> float:
    """Return how far a slice of an even stack may be from its place."""
    return min(_PLACE_MM, _PLACE_SHARE * step)


def drift_allowed_mm(depths: Depths) -> float:
    """Return how far aside slices of a regular stack may lie by the rounding of directions."""
    length = float(depths[-1] - depths[0])
    return tolerance_mm(length / (len(depths) - 1)) + _DRIFT_SHARE * length


def even_depths(depths: Depths) -> tuple[Depths, float]:
    """Return even offsets from the first depth that stand best for ascending depths; the step.

    Those of an even stack are as many as its slices; others lie at the median step.
    """
    start, step = _grid(depths)
    offsets: Depths = np.asarray(
        start - depths[0] + step * np.arange(len(depths)), dtype=np.float64
    )
    if np.abs(depths[0] + offsets - depths).max() <= tolerance_mm(step):
        return offsets, step
    step = float(np.median(np.diff(depths)))
    count = int(np.floor((depths[-1] - depths[0]) / step + _MISSING_SHARE)) + 1
    return step * np.arange(count, dtype=np.float64), step


def _grid(depths: Depths) -> tuple[float, float]:
    """Return start and step of the even grid that lies closest to the depths."""
    count = np.arange(len(depths))
    step = float(depths[-1] - depths[0]) / (len(depths) - 1)
    if np.abs(depths[0] + step * count - depths).max() <= SAME_PLACE_MM:
        # Exact positions stay as they are written.
        return float(depths[0]), step
    step, start = (float(value) for value in np.polyfit(count, depths, 1))
    return start, step


def _unevenness(depths: Depths, steps: Depths, start: float, step: float) -> GeometryProblem | None:
    if np.abs(start + step * np.arange(len(depths)) - depths).max() <= tolerance_mm(step):
        return None
    usual = float(np.median(steps))
    ratio = steps / usual
    whole = np.rint(ratio)
    if np.all(np.abs(ratio - whole) <= _MISSING_SHARE * np.maximum(whole, 1)) and whole.min() >= 1:
        return GeometryProblem(
            "missing-slices",
            translate(
                "study", "Slices are missing: {count} among slices that lie {usual} mm apart."
            ).format(count=int((whole - 1).sum()), usual=round(usual, 3)),
        )
    return GeometryProblem(
        "uneven-spacing",
        translate("study", "The slices lie unevenly, {low} to {high} mm apart.").format(
            low=round(float(steps.min()), 3), high=round(float(steps.max()), 3)
        ),
    )


def _tilt(planes: Sequence[Plane], depths: Depths, step: float) -> GeometryProblem | None:
    positions = np.array([plane.position_lps_mm for plane in planes], dtype=np.float64)
    travel = positions - positions[0]
    aside = travel - np.outer(depths - depths[0], normal_lps(planes[0]))
    drift = np.linalg.norm(aside, axis=1)
    length = float(depths[-1] - depths[0])
    if float(drift.max()) <= drift_allowed_mm(depths):
        return None
    line = np.outer((depths - depths[0]) / length, aside[-1])
    if float(np.linalg.norm(aside - line, axis=1).max()) <= tolerance_mm(step) + 0.01 * drift.max():
        degrees = math.degrees(math.atan2(float(drift[-1]), length))
        return GeometryProblem(
            "gantry-tilt",
            translate("study", "The slices are tilted by {degrees} degrees.").format(
                degrees=round(degrees, 1)
            ),
        )
    return GeometryProblem(
        "shifted-slices",
        translate("study", "The slices are shifted sideways by up to {mm} mm.").format(
            mm=round(float(drift.max()), 1)
        ),
    )


def _affine(first: Plane, offset: float, step: float) -> Affine:
    assert first.spacing_mm is not None  # judged before
    normal = normal_lps(first)
    affine = np.eye(4)
    affine[:3, 0] = normal * step
    affine[:3, 1] = np.asarray(first.column_lps) * first.spacing_mm[0]
    affine[:3, 2] = np.asarray(first.row_lps) * first.spacing_mm[1]
    affine[:3, 3] = np.asarray(first.position_lps_mm) + normal * offset
    return affine


def _single(plane: Plane) -> Verdict:
    if plane.thickness_mm is None:
        return _irregular(
            (plane,),
            "single-slice",
            translate("study", "There is only one slice, and its thickness is not said."),
        )
    problem = GeometryProblem(
        "single-slice",
        translate("study", "There is only one slice; its thickness stands for the spacing."),
    )
    return Verdict(_affine(plane, 0.0, plane.thickness_mm), (problem,))


def _irregular(planes: Sequence[Plane], kind: str, text: str) -> Verdict:
    problem = GeometryProblem(kind, text)
    return Verdict(None, (problem,), _irregularity(problem), places_lps_mm(planes))


RESAMPLED = frozenset({"gantry-tilt", "missing-slices", "uneven-spacing", "shifted-slices"})
"""Kinds of irregularity that a resampled copy mends."""


def _irregularity(problem: GeometryProblem) -> Problem:
    if problem.kind in RESAMPLED:
        remedy = translate("study", "Read it slice by slice, or make a resampled copy.")
    elif problem.kind == "file-order":
        remedy = translate("study", "Let the series be split into its volumes.")
    else:
        remedy = translate("study", "Read it slice by slice, or choose another series.")
    return Problem(
        translate("study", "The images make no regular volume: {reason}").format(
            reason=problem.text
        ),
        remedy,
        problem.kind,
    )
