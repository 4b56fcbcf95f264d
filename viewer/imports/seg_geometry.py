"""Where the frames of a segmentation lie: on slices of the open series, or on their own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.geometry import Affine
from viewer.imports import frame_groups as fg
from viewer.imports.frame_groups import Found
from viewer.imports.held import Misfit
from viewer.imports.target import NEAR, Target

_DISTANCE_MM = 1e-3
_EVEN = 0.05  # of the distance of slices
_MOST_SLICES = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The frames of an object on a grid.

    Attributes
    ----------
    slices
        Slice of each frame.
    at_ji
        Row and column of the grid at which a frame begins.
    affine
        Of the grid, (4, 4), (k, j, i, 1) to LPS mm; None: the grid is that of the open series.
    shape_kji
        Of the grid.
    """

    slices: list[int]
    at_ji: tuple[int, int]
    affine: Affine | None
    shape_kji: tuple[int, int, int]


def layout(
    frames: Sequence[Found], shared: Found, rows: int, columns: int, target: Target
) -> Layout:
    """Lay frames out.

    Parameters
    ----------
    frames
        Of ``frame_groups.walk``.
    shared
        The same of the groups that all frames share.

    Raises
    ------
    Misfit
        When a frame says neither where it lies nor which image of the series it belongs to, or
        when the frames make no regular volume.
    """
    if all(fg.POSITION in frame for frame in frames):
        steps = [_steps(frame, shared) for frame in frames]
        places = np.array([numbers(frame[fg.POSITION], 3) for frame in frames])
        return _by_place(places, steps, rows, columns, target)
    return _by_image(frames, rows, columns, target)


def _by_image(frames: Sequence[Found], rows: int, columns: int, target: Target) -> Layout:
    if (rows, columns) != target.shape_kji[1:]:
        raise Misfit("no-place")
    slices = []
    for frame in frames:
        number = frame.get(fg.IMAGE_FRAME, b"0").split(b"\\")[0].strip(b" \0") or b"0"
        uid = frame.get(fg.IMAGE, b"").decode("ascii", "replace").strip(" \0")
        k = target.slice_of(uid, int(number)) if number.isdigit() else None
        if k is None:
            raise Misfit("no-place")
        slices.append(k)
    return Layout(slices, (0, 0), None, target.shape_kji)


Steps = tuple[tuple[float, ...], tuple[float, ...]]


def _steps(frame: Found, shared: Found) -> Steps:
    """Return orientation and spacing of a frame."""
    turned = frame.get(fg.ORIENTATION) or shared.get(fg.ORIENTATION)
    spaced = frame.get(fg.SPACING) or shared.get(fg.SPACING)
    if turned is None or spaced is None:
        raise Misfit("no-place")
    return numbers(turned, 6), numbers(spaced, 2)


def _by_place(
    places: npt.NDArray[np.float64], steps: Sequence[Steps], rows: int, columns: int, target: Target
) -> Layout:
    kinds = set(steps)
    if len(kinds) > 16:
        raise Misfit("uneven")
    on_grid = [_across(one, target) for one in kinds]
    at = geometry.lps_mm_to_kji(target.affine, places)
    corner = np.rint(at)
    # A plane of the file is one of the series when its rows and columns are, and its corner.
    straight = all(_is_straight(one, rows, columns) for one in on_grid)
    if straight and np.abs(at - corner).max() <= NEAR and (corner[:, 1:] == corner[0, 1:]).all():
        j, i = int(corner[0, 1]), int(corner[0, 2])
        k_size, j_size, i_size = target.shape_kji
        inside = j >= 0 and j + rows <= j_size and i >= 0 and i + columns <= i_size
        if inside and (corner[:, 0] >= 0).all() and (corner[:, 0] < k_size).all():
            return Layout([int(k) for k in corner[:, 0]], (j, i), None, target.shape_kji)
    if len(kinds) > 1:
        raise Misfit("uneven")
    return _own_grid(places, next(iter(kinds)), rows, columns)


