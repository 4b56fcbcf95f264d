"""Growing what is drawn by random walkers: whether one who starts here comes to the seeds first.

Each voxel's walker goes to where values are alike; the chance that it meets what is drawn before
what lies beyond a reach is the solution of a sparse system of equations (Grady 2006,
doi 10.1109/TPAMI.2006.233), here that of scikit-image. On the voxels of a lesion's whole box that
would take many seconds, so it is solved on coarse cells first and on the voxels of the rim alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from inference.geometry import Affine
from viewer.annotate.mask import Bools, crop, cut
from viewer.tools.distance import distance_mm, room

Floats = npt.NDArray[np.float32]

# Unknowns of one system that are solved in about a third of a second.
_COARSE = 30_000
MOST_RIM = 250_000
# Chances on coarse cells beyond which a voxel is no longer asked.
_SURE = 0.1
_BETA = 1000.0  # of differences of values from 0 to 1
_TOLERANCE = 1e-3
# Of the values in the box: metal and air around a lesion do not set the scale.
_TAILS = (1.0, 99.0)


def _never() -> bool:
    return False


def walk(
    mask: Mask,
    voxels: npt.NDArray[Any],
    affine: Affine,
    reach_mm: float,
    kept_out: tuple[Mask, ...] = (),
    stop: Callable[[], bool] = _never,
) -> Mask:
    """Grow a mask to where random walkers come to it first, no farther than ``reach_mm``.

    Parameters
    ----------
    mask, voxels, affine, reach_mm, kept_out
        As of ``grow.grow``.
    stop
        Asked between the steps; the mask comes back as it was when it says so.
    """
    if not mask.voxels.size or reach_mm <= 0.0:
        return mask
    seeds, box = room(mask, reach_mm, affine, (voxels.shape[0], voxels.shape[1], voxels.shape[2]))
    values = voxels[box].astype(np.float32)
    known = np.isfinite(values)
    low, high = np.percentile(values[known], _TAILS) if known.any() else (0.0, 1.0)
    # From 0 to 1, or the noise of large numbers would hold every walker up.
    values = np.clip((np.where(known, values, low) - low) / max(high - low, 1e-6), 0.0, 1.0)
    outside = ((distance_mm(seeds, affine) > reach_mm) | ~known) & ~seeds
    for other in kept_out:
        outside |= cut(other, box) & ~seeds
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    if high <= low or not outside.any() or stop():
        return mask
    chance = _coarse(values, seeds, outside, steps)
    if stop():
        return mask
    rim = (chance > _SURE) & (chance < 1 - _SURE) & ~seeds & ~outside
    if rim.any() and np.count_nonzero(rim) <= MOST_RIM:
        chance = _on_rim(values, chance, rim, seeds, outside, steps)
    inside = (chance >= 0.5) & ~outside | seeds
    k, j, i = (b.start for b in box)
    return crop(_touching(inside, seeds), (k, j, i))


def _coarse(values: Floats, seeds: Bools, outside: Bools, steps: npt.NDArray[Any]) -> Floats:
    """Return the chance of every voxel, from cells of about as much length as height."""
    times = _block(values.shape, steps)
    inner = _shrunk(seeds.astype(np.float32), times) > 0
    beyond = (_shrunk(outside.astype(np.float32), times) >= 0.5) & ~inner
    found = _solved(_shrunk(values, times), inner, beyond, ~(inner | beyond), steps * times)
    return _enlarged(found, times, values.shape)


def _on_rim(
    values: Floats,
    chance: Floats,
    rim: Bools,
    seeds: Bools,
    outside: Bools,
    steps: npt.NDArray[Any],
) -> Floats:
    """Solve again for the voxels of the rim; the others keep what the cells said."""
    sure_in = seeds | ((chance >= 1 - _SURE) & ~outside)
    found = _solved(values, sure_in & ~rim, ~sure_in & ~rim, rim, steps)
    return np.where(rim, found, chance)


def _solved(
    values: Floats, inner: Bools, beyond: Bools, asked: Bools, steps: npt.NDArray[Any]
) -> Floats:
    """Return the chance of ``asked`` cells to come to ``inner`` before ``beyond``."""
    from scipy import ndimage
    from skimage.segmentation import random_walker

    out = inner.astype(np.float32)
    # Walkers that cannot leave have nowhere to come to.
    near = ndimage.binary_dilation(asked)
    pieces, count = ndimage.label(near)
    ends = inner | beyond
    meets = np.zeros(count + 1, dtype=bool)
    meets[np.unique(pieces[ends & near])] = True
    asked = asked & meets[pieces]
    if not asked.any() or not (inner & near).any() or not (beyond & near).any():
        return out
    # Of what is known only the rim counts: the rest would be unknowns for nothing.
    labels = np.full(values.shape, -1, dtype=np.int32)
    labels[near & inner], labels[near & beyond], labels[asked] = 1, 2, 0
    box = ndimage.find_objects(near.astype(np.int8))[0]
    chances = random_walker(
        values[box],
        labels[box],
        beta=_BETA,
        mode="cg_j",
        tol=_TOLERANCE,
        return_full_prob=True,
        prob_tol=np.inf,  # what lies beyond 0 and 1 is rounding
        spacing=tuple(steps / steps.min()),
    )
    part = out[box]
    part[asked[box]] = chances[0][asked[box]]
    return out


def _block(shape: tuple[int, ...], steps: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return how many voxels along each axis make a cell, so that there are not too many."""
    edge = float(steps.min())
    while True:
        times = np.maximum(np.rint(edge / steps), 1).astype(np.intp)
        if np.prod(np.ceil(np.array(shape) / times)) <= _COARSE:
            return times
        edge *= 1.1


def _shrunk(values: Floats, times: npt.NDArray[np.intp]) -> Floats:
    """Return the mean of every cell; those at the far ends repeat the last voxels."""
    pad = [(0, -size % n) for size, n in zip(values.shape, times, strict=True)]
    padded = np.pad(values, pad, mode="edge")
    split = [m for size, n in zip(padded.shape, times, strict=True) for m in (size // n, n)]
    return np.asarray(padded.reshape(split).mean(axis=(1, 3, 5)), dtype=np.float32)


def _enlarged(cells: Floats, times: npt.NDArray[np.intp], shape: tuple[int, ...]) -> Floats:
    """Return cells as voxels, linearly between their middles."""
    out = cells
    for axis, (n, size) in enumerate(zip(times, shape, strict=True)):
        at = np.clip((np.arange(size) + 0.5) / n - 0.5, 0, out.shape[axis] - 1)
        low = np.floor(at).astype(np.intp)
        share = (at - low).astype(np.float32).reshape([-1 if axis == a else 1 for a in range(3)])
        high = np.minimum(low + 1, out.shape[axis] - 1)
        out = np.take(out, low, axis) * (1 - share) + np.take(out, high, axis) * share
    return np.asarray(out, dtype=np.float32)


def _touching(inside: Bools, seeds: Bools) -> Bools:
    """Return the parts that hang together with the seeds."""
    from scipy import ndimage

    pieces, count = ndimage.label(inside, np.ones((3, 3, 3)))
    kept = np.zeros(count + 1, dtype=bool)
    kept[np.unique(pieces[seeds])] = True
    kept[0] = False
    return np.asarray(kept[pieces])
