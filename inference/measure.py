"""Size, place and mean value of one lesion from its mask. No torch, fast enough for live use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask

_Plane = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What ``measure`` says about one mask.

    Attributes
    ----------
    centre_lps_mm
        Centre of mass of the mask in LPS mm.
    diameter_mm
        Longest chord within one slice, over all slices, mm.
    short_axis_mm
        Longest chord at right angles to it in the same slice, mm.
    volume_ml
        Volume of the mask, mL.
    mean_value
        Mean voxel value under the mask, in the volume's unit; NaN without voxels.
    """

    centre_lps_mm: tuple[float, float, float]
    diameter_mm: float
    short_axis_mm: float
    volume_ml: float
    mean_value: float


def measure(
    mask: Mask, affine: geometry.Affine, voxels: npt.NDArray[Any] | None = None
) -> Measurement:
    """Measure one lesion as RECIST 1.1 does: long and short axis in the plane of the slices.

    A chord runs between midpoints of pixel edges, so that a bar of n pixels is n spacings
    long. The longest chord seeks the outermost edges, so that a disc is measured up to a pixel
    too long. Parts of one mask in one slice are spanned together, and dents are bridged.

    Parameters
    ----------
    mask
        The lesion; must hold at least one voxel.
    affine
        (4, 4), (k, j, i, 1) to LPS mm; may be oblique and anisotropic.
    voxels
        The whole volume (k, j, i), or None when no mean value is wanted.

    Returns
    -------
    Measurement
        Lengths in mm, volume in mL, place in LPS mm.

    Raises
    ------
    ValueError
        When the mask is empty.
    """
    indices = np.argwhere(mask.voxels)
    if not len(indices):
        raise ValueError("an empty mask has no size")
    centre_kji = indices.mean(axis=0) + np.asarray(mask.origin_kji)
    x, y, z = geometry.kji_to_lps_mm(affine, centre_kji)
    long_axis, short_axis = axes_mm(mask.voxels, affine)
    mean = float("nan")
    if voxels is not None:
        mean = float(voxels[mask.box][mask.voxels].mean(dtype=np.float64))
    return Measurement(
        centre_lps_mm=(float(x), float(y), float(z)),
        diameter_mm=long_axis,
        short_axis_mm=short_axis,
        volume_ml=len(indices) * geometry.voxel_volume_mm3(affine) / 1000.0,
        mean_value=mean,
    )


def axes_mm(array: npt.NDArray[np.bool_], affine: geometry.Affine) -> tuple[float, float]:
    """Return the long and the short axis, mm, of a (k, j, i) bool array, which is not empty."""
    # QR turns the two index steps of the slice plane into plane coordinates in mm.
    _, hull, pair = _longest(array, np.linalg.qr(affine[:3, 1:3])[1])
    long_axis = float(np.linalg.norm(hull[pair[1]] - hull[pair[0]]))
    low, high = _longest_across(hull, (hull[pair[1]] - hull[pair[0]]) / long_axis)
    return long_axis, float(np.linalg.norm(high - low))


def axes_lps_mm(mask: Mask, affine: geometry.Affine) -> npt.NDArray[np.float64]:
    """Return the ends of the axes that ``measure`` gives the lengths of.

    Returns
    -------
    ndarray
        (4, 3) LPS mm: both ends of the long axis, then of the short one, which crosses it.

    Raises
    ------
    ValueError
        When the mask is empty.
    """
    if not mask.voxels.any():
        raise ValueError("an empty mask has no size")
    frame, step_mm = np.linalg.qr(affine[:3, 1:3])
    k, hull, pair = _longest(mask.voxels, step_mm)
    ends = hull[list(pair)]
    along = ends[1] - ends[0]
    across = _longest_across(hull, along / np.linalg.norm(along))
    origin = geometry.kji_to_lps_mm(affine, (k + mask.origin_kji[0], 0, 0))
    first = step_mm @ np.asarray(mask.origin_kji[1:], dtype=np.float64)
    return np.asarray((np.concatenate([ends, across]) + first) @ frame.T + origin)


