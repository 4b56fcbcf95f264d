"""Look-up tables of DICOM: modality (PS3.3 C.11.1.1) and VOI (PS3.3 C.11.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A table from values to values; equal only to itself.

    Attributes
    ----------
    first
        Value of the first entry; lower ones get the first entry, too high ones the last.
    entries
        (n,) uint16, 1 <= n <= 65,536, not writeable.
    bits
        Entries reach from 0 to 2**bits - 1.
    name
        LUT Explanation (0028,3003), or empty.
    """

    first: int
    entries: npt.NDArray[np.uint16]
    bits: int
    name: str = ""

    def __post_init__(self) -> None:
        if self.entries.ndim != 1 or not 1 <= self.entries.size <= 65536:
            raise ValueError("a table has 1 to 65,536 entries")
        self.entries.flags.writeable = False

    @property
    def last(self) -> int:
        """Value of the last entry."""
        return self.first + self.entries.size - 1

    @property
    def top(self) -> int:
        """Largest value that an entry may have."""
        return (1 << self.bits) - 1

    def __call__(self, values: npt.ArrayLike) -> npt.NDArray[np.uint16]:
        """Look values of any shape up, fractions rounded; what is no number gets the first entry.

        Returns
        -------
        ndarray
            uint16 of the same shape.
        """
        found: npt.NDArray[Any] = np.asarray(values)
        if found.dtype.kind == "f":
            found = np.rint(np.nan_to_num(found, nan=self.first))
        # Clipped before it is shifted: no type overflows.
        low, high = _within(found.dtype, self.first), _within(found.dtype, self.last)
        index = np.clip(found, low, high).astype(np.int64) - self.first
        return np.asarray(self.entries[np.clip(index, 0, self.entries.size - 1)])


def _within(kind: np.dtype[Any], value: int) -> int:
    if kind.kind == "f":
        return value
    bounds = np.iinfo(kind)
    return int(min(max(value, int(bounds.min)), int(bounds.max)))
