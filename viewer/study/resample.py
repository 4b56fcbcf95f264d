"""A regular copy of slices that lie irregularly: tilted, shifted or unevenly far apart.

The copy holds no more than the slices do: between them it is interpolated linearly, and where
none of them reaches it holds padding, or the lowest value of a volume that names none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.volume import Volume
from resources.problem import Problem
from resources.text import translate
from viewer.study import spacing
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.colour import is_colour
from viewer.study.order import StackPlan
from viewer.study.spacing import GeometryProblem

Vectors = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

# Of a lying header the copy could be of any size: a true one grows by the tilt and by few gaps.
_GROWTH, _SMALL, _MOST_SLICES = 4.0, 1 << 22, 100_000
# A thousandth of a pixel is a pixel: positions are written with that many digits.
_WHOLE_PX = 1e-3
_SAME_DIRECTION = 2e-3


def can_resample(plan: StackPlan) -> bool:
    """Return whether a regular copy of an irregular stack can be made and is honest."""
    return (
        plan.refusal is None
        and plan.irregularity is not None
        and plan.irregularity.detail in spacing.RESAMPLED
        # A slice that could not be read is empty, and would be smeared over its neighbours.
        and not any(problem.kind.startswith("unreadable") for problem in plan.problems)
        and not any(is_colour(ref.instance) for ref in plan.planes)
    )


def resampled(volume: Volume, *, cancelled: CancelCheck | None = None) -> Volume:
    """Resample tilted, shifted or unevenly spaced slices to a regular volume.

    Parameters
    ----------
    volume
        Its ``places`` run parallel, ascend along row x column and do not coincide.
    cancelled
        Asked before each slice.

    Returns
    -------
    Volume
        Regular, of the same type and unit. Pixels keep size and direction; slices follow one
        another at right angles to them, at their own distance where that is even, else at the
        median one. Rows and columns are added until every slice fits in.

    Raises
    ------
    Problem
        When no regular copy can be made of these slices.
    Cancelled
        When ``cancelled`` says so.
    """
    grid = _grid(volume)
    empty = np.nanmin(volume.voxels) if volume.padding is None else volume.padding[0]
    voxels = np.full(grid.shape_kji, empty, dtype=volume.voxels.dtype)
    kept: dict[int, _Slice] = {}
    for k, (below, share) in enumerate(zip(grid.below, grid.share, strict=True)):
        stop_if(cancelled)
        wanted = (int(below),) if share == 0 else (int(below), int(below) + 1)
        kept = {n: kept.get(n) or _moved(_known(volume, n), grid.aside_px[n]) for n in wanted}
        _blend(voxels[k], [kept[n] for n in wanted], float(share))
    voxels.flags.writeable = False
    return Volume(voxels, grid.affine, volume.modality, volume.unit, padding=volume.padding)


def plan_of_copy(plan: StackPlan, copy: Volume) -> StackPlan:
    """Return the plan of a regular copy; wherever its name is shown it says what it is.

    Parameters
    ----------
    plan
        Of the stack that the copy was made of.
    copy
        Of ``resampled``.
    """
    name = translate("study", "resampled copy")
    reason = plan.problems[0].text if plan.problems else ""
    told = GeometryProblem(
        "resampled-copy",
        translate("study", "This is a resampled copy, not what the scanner made. {reason}").format(
            reason=reason
        ),
    )
    return replace(
        plan,
        shape_kji=copy.shape_kji,
        affine=copy.affine,
        regular=True,
        problems=(told,),
        irregularity=None,
        places=None,
        name=f"{plan.name} · {name}" if plan.name else name,
        part=f"{plan.part}/resampled",
        resampled=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """The regular volume, and how the slices lie in it.

    Attributes
    ----------
    aside_px
        (slices, 2) rows and columns by which the first pixel of each lies in the grid.
    below, share
        Of each slice of the grid: the last slice below it, and by which share of the way to
        the next it lies above.
    """

    shape_kji: tuple[int, int, int]
    affine: npt.NDArray[np.float64]
    aside_px: Vectors
    below: npt.NDArray[np.intp]
    share: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    """A slice moved by whole pixels and the share of one, and its first row and column."""

    values: Floats
    row: int
    column: int


def _grid(volume: Volume) -> _Grid:
    places = volume.places
    if places is None or not volume.placed or not volume.in_mm or volume.colours is not None:
        raise _impossible()
    count, rows, columns = volume.shape_kji
    sizes = np.linalg.norm(places[:, :3, 1:3], axis=1)
    ways = places[:, :3, 1:3] / sizes[:, None, :]
    row_mm, column_mm = (float(mm) for mm in sizes[0])
    even = np.abs(sizes / sizes[0] - 1).max() <= _SAME_DIRECTION
    if count < 2 or not even or np.abs(ways - ways[0]).max() > _SAME_DIRECTION:
        raise _impossible()
    down, along = ways[0, :, 0], ways[0, :, 1]
    normal = np.cross(along, down)
    normal /= np.linalg.norm(normal)
    positions = places[:, :3, 3]
    depths = positions @ normal
    steps = np.diff(depths)
    if steps.min() < spacing.SAME_PLACE_MM or steps.sum() > _MOST_SLICES * np.median(steps):
        raise _impossible()
    offsets, step = spacing.even_depths(depths)
    travel = positions - positions[0]
    aside = np.stack([travel @ down / row_mm, travel @ along / column_mm], axis=1)
    if np.abs(aside * (row_mm, column_mm)).max() <= spacing.drift_allowed_mm(depths):
        # As in a regular stack: what positions are rounded by is no shift.
        aside[:] = 0.0
    whole = np.rint(aside)
    aside = np.where(np.abs(aside - whole) <= _WHOLE_PX, whole, aside)
    first, last = np.floor(aside.min(axis=0)), np.ceil(aside.max(axis=0))
    size = (len(offsets), rows + int(last[0] - first[0]), columns + int(last[1] - first[1]))
    if float(np.prod(np.asarray(size, float))) > max(_GROWTH * volume.voxels.size, _SMALL):
        raise _impossible()
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = normal * step, down * row_mm, along * column_mm
    affine[:3, 3] = positions[0] + normal * offsets[0]
    affine[:3, 3] += down * row_mm * first[0] + along * column_mm * first[1]
    below, share = _between(offsets, depths - depths[0], step)
    return _Grid(size, affine, aside - first, below, share)


def _between(
    offsets: Vectors, depths: Vectors, step: float
) -> tuple[npt.NDArray[np.intp], Vectors]:
    """Return for each offset the last depth that is not above it, and the share to the next."""
    if len(offsets) == len(depths) and np.abs(offsets - depths).max() <= spacing.tolerance_mm(step):
        # They lie evenly already.
        return np.arange(len(depths)), np.zeros(len(depths))
    below = np.clip(np.searchsorted(depths, offsets, side="right") - 1, 0, len(depths) - 2)
    share = np.clip((offsets - depths[below]) / np.diff(depths)[below], 0.0, 1.0)
    near = share > 1 - _WHOLE_PX
    below, share = below + near, np.where(near | (share < _WHOLE_PX), 0.0, share)
    return below, share


def _known(volume: Volume, k: int) -> Floats:
    """Return a slice with no number where it is padded: what touches padding is none either."""
    values: Floats = volume.voxels[k].astype(np.float32)
    if volume.padding is not None:
        low, high = volume.padding
        values[(values >= low) & (values <= high)] = np.nan
    return values


def _moved(moved: Floats, aside_px: Vectors) -> _Slice:
    """Move a slice within its plane; what is not between two of its pixels is lost."""
    start = []
    for axis, by in enumerate(aside_px):
        whole = int(np.floor(by))
        share = np.float32(by - whole)
        if share:
            ahead = moved[1:] if axis == 0 else moved[:, 1:]
            behind = moved[:-1] if axis == 0 else moved[:, :-1]
            moved = ahead * (1 - share) + behind * share
            whole += 1
        start.append(whole)
    return _Slice(moved, start[0], start[1])


def _blend(target: npt.NDArray[Any], slices: list[_Slice], share: float) -> None:
    """Write one slice, or two by their shares, where all of them reach."""
    top, left = max(one.row for one in slices), max(one.column for one in slices)
    bottom = min(one.row + one.values.shape[0] for one in slices)
    right = min(one.column + one.values.shape[1] for one in slices)
    if bottom <= top or right <= left:
        return
    cut = [
        one.values[top - one.row : bottom - one.row, left - one.column : right - one.column]
        for one in slices
    ]
    found = cut[0] if len(cut) == 1 else cut[0] * (1 - share) + cut[1] * share
    if target.dtype.kind in "iu":
        found = np.rint(found)
    np.copyto(target[top:bottom, left:right], found, casting="unsafe", where=~np.isnan(found))


def _impossible() -> Problem:
    return Problem(
        translate("study", "No regular copy can be made of these slices."),
        translate("study", "Read them slice by slice."),
    )
