"""A box round a lesion, in whole voxels: tools change nothing outside it.

It is a note of the case: moving a face is a step to undo, and it is there after reopening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from viewer.annotate.document_state import DocumentState
from viewer.annotate.lesion import Point
from viewer.annotate.mask import Box, Triple

TOPIC = "box"
# Id of the note of a box that is no finding's: one is to be outlined in it.
NEW = "new"


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box of voxels: the first along k, j and i, and the first beyond it; never empty."""

    low_kji: Triple
    high_kji: Triple

    def __post_init__(self) -> None:
        if any(a >= b for a, b in zip(self.low_kji, self.high_kji, strict=True)):
            raise ValueError("a box holds voxels")

    @property
    def box(self) -> Box:
        """Slices of the volume that it covers."""
        k, j, i = (slice(a, b) for a, b in zip(self.low_kji, self.high_kji, strict=True))
        return k, j, i

    def size_mm(self, affine: geometry.Affine) -> Point:
        """Return its sides along k, j and i, mm."""
        steps = np.linalg.norm(affine[:3, :3], axis=0)
        k, j, i = (
            float((b - a) * mm) for a, b, mm in zip(self.low_kji, self.high_kji, steps, strict=True)
        )
        return k, j, i

    def centre_lps_mm(self, affine: geometry.Affine) -> Point:
        """Return its middle, LPS mm."""
        middle = (np.add(self.low_kji, self.high_kji) - 1) / 2
        x, y, z = (float(v) for v in geometry.kji_to_lps_mm(affine, middle))
        return x, y, z

    def with_face(self, axis: int, *, far: bool, at: int, shape_kji: Triple) -> Bounds:
        """Return it with one face elsewhere, within the volume and at least a voxel thick.

        Parameters
        ----------
        axis
            Index axis that the face is across of.
        far
            Whether it is the face with the larger indices.
        at
            First voxel within, or with ``far`` the first beyond.
        """
        low, high = list(self.low_kji), list(self.high_kji)
        if far:
            high[axis] = min(max(at, low[axis] + 1), shape_kji[axis])
        else:
            low[axis] = max(min(at, high[axis] - 1), 0)
        return Bounds(_triple(low), _triple(high))

    def moved(self, by_kji: Triple, shape_kji: Triple) -> Bounds:
        """Return it moved by whole voxels, no farther than the edge of the volume."""
        low = np.array(self.low_kji)
        room = -low, np.array(shape_kji) - self.high_kji
        step = np.clip(by_kji, *room)
        return Bounds(_triple(low + step), _triple(self.high_kji + step))

    def note(self) -> Mapping[str, Any]:
        """Return it as a note."""
        return {"low_kji": list(self.low_kji), "high_kji": list(self.high_kji)}


def standing(document: DocumentState, box_id: str) -> Bounds | None:
    """Return the box of a lesion or segment, or of ``NEW``; None when it has none."""
    note = document.notes(TOPIC).get(box_id)
    return None if note is None else Bounds(_triple(note["low_kji"]), _triple(note["high_kji"]))


def round_of(mask: Mask, margin_mm: float, affine: geometry.Affine, shape_kji: Triple) -> Bounds:
    """Return the box round an outline that is not empty, with a margin on all sides."""
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    more = np.ceil(margin_mm / steps).astype(int)
    low = np.maximum([b.start for b in mask.box] - more, 0)
    high = np.minimum([b.stop for b in mask.box] + more, shape_kji)
    return Bounds(_triple(low), _triple(high))


def spanned(
    first_kji: npt.ArrayLike,
    last_kji: npt.ArrayLike,
    axis: int,
    affine: geometry.Affine,
    shape_kji: Triple,
) -> Bounds | None:
    """Return the box of a rectangle drawn on a slice: as deep as it is wide on the mean.

    Parameters
    ----------
    first_kji, last_kji
        Opposite corners, fractional voxels on one slice.
    axis
        Index axis across the slice.

    Returns
    -------
    Bounds or None
        None when no voxel of the volume lies in it.
    """
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    ends = np.sort(np.array([first_kji, last_kji], dtype=np.float64), axis=0)
    # A voxel belongs to the box when its centre does.
    low, high = np.ceil(ends[0]).astype(int), np.floor(ends[1]).astype(int) + 1
    flat = [a for a in range(3) if a != axis]
    half = float(np.mean([(ends[1][a] - ends[0][a]) * steps[a] for a in flat])) / 2
    reach, middle = int(half / steps[axis]), round(float(ends[0][axis]))
    low[axis], high[axis] = middle - reach, middle + reach + 1
    low, high = np.maximum(low, 0), np.minimum(high, shape_kji)
    return None if (low >= high).any() else Bounds(_triple(low), _triple(high))


def holding(points_kji: npt.ArrayLike, shape_kji: Triple) -> Bounds | None:
    """Return the smallest box that holds points of the volume, however they slant.

    Parameters
    ----------
    points_kji
        (n, 3), fractional voxels.

    Returns
    -------
    Bounds or None
        None when no voxel of the volume lies in it.
    """
    points = np.asarray(points_kji, dtype=np.float64)
    low = np.maximum(np.ceil(points.min(axis=0)).astype(int), 0)
    high = np.minimum(np.floor(points.max(axis=0)).astype(int) + 1, shape_kji)
    return None if (low >= high).any() else Bounds(_triple(low), _triple(high))


def _triple(values: Any) -> Triple:
    k, j, i = (int(v) for v in values)
    return k, j, i
