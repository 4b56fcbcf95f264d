"""An outline corrected by points that belong to it and points that do not. Knows no torch.

The outliner was not taught what a point outside a lesion means, so the points do not go into the
net. They shift what it said: around a point the chance of every voxel is raised, or lowered, by as
much as the point itself needs, and the less the farther away it lies. What flips so and hangs
together with the point is changed, and nothing else: what a reader drew elsewhere stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Triple = tuple[int, int, int]
Box = tuple[slice, slice, slice]

# Why a point changes nothing.
INSIDE, BEYOND, OUTSIDE, NOTHING, ALL, APART = (
    "inside", "beyond", "outside", "nothing", "all", "apart",
)  # fmt: skip

# Chosen on one half of the validation patients, see decision 0016.
_SIGMA_OF_DIAMETER = 0.25
_LEAST_SIGMA_MM = 1.5
# By how much a point is to pass the level, in logits: one that is taken in, one that is cut off.
_OVER_IN, _OVER_OUT = 1.0, 0.5
_AGREED = 0.1  # of a voxel where outline and net disagree, in logits
_MOST = 6.0


@dataclass(frozen=True, slots=True)
class Click:
    """One point: voxel (k, j, i), and whether it belongs to the outline."""

    at_kji: Triple
    belongs: bool


def why_not(before: Bools, click: Click) -> str:
    """Return why a point changes nothing, one of the codes above; empty when it can."""
    if any(not 0 <= at < size for at, size in zip(click.at_kji, before.shape, strict=True)):
        return OUTSIDE
    if bool(before[click.at_kji]) == click.belongs:
        return INSIDE if click.belongs else BEYOND
    return ""


def refine(
    before: Bools,
    half: Floats,
    level: float,
    clicks: Sequence[Click],
    spacing_kji_mm: npt.NDArray[np.float64],
) -> Bools:
    """Correct an outline by its latest point; earlier ones keep what they said.

    Parameters
    ----------
    before
        (k, j, i): the outline; not empty.
    half
        (k, j, i) 0..1: chance that at least half of the readers would outline the voxel.
    level
        Chance from which a voxel is outlined.
    clicks
        The latest one last; ``why_not`` of it is empty.
    spacing_kji_mm
        Distance of slices, rows and columns, mm.
    """
    from scipy import ndimage

    newest = clicks[-1]
    sign = 1.0 if newest.belongs else -1.0
    field = _logit(half) - _logit(np.float32(level))
    # As it stands it is right, but for the point: the net is heard where it agrees.
    field = np.where(before, np.maximum(field, _AGREED), np.minimum(field, -_AGREED))
    field = np.clip(field, -_MOST, _MOST)
    sigma_mm = max(_SIGMA_OF_DIAMETER * _diameter_mm(before, spacing_kji_mm), _LEAST_SIGMA_MM)
    shifted = field.copy()
    for click in clicks:
        own = 1.0 if click.belongs else -1.0
        if click is newest or own != sign:
            over = _OVER_IN if click.belongs else _OVER_OUT
            amount = max(over - own * float(field[click.at_kji]), over)
            shifted += own * amount * _near(before.shape, click.at_kji, spacing_kji_mm, sigma_mm)
    flips = (sign * shifted > 0) & (before != newest.belongs)
    against = [one.at_kji for one in clicks if one.belongs != newest.belongs]
    for at in against:
        flips[at] = False
    flips[newest.at_kji] = True
    pieces, _ = ndimage.label(flips, np.ones((3, 3, 3)))
    after = before ^ (pieces == pieces[newest.at_kji])
    if newest.belongs:
        return _filled(before, after, [at for at in against if at != newest.at_kji])
    return _without_cut_off(before, after, clicks)


def _filled(before: Bools, after: Bools, out: Sequence[Triple]) -> Bools:
    """Fill what was enclosed in plane, but no hole that was there or that a point keeps open."""
    from scipy import ndimage

    def holes(mask: Bools) -> Bools:
        filled = np.stack([ndimage.binary_fill_holes(plane) for plane in mask])
        return np.asarray(filled & ~mask)

    new, _ = ndimage.label(holes(after) & ~holes(before))
    kept = [int(new[at]) for at in out if new[at]]
    return np.asarray(after | ((new > 0) & ~np.isin(new, kept)))


def _without_cut_off(before: Bools, after: Bools, clicks: Sequence[Click]) -> Bools:
    """Take away what a cut has parted from the body; what lay apart before stays."""
    from scipy import ndimage

    ones = np.ones((3, 3, 3))
    old, _ = ndimage.label(before, ones)
    new, count = ndimage.label(after, ones)
    body = old[clicks[-1].at_kji]
    parts = [n for n in range(1, count + 1) if (old[new == n] == body).any()]
    if len(parts) < 2:
        return after
    held = {int(new[click.at_kji]) for click in clicks if click.belongs}
    largest = max(parts, key=lambda n: int(np.count_nonzero(new == n)))
    gone = [n for n in parts if n != largest and n not in held]
    return after & ~np.isin(new, gone)


def _logit(chance: npt.NDArray[np.float32] | np.float32) -> npt.NDArray[np.float64]:
    clipped = np.clip(np.asarray(chance, dtype=np.float64), 1e-4, 1 - 1e-4)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _near(
    shape: tuple[int, ...], at: Triple, spacing: npt.NDArray[np.float64], sigma_mm: float
) -> npt.NDArray[np.float64]:
    """Return a bell of Gauss round a voxel, 1 there."""
    out = np.ones((1, 1, 1))
    for axis, (size, middle, mm) in enumerate(zip(shape, at, spacing, strict=True)):
        line = np.exp(-(((np.arange(size) - middle) * mm / sigma_mm) ** 2) / 2)
        out = out * line.reshape([-1 if axis == a else 1 for a in range(3)])
    return out


def _diameter_mm(mask: Bools, spacing: npt.NDArray[np.float64]) -> float:
    """Return the diameter of the ball of the same volume."""
    volume = float(np.count_nonzero(mask)) * float(np.prod(spacing))
    return float((6 * volume / np.pi) ** (1 / 3))
