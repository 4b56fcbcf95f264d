"""What surrounds the lungs on the grid of cells: the body, its midline, domes, the other side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from inference.runtime.cells import CELL_MM, IN_PLANE, Bools, Cells, Floats, holes_of
from inference.runtime.grid import box_of

AIR_HU = -320.0
# Outside the circle that the scanner reconstructs.
_PADDING_HU = -1150.0
_ROOM_AIR_HU = -935.0
_CUT_LUNG_MM2 = 1000.0
_WALLED = 0.9
_BONE_HU = 200.0

_DOME_RADIUS_MM = 10.0
_DOME_AT_THE_END_MM = 18.0

_HILUM_MM = 50.0
_HEART_MM = 85.0
_RIGHT_DOME_IS_HIGHER_MM = 15.0
_SHELL_MM = 8.0
_SMALLEST_ML = 8.0
_LEAST_WHOLE_ML = 300.0
_BETWEEN_RIBS_MM = 13.0
_CONTACT_MM = 6.0
_FAR_SMALLER = 0.8
_BRONCHOGRAM_HU = -250.0
_NEAR_BRONCHUS_MM = 25.0
_FLUID_HU = 22.0
_TISSUE_HU = -20.0
_FLUID_OVER_MM = 9.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """How the cells lie in the patient.

    Attributes
    ----------
    cells
        The grid.
    across
        In-plane axis of (k, j, i) that runs from right to left: 1 or 2.
    left_x, back_y
        Millimetres to the patient's left and back from an arbitrary zero, (k, j, i).
    up
        1 when k ascends to the head, else -1.
    """

    cells: Cells
    across: int
    left_x: Floats
    back_y: Floats
    up: int

    @classmethod
    def of(cls, cells: Cells, affine: npt.NDArray[np.float64], shape: tuple[int, ...]) -> Frame:
        """Lay the frame of a grid of this shape over a volume with this affine."""
        fields = []
        for row in affine[:2, :3]:
            k, j, i = (
                np.arange(n) * mm * block
                for n, mm, block in zip(shape, row, cells.block_kji, strict=True)
            )
            fields.append((k[:, None, None] + j[:, None] + i).astype(np.float32))
        across = 1 + int(np.argmax(np.abs(affine[0, 1:3])))
        return cls(cells, across, fields[0], fields[1], 1 if affine[2, 0] > 0 else -1)

    def coarser(self) -> tuple[Frame, Cells]:
        """Return the frame of cells twice as wide, and those cells as blocks of these."""
        wider = Cells.of(self.cells.spacing_kji_mm, 2 * CELL_MM)
        k, j, i = wider.block_kji
        own = Cells((1, 1, 1), wider.spacing_kji_mm)
        fields = [field[::k, ::j, ::i] for field in (self.left_x, self.back_y)]
        return Frame(own, self.across, fields[0], fields[1], self.up), wider

    def headward(self, mask: Bools, mm: float) -> Bools:
        """Return a mask moved to the head; what comes in from below is False."""
        steps = round(mm / self.cells.spacing_kji_mm[0])
        out = np.zeros_like(mask)
        if steps < mask.shape[0]:
            rising, rest = slice(steps, None), slice(0, mask.shape[0] - steps)
            if self.up > 0:
                out[rising] = mask[rest]
            else:
                out[rest] = mask[rising]
        return out

    def mirrored(self, mask: Bools, middle: float) -> Bools:
        """Return a mask mirrored at the midline; what comes in from outside is False."""
        size = mask.shape[self.across]
        at = [0, 0, 0]
        at[self.across] = 1
        step = float(self.left_x[tuple(at)] - self.left_x[0, 0, 0])
        centre = [n // 2 for n in mask.shape]
        centre[self.across] = 0
        zero = float(self.left_x[tuple(centre)])
        partner = np.rint(2 * (middle - zero) / step - np.arange(size)).astype(int)
        inside = (partner >= 0) & (partner < size)
        out = np.take(mask, np.clip(partner, 0, size - 1), axis=self.across)
        shape = [1, 1, 1]
        shape[self.across] = size
        return np.asarray(out & inside.reshape(shape))


def body_of(hu: Floats, cells: Cells) -> Bools:
    """Return the largest solid thing with its hollows, also those that the image's edge cuts."""
    tissue = ndimage.binary_opening(hu > AIR_HU, np.ones((1, 3, 3), dtype=np.bool_))
    labels, count = ndimage.label(tissue)
    if not count:
        return np.zeros(hu.shape, dtype=np.bool_)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    solid = labels == sizes.argmax()
    # A slice without any of it holds none of its hollows.
    body = solid | holes_of(solid)
    return np.asarray(body | _cut_lungs(hu, body, cells))


