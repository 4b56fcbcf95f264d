"""Masks out of planes: each plane is looked at once, and no mask is larger than its box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from viewer.annotate.mask import empty_mask
from viewer.imports.held import Misfit

Plane = npt.NDArray[np.bool_]
_Part = tuple[int, int, int, Plane]

# Voxels of all boxes of one file, a byte each.
MOST_VOXELS = 3 << 30


class Gathering:
    """The voxels of one outline, plane by plane in any order; one plane may come twice."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def add(self, k: int, plane: Plane, at_ji: tuple[int, int] = (0, 0)) -> None:
        """Take a (row, column) plane that lies at ``at_ji`` of slice ``k``; it is copied."""
        rows: Any = plane.any(axis=1)
        first = int(rows.argmax())
        if not rows[first]:
            return
        last = len(rows) - int(rows[::-1].argmax())
        band = plane[first:last]
        columns: Any = band.any(axis=0)
        left = int(columns.argmax())
        right = len(columns) - int(columns[::-1].argmax())
        self._parts.append((k, at_ji[0] + first, at_ji[1] + left, band[:, left:right].copy()))

    @property
    def voxels(self) -> int:
        """How many voxels the box has."""
        low, high = self._box()
        return int(np.prod(high - low)) if self._parts else 0

    def mask(self) -> Mask:
        """Return the mask."""
        if not self._parts:
            return empty_mask()
        if self.voxels > MOST_VOXELS:
            raise Misfit("too-large")
        low, high = self._box()
        out = np.zeros(high - low, dtype=np.bool_)
        for k, j, i, part in self._parts:
            rows, columns = part.shape
            at_j, at_i = j - low[1], i - low[2]
            out[k - low[0], at_j : at_j + rows, at_i : at_i + columns] |= part
        first_k, first_j, first_i = (int(n) for n in low)
        return Mask((first_k, first_j, first_i), out)

    def _box(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        if not self._parts:
            return np.zeros(3, np.int64), np.zeros(3, np.int64)
        low = np.array([part[:3] for part in self._parts], dtype=np.int64)
        size = np.array([(1, *part[3].shape) for part in self._parts], dtype=np.int64)
        return low.min(axis=0), (low + size).max(axis=0)


def room_left(gathered: Iterable[Gathering]) -> None:
    """See that all outlines together fit into memory.

    Raises
    ------
    Misfit
        When they would not.
    """
    if sum(one.voxels for one in gathered) > MOST_VOXELS:
        raise Misfit("too-large")


def add_labels(
    gathered: Mapping[int, Gathering],
    k: int,
    plane: npt.NDArray[Any],
    at_ji: tuple[int, int] = (0, 0),
) -> None:
    """Take a plane of whole numbers: each goes to the outline of its number, if there is one.

    Parameters
    ----------
    plane
        (row, column), 0 to 65535; it lies at ``at_ji`` of slice ``k``.
    """
    from scipy import ndimage

    for number, box in enumerate(ndimage.find_objects(plane.astype(np.int32)), start=1):
        if box is None or number not in gathered:
            continue
        rows, columns = box
        at = at_ji[0] + rows.start, at_ji[1] + columns.start
        gathered[number].add(k, plane[box] == number, at)
