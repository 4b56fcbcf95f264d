"""A mask in, a changed mask out: margins, hollows, smoothing, pieces, holes, and sets of two.

All lengths are millimetres of the patient, on any spacing, slant and turn of the voxels. Voxels
beyond the volume are unknown: they are neither added nor taken for the outside of a body.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from inference.geometry import Affine, voxel_volume_mm3
from viewer.annotate.mask import Bools, Box, Triple, crop, cut, empty_mask
from viewer.tools.distance import ball, distance_mm, room

Operation = Literal["union", "subtract", "intersect"]

# Where a smoothing kernel of Gauss has fallen to a hundredth.
_SIGMAS = 3.0
_ROUNDED = 1e-6
# How fine depths are told apart, and how much of its depth a part must lose at a waist: what
# loses less is a bump.
_LEVELS = 24
_WAIST = 0.2


def margin(mask: Mask, mm: float, affine: Affine, shape_kji: Triple) -> Mask:
    """Grow a mask by ``mm`` on all sides, or shrink it where that is negative.

    A voxel is added when its centre lies no farther than that from a voxel of the mask; it is
    taken away when its centre lies no farther than that from a voxel outside.
    """
    if not mask.voxels.size or mm == 0.0:
        return mask
    inside, box = room(mask, max(mm, 0.0), affine, shape_kji)
    reach = abs(mm) * (1.0 + _ROUNDED)
    if mm > 0.0:
        return _placed(distance_mm(inside, affine) <= reach, box)
    return _placed(inside & (distance_mm(~inside, affine) > reach), box)


def hollow(mask: Mask, wall_mm: float, affine: Affine, shape_kji: Triple) -> Mask:
    """Leave the wall of a body: what lies no farther than ``wall_mm`` from its outside."""
    if not mask.voxels.size:
        return mask
    core = margin(mask, -wall_mm, affine, shape_kji)
    return combine(mask, core, "subtract") if wall_mm > 0.0 else mask


def smooth(mask: Mask, sigma_mm: float, affine: Affine, shape_kji: Triple) -> Mask:
    """Smooth an outline by a kernel of Gauss; the body keeps its volume.

    Of the blurred mask as many voxels are kept as there were, the highest ones: small bodies do
    not wither, as they would at a fixed level.

    Parameters
    ----------
    sigma_mm
        Standard deviation of the kernel, mm.
    """
    from scipy import ndimage

    if not mask.voxels.size or sigma_mm <= 0.0:
        return mask
    inside, box = room(mask, _SIGMAS * sigma_mm, affine, shape_kji)
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    blurred = ndimage.gaussian_filter(
        inside.astype(np.float32), sigma_mm / steps, mode="nearest", truncate=_SIGMAS
    )
    count = int(np.count_nonzero(inside))
    level = float(np.partition(blurred.reshape(-1), blurred.size - count)[blurred.size - count])
    # What is cut off by the box has no part in it; a plateau at the level goes in as a whole.
    return _placed(blurred >= max(level, _ROUNDED), box)


def median(mask: Mask, diameter_mm: float, affine: Affine, shape_kji: Triple) -> Mask:
    """Even out an outline: each voxel becomes what most voxels of the ball around it are."""
    from scipy.signal import fftconvolve

    kernel = ball(diameter_mm, affine)
    if not mask.voxels.size or kernel.sum() < 2:
        return mask
    inside, box = room(mask, diameter_mm / 2.0, affine, shape_kji)
    pads = [(n // 2, n // 2) for n in kernel.shape]
    padded = np.pad(inside.astype(np.float32), pads, mode="edge")
    found = fftconvolve(padded, kernel.astype(np.float32), mode="valid")
    # Whole numbers but for rounding; a tie stays what it was.
    votes, half = np.rint(found), kernel.sum() / 2.0
    return _placed((votes > half) | ((votes == half) & inside), box)


def pieces(mask: Mask) -> tuple[Mask, ...]:
    """Return the parts of a mask that hang together, by a corner at least, the largest first."""
    labels, sizes = _labelled(mask)
    order = np.argsort(-sizes, kind="stable")
    return tuple(crop(labels == number + 1, mask.origin_kji) for number in order)


def largest_piece(mask: Mask) -> Mask:
    """Return the largest part that hangs together."""
    labels, sizes = _labelled(mask)
    if len(sizes) < 2:
        return mask
    return crop(labels == int(np.argmax(sizes)) + 1, mask.origin_kji)


def without_small(mask: Mask, least_mm3: float, affine: Affine) -> Mask:
    """Take away the parts that hold less than ``least_mm3``; the largest one always stays."""
    labels, sizes = _labelled(mask)
    if len(sizes) < 2:
        return mask
    keeps = sizes * voxel_volume_mm3(affine) >= least_mm3 * (1.0 - _ROUNDED)
    keeps[np.argmax(sizes)] = True
    if keeps.all():
        return mask
    return crop(np.append(False, keeps)[labels], mask.origin_kji)


def fill_holes(mask: Mask) -> Mask:
    """Fill what a body encloses on all sides; what is open at the edge of the volume is not."""
    from scipy import ndimage

    if not mask.voxels.size:
        return mask
    filled = ndimage.binary_fill_holes(mask.voxels)
    return mask if np.array_equal(filled, mask.voxels) else Mask(mask.origin_kji, filled)


def combine(mask: Mask, other: Mask, how: Operation) -> Mask:
    """Return a mask with another one added, cut off, or as far as both share."""
    if not mask.voxels.size:
        return other if how == "union" else mask
    if not other.voxels.size:
        return empty_mask() if how == "intersect" else mask
    if how != "union":
        same = cut(other, mask.box)
        kept = mask.voxels & (same if how == "intersect" else ~same)
        return crop(kept, mask.origin_kji)
    k, j, i = (
        slice(min(a.start, b.start), max(a.stop, b.stop))
        for a, b in zip(mask.box, other.box, strict=True)
    )
    return _placed(cut(mask, (k, j, i)) | cut(other, (k, j, i)), (k, j, i))


def halves(mask: Mask, affine: Affine) -> tuple[Mask, ...]:
    """Part a body where it is narrowest between its two thickest places.

    Distances to the outside are a landscape turned upside down; water that rises in its two
    deepest basins meets at the waist (watershed; Beucher and Lantuejoul, 1979).

    Returns
    -------
    tuple
        Two masks, the larger one first; one when the body has one thickest place only.
    """
    from scipy import ndimage
    from skimage.segmentation import watershed

    if mask.count < 2:
        return (mask,)
    inside = np.pad(mask.voxels, 1)
    depth = distance_mm(~inside, affine)
    deepest = _two_tops(depth)
    if deepest is None:
        return (mask,)
    markers = np.zeros(inside.shape, dtype=np.int32)
    for number, at in enumerate(deepest, 1):
        markers[at] = number
    smoothed = ndimage.gaussian_filter(depth, 0.5)
    labels = watershed(-smoothed, markers, mask=inside)[1:-1, 1:-1, 1:-1]
    # Parts that hang together with neither top go with the first.
    labels[mask.voxels & (labels == 0)] = 1
    found = [crop(labels == number, mask.origin_kji) for number in (1, 2)]
    found.sort(key=lambda part: -part.count)
    return tuple(found)


def _two_tops(depth: npt.NDArray[Any]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the deepest place, and the one that rises highest above the waist between them."""
    from scipy import ndimage

    first = np.unravel_index(int(depth.argmax()), depth.shape)
    best, place = 0.0, None
    # At each level, what hangs together without the first top is a body of its own there.
    for level in np.linspace(0.0, float(depth[first]), _LEVELS, endpoint=False)[1:]:
        labels, count = ndimage.label(depth > level, np.ones((3, 3, 3)))
        if count < 2:
            continue
        tops = np.asarray(ndimage.maximum(depth, labels, np.arange(1, count + 1)))
        tops[labels[first] - 1] = 0.0
        at = int(tops.argmax())
        rise = float(tops[at]) - float(level)
        if rise > max(best, _WAIST * float(tops[at])):
            best = rise
            place = ndimage.maximum_position(depth, labels, at + 1)
    if place is None:
        return None
    return tuple(int(n) for n in first), tuple(int(n) for n in place)


def _labelled(mask: Mask) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    from scipy import ndimage

    labels, count = ndimage.label(mask.voxels, np.ones((3, 3, 3)))
    return labels, np.bincount(labels.reshape(-1), minlength=count + 1)[1:].astype(np.int64)


def _placed(array: Bools, box: Box) -> Mask:
    k, j, i = (b.start for b in box)
    return crop(np.asarray(array), (k, j, i))
