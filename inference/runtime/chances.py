"""Looks at one place taken together, in voxels, and the mask that is cut out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from inference.findings import Mask
from inference.runtime import window
from inference.runtime.engine import Engine
from inference.runtime.grid import along
from inference.runtime.look import (
    MIRRORS,
    Floats,
    Look,
    Mirrors,
    Place,
    Scan,
    Verdict,
    looks,
    nearest_piece,
)

# How a place is looked at closely: by how much larger than seen the lesion is taken to be, and
# the mirrored windows at that scale. Different windows err differently; on the validation
# patients two scales with two mirrors each are better than four mirrors at one, and as fast.
Plan = tuple[tuple[float, Mirrors], ...]
CLOSELY: Plan = ((0.88, MIRRORS[:2]), (1.15, MIRRORS[2:]))
# For the many candidates of a whole scan.
BRIEFLY: Plan = ((0.88, MIRRORS[:1]), (1.15, MIRRORS[3:]))
_FAINT = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Chances(Verdict):
    """What some looks at one place said together; their verdict is the mean.

    Attributes
    ----------
    box
        Voxels of the volume that they cover.
    share, half
        (k, j, i) 0..1 in the box: share of readers, and chance that at least half.
    spread
        (k, j, i) 0..1: twice the standard deviation of ``half`` over all windows.
    level
        Chance from which a voxel is outlined, so that the expected Dice is the largest.
    """

    box: tuple[slice, slice, slice]
    share: Floats
    half: Floats
    spread: Floats
    level: float


def look_closely(engine: Engine, scan: Scan, places: Sequence[Place], plan: Plan) -> list[Chances]:
    """Look at places whose diameter is known by every scale and mirror of a plan."""
    every = []
    for factor, mirrors in plan:
        scaled = [replace(one, diameter_mm=(one.diameter_mm or 0.0) * factor) for one in places]
        every.append(looks(engine, scan, scaled, mirrors))
    return [together(scan, found) for found in zip(*every, strict=True)]


def together(scan: Scan, found: Sequence[Look]) -> Chances:
    """Average looks at one place; where only some reach, only those count."""
    boxes = [window_box(scan, look) for look in found]
    k, j, i = (
        slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
        for axis in range(3)
    )
    shape = tuple(side.stop - side.start for side in (k, j, i))
    share, half, square, count = np.zeros((4, *shape), dtype=np.float32)
    for look, box in zip(found, boxes, strict=True):
        part = tuple(
            slice(own.start - whole.start, own.stop - whole.start)
            for own, whole in zip(box, (k, j, i), strict=True)
        )
        share[part] += to_box(scan, look, look.share, box)
        one = to_box(scan, look, look.half, box)
        half[part] += one
        square[part] += one**2 + (to_box(scan, look, look.spread, box) / 2) ** 2
        count[part] += 1
    for sums in (share, half, square):
        sums /= np.maximum(count, 1)
    return Chances(
        box=(k, j, i),
        share=share,
        half=half,
        spread=2 * np.sqrt(np.maximum(square - half**2, 0)),
        level=level_of(half),
        logit=float(np.mean([look.logit for look in found])),
        malignancy=float(np.mean([look.malignancy for look in found])),
        texture=float(np.mean([look.texture for look in found])),
    )


def level_of(half: Floats) -> float:
    """Return the chance from which voxels are to be outlined for the largest expected Dice.

    With n voxels outlined the expectation is about twice their chances over n and all chances
    (Lipton et al. 2014, doi 10.1007/978-3-662-44851-9_15): of a sharp lesion the level is near a
    half, of one in doubt lower.
    """
    falling = np.sort(half[half > _FAINT])[::-1].astype(np.float64)
    if not len(falling):
        return 0.5
    expected = 2 * np.cumsum(falling) / (np.arange(1, len(falling) + 1) + falling.sum())
    return float(falling[expected.argmax()])


def cut_out(scan: Scan, chances: Chances, point_kji: Sequence[float], factor: float) -> Mask:
    """Return the mask of what is at a point: one piece, without holes in plane.

    ``factor`` of the level is where it is cut, see ``nets.Calibration``.
    """
    at = [p - side.start for p, side in zip(point_kji, chances.box, strict=True)]
    inside = chances.half >= chances.level * factor
    piece = nearest_piece(inside, at, (scan.gap_mm, *scan.spacing_rc))
    if piece is None:
        return Mask((0, 0, 0), np.zeros((0, 0, 0), dtype=np.bool_))
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in piece])
    k, j, i = (side.start for side in chances.box)
    return Mask.from_array(filled, (k, j, i))


def disagreement(chances: Chances, factor: float) -> float:
    """Return how far outlines would differ, 0..1: the share of the outline in doubt.

    The expected voxels on which two readers disagree, by those outlined.
    """
    half = chances.half
    outlined = float((half >= chances.level * factor).sum())
    doubt = float((2 * half * (1 - half)).sum())
    return min(1.0, doubt / outlined) if outlined else 1.0


def window_box(scan: Scan, look: Look) -> tuple[slice, slice, slice]:
    """Return the voxels that a look covers."""
    half_mm = look.pixel_mm * (window.SIZE_PX - 1) / 2
    sides = [slice(int(look.slices[0]), int(look.slices[-1]) + 1)]
    for axis, at in ((1, look.centre_rc[0]), (2, look.centre_rc[1])):
        reach = half_mm / scan.spacing_rc[axis - 1]
        low = max(int(np.ceil(at - reach)), 0)
        high = min(int(np.floor(at + reach)) + 1, scan.voxels.shape[axis])
        sides.append(slice(low, max(high, low)))
    k, j, i = sides
    return k, j, i


def to_box(scan: Scan, look: Look, values: Floats, box: tuple[slice, slice, slice]) -> Floats:
    """Bring values of a window to the voxels of a box that it covers, linearly."""
    middle = (window.SIZE_PX - 1) / 2
    k = np.interp(np.arange(box[0].start, box[0].stop), look.slices, np.arange(len(look.slices)))
    j, i = (
        middle + (np.arange(side.start, side.stop) - at) * spacing / look.pixel_mm
        for side, at, spacing in zip(box[1:], look.centre_rc, scan.spacing_rc, strict=True)
    )
    out = values
    for axis, places in enumerate((k, j, i)):
        out = along(out, axis, places)
    return out