def _cut_lungs(hu: Floats, body: Bools, cells: Cells) -> Bools:
    """Return lung that a small field of view cuts: open to the edge, but denser than the room."""
    labels, count = ndimage.label(~body & (hu > _PADDING_HU) & (hu < AIR_HU), IN_PLANE)
    if not count:
        return np.zeros(hu.shape, dtype=np.bool_)
    _, row, column = cells.spacing_kji_mm
    areas = np.bincount(labels.ravel()) * row * column
    means = np.bincount(labels.ravel(), hu.ravel()) / np.maximum(np.bincount(labels.ravel()), 1)
    lung = (areas > _CUT_LUNG_MM2) & (means > _ROOM_AIR_HU)
    lung[0] = False
    cut = lung[labels]
    if cut.any():
        # Foam of a couch is as dense; lung has the body around it wherever the image goes on.
        rims = ndimage.grey_dilation(np.where(cut, labels, 0), footprint=IN_PLANE)
        rims[cut | (hu <= _PADDING_HU)] = 0
        around = np.bincount(rims.ravel(), minlength=count + 1)
        solid = np.bincount(rims[body], minlength=count + 1)
        lung &= solid > _WALLED * around
        cut = lung[labels]
    return np.asarray(cut)


def midline(hu: Floats, body: Bools, lung: Bools, frame: Frame) -> float:
    """Return x of the midline on the slices that hold lung: the spine's, else the body's."""
    slices = np.flatnonzero(lung.any(axis=(1, 2)))
    inside = body[slices]
    x = frame.left_x[slices]
    low, high = np.percentile(x[inside], [1, 99])
    middle = float((low + high) / 2)
    y = frame.back_y[slices]
    front, back = np.percentile(y[inside], [1, 99])
    bone = inside & (hu[slices] > _BONE_HU) & (y > 0.45 * front + 0.55 * back)
    reach = 0.2 * (high - low)
    places = x[bone & (abs(x - middle) < reach)]
    step = abs(frame.cells.spacing_kji_mm[frame.across])
    counts, edges = np.histogram(places, np.arange(middle - reach, middle + reach + step, step))
    if counts.sum() * frame.cells.cell_ml < 10.0:
        return middle
    smooth = ndimage.gaussian_filter1d(counts.astype(np.float64), 12.0 / step)
    return float(edges[smooth.argmax()] + step / 2)


def domes(holes: Bools, lung: Bools, frame: Frame) -> Bools:
    """Return those holes of a lung's slices that are a dome of the diaphragm, not a mass.

    A dome widens downwards until the lung ends around it; a mass narrows again.
    """
    out = np.zeros_like(holes)
    labels, count = ndimage.label(holes)
    large = np.bincount(labels.ravel(), minlength=count + 1) * frame.cells.cell_ml > _SMALLEST_ML
    large[0] = False
    core = _opened_in_plane(large[labels], frame.cells, _DOME_RADIUS_MM)
    labels, _ = ndimage.label(core)
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        one = labels[box] == index
        areas = one.sum(axis=(1, 2))
        foot = 0 if frame.up > 0 else len(areas) - 1
        below = box[0].start - 1 if frame.up > 0 else box[0].stop
        if areas[foot] < 0.6 * areas.max():
            continue
        base = one[foot]
        if 0 <= below < len(holes):
            ended = (lung | holes)[below][box[1:]][base].mean() < 0.5
        else:
            _, row, column = frame.cells.spacing_kji_mm
            ended = float(base.sum()) * row * column > np.pi * _DOME_AT_THE_END_MM**2
        if ended:
            out[box] |= one
    if out.any():
        # Its rim, which the disc did not reach.
        out = frame.cells.within(out, _DOME_RADIUS_MM / 2) & holes
    return out


def _opened_in_plane(mask: Bools, cells: Cells, reach_mm: float) -> Bools:
    """Return what of each slice a disc of this radius reaches from the inside."""
    out = np.zeros_like(mask)
    if mask.any():
        box = box_of(mask, (0, 1, 1))
        # Slices so far apart that each is on its own.
        flat = (1e6, *cells.spacing_kji_mm[1:])
        core = ndimage.distance_transform_edt(mask[box], sampling=flat) > reach_mm
        if core.any():
            near = ndimage.distance_transform_edt(~core, sampling=flat) <= reach_mm
            out[box] = near & mask[box]
    return out


