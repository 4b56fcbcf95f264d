"""From an outline and a point that corrects it to the corrected outline; see ``inference.refine``.

The lesion is looked at closely again, as it is outlined; where a point shall belong to it, from
that point too: there the net does what it was taught, it outlines what is pointed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Heatmap, Impression, Mask, Outline
from inference.geometry import Affine
from inference.refine import ALL, APART, Bools, Click, refine, why_not
from inference.runtime.chances import BRIEFLY, CLOSELY, Chances, Plan, look_closely
from inference.runtime.engine import Engine
from inference.runtime.look import MIRRORS, Floats, Place, Scan
from inference.runtime.outline import SHARE_MEANING, SPREAD_MEANING, plan_for

_ONCE: Plan = ((1.0, MIRRORS[:1]),)


def refine_at(
    engine: Engine,
    voxels: npt.NDArray[Any],
    affine: Affine,
    before: Bools,
    clicks: Sequence[Click],
) -> Outline:
    """Correct an outline by its latest point.

    Parameters
    ----------
    engine
        With the net ``outliner``.
    voxels
        (k, j, i) HU, axial slices or nearly so.
    affine
        (4, 4), (k, j, i, 1) to LPS mm.
    before
        (k, j, i): the outline; not empty.
    clicks
        The latest one last.

    Returns
    -------
    Outline
        The corrected one; empty, with a reason of ``inference.refine``, when the point changes
        nothing.
    """
    newest = clicks[-1]
    if reason := why_not(before, newest):
        return _outline(None, reason)
    scan = Scan(voxels, affine)
    place = _place(scan, before)
    plan = plan_for(scan, place)
    if newest.belongs:
        # Of two places each half as closely: as many windows, and as long, as of one.
        plan = BRIEFLY if plan is CLOSELY else _ONCE
    (own,) = look_closely(engine, scan, [place], plan)
    factor = engine.calibration.outline_factor
    half, level = _whole(own, own.half, voxels.shape), own.level * factor
    if newest.belongs:
        both = before.copy()
        both[newest.at_kji] = True
        k, j, i = (float(n) for n in newest.at_kji)
        there = Place((k, j, i), _place(scan, both).diameter_mm)
        (other,) = look_closely(engine, scan, [there], plan)
        both_looks = half + _whole(other, other.half, voxels.shape)
        half = np.asarray(both_looks / 2, dtype=np.float32)
    spacing = np.array([scan.gap_mm, *scan.spacing_rc])
    after = refine(before, half, level, clicks, spacing)
    if not after.any():
        return _outline(own, ALL)
    if newest.belongs and not _hangs_together(before, after, newest):
        return _outline(own, APART)
    return _outline(own, "", Mask.from_array(after))


def _place(scan: Scan, mask: Bools) -> Place:
    places = np.argwhere(mask)
    k, j, i = (float(n) for n in places.mean(axis=0))
    extent = (np.ptp(places[:, 1:], axis=0) + 1) * np.asarray(scan.spacing_rc)
    return Place((k, j, i), float(extent.max()))


def _whole(chances: Chances, values: Floats, shape: tuple[int, ...]) -> Floats:
    out = np.zeros(shape, dtype=np.float32)
    out[chances.box] = values
    return out


def _hangs_together(before: Bools, after: Bools, click: Click) -> bool:
    """Tell whether what a point brought in touches what was there."""
    from scipy import ndimage

    pieces, _ = ndimage.label(after, np.ones((3, 3, 3)))
    return bool((before & (pieces == pieces[click.at_kji])).any())


def _outline(chances: Chances | None, reason: str, mask: Mask | None = None) -> Outline:
    none = np.zeros((0, 0, 0))
    return Outline(
        mask=mask or Mask((0, 0, 0), none.astype(np.bool_)),
        share=Heatmap((0, 0, 0), none.astype(np.uint8), SHARE_MEANING),
        spread=Heatmap((0, 0, 0), none.astype(np.uint8), SPREAD_MEANING),
        score=0.0 if chances is None else chances.score,
        uncertainty=1.0,
        impression=None if chances is None else Impression(chances.malignancy, chances.texture),
        reason=reason,
    )
