"""The second stage: every candidate is looked at, outlined and judged by the outliner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from inference.findings import Impression, Mask
from inference.runtime.candidates import Candidate, find_candidates
from inference.runtime.chances import BRIEFLY, Chances, cut_out, disagreement, look_closely
from inference.runtime.engine import Engine
from inference.runtime.grid import Grid
from inference.runtime.look import FIRST_LEVEL, Look, Place, Scan, looks, seen

Floats = npt.NDArray[np.float32]

# A candidate that the first look gives less of a chance is not looked at again.
_HOPELESS = 0.05
_GROUP = 8
_SAME = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One candidate, judged.

    Attributes
    ----------
    score
        Calibrated chance that readers would call it a nodule, 0..1.
    logit, peak
        What the score was made of: the outliner's logit, and the hottest heat 0..1.
    mask
        In voxels of the volume.
    uncertainty, impression
        As in ``findings.Detection``.
    chances
        What the last looks said, for their spread.
    """

    score: float
    logit: float
    peak: float
    mask: Mask
    uncertainty: float
    impression: Impression
    chances: Chances


def detect(
    engine: Engine,
    scan: Scan,
    heat: Floats,
    grid: Grid,
    peak: float,
    tell: Callable[[int, int], None] | None = None,
) -> list[Scored]:
    """Find, outline and judge candidates, the best first.

    Parameters
    ----------
    engine
        With the net ``outliner``.
    scan
        The volume.
    heat
        (k, row, column) 0..1 on the grid, 0 where nothing is looked for.
    grid
        On which the heat lies.
    peak
        Heat that a candidate must reach.
    """
    candidates = find_candidates(heat, grid.cell_kji_mm, peak)
    found: list[Scored] = []
    for first in range(0, len(candidates), _GROUP):
        group = candidates[first : first + _GROUP]
        places = [place_of(one, heat, grid) for one in group]
        found += _judged(engine, scan, group, places)
        if tell:
            tell(min(first + _GROUP, len(candidates)), len(candidates))
    return _without_doubles(sorted(found, key=lambda one: -one.score))


def place_of(candidate: Candidate, heat: Floats, grid: Grid) -> Place:
    """Return the middle of a candidate, weighted by heat, and its extent in plane."""
    values = np.where(candidate.mask, heat[candidate.box], 0).astype(np.float64)
    middle = (np.indices(values.shape).reshape(3, -1) @ values.ravel()) / values.sum()
    warm = np.argwhere(values >= 0.5 * candidate.peak)
    extent = np.ptp(warm[:, 1:], axis=0).max() + 1
    k, row, column = (at + side.start for at, side in zip(middle, candidate.box, strict=True))
    rows, columns = (
        (side.stop - side.start) / size
        for side, size in zip(grid.box[1:], grid.size_px, strict=True)
    )
    return Place(
        (
            float(np.interp(k, np.arange(len(grid.slices)), grid.slices)),
            float((row + 0.5) * rows - 0.5 + grid.box[1].start),
            float((column + 0.5) * columns - 0.5 + grid.box[2].start),
        ),
        float(extent * grid.cell_kji_mm[1]),
    )


def _judged(
    engine: Engine,
    scan: Scan,
    candidates: list[Candidate],
    places: list[Place],
) -> list[Scored]:
    """Look twice at some candidates; what no outline comes of is no finding."""
    again: list[tuple[Candidate, Place]] = []
    for candidate, place, look in zip(candidates, places, looks(engine, scan, places), strict=True):
        better = seen(scan, look, place.centre_kji, FIRST_LEVEL)
        if better is not None and _score(engine, look, candidate) >= _HOPELESS:
            again.append((candidate, better))
    found = []
    factor = engine.calibration.outline_factor
    second = look_closely(engine, scan, [place for _, place in again], BRIEFLY)
    for (candidate, place), chances in zip(again, second, strict=True):
        mask = cut_out(scan, chances, place.centre_kji, factor)
        if mask.count:
            found.append(
                Scored(
                    score=_score(engine, chances, candidate),
                    logit=chances.logit,
                    peak=candidate.peak,
                    mask=mask,
                    uncertainty=disagreement(chances, factor),
                    impression=Impression(chances.malignancy, chances.texture),
                    chances=chances,
                )
            )
    return found


def _score(engine: Engine, look: Look | Chances, candidate: Candidate) -> float:
    logits, peaks = torch.tensor([look.logit]), torch.tensor([candidate.peak])
    return float(engine.calibration.scores(logits, peaks)[0])


def _without_doubles(found: list[Scored]) -> list[Scored]:
    """Leave out what mostly lies in an outline with a better score."""
    kept: list[Scored] = []
    for one in found:
        if all(_shared(one.mask, other.mask) < _SAME for other in kept):
            kept.append(one)
    return kept


def _shared(a: Mask, b: Mask) -> float:
    """Return the common voxels by those of the smaller mask."""
    sides = []
    for first, second in zip(a.box, b.box, strict=True):
        low, high = max(first.start, second.start), min(first.stop, second.stop)
        if low >= high:
            return 0.0
        sides.append((low, high))

    def part(mask: Mask) -> npt.NDArray[np.bool_]:
        k, j, i = (
            slice(low - o, high - o) for (low, high), o in zip(sides, mask.origin_kji, strict=True)
        )
        return mask.voxels[k, j, i]

    return int((part(a) & part(b)).sum()) / min(a.count, b.count)
