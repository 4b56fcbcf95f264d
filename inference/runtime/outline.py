"""From a point to the outline of the lesion there: a first look, then scaled looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Heatmap, Impression, Mask, Outline
from inference.geometry import Affine
from inference.runtime import window
from inference.runtime.chances import (
    BRIEFLY,
    CLOSELY,
    Chances,
    Plan,
    cut_out,
    disagreement,
    look_closely,
)
from inference.runtime.engine import Engine
from inference.runtime.look import FIRST_LEVEL, Floats, Place, Scan, looks, seen

SHARE_MEANING = "Share of the nodule's radiologists who would outline this voxel"
SPREAD_MEANING = "How far the outlines of mirrored and rescaled images differ at this voxel"

# Of the nodules of the validation patients one scores less (two readers saw it), of the outlines
# at vessels beside them two thirds do.
_LEAST_SCORE = 0.1
_RETRIED_MM = (6.0, 14.0)
_RETRIED_SCORE = 0.5

# More slices of windows, beside the two looks before them, take over half a second on two cores.
_MOST_SLICES = 40
# A box is drawn with some room round what it is to hold.
_SHARE_OF_BOX = 0.85


def outline_at(
    engine: Engine,
    voxels: npt.NDArray[Any],
    affine: Affine,
    point_lps_mm: Sequence[float],
) -> Outline:
    """Outline the lesion at a point.

    Parameters
    ----------
    engine
        With the net ``outliner``.
    voxels
        (k, j, i) HU, axial slices or nearly so, in any order and orientation in plane.
    affine
        (4, 4), (k, j, i, 1) to LPS mm.
    point_lps_mm
        A point on or next to the lesion.
    """
    scan = Scan(voxels, affine)
    k, j, i = (np.linalg.inv(affine) @ np.array([*point_lps_mm, 1.0]))[:3]
    point = (float(k), float(j), float(i))
    if any(not -0.5 <= p <= n - 0.5 for p, n in zip(point, voxels.shape, strict=True)):
        return _nothing("outside")
    return _outlined(engine, scan, chances_at(engine, scan, point), point)


def outline_in(
    engine: Engine, voxels: npt.NDArray[Any], affine: Affine, box: tuple[slice, slice, slice]
) -> Outline:
    """Outline the lesion in a box that a reader drew round it: middle and size are known.

    Parameters
    ----------
    engine, voxels, affine
        As of ``outline_at``.
    box
        Voxels (k, j, i); may reach beyond those that are given. The mask may reach beyond it.
    """
    scan = Scan(voxels, affine)
    k, j, i = ((side.start + side.stop - 1) / 2 for side in box)
    sides = (
        (side.stop - side.start) * mm for side, mm in zip(box[1:], scan.spacing_rc, strict=True)
    )
    place = Place((k, j, i), _SHARE_OF_BOX * max(sides))
    (chances,) = look_closely(engine, scan, [place], plan_for(scan, place))
    return _outlined(engine, scan, chances, (k, j, i))


def _outlined(
    engine: Engine, scan: Scan, chances: Chances | None, point: tuple[float, float, float]
) -> Outline:
    if chances is None:
        return _nothing("nothing")
    factor = engine.calibration.outline_factor
    mask = cut_out(scan, chances, point, factor)
    if not mask.count:
        return _nothing("nothing", chances.score)
    k, j, i = (side.start for side in chances.box)

    def heatmap(values: Floats, meaning: str) -> Heatmap:
        return Heatmap((k, j, i), np.round(values * 255).astype(np.uint8), meaning)

    return Outline(
        mask=mask,
        share=heatmap(chances.share, SHARE_MEANING),
        spread=heatmap(chances.spread, SPREAD_MEANING),
        score=chances.score,
        uncertainty=disagreement(chances, factor),
        impression=Impression(chances.malignancy, chances.texture),
    )


def chances_at(engine: Engine, scan: Scan, point_kji: tuple[float, float, float]) -> Chances | None:
    """Look at a point, again at what is seen there, and closely; None when nothing is.

    The last looks start from the middle of what the one before them outlined, so that where in
    the lesion the point lay hardly matters. Where two looks see nothing, or the last ones find
    that this is hardly a nodule, there is nothing.
    """
    place, least = _place_at(engine, scan, point_kji), _LEAST_SCORE
    if place is None:
        place, least = _place_of_known_size(engine, scan, point_kji), _RETRIED_SCORE
    if place is None:
        return None
    (chances,) = look_closely(engine, scan, [place], plan_for(scan, place))
    return chances if chances.score >= least else None


def plan_for(scan: Scan, place: Place) -> Plan:
    """Return how closely to look: what reaches over many slices is looked at by fewer windows."""
    diameter_mm = place.diameter_mm or 0.0
    slices = sum(
        len(mirrors)
        * len(window.second_scale(diameter_mm * factor, scan.gap_mm).offsets(scan.gap_mm))
        for factor, mirrors in CLOSELY
    )
    return CLOSELY if slices <= _MOST_SLICES else BRIEFLY


def _place_at(engine: Engine, scan: Scan, point_kji: tuple[float, float, float]) -> Place | None:
    place: Place | None = Place(point_kji)
    for _ in range(2):
        if place is not None:
            (look,) = looks(engine, scan, [place])
            place = seen(scan, look, point_kji, FIRST_LEVEL)
    return place


def _place_of_known_size(
    engine: Engine, scan: Scan, point_kji: tuple[float, float, float]
) -> Place | None:
    """Look as if the diameter was known; the wide first look misses a faint nodule now and then."""
    places = [Place(point_kji, diameter) for diameter in _RETRIED_MM]
    found = [
        (look.score, place)
        for look in looks(engine, scan, places)
        if (place := seen(scan, look, point_kji, FIRST_LEVEL)) is not None
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


def _nothing(reason: str, score: float = 0.0) -> Outline:
    none = np.zeros((0, 0, 0))
    return Outline(
        mask=Mask((0, 0, 0), none.astype(np.bool_)),
        share=Heatmap((0, 0, 0), none.astype(np.uint8), SHARE_MEANING),
        spread=Heatmap((0, 0, 0), none.astype(np.uint8), SPREAD_MEANING),
        score=score,
        uncertainty=1.0,
        impression=None,
        reason=reason,
    )