def airless(
    hu: Floats, side: Bools, other: Bools, middle: float, frame: Frame, body: Bools
) -> Bools:
    """Return airless parts of one lung where the other, mirrored, has lung.

    Taken are a mass or consolidation on the wall with lung above and below it and, in a
    lung far smaller than the other, tissue with air in its bronchi. Left out are the heart,
    the hilum, a raised diaphragm and fluid, as far as place and density tell them.

    Parameters
    ----------
    hu, body
        Of the cells.
    side, other
        The aerated lung of this side and of the other.
    middle
        x of the midline.
    frame
        How the cells lie.
    """
    wide, blocks = frame.coarser()
    sides = [blocks.shrink(one) >= 0.5 for one in (side, other)]
    air = blocks.shrink((hu < _BRONCHOGRAM_HU) & ~side) > 0
    found = _airless(blocks.shrink(hu), sides[0], sides[1], air, middle, wide)
    # A stump of a bronchus is no lung.
    least_ml = 0.0 if side.any() else _LEAST_WHOLE_ML
    if found.sum() * wide.cells.cell_ml <= least_ml:
        return np.zeros_like(side)
    whole = (slice(0, hu.shape[0]), slice(0, hu.shape[1]), slice(0, hu.shape[2]))
    more = blocks.enlarge(found, whole) & body & ~other
    # The seam between wide cells and narrow ones.
    return np.asarray(frame.cells.close(side | more, 2 * CELL_MM) & ~side & ~other)


def _airless(
    hu: Floats, side: Bools, other: Bools, air: Bools, middle: float, frame: Frame
) -> Bools:
    cells = frame.cells
    mirror = frame.mirrored(other, middle)
    if not mirror.any():
        return mirror
    is_left = float(frame.left_x[other].mean()) < middle
    mirror &= ~side & ~other
    mirror &= abs(frame.left_x - middle) > _HILUM_MM
    if is_left:
        mirror &= ~_heart(other, middle, frame)
    else:
        mirror &= frame.headward(mirror | side, _RIGHT_DOME_IS_HIGHER_MM)
    if not _pieces(mirror, side, cells).any():
        return np.zeros_like(side)
    mirror &= ~_ribs(hu, cells)
    between = np.logical_or.accumulate(side, axis=0)
    between &= np.logical_or.accumulate(side[::-1], axis=0)[::-1]
    out = _pieces(mirror & between, side, cells)
    if side.sum() < _FAR_SMALLER * other.sum():
        wanted = _pieces(mirror, side, cells)
        if (wanted & air).any():
            near = wanted & cells.within(wanted & air, _NEAR_BRONCHUS_MM) & ~_fluid(hu, cells)
            out |= cells.open(near, _SHELL_MM / 2)
    return out


def _pieces(mask: Bools, side: Bools, cells: Cells) -> Bools:
    """Return the thick, large pieces of a mask that lie on the aerated lung, if there is any."""
    thick = cells.open(mask, _SHELL_MM)
    labels, count = ndimage.label(thick)
    keep = np.bincount(labels.ravel(), minlength=count + 1) * cells.cell_ml > _SMALLEST_ML
    if side.any() and thick.any():
        near = labels[cells.within(side, _CONTACT_MM)]
        keep &= np.bincount(near, minlength=count + 1) > 0
    keep[0] = False
    return np.asarray(keep[labels])


def _ribs(hu: Floats, cells: Cells) -> Bools:
    """Return the cage of bones, closed between the ribs."""
    bones = hu > _BONE_HU
    return cells.close(bones, _BETWEEN_RIBS_MM) if bones.any() else bones


def _heart(other: Bools, middle: float, frame: Frame) -> Bools:
    """Return where the heart lies on the left, judged by the size of the right lung."""
    k, j, i = np.nonzero(other)
    y = float(frame.back_y[k, j, i].mean())
    top, foot = np.percentile(k * frame.up, [95, 5])
    height = np.arange(other.shape[0])[:, None, None] * frame.up
    low = height < foot + 0.65 * (top - foot)
    near = abs(frame.left_x - middle) < _HEART_MM
    return np.asarray(low & near & (frame.back_y < y + 10.0))


def _fluid(hu: Floats, cells: Cells) -> Bools:
    """Return where soft tissue is as thin as fluid; air in bronchi and fat do not count."""
    size = [max(1, round(_FLUID_OVER_MM / mm)) for mm in cells.spacing_kji_mm]
    tissue = ndimage.uniform_filter((hu > _TISSUE_HU).astype(np.float32), size)
    total = ndimage.uniform_filter(np.where(hu > _TISSUE_HU, np.minimum(hu, 400), 0), size)
    return np.asarray((tissue > 0.1) & (total < _FLUID_HU * tissue))
