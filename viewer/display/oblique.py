"""Planes at any angle through a volume: where they lie, and how they are turned."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.geometry import kji_to_lps_mm, lps_mm_to_kji
from viewer.display.planes import AXIAL, CONVENTION, CORONAL, SAGITTAL, Plane

Vector = npt.NDArray[np.float64]
Frame = tuple[Vector, Vector]
"""Unit vectors in LPS across and down a screen, at a right angle."""

NO_AXIS = 3
"""In the place of an index axis: an oblique plane has none, and an array of three refuses it."""

_MOST_PX = 1024
# While it is being turned, a plane is drawn anew with every move of the pointer.
_QUICK_PX = 512
# The screen has no better than a pixel in a thousand; a smaller turn is none.
_SAME_RAD = 5e-4
# How far each edge may lie from the patient's axis for the view to be called radiological.
_RADIOLOGICAL = float(np.cos(np.radians(45)))
# Into the screen is towards the head (axial), the back (coronal) and the right (sagittal);
# reading order is towards feet, back and left.
_SENSE = {AXIAL: -1, CORONAL: 1, SAGITTAL: -1}


@dataclass(frozen=True, slots=True, eq=False)
class ObliquePlane(Plane):
    """A view direction of a volume that follows none of its index axes.

    Its pixels are square and lie between voxels; they are sampled, never part of the volume.
    ``axis``, ``across`` and ``down`` are ``NO_AXIS``. Slices are counted along the normal.

    Attributes
    ----------
    frame
        Unit vectors in LPS across and down the screen.
    corner_lps_mm
        (3,) outer corner at the top left of slice 0, LPS mm.
    pixels
        Columns and rows.
    slices
        Number of slices.
    spacing_mm
        Distance between slices, mm.
    tilt_deg
        Angle between its normal and that of the straight plane it stands for, 0 to 180.
    quick
        Whether it is sampled for speed (while it is being turned), not for looks.
    """

    frame: Frame
    corner_lps_mm: Vector
    pixels: tuple[int, int]
    slices: int
    spacing_mm: float
    tilt_deg: float
    quick: bool

    @property
    def straight(self) -> bool:
        """Whether it follows the index axes: never."""
        return False

    @property
    def radiological(self) -> bool:
        """Whether both edges lie within 45 degrees of where the convention has them."""
        main = int(np.argmax(np.abs(self.normal_lps)))
        for axis, (x, x_sense), (y, y_sense) in CONVENTION.values():
            if axis == main:
                edges = self.frame[0][x] * x_sense, self.frame[1][y] * y_sense
                return bool(min(edges) >= _RADIOLOGICAL)
        return False

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.slices

    @property
    def size_px(self) -> tuple[int, int]:
        """Columns and rows on the screen."""
        return self.pixels

    @property
    def step_mm(self) -> float:
        """Distance between neighbouring slices, mm."""
        return self.spacing_mm

    @property
    def across_lps(self) -> Vector:
        """Unit vector in LPS that points to the right of the screen."""
        return self.frame[0]

    @property
    def down_lps(self) -> Vector:
        """Unit vector in LPS that points down the screen."""
        return self.frame[1]

    @property
    def _sense(self) -> int:
        return _SENSE[self.name]

    def orient(self, plane_px: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Refuse: no array of voxels lies on this plane."""
        raise TypeError("an oblique plane has no voxels of its own: sample it")

    def slice_of(self, array_kji: npt.NDArray[Any], index: int) -> npt.NDArray[Any]:
        """Refuse: see ``viewer.display.sampling``."""
        raise TypeError("an oblique plane has no voxels of its own: sample it")

    def corner_px(self, offset: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
        """Refuse: no box of voxels is a box on this plane."""
        raise TypeError("an oblique plane has no voxels of its own: sample it")

    def view_mm(self, point_kji: npt.ArrayLike) -> Vector:
        """Map fractional (..., 3) kji to view (x, y) mm, straight onto the plane."""
        away = kji_to_lps_mm(self.affine, point_kji) - self.corner_lps_mm
        return np.stack([away @ self.frame[0], away @ self.frame[1]], axis=-1)

    def kji_at(self, x_mm: float, y_mm: float, index: int) -> Vector:
        """Map a view position in mm on slice ``index`` to fractional (k, j, i)."""
        return lps_mm_to_kji(self.affine, self.lps_at(x_mm, y_mm, index))

    def lps_at(self, x_mm: float, y_mm: float, index: int) -> Vector:
        """Map a view position in mm on slice ``index`` to LPS mm."""
        return np.asarray(
            self.corner_lps_mm
            + x_mm * self.frame[0]
            + y_mm * self.frame[1]
            + index * self.spacing_mm * self.normal_lps
        )

    def depth(self, point_lps_mm: npt.ArrayLike) -> float:
        """Return the fractional slice that a point in LPS mm lies on."""
        away = np.asarray(point_lps_mm, dtype=np.float64) - self.corner_lps_mm
        return float(away @ self.normal_lps) / self.spacing_mm

    def index_of_lps(self, point_lps_mm: npt.ArrayLike) -> int:
        """Return the slice nearest to a point in LPS mm, kept inside the volume."""
        return min(max(round(self.depth(point_lps_mm)), 0), self.count - 1)

    def off_mm(self, point_lps_mm: npt.ArrayLike, index: int) -> float:
        """Return how far a point in LPS mm lies from slice ``index``, mm."""
        return abs(self.depth(point_lps_mm) - index) * self.spacing_mm

    def on_slice(self, point_lps_mm: npt.ArrayLike, index: int) -> Vector:
        """Move a point in LPS mm along the normal onto slice ``index``.

        Where that leaves the volume, it goes to the part of the slice that lies in it.
        """
        point = np.asarray(point_lps_mm, dtype=np.float64)
        index = min(max(index, 0), self.count - 1)
        last = np.array(self.shape_kji) - 1
        # Projections in turn onto two convex sets, the slice and the volume, meet in both.
        for _ in range(200):
            point = point + (index - self.depth(point)) * self.spacing_mm * self.normal_lps
            kji = lps_mm_to_kji(self.affine, point)
            inside = np.clip(kji, 0, last)
            if np.abs(inside - kji).max() < 1e-3:
                break
            point = kji_to_lps_mm(self.affine, inside)
        return point


def frame_of(plane: Plane) -> Frame:
    """Return the unit vectors across and down a plane, made to stand at a right angle."""
    across = plane.across_lps
    down = plane.down_lps - (plane.down_lps @ across) * across
    return across, np.asarray(down / np.linalg.norm(down))


def turned(frame: Frame, axis_lps: npt.ArrayLike, angle_rad: float) -> Frame:
    """Turn a frame about an axis in LPS by the rule of the right hand (Rodrigues)."""
    axis = np.asarray(axis_lps, dtype=np.float64)
    axis = axis / np.linalg.norm(axis)
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)

    def turn(vector: Vector) -> Vector:
        return np.asarray(
            vector * cos + np.cross(axis, vector) * sin + axis * (axis @ vector) * (1 - cos)
        )

    across, down = turn(frame[0]), turn(frame[1])
    # Many small turns must not bend the right angle.
    across = across / np.linalg.norm(across)
    down = down - (down @ across) * across
    return across, np.asarray(down / np.linalg.norm(down))