def _longest(array: npt.NDArray[np.bool_], step_mm: _Plane) -> tuple[int, _Plane, tuple[int, int]]:
    """Return the slice with the longest chord, its hull in mm, and the ends of the chord."""
    filled = np.any(array, axis=2)
    bounds: list[tuple[float, int]] = []
    for k in np.flatnonzero(np.any(filled, axis=1)).tolist():
        rows = np.flatnonzero(filled[k])
        columns = np.flatnonzero(np.any(array[k], axis=0))
        extent = np.array([rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1])
        bounds.append((float(np.abs(step_mm * extent).sum(axis=1) @ np.ones(2)), int(k)))
    best, best_k, best_hull, best_pair = 0.0, 0, np.zeros((0, 2)), (0, 0)
    # Largest slices first: a slice whose box is smaller than the best chord is never looked at.
    seen = array[0, :0]
    for bound, k in sorted(bounds, reverse=True):
        if bound <= best:
            break
        # The middle slices of something round are often the same.
        if np.array_equal(array[k], seen):
            continue
        seen = array[k]
        hull = _hull_mm(array[k], step_mm)
        distances = np.linalg.norm(hull[:, None] - hull[None], axis=2)
        length = float(distances.max())
        if length > best:
            a, b = np.unravel_index(int(distances.argmax()), distances.shape)
            best, best_k, best_hull, best_pair = length, k, hull, (int(a), int(b))
    return best_k, best_hull, best_pair


def _hull_mm(plane: npt.NDArray[np.bool_], step_mm: _Plane) -> _Plane:
    """Return the convex hull (n, 2), in order, of the pixel-edge midpoints of one slice, mm."""
    points = []
    for array, swap in ((plane, False), (plane.T, True)):
        lines = np.flatnonzero(array.any(axis=1))
        rows = array[lines]
        first = rows.argmax(axis=1) - 0.5
        last = rows.shape[1] - rows[:, ::-1].argmax(axis=1) - 0.5
        for ends in (first, last):
            pair = (ends, lines) if swap else (lines, ends)
            points.append(np.stack(pair, axis=1))
    # In half pixels, whole numbers: which side a point lies on is exact, and the same in mm.
    halves = np.rint(2 * np.concatenate(points)).astype(np.int64)
    return np.asarray(_hull(halves) / 2 @ step_mm.T, dtype=np.float64)


def _hull(points: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the corners (m, 2), in order, of the convex hull of points in a plane.

    Not scipy's: its import holds 40 MB, and the window up.
    """
    ordered = points[np.lexsort((points[:, 1], points[:, 0]))]
    first = np.flatnonzero(np.diff(ordered[:, 0], prepend=ordered[0, 0] - 1))
    low, high = ordered[first], ordered[np.append(first[1:], len(ordered)) - 1]
    # Each side ends in the corner in which the other begins.
    below = _turning_left(np.concatenate([low, high[-1:]]))
    above = _turning_left(np.concatenate([high[::-1], low[:1]]))
    return np.concatenate([below[:-1], above[:-1]])


def _turning_left(line: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return those points of a line from one side to the other that are corners of its hull.

    A point at which the line does not turn left lies behind the chord of its neighbours: it is
    no corner, whatever else is taken out with it.
    """
    while len(line) > 2:
        step = np.diff(line, axis=0)
        turns = step[:-1, 0] * step[1:, 1] > step[:-1, 1] * step[1:, 0]
        if turns.all():
            break
        line = line[np.concatenate([[True], turns, [True]])]
    return line


def _longest_across(hull: _Plane, along: _Plane) -> _Plane:
    """Return the ends of the longest chord of a convex polygon at right angles to ``along``.

    The width of a convex polygon is concave along any direction, so its greatest value lies
    at a vertex.
    """
    u = hull @ along
    across = np.array([-along[1], along[0]])
    v = hull @ across
    u2, v2 = np.roll(u, -1), np.roll(v, -1)
    rise = u2 - u
    flat = np.abs(rise) < 1e-12
    at = u[:, None]
    t = (at - u[None]) / np.where(flat, 1.0, rise)[None]
    crossed = (t >= -1e-9) & (t <= 1 + 1e-9) & ~flat[None]
    height = v[None] + t * (v2 - v)[None]
    # An edge across the long axis is met at both its ends, which its neighbours already give.
    top = np.where(crossed, height, -np.inf).max(axis=1)
    bottom = np.where(crossed, height, np.inf).min(axis=1)
    widest = int((top - bottom).argmax())
    return np.stack([along * u[widest] + across * end[widest] for end in (bottom, top)])