def _vectors(steps: Steps) -> npt.NDArray[np.float64]:
    """Return the way from row to row and from column to column, LPS mm, as columns (3, 2)."""
    turned, (between_rows, between_columns) = np.array(steps[0]), steps[1]
    along, down = turned[:3], turned[3:]
    lengths = np.linalg.norm(along), np.linalg.norm(down)
    square = abs(float(along @ down)) <= 1e-2
    sane = all(1e-4 <= gap <= 1e4 for gap in (between_rows, between_columns))
    if not (square and sane and all(abs(length - 1) <= 1e-2 for length in lengths)):
        raise Misfit("damaged")
    return np.stack([down * between_rows, along * between_columns], axis=1)


def _across(steps: Steps, target: Target) -> npt.NDArray[np.float64]:
    """Return the ways of ``_vectors`` in voxels of the series."""
    return np.asarray(np.linalg.inv(target.affine[:3, :3]) @ _vectors(steps))


def _is_straight(across: npt.NDArray[np.float64], rows: int, columns: int) -> bool:
    off = across - np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return bool((np.abs(off) * [rows - 1, columns - 1]).max() <= NEAR)


def _own_grid(places: npt.NDArray[np.float64], steps: Steps, rows: int, columns: int) -> Layout:
    """Return the regular grid that frames make among themselves."""
    vectors = _vectors(steps)
    normal = np.cross(vectors[:, 1], vectors[:, 0])
    normal /= np.linalg.norm(normal)
    depth = places @ normal
    order = np.argsort(depth)
    beside = places - np.outer(depth, normal)
    if np.abs(beside - beside[0]).max() > _EVEN * np.linalg.norm(vectors, axis=0).min():
        raise Misfit("uneven")  # tilted, or moved sideways
    gaps = np.diff(depth[order])
    gaps = gaps[gaps > _DISTANCE_MM]
    # Empty frames are left out of a file: the distance of slices is the smallest that occurs.
    gap = float(gaps.min()) if len(gaps) else 1.0
    gap = float(gaps[gaps < 1.5 * gap].mean()) if len(gaps) else gap
    steps_up = (depth - depth[order[0]]) / gap
    slices = np.rint(steps_up)
    if np.abs(steps_up - slices).max() > _EVEN * max(1.0, slices.max() / 20):
        raise Misfit("uneven")
    if slices.max() >= _MOST_SLICES:
        raise Misfit("damaged")
    affine = np.eye(4)
    affine[:3, 0] = normal * gap
    affine[:3, 1:3] = vectors
    affine[:3, 3] = places[order[0]]
    found = [int(k) for k in slices]
    return Layout(found, (0, 0), affine, (max(found) + 1, rows, columns))


def numbers(value: bytes, count: int) -> tuple[float, ...]:
    """Return decimal strings (PS3.5 6.2) as finite numbers.

    Raises
    ------
    Misfit
        When they are others, or not so many.
    """
    try:
        found = tuple(float(part.strip(b" \0")) for part in value.split(b"\\"))
    except ValueError:
        raise Misfit("damaged") from None
    if len(found) != count or not np.isfinite(found).all():
        raise Misfit("damaged")
    return found


def shared_of(dataset: Any) -> Found:
    """Return what the frames of an object share, as ``walk`` returns what they do not."""
    found: Found = {}
    groups = dataset.get("SharedFunctionalGroupsSequence")
    holders: list[Any] = [groups[0]] if groups else []
    for sequence, keyword, tag in (
        ("PlaneOrientationSequence", "ImageOrientationPatient", fg.ORIENTATION),
        ("PixelMeasuresSequence", "PixelSpacing", fg.SPACING),
        ("PlanePositionSequence", "ImagePositionPatient", fg.POSITION),
        ("SegmentIdentificationSequence", "ReferencedSegmentNumber", fg.SEGMENT),
    ):
        for holder in holders:
            inner = holder.get(sequence)
            value = inner[0].get(keyword) if inner else None
            if value is None:
                continue
            if tag == fg.SEGMENT:
                found[tag] = int(value).to_bytes(2, "little")
            else:
                found[tag] = "\\".join(str(float(v)) for v in value).encode()
    return found
