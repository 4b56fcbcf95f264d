"""What readers outlined on a whole scan: contours of a truth file, as voxels.

The file is JSON: ``series_instance_uid`` and ``nodules``, each with ``annotations``, one a
reader, each with ``contours`` of one slice: ``z_lps_mm``, ``inclusion`` and ``column_row``.
As in LIDC a contour runs through the first pixels outside the nodule (the outer boundary), so
a voxel belongs to it when its centre lies inside the line and not on it. A contour that is no
inclusion cuts its inside out, by the same rule.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import grid_points_in_poly

from inference.geometry import Affine
from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate

Bools = npt.NDArray[np.bool_]
_INSIDE = 1
# How far a stated height may lie from its slice, in slices.
_OFF = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One line: height in mm, whether it includes, points (n, 2) of column and row."""

    z_lps_mm: float
    inclusion: bool
    column_row: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """What one reader outlined of one nodule."""

    contours: tuple[Contour, ...]
    malignancy: float | None
    texture: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The nodules of one series, each a tuple of annotations."""

    series_instance_uid: str
    nodules: tuple[tuple[Annotation, ...], ...]


def load_truth(path: Path) -> Truth:
    """Read a truth file.

    Raises
    ------
    Problem
        When it cannot be read or is no truth file.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return Truth(
            str(value.get("series_instance_uid", "")), tuple(map(_nodule, value["nodules"]))
        )
    except OSError as error:
        raise _problem(path, error.strerror or translate("evaluation", "it cannot be read")) from (
            error
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _problem(path, translate("evaluation", "it is no list of contours")) from error


def _problem(path: Path, fault: str) -> Problem:
    return Problem(
        translate("evaluation", "The truth {name} cannot be used: {fault}.").format(
            name=path.name, fault=fault
        ),
        translate(
            "evaluation",
            "Give a JSON file with the series_instance_uid and the nodules, each with the "
            "annotations of its readers as contours.",
        ),
    )


def _nodule(value: Any) -> tuple[Annotation, ...]:
    annotations = tuple(_annotation(one) for one in value["annotations"])
    if not annotations:
        raise ValueError("a nodule without readers")
    return annotations


def _annotation(value: Any) -> Annotation:
    return Annotation(
        tuple(_contour(one) for one in value["contours"]),
        _score(value.get("malignancy")),
        _score(value.get("texture")),
    )


def _contour(value: Any) -> Contour:
    points = np.array(value["column_row"], dtype=np.float64)
    inclusion = value.get("inclusion", True)
    if points.ndim != 2 or points.shape[1] != 2 or not isinstance(inclusion, bool):
        raise ValueError("no contour")
    height = float(value["z_lps_mm"])
    if not (np.isfinite(points).all() and np.isfinite(height)):
        raise ValueError("no contour")
    return Contour(height, inclusion, points)


def _score(value: Any) -> float | None:
    return None if value is None else float(value)


def rasterise(annotation: Annotation, volume: Volume) -> Bools:
    """Return the voxels (k, j, i) that one reader outlined.

    Raises
    ------
    Problem
        When a contour lies on no slice of the volume, or outside its slices.
    """
    out = np.zeros(volume.shape_kji, dtype=np.bool_)
    holes = np.zeros(volume.shape_kji, dtype=np.bool_)
    for contour in annotation.contours:
        k = _slice_of(contour, volume.affine, volume.shape_kji)
        low = np.floor(contour.column_row.min(axis=0)).astype(int)
        high = np.ceil(contour.column_row.max(axis=0)).astype(int) + 1
        if (low < 0).any() or (high > volume.shape_kji[:0:-1]).any():
            raise _elsewhere()
        shape = (int(high[1] - low[1]), int(high[0] - low[0]))
        line = (contour.column_row - low)[:, ::-1]
        inside = _inside(shape, line)
        target = out if contour.inclusion else holes
        target[k, low[1] : high[1], low[0] : high[0]] |= inside
    return out & ~holes


def _inside(shape: tuple[int, int], line: npt.NDArray[np.float64]) -> Bools:
    """Return the pixels whose centres lie inside a closed line and not on it."""
    if len(line) < 3:
        return np.zeros(shape, dtype=np.bool_)
    # 0 outside, 1 inside, 2 on a vertex, 3 on an edge.
    labels = grid_points_in_poly(shape, line, binarize=False)
    return np.asarray(labels == _INSIDE)


def _slice_of(contour: Contour, affine: Affine, shape_kji: tuple[int, int, int]) -> int:
    column, row = contour.column_row.mean(axis=0)
    step = affine[2, 0]
    if not step:
        raise _elsewhere()
    height = contour.z_lps_mm - affine[2, 1] * row - affine[2, 2] * column
    place = float((height - affine[2, 3]) / step)
    k = round(place)
    if abs(place - k) > _OFF or not 0 <= k < shape_kji[0]:
        raise _elsewhere()
    return k


def _elsewhere() -> Problem:
    return Problem(
        translate("evaluation", "The truth does not lie within this series."),
        translate("evaluation", "Give the series that the truth was drawn on."),
    )
