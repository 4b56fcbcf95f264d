"""Where voxels are: affines between (k, j, i) indices and patient space.

Patient space is LPS in millimetres: x to the patient's left, y to posterior, z to the
head (PS3.3 C.7.6.2.1.1). Index order is (k, j, i) = (slice, row, column), the order of
``Volume.voxels``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Affine = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]


def kji_to_lps_mm(affine: Affine, points_kji: npt.ArrayLike) -> Points:
    """Map index points (..., 3) in (k, j, i) to LPS mm (..., 3) through ``affine`` (4, 4)."""
    points = np.asarray(points_kji, dtype=np.float64)
    return np.asarray(points @ affine[:3, :3].T + affine[:3, 3])


def lps_mm_to_kji(affine: Affine, points_lps_mm: npt.ArrayLike) -> Points:
    """Map LPS mm points (..., 3) to fractional (k, j, i); integers are voxel centres."""
    points = np.asarray(points_lps_mm, dtype=np.float64)
    steps = np.asarray(affine[:3, :3], dtype=np.float64)
    return np.asarray((points - affine[:3, 3]) @ _inverse(steps.tobytes()).T)


@lru_cache(maxsize=64)
def _inverse(steps: bytes) -> npt.NDArray[np.float64]:
    """Invert the 3 x 3 part of an affine: the same few are asked for at every movement."""
    inverse = np.linalg.inv(np.frombuffer(steps, dtype=np.float64).reshape(3, 3))
    inverse.flags.writeable = False
    return np.asarray(inverse)


def spacing_kji_mm(affine: Affine) -> tuple[float, float, float]:
    """Return the distance in mm between neighbours along k, j and i."""
    k, j, i = np.linalg.norm(affine[:3, :3], axis=0)
    return float(k), float(j), float(i)


def voxel_volume_mm3(affine: Affine) -> float:
    """Return the volume of one voxel in cubic millimetres."""
    return float(abs(np.linalg.det(affine[:3, :3])))


def reorder_kji_ijk(affine: Affine) -> Affine:
    """Exchange the index order of an affine: (k, j, i) to (i, j, k), or back."""
    out = affine.copy()
    out[:, [0, 1, 2]] = affine[:, [2, 1, 0]]
    return out


_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


def direction_letters(vector_lps: npt.ArrayLike, secondary: float = 0.2588) -> str:
    """Name a direction in patient space by its letters, the strongest axis first.

    Parameters
    ----------
    vector_lps
        Direction in LPS, any length but zero.
    secondary
        Smallest share of the unit vector that earns a second or third letter
        (default: 15 degrees off the main axis).

    Returns
    -------
    str
        One to three of L R P A H F, such as ``"L"`` or ``"LP"`` (PS3.3 C.7.6.1.1.1).

    Raises
    ------
    ValueError
        When the vector has no length.
    """
    vector = np.asarray(vector_lps, dtype=np.float64)
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0.0:
        raise ValueError("a direction needs a length")
    unit = vector / length
    order = np.argsort(-np.abs(unit), kind="stable")
    letters = [
        _LETTERS[axis][0 if unit[axis] > 0 else 1]
        for rank, axis in enumerate(order)
        if rank == 0 or abs(unit[axis]) >= secondary
    ]
    return "".join(letters)


def axial_affine(pixel_mm: float, gap_mm: float) -> Affine:
    """Return (k, j, i, 1) to LPS mm of axial slices with their first voxel at the origin.

    Columns run to the left, rows to the back and slices to the head.
    """
    affine = np.eye(4)
    affine[:3, :3] = np.fliplr(np.diag([pixel_mm, pixel_mm, gap_mm]))
    return affine
