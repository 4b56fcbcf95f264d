"""The three orthogonal planes of a volume as a radiologist expects to see them.

A plane is a view along one index axis of the volume. Its pixels are shown so that the
patient's right is on the left of the screen (axial, coronal), anterior is up (axial) or
left (sagittal), and the head is up (coronal, sagittal): the radiological convention.
Everything follows from the affine, never from the name of a view or a header's
PatientPosition.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.geometry import Affine, direction_letters, kji_to_lps_mm, lps_mm_to_kji

AXIAL, CORONAL, SAGITTAL = "axial", "coronal", "sagittal"
NAMES = (AXIAL, CORONAL, SAGITTAL)

# Patient axis (0 = x to left, 1 = y to posterior, 2 = z to head) that each view looks
# along, shows across and shows down, with the sense that across and down must have.
CONVENTION = {
    AXIAL: (2, (0, 1), (1, 1)),
    CORONAL: (1, (0, 1), (2, -1)),
    SAGITTAL: (0, (1, 1), (2, -1)),
}


@dataclass(frozen=True, slots=True)
class Letters:
    """Patient directions at the four edges of a view (PS3.3 C.7.6.1.1.1 letters)."""

    left: str
    right: str
    top: str
    bottom: str


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One view direction of one volume.

    Attributes
    ----------
    name
        ``"axial"``, ``"coronal"`` or ``"sagittal"``: the patient plane that it is closest to.
    axis, across, down
        Index axes (0 = k, 1 = j, 2 = i): the one looked along, and the ones that run along
        the columns and the rows of the screen.
    flip_across, flip_down
        Whether the screen runs against the index.
    shape_kji
        Shape of the volume.
    affine
        (4, 4), (k, j, i, 1) to LPS mm.
    pixel_mm
        Width and height of a pixel on the screen, mm.
    """

    name: str
    axis: int
    across: int
    down: int
    flip_across: bool
    flip_down: bool
    shape_kji: tuple[int, int, int]
    affine: Affine
    pixel_mm: tuple[float, float]

    @property
    def straight(self) -> bool:
        """Whether it follows the index axes, so that its pixels are voxels."""
        return True

    @property
    def radiological(self) -> bool:
        """Whether it is seen as the convention has it: right, or anterior, on the left."""
        return True

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.shape_kji[self.axis]

    @property
    def size_px(self) -> tuple[int, int]:
        """Columns and rows on the screen."""
        return self.shape_kji[self.across], self.shape_kji[self.down]

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the whole plane, mm."""
        columns, rows = self.size_px
        return columns * self.pixel_mm[0], rows * self.pixel_mm[1]

    def orient(self, plane_px: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Turn a 2-D array in ascending index order of the other axes to (row, column)."""
        out = plane_px if self.down < self.across else plane_px.T
        return out[:: -1 if self.flip_down else 1, :: -1 if self.flip_across else 1]

    def slice_of(self, array_kji: npt.NDArray[Any], index: int) -> npt.NDArray[Any]:
        """Return slice ``index`` of a (k, j, i) array as a (row, column) view, not a copy."""
        return self.orient(array_kji[(slice(None),) * self.axis + (index,)])

    def corner_px(self, offset: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
        """Return the (row, column) on the screen of the top left pixel of an in-plane box.

        Parameters
        ----------
        offset, shape
            First index and size of the box along the two in-plane axes, in ascending
            index order.
        """
        axes = [axis for axis in range(3) if axis != self.axis]
        first = dict(zip(axes, offset, strict=True))
        size = dict(zip(axes, shape, strict=True))
        columns, rows = self.size_px
        row, column = first[self.down], first[self.across]
        if self.flip_down:
            row = rows - row - size[self.down]
        if self.flip_across:
            column = columns - column - size[self.across]
        return row, column

    def view_mm(self, point_kji: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Map fractional (..., 3) kji to view (x, y) mm; (0, 0) is the outer corner top left."""
        point = np.asarray(point_kji, dtype=np.float64)
        columns, rows = self.size_px
        x = point[..., self.across] + 0.5
        y = point[..., self.down] + 0.5
        if self.flip_across:
            x = columns - x
        if self.flip_down:
            y = rows - y
        return np.stack([x * self.pixel_mm[0], y * self.pixel_mm[1]], axis=-1)

    def kji_at(self, x_mm: float, y_mm: float, index: int) -> npt.NDArray[np.float64]:
        """Map a view position in mm on slice ``index`` to fractional (k, j, i)."""
        columns, rows = self.size_px
        x = x_mm / self.pixel_mm[0]
        y = y_mm / self.pixel_mm[1]
        out = np.empty(3, dtype=np.float64)
        out[self.axis] = index
        out[self.across] = (columns - x if self.flip_across else x) - 0.5
        out[self.down] = (rows - y if self.flip_down else y) - 0.5
        return out

    def view_of_lps(self, point_lps_mm: npt.ArrayLike) -> tuple[float, float]:
        """Map a point in LPS mm to view (x, y) mm."""
        # At every movement, in every view: numbers are quicker here than arrays of one.
        kji = lps_mm_to_kji(self.affine, point_lps_mm)
        if not self.straight:
            x, y = self.view_mm(kji)
            return float(x), float(y)
        x, y = float(kji[self.across]) + 0.5, float(kji[self.down]) + 0.5
        columns, rows = self.size_px
        if self.flip_across:
            x = columns - x
        if self.flip_down:
            y = rows - y
        return x * self.pixel_mm[0], y * self.pixel_mm[1]

    def lps_at(self, x_mm: float, y_mm: float, index: int) -> npt.NDArray[np.float64]:
        """Map a view position in mm on slice ``index`` to LPS mm."""
        return kji_to_lps_mm(self.affine, self.kji_at(x_mm, y_mm, index))

    def index_of_lps(self, point_lps_mm: npt.ArrayLike) -> int:
        """Return the slice nearest to a point in LPS mm, kept inside the volume."""
        index = round(self.depth(point_lps_mm))
        return min(max(index, 0), self.count - 1)

    def depth(self, point_lps_mm: npt.ArrayLike) -> float:
        """Return the fractional slice that a point in LPS mm lies on."""
        return float(lps_mm_to_kji(self.affine, point_lps_mm)[self.axis])

    def on_slice(self, point_lps_mm: npt.ArrayLike, index: int) -> npt.NDArray[np.float64]:
        """Move a point in LPS mm across the slices onto slice ``index``, kept inside the volume."""
        kji = lps_mm_to_kji(self.affine, point_lps_mm)
        kji[self.axis] = min(max(index, 0), self.count - 1)
        return kji_to_lps_mm(self.affine, kji)

    def off_mm(self, point_lps_mm: npt.ArrayLike, index: int) -> float:
        """Return how far a point in LPS mm lies from slice ``index``, in steps of slices, mm."""
        return abs(self.depth(point_lps_mm) - index) * self.step_mm

    @property
    def step_mm(self) -> float:
        """Distance between neighbouring slices, mm."""
        return float(np.linalg.norm(self.affine[:3, self.axis]))

    @property
    def across_lps(self) -> npt.NDArray[np.float64]:
        """Unit vector in LPS that points to the right of the screen."""
        return _unit(self.affine[:3, self.across] * (-1 if self.flip_across else 1))

    @property
    def down_lps(self) -> npt.NDArray[np.float64]:
        """Unit vector in LPS that points down the screen."""
        return _unit(self.affine[:3, self.down] * (-1 if self.flip_down else 1))

    @property
    def normal_lps(self) -> npt.NDArray[np.float64]:
        """Unit vector in LPS that points into the screen: across x down."""
        return _unit(np.cross(self.across_lps, self.down_lps))

    @property
    def _sense(self) -> int:
        # Reading order follows the patient, not the order in which slices are stored:
        # head to feet, anterior to posterior, right to left.
        patient_axis = CONVENTION[self.name][0]
        rising = self.affine[patient_axis, self.axis] > 0
        return (-1 if rising else 1) if patient_axis == 2 else (1 if rising else -1)

    def step_index(self, index: int, steps: int) -> int:
        """Move ``steps`` slices in reading order (towards feet, posterior or left)."""
        return min(max(index + self._sense * steps, 0), self.count - 1)

    def number(self, index: int) -> int:
        """Return the 1-based number of a slice in reading order."""
        return index + 1 if self._sense > 0 else self.count - index

    def letters(self) -> Letters:
        """Name the patient directions at the edges, from the direction cosines."""
        across, down = self.across_lps, self.down_lps
        return Letters(
            left=direction_letters(-across),
            right=direction_letters(across),
            top=direction_letters(-down),
            bottom=direction_letters(down),
        )


def _unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def make_planes(shape_kji: tuple[int, int, int], affine: Affine) -> dict[str, Plane]:
    """Return the three planes of a volume, by name.

    Each index axis is given to the patient axis that it follows most closely, so an
    oblique or sagittal acquisition still gets its most axial view under ``"axial"``.
    """
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    index_axis = max(
        itertools.permutations(range(3)),
        key=lambda p: sum(abs(directions[patient, p[patient]]) for patient in range(3)),
    )
    planes = {}
    for name, (along, (across, across_sense), (down, down_sense)) in CONVENTION.items():
        a, d = index_axis[across], index_axis[down]
        planes[name] = Plane(
            name=name,
            axis=index_axis[along],
            across=a,
            down=d,
            flip_across=bool(directions[across, a] * across_sense < 0),
            flip_down=bool(directions[down, d] * down_sense < 0),
            shape_kji=shape_kji,
            affine=affine,
            pixel_mm=(float(spacing[a]), float(spacing[d])),
        )
    return planes
