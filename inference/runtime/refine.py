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
from inference.refine import ALL, APART, Bools, Box, Click, refine, why_not
from inference.runtime.chances import BRIEFLY, CLOSELY, Chances, Plan, look_closely
from inference.runtime.engine import Engine
from inference.runtime.grid import box_of
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
    found = look_closely(engine, scan, [place], plan)
    if newest.belongs:
        both = before.copy()
        both[newest.at_kji] = True
        k, j, i = (float(n) for n in newest.at_kji)
        there = Place((k, j, i), _place(scan, both).diameter_mm)
        found += look_closely(engine, scan, [there], plan)
    own = found[0]
    # All that is sent is much more than the outline and what was looked at.
    box = _around(before, newest, found)
    corner = tuple(side.start for side in box)
    half = np.asarray(
        np.mean([_in_box(chances, box) for chances in found], axis=0), dtype=np.float32
    )
    level = own.level * engine.calibration.outline_factor
    spacing = np.array([scan.gap_mm, *scan.spacing_rc])
    moved = [_moved(click, box) for click in clicks]
    after = refine(before[box], half, level, [one for one in moved if one is not None], spacing)
    if not after.any():
        return _outline(own, ALL)
    at = tuple(a - o for a, o in zip(newest.at_kji, corner, strict=True))
    if newest.belongs and not _hangs_together(before[box], after, at):
        return _outline(own, APART)
    return _outline(own, "", Mask.from_array(after, (corner[0], corner[1], corner[2])))


def _place(scan: Scan, mask: Bools) -> Place:
    places = np.argwhere(mask)
    k, j, i = (float(n) for n in places.mean(axis=0))
    extent = (np.ptp(places[:, 1:], axis=0) + 1) * np.asarray(scan.spacing_rc)
    return Place((k, j, i), float(extent.max()))


def _around(before: Bools, click: Click, found: Sequence[Chances]) -> Box:
    """Return the box of an outline, a point and all that was looked at."""
    drawn = box_of(before, (0, 0, 0))
    k, j, i = (
        slice(
            min(drawn[axis].start, click.at_kji[axis], *(one.box[axis].start for one in found)),
            max(drawn[axis].stop, click.at_kji[axis] + 1, *(one.box[axis].stop for one in found)),
        )
        for axis in range(3)
    )
    return k, j, i


def _in_box(chances: Chances, box: Box) -> Floats:
    out = np.zeros([side.stop - side.start for side in box], dtype=np.float32)
    part = tuple(
        slice(own.start - whole.start, own.stop - whole.start)
        for own, whole in zip(chances.box, box, strict=True)
    )
    out[part] = chances.half
    return out


def _moved(click: Click, box: Box) -> Click | None:
    """Return a point in the indices of a box; None when it lies beyond it."""
    inside = all(side.start <= at < side.stop for at, side in zip(click.at_kji, box, strict=True))
    k, j, i = (at - side.start for at, side in zip(click.at_kji, box, strict=True))
    return Click((k, j, i), click.belongs) if inside else None


def _hangs_together(before: Bools, after: Bools, at_kji: tuple[int, ...]) -> bool:
    """Tell whether what a point brought in touches what was there."""
    from scipy import ndimage

    pieces, _ = ndimage.label(after, np.ones((3, 3, 3)))
    return bool((before & (pieces == pieces[at_kji])).any())


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
