"""Lungs, left and right, by thresholds and morphology on a grid of about 2 mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.segmentation import watershed

from inference.runtime.cells import IN_PLANE, Bools, Cells, Floats, holes_of
from inference.runtime.chest import AIR_HU, Frame, airless, body_of, domes, midline
from inference.runtime.grid import box_of
from inference.runtime.trachea import find_trachea

# Gas in stomach and colon is empty; even an emphysematous lung holds blood and tissue.
_GAS_HU = -965.0
_SMALLEST_ML = 60.0
_SMALLEST_CORE_ML = 2.0
_CLOSE_MM = 9.0
_SEARCH_CLOSE_MM = 22.0
_SEARCH_GROW_MM = 4.0
_DEEP_MM = 6.0
# Two lungs meet in a thin sheet; one lung that bulges over the midline has a wide neck.
_NECK = 0.5
_SHEET_HU = (-850.0, 50.0)


@dataclass(frozen=True, slots=True, eq=False)
class Lungs:
    """Where the lungs are, in the voxels of the volume (k, j, i).

    Attributes
    ----------
    right, left
        The patient's right and left lung with vessels, nodules, masses and consolidation,
        without trachea, main bronchi and effusion; all False when there is none.
    search
        Where nodules are looked for: both lungs, with masses that touch their walls.
    """

    right: Bools
    left: Bools
    search: Bools

    @property
    def found(self) -> bool:
        """Tell whether there is any lung."""
        return bool(self.right.any() or self.left.any())


def find_lungs(voxels: npt.NDArray[Any], affine: npt.NDArray[np.float64]) -> Lungs:
    """Segment both lungs of a CT.

    Parameters
    ----------
    voxels
        (k, j, i) HU; slices axial or nearly so, in any order and orientation in plane.
    affine
        (4, 4), (k, j, i, 1) to LPS mm; tells right from left and head from feet.

    Returns
    -------
    Lungs
        Full-size masks; empty when no lung is found.
    """
    a, b, c = np.linalg.norm(affine[:3, :3], axis=0)
    cells = Cells.of((float(a), float(b), float(c)))
    hu = cells.shrink(voxels)
    frame = Frame.of(cells, affine, hu.shape)
    body = body_of(hu, cells)
    headward = slice(None, None, frame.up)
    tubes = find_trachea(hu[headward], body[headward], cells.spacing_kji_mm, frame.across - 1)
    airways = tubes[headward]
    parts = _parts((hu < AIR_HU) & body & ~airways, hu, cells)
    if not parts:
        empty = np.zeros(voxels.shape, dtype=np.bool_)
        return Lungs(empty, empty, empty)
    middle = midline(hu, body, np.logical_or.reduce(parts), frame)
    right, left = _sides(parts, hu, middle, frame)
    right, left = _filled(right, left, frame), _filled(left, right, frame)
    more = [airless(hu, *sides, middle, frame, body) for sides in ((right, left), (left, right))]
    right, left = right | (more[0] & ~left), left | (more[1] & ~right)
    right, left = right & ~airways, left & ~airways & ~right
    search = np.zeros_like(body)
    for side in (right, left):
        if side.any():
            search |= cells.close(side, _SEARCH_CLOSE_MM)
    search = cells.within(search, _SEARCH_GROW_MM) & ~airways
    whole = (slice(0, voxels.shape[0]), slice(0, voxels.shape[1]), slice(0, voxels.shape[2]))
    full_search = cells.enlarge(search, whole)
    full = [_refined(side, voxels, airways, cells) for side in (right, left)]
    full[1] &= ~full[0]
    for side in full:
        full_search |= side
    return Lungs(full[0], full[1], full_search)


def _parts(air: Bools, hu: Floats, cells: Cells) -> list[Bools]:
    """Return the connected pieces of air that are large enough and not empty gas."""
    labels, count = ndimage.label(air)
    sizes_ml = np.bincount(labels.ravel(), minlength=count + 1) * cells.cell_ml
    boxes = ndimage.find_objects(labels)
    lungs = [
        index
        for index in range(1, count + 1)
        if sizes_ml[index] > _SMALLEST_ML
        and _is_lung(hu[boxes[index - 1]], labels[boxes[index - 1]] == index, cells)
    ]
    largest = max((sizes_ml[index] for index in lungs), default=0.0)
    return [labels == index for index in lungs if sizes_ml[index] > 0.08 * largest]


def _is_lung(hu: Floats, part: Bools, cells: Cells) -> bool:
    """Tell a lung by its inside, where its border does not count, from gas, folds and noise."""
    core = ndimage.binary_erosion(part, IN_PLANE, iterations=2)
    thick = core.sum() * cells.cell_ml > _SMALLEST_CORE_ML
    return bool(thick and np.median(hu[core]) > _GAS_HU)


def _sides(parts: list[Bools], hu: Floats, middle: float, frame: Frame) -> tuple[Bools, Bools]:
    """Sort pieces into (right, left) by the midline, cutting what crosses it."""
    right, left = np.zeros_like(parts[0]), np.zeros_like(parts[0])
    on_left = frame.left_x > middle
    for part in parts:
        share = float(on_left[part].mean())
        first, second = part, np.zeros_like(part)
        if 0.1 <= share <= 0.9:
            first, second = _cut(part, hu, middle, frame)
        if not second.any():
            first, second = (part, second) if share < 0.5 else (second, part)
        right |= first
        left |= second
    return right, left


def _cut(part: Bools, hu: Floats, middle: float, frame: Frame) -> tuple[Bools, Bools]:
    """Cut two lungs that touch along their thinnest sheet; ``part`` and nothing if it is one."""
    box = box_of(part, (0, 0, 0))
    piece = np.pad(part[box], 1)
    depth = frame.cells.distance_mm(piece)[1:-1, 1:-1, 1:-1]
    piece = part[box]
    off = frame.left_x[box] - middle
    seeds = np.zeros(piece.shape, dtype=np.int32)
    for value, half in ((1, off < -15.0), (2, off > 15.0)):
        deepest = float(depth[half].max(initial=0.0))
        seeds[half & (depth > min(_DEEP_MM, 0.5 * deepest))] = value
    # What the sheet holds of pleura and fat counts as if it were that much thinner.
    sheet = np.clip((hu[box] - _SHEET_HU[0]) / _SHEET_HU[1], 0, 10)
    sides = watershed(sheet - depth, seeds, mask=piece)
    first, second = sides == 1, sides == 2
    nothing = np.zeros_like(part)
    if not (first.any() and second.any()):
        return part, nothing
    neck = depth[first & ndimage.binary_dilation(second)].max(initial=0.0)
    if neck > _NECK * min(depth[first].max(), depth[second].max()):
        return part, nothing
    right, left = np.zeros_like(part), np.zeros_like(part)
    right[box], left[box] = first, second
    return right, left


def _filled(side: Bools, other: Bools, frame: Frame) -> Bools:
    """Take vessels, nodules and the dents of masses on the wall into a lung, no dome."""
    if not side.any():
        return side
    closed = frame.cells.close(side, _CLOSE_MM)
    # Closing reaches over the neighbour: each side keeps what the other had first.
    closed &= ~other
    holes = holes_of(closed) & ~other
    return np.asarray(closed | (holes & ~domes(holes, closed, frame)))


def _refined(side: Bools, voxels: npt.NDArray[Any], airways: Bools, cells: Cells) -> Bools:
    """Bring a coarse mask to full size; within a cell of its border the voxels decide."""
    out = np.zeros(voxels.shape, dtype=np.bool_)
    if not side.any():
        return out
    margin = box_of(side, (1, 1, 1))
    part = side[margin]
    cross = ndimage.generate_binary_structure(3, 1)
    core = ndimage.binary_erosion(part, cross, border_value=1)
    reach = ndimage.binary_dilation(part, cross) & ~airways[margin]
    box = cells.box(margin, voxels.shape)
    fine = voxels[box] < AIR_HU
    fine &= cells.enlarge(reach, box)
    fine |= cells.enlarge(core, box)
    out[box] = fine
    return out
