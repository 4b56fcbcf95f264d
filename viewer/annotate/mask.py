"""Cropped binary masks and the difference between two of them, small enough to keep for ever."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.findings import Mask
from viewer.annotate import packed

Box = tuple[slice, slice, slice]
Triple = tuple[int, int, int]
Bools = npt.NDArray[np.bool_]


def empty_mask() -> Mask:
    """Return a mask without voxels."""
    return Mask((0, 0, 0), np.zeros((0, 0, 0), dtype=np.bool_))


def equal(a: Mask, b: Mask) -> bool:
    """Tell whether two masks hold the same voxels of the volume."""
    # What a model draws may come with a box that is larger than needed.
    a, b = crop(a.voxels, a.origin_kji), crop(b.voxels, b.origin_kji)
    if not a.voxels.size or not b.voxels.size:
        return a.voxels.size == b.voxels.size
    return a.origin_kji == b.origin_kji and np.array_equal(a.voxels, b.voxels)


@dataclass(frozen=True, slots=True)
class Delta:
    """The voxels in which two masks differ (XOR): applied twice, it changes nothing.

    Attributes
    ----------
    origin_kji
        Index in the volume of the first voxel of the box.
    shape_kji
        Size of the box; no axis is 0.
    bits
        The (k, j, i) bool array of the box, see ``packed``.
    """

    origin_kji: Triple
    shape_kji: Triple
    bits: bytes

    @classmethod
    def from_array(cls, changed: Bools, origin_kji: Triple) -> Delta | None:
        """Make the difference from a (k, j, i) bool array placed at ``origin_kji``.

        Returns
        -------
        Delta or None
            None when no voxel is set.
        """
        mask = crop(changed, origin_kji)
        if not mask.voxels.size:
            return None
        k, j, i = mask.voxels.shape
        return cls(mask.origin_kji, (k, j, i), packed.pack(mask.voxels))

    def __post_init__(self) -> None:
        if min(self.shape_kji) < 1 or min(self.origin_kji) < 0:
            raise ValueError("the box of a delta lies in the volume and is not empty")

    @property
    def box(self) -> Box:
        """Slices of the volume that the delta covers."""
        k, j, i = (slice(o, o + n) for o, n in zip(self.origin_kji, self.shape_kji, strict=True))
        return k, j, i

    def to_array(self) -> Bools:
        """Return the changed voxels of the box, (k, j, i) bool.

        Raises
        ------
        ValueError
            When the bytes are not those of such a box.
        """
        return packed.unpack(self.bits, self.shape_kji)


def crop(array: Bools, origin_kji: Triple) -> Mask:
    """Crop a (k, j, i) bool array placed at ``origin_kji`` to the box of its voxels.

    Looks at the outer planes only, so a mask that already fits its box costs nothing; the
    array is kept, not copied, when nothing is cut off.
    """
    box = [slice(0, n) for n in array.shape]
    for axis in range(3):
        planes = np.moveaxis(array[tuple(box)], axis, 0)
        low, high = 0, len(planes)
        while low < high and not planes[low].any():
            low += 1
        while low < high and not planes[high - 1].any():
            high -= 1
        if low == high:
            return empty_mask()
        box[axis] = slice(low, high)
    inner = array[tuple(box)]
    k, j, i = (o + b.start for o, b in zip(origin_kji, box, strict=True))
    return Mask((k, j, i), inner)


def xor(mask: Mask, delta: Delta) -> tuple[Mask, int]:
    """Change a mask by a delta.

    Returns
    -------
    Mask
        The new mask, cropped to its box.
    int
        By how many voxels it grew (negative: shrank).
    """
    changed = delta.to_array()
    if not mask.voxels.size:
        return Mask(delta.origin_kji, changed), int(np.count_nonzero(changed))
    origin = np.minimum(mask.origin_kji, delta.origin_kji)
    end = np.maximum(
        np.add(mask.origin_kji, mask.voxels.shape), np.add(delta.origin_kji, delta.shape_kji)
    )
    if tuple(end - origin) == mask.voxels.shape:
        out = mask.voxels.copy()
    else:
        out = np.zeros(end - origin, dtype=np.bool_)
        out[_within(mask.box, origin)] = mask.voxels
    part = out[_within(delta.box, origin)]
    before = int(np.count_nonzero(part))
    np.logical_xor(part, changed, out=part)
    k, j, i = (int(n) for n in origin)
    return crop(out, (k, j, i)), int(np.count_nonzero(part)) - before


class Growing:
    """A mask that takes in many deltas one after another, without being cropped in between.

    Parameters
    ----------
    mask
        Where it starts; it is copied at the first delta.
    shape_kji
        Shape of the volume.
    """

    def __init__(self, mask: Mask, shape_kji: Triple) -> None:
        self._shape = np.array(shape_kji)
        self._low = np.array(mask.origin_kji)
        self._array = mask.voxels
        self._own = False

    def xor(self, delta: Delta) -> None:
        """Change it by a delta that lies in the volume.

        Raises
        ------
        ValueError
            When the bytes of the delta are not those of its box; nothing is changed.
        """
        changed = delta.to_array()
        low, high = np.array(delta.origin_kji), np.add(delta.origin_kji, delta.shape_kji)
        if not self._own or (low < self._low).any() or (high > self._high).any():
            self._make_room(low, high)
        part = self._array[_within(delta.box, self._low)]
        np.logical_xor(part, changed, out=part)

    @property
    def mask(self) -> Mask:
        """The mask as it is now, cropped to its box."""
        k, j, i = (int(n) for n in self._low)
        found = crop(self._array, (k, j, i))
        return Mask(found.origin_kji, found.voxels.copy())

    @property
    def _high(self) -> npt.NDArray[np.int64]:
        return self._low + self._array.shape

    def _make_room(self, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> None:
        before = self._array
        if before.size:
            low, high = np.minimum(low, self._low), np.maximum(high, self._high)
        # A quarter more on every side: the next stroke is likely to lie near.
        spare = (high - low) // 4 + 1
        low, high = np.maximum(low - spare, 0), np.minimum(high + spare, self._shape)
        self._array = np.zeros(high - low, dtype=np.bool_)
        if before.size:
            box = tuple(slice(o, o + n) for o, n in zip(self._low - low, before.shape, strict=True))
            self._array[box] = before
        self._low, self._own = low, True


def difference(before: Mask, after: Mask) -> Delta | None:
    """Return the voxels in which two masks differ; None when they hold the same."""
    if not before.voxels.size or not after.voxels.size:
        one = after if after.voxels.size else before
        return Delta.from_array(one.voxels, one.origin_kji) if one.voxels.size else None
    origin = np.minimum(before.origin_kji, after.origin_kji)
    end = np.maximum(*(np.add(m.origin_kji, m.voxels.shape) for m in (before, after)))
    changed = np.zeros(end - origin, dtype=np.bool_)
    changed[_within(before.box, origin)] = before.voxels
    changed[_within(after.box, origin)] ^= after.voxels
    k, j, i = (int(n) for n in origin)
    return Delta.from_array(changed, (k, j, i))


def cut(mask: Mask, box: Box) -> Bools:
    """Return the part of a mask in a box of the volume, (k, j, i) bool of the box's shape."""
    out = np.zeros([b.stop - b.start for b in box], dtype=np.bool_)
    low = [max(b.start, m.start) for b, m in zip(box, mask.box, strict=True)]
    high = [min(b.stop, m.stop) for b, m in zip(box, mask.box, strict=True)]
    if all(a < b for a, b in zip(low, high, strict=True)):
        k, j, i = (slice(a, b) for a, b in zip(low, high, strict=True))
        inner = mask.voxels[_within((k, j, i), np.array(mask.origin_kji))]
        out[_within((k, j, i), np.array([b.start for b in box]))] = inner
    return out


def shift(mask: Mask, offset_kji: Triple) -> Mask:
    """Move a mask by whole voxels."""
    if not mask.voxels.size:
        return mask
    k, j, i = (o + d for o, d in zip(mask.origin_kji, offset_kji, strict=True))
    return Mask((k, j, i), mask.voxels)


def inside(box: Box, shape_kji: Triple) -> bool:
    """Tell whether a box lies wholly in a volume of this shape."""
    return all(b.start >= 0 and b.stop <= n for b, n in zip(box, shape_kji, strict=True))


def _within(box: Box, origin: npt.NDArray[np.int64]) -> Box:
    k, j, i = (slice(b.start - int(o), b.stop - int(o)) for b, o in zip(box, origin, strict=True))
    return k, j, i
