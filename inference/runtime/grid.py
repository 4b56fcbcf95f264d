"""The grid on which the heatmap net looks: fixed pixel size in plane, own slices along k."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PIXEL_MM = 0.7
_THINNEST_MM = 1.5

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True)
class Grid:
    """A box of a volume, resampled in plane.

    Attributes
    ----------
    box
        Voxels (k, j, i) of the volume that the grid covers, edge to edge.
    size_px
        Rows and columns of the grid.
    step
        Every how many slices of the box the net looks; between them the heat is interpolated.
    spacing_kji_mm
        Of the volume.
    """

    box: Box
    size_px: tuple[int, int]
    step: int
    spacing_kji_mm: tuple[float, float, float]

    @property
    def slices(self) -> npt.NDArray[np.intp]:
        """Slices of the volume that the net looks at; the last of the box is among them."""
        low, high = self.box[0].start, self.box[0].stop
        chosen = np.arange(low, high, self.step)
        return chosen if chosen[-1] == high - 1 else np.append(chosen, high - 1)

    @property
    def cell_kji_mm(self) -> tuple[float, float, float]:
        """Distance in mm between looked-at slices, rows and columns of the grid."""
        _, j, i = self.spacing_kji_mm
        rows, columns = (s.stop - s.start for s in self.box[1:])
        return (
            self.spacing_kji_mm[0] * self.step,
            j * rows / self.size_px[0],
            i * columns / self.size_px[1],
        )

    def cells(self, axis: int, voxels: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Map voxel indices of the volume along one axis to fractional cells of the grid."""
        if axis == 0:
            return np.interp(voxels, self.slices, np.arange(len(self.slices)))
        side = self.box[axis]
        scale = self.size_px[axis - 1] / (side.stop - side.start)
        return np.asarray((voxels + 0.5 - side.start) * scale - 0.5)

    def voxels_of(self, cells: Box) -> Box:
        """Return the voxels that a box of cells covers, with a rim, within the grid's box."""
        low, high = self.slices[cells[0].start], self.slices[cells[0].stop - 1]
        sides = [
            slice(
                max(int(low) - self.step + 1, self.box[0].start),
                min(int(high) + self.step, self.box[0].stop),
            )
        ]
        for axis in (1, 2):
            side = self.box[axis]
            scale = (side.stop - side.start) / self.size_px[axis - 1]
            start = side.start + int(np.floor((cells[axis].start - 1) * scale))
            stop = side.start + int(np.ceil((cells[axis].stop + 1) * scale))
            sides.append(slice(max(start, side.start), min(stop, side.stop)))
        k, j, i = sides
        return k, j, i

    @classmethod
    def over(cls, box: Box, spacing_kji_mm: tuple[float, float, float]) -> Grid:
        """Lay a grid of about ``PIXEL_MM`` over a box of voxels."""
        rows, columns = (
            max(1, round((s.stop - s.start) * mm / PIXEL_MM))
            for s, mm in zip(box[1:], spacing_kji_mm[1:], strict=True)
        )
        step = max(1, int(_THINNEST_MM / spacing_kji_mm[0]))
        return cls(box, (rows, columns), step, spacing_kji_mm)


def box_of(mask: npt.NDArray[np.bool_], margin_kji: tuple[int, int, int]) -> Box:
    """Return the box of a mask that is not empty, grown by a margin within the volume."""
    sides = []
    for axis, margin in enumerate(margin_kji):
        others = tuple(a for a in range(3) if a != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        low = max(int(hits[0]) - margin, 0)
        sides.append(slice(low, min(int(hits[-1]) + 1 + margin, mask.shape[axis])))
    k, j, i = sides
    return k, j, i


def to_voxels(
    planes: npt.NDArray[np.float32],
    grid: Grid,
    box: Box | None = None,
    origin: tuple[int, int, int] = (0, 0, 0),
) -> npt.NDArray[np.float32]:
    """Bring values on a grid back to voxels, linearly; beyond the last cell it is repeated.

    Parameters
    ----------
    planes
        (k, row, column) values of cells of the grid.
    grid
        Where they lie.
    box
        Voxels of the volume that are wanted. Default: the whole box of the grid.
    origin
        Cell of the grid (k, row, column) of the first value.
    """
    wanted = box or grid.box
    out = planes
    for axis in range(3):
        voxels = np.arange(wanted[axis].start, wanted[axis].stop)
        out = along(out, axis, grid.cells(axis, voxels) - origin[axis])
    return out


def along(
    values: npt.NDArray[np.float32], axis: int, places: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Interpolate linearly along one axis at fractional indices; beyond the ends they repeat."""
    size = values.shape[axis]
    places = np.clip(places, 0, size - 1)
    below = np.floor(places).astype(np.intp)
    shape = [1, 1, 1]
    shape[axis] = len(places)
    share = (places - below).astype(np.float32).reshape(shape)
    first = np.take(values, below, axis=axis)
    if not share.any():
        return first
    second = np.take(values, np.minimum(below + 1, size - 1), axis=axis)
    second -= first
    second *= share
    first += second
    return first