def _tilt_deg(normal: Vector, straight: Plane) -> float:
    cosine = float(normal @ straight.normal_lps)
    return float(np.degrees(np.arccos(min(max(cosine, -1.0), 1.0))))


def same_frame(a: Frame, b: Frame) -> bool:
    """Tell whether two frames are the same for the eye."""
    return all(float(np.linalg.norm(x - y)) < _SAME_RAD for x, y in zip(a, b, strict=True))


def cut_plane(
    straight: Plane, frame: Frame, through_lps_mm: npt.ArrayLike, *, quick: bool = False
) -> Plane:
    """Return the plane of a frame through a point; ``straight`` itself when it has that frame.

    Parameters
    ----------
    straight
        The plane of the volume that this one stands for; it gives name, shape and affine.
    frame
        Unit vectors in LPS across and down the screen.
    through_lps_mm
        Point inside the volume, LPS mm; one of the slices goes through it.
    quick
        Sample for speed: while a reader turns it.
    """
    if same_frame(frame, frame_of(straight)):
        return straight
    across, down = frame
    normal = np.cross(across, down)
    shape, affine = np.array(straight.shape_kji), straight.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    directions = affine[:3, :3] / spacing
    # The radius of the ellipsoid of a voxel: the spacing itself along an axis.
    step = float(1 / np.linalg.norm(normal @ directions / spacing))
    through = np.asarray(through_lps_mm, dtype=np.float64)
    corners = np.array(list(product((0.0, 1.0), repeat=3)))
    edges = kji_to_lps_mm(affine, corners * shape - 0.5) - through
    x, y = edges @ across, edges @ down
    depths = (kji_to_lps_mm(affine, corners * (shape - 1)) - through) @ normal / step
    first, last = int(np.ceil(depths.min() - 1e-6)), int(np.floor(depths.max() + 1e-6))
    extent = float(max(np.ptp(x), np.ptp(y)))
    pixel = max(float(spacing.min()), extent / (_QUICK_PX if quick else _MOST_PX))
    return ObliquePlane(
        name=straight.name,
        axis=NO_AXIS,
        across=NO_AXIS,
        down=NO_AXIS,
        flip_across=False,
        flip_down=False,
        shape_kji=straight.shape_kji,
        affine=affine,
        pixel_mm=(pixel, pixel),
        frame=frame,
        corner_lps_mm=np.asarray(
            through + x.min() * across + y.min() * down + first * step * normal
        ),
        pixels=(int(np.ceil(np.ptp(x) / pixel)), int(np.ceil(np.ptp(y) / pixel))),
        slices=last - first + 1,
        spacing_mm=step,
        tilt_deg=_tilt_deg(normal, straight),
        quick=quick,
    )
