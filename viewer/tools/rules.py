"""Which of the voxels under a brush it changes: all, those of some values, those up to an edge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from viewer.annotate.mask import Bools

_Floats = npt.NDArray[np.float32]

_BINS = 128
# Share of the spread of the values that lies between two parts of them, from which on these
# count as two tissues: 0.64 in pure noise, 0.75 where all values are alike likely.
_TWO_TISSUES = 0.8
# Around values that hold no edge, how far the noise reaches.
_NOISE_SIGMAS = 4.0


class Rule(Protocol):
    """Chooses among the voxels that a dab or a piece of a stroke reaches."""

    @property
    def text(self) -> str:
        """The rule as the journal keeps it, such as ``"range -200 300"``."""

    def begin(self) -> Chooser:
        """Return what chooses during one stroke."""


class Chooser(Protocol):
    """A rule during one stroke."""

    def choose(self, values: npt.NDArray[Any], near: Bools, core: Bools, before: Bools) -> Bools:
        """Return which of the voxels that are ``near`` are changed.

        Parameters
        ----------
        values
            (k, j, i) of the box, in the unit of the volume; not finite means unknown.
        near, core
            Voxels that the dab reaches, and those close to the pointer's way: never none.
        before
            What the stroke changed already.
        """


@dataclass(frozen=True, slots=True)
class Range:
    """Only values from ``low`` to ``high``, both included, in the unit of the volume."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError("a range has a low and a high end")

    @property
    def text(self) -> str:
        """``"range LOW HIGH"``."""
        return f"range {self.low:g} {self.high:g}"

    def begin(self) -> Range:
        """Return itself: each voxel is judged alone."""
        return self

    def choose(self, values: npt.NDArray[Any], near: Bools, core: Bools, before: Bools) -> Bools:
        """Return the near voxels whose values lie in the range."""
        return np.asarray(near & (values >= self.low) & (values <= self.high))


@dataclass(frozen=True, slots=True)
class Edge:
    """Only what is like the tissue under the pointer as the stroke began, up to its edge.

    The values under the brush are parted in two where that separates them best (Otsu, 1979).
    Are they two tissues, then the one that the stroke began on is changed, as far as it hangs
    together with the pointer or with what the stroke changed before; the edge lies halfway
    between the two. Is there one tissue only, all of it is changed or nothing.
    """

    @property
    def text(self) -> str:
        """``"edge"``."""
        return "edge"

    def begin(self) -> _Following:
        """Return what remembers the tissue that a stroke began on."""
        return _Following()


class _Following:
    """An edge-following stroke: the value it began on, and how far others may lie from it."""

    def __init__(self) -> None:
        self._value: float | None = None
        self._reach = 0.0

    def choose(self, values: npt.NDArray[Any], near: Bools, core: Bools, before: Bools) -> Bools:
        known = np.isfinite(values) if values.dtype.kind == "f" else np.ones_like(near)
        near = near & known
        some = values[near].astype(np.float32)
        if not some.size:
            return near
        if self._value is None:
            self._value, self._reach = _middle_and_noise(values[core & known], some)
        cut = two_tissues(some)
        if cut is None:
            alike = abs(float(np.median(some)) - self._value) <= self._reach
            return near if alike else np.zeros_like(near)
        level, low, high = cut
        # Halfway to the other tissue is not alike any more, wherever the next dab falls.
        self._reach = max(self._reach, (high - low) / 2)
        above = abs(high - self._value) < abs(low - self._value)
        if min(abs(high - self._value), abs(low - self._value)) > self._reach:
            return np.zeros_like(near)
        alike_here = near & ((values > level) if above else (values <= level))
        return _hangs_together(alike_here, core | before)


def prepare() -> None:
    """Load what following an edge needs, where one may wait for it."""
    from scipy import ndimage

    assert ndimage


def two_tissues(values: _Floats) -> tuple[float, float, float] | None:
    """Part values in two where that separates them best (Otsu, 1979).

    Returns
    -------
    tuple or None
        The level between them, and the means below and above it; None when they are one tissue.
    """
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return None
    # A few stray values, as of metal or of the edge of the field, must not coarsen the bins.
    if values.size > 4 * _BINS:
        low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
        if not high > low:
            return None
    scaled = np.clip((values - low) * ((_BINS - 1) / (high - low)), 0, _BINS - 1)
    counts = np.bincount(scaled.astype(np.intp), minlength=_BINS).astype(np.float64)
    places = np.arange(_BINS)
    below = np.cumsum(counts)
    first = np.cumsum(counts * places)
    total, mean = below[-1], first[-1] / below[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_below = first / below
        mean_above = (first[-1] - first) / (total - below)
        between = below * (total - below) * (mean_above - mean_below) ** 2
    between[-1] = 0.0
    best = between == np.nanmax(between)
    # Where the two lie far apart, every level between them does as well: the middle one.
    at = int(np.flatnonzero(best).mean())
    spread = float((counts * (places - mean) ** 2).sum()) * total
    if spread <= 0.0 or between[best][0] < _TWO_TISSUES * spread:
        return None
    step = (high - low) / (_BINS - 1)
    means = low + (mean_below[at] + 0.5) * step, low + (mean_above[at] + 0.5) * step
    # Halfway: nearer than a level of the histogram to where an edge is seen.
    return (means[0] + means[1]) / 2, means[0], means[1]


def _middle_and_noise(core: npt.NDArray[Any], near: _Floats) -> tuple[float, float]:
    some = core.astype(np.float32) if core.size else near
    middle = float(np.median(some))
    sigma = 1.4826 * float(np.median(np.abs(some - middle)))
    return middle, _NOISE_SIGMAS * sigma


def _hangs_together(alike: Bools, seeds: Bools) -> Bools:
    """Return the pieces that hold a seed; voxels that share a face are one piece."""
    from scipy import ndimage

    pieces, count = ndimage.label(alike)
    if count == 0:
        return alike
    wanted = np.zeros(count + 1, dtype=np.bool_)
    wanted[pieces[seeds & alike]] = True
    wanted[0] = False
    return np.asarray(wanted[pieces])
