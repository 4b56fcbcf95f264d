"""Means, quantiles, errors and their intervals; patients are drawn again, never nodules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
DRAWS = 2000
SEED = 0
_DIGITS = 4


def rounded(value: float) -> float | None:
    """Return a number for the JSON: four digits after the point, None for what is none."""
    return round(float(value), _DIGITS) if np.isfinite(value) else None


def drawn(patients: int) -> npt.NDArray[np.int64]:
    """Return how often (draw, patient) each of some patients was drawn, with replacement."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(patients, np.full(patients, 1 / patients), DRAWS)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Values with the patient that each belongs to.

    Several values of one patient are no independent evidence, so an interval comes from
    drawing the patients again, with replacement, and all their values with them.

    Attributes
    ----------
    values
        (n,) finite.
    patients
        (n,) names.
    """

    values: Floats
    patients: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[float], patients: Sequence[str]) -> Sample:
        """Return a sample without the values that are none."""
        pairs = [(v, p) for v, p in zip(values, patients, strict=True) if np.isfinite(v)]
        return cls(np.array([v for v, _ in pairs], dtype=np.float64), tuple(p for _, p in pairs))

    def __len__(self) -> int:
        return len(self.values)

    def _counts(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        """Return the patient of each value, and how often (draw, patient) was drawn."""
        names, owner = np.unique(self.patients, return_inverse=True)
        return owner, drawn(len(names)).astype(np.float32)

    def mean_interval(self) -> list[float | None]:
        """Return the 95 % interval of the mean."""
        if not len(self):
            return [None, None]
        owner, drawn = self._counts()
        sums = np.bincount(owner, weights=self.values)
        means = (drawn @ sums) / (drawn @ np.bincount(owner))
        return [rounded(q) for q in np.percentile(means, [2.5, 97.5])]

    def quantile_interval(self, share: float) -> list[float | None]:
        """Return the 95 % interval of a quantile, the lowest value with that share below it."""
        if not len(self):
            return [None, None]
        owner, drawn = self._counts()
        order = np.argsort(self.values, kind="stable")
        reached = np.cumsum(drawn[:, owner[order]], axis=1)
        first = (reached >= share * reached[:, -1:]).argmax(axis=1)
        return [rounded(q) for q in np.percentile(self.values[order][first], [2.5, 97.5])]


def interval_of_patients(
    sums: Floats, figure: Callable[[Floats], float | None]
) -> list[float | None]:
    """Return the 95 % interval of a figure of sums (patient, ...) over the patients."""
    if not len(sums):
        return [None, None]
    found = [figure(one) for one in np.tensordot(drawn(len(sums)), sums, axes=1)]
    known = [value for value in found if value is not None]
    return [rounded(q) for q in np.percentile(known, [2.5, 97.5])] if known else [None, None]


def spread(sample: Sample) -> dict[str, Any]:
    """Return mean, median and 10th percentile with 95 % intervals."""
    empty = not len(sample)
    return {
        "count": len(sample),
        "patients": len(set(sample.patients)),
        "mean": None if empty else rounded(sample.values.mean()),
        "mean_ci95": sample.mean_interval(),
        "median": None if empty else rounded(np.median(sample.values)),
        "median_ci95": sample.quantile_interval(0.5),
        "percentile_10": None if empty else rounded(np.percentile(sample.values, 10)),
        "percentile_10_ci95": sample.quantile_interval(0.1),
    }


def share(sample: Sample) -> dict[str, Any]:
    """Return the mean of zeros and ones with its 95 % interval."""
    return {
        "count": len(sample),
        "share": rounded(sample.values.mean()) if len(sample) else None,
        "ci95": sample.mean_interval(),
    }


def average(sample: Sample) -> dict[str, Any]:
    """Return the mean with its 95 % interval."""
    return {
        "count": len(sample),
        "mean": rounded(sample.values.mean()) if len(sample) else None,
        "ci95": sample.mean_interval(),
    }


def agreement(measured: Floats, truth: Floats, patients: Sequence[str]) -> dict[str, Any]:
    """Compare two measurements of the same things as Bland and Altman do (Lancet 1986).

    Parameters
    ----------
    measured, truth
        (n,) in one unit.
    patients
        Of each.

    Returns
    -------
    dict
        ``bias`` = mean of measured - truth, the limits of agreement bias ± 1.96 SD, and the
        median absolute error with its interval.
    """
    sample = Sample.of((measured - truth).tolist(), patients)
    if not len(sample):
        return {"count": 0}
    error = sample.values
    bias = float(error.mean())
    sd = float(error.std(ddof=1)) if len(error) > 1 else 0.0
    absolute = Sample(np.abs(error), sample.patients)
    return {
        "count": len(sample),
        "bias": rounded(bias),
        "bias_ci95": sample.mean_interval(),
        "limits_of_agreement": [rounded(bias - 1.96 * sd), rounded(bias + 1.96 * sd)],
        "median_absolute": rounded(np.median(absolute.values)),
        "median_absolute_ci95": absolute.quantile_interval(0.5),
    }


Group = tuple[str, Callable[[float], bool]]
# By mean diameter in mm, as the index gives it.
SIZES: tuple[tuple[str, float, float], ...] = (
    ("under 6 mm", 0, 6),
    ("6 to 10 mm", 6, 10),
    ("10 to 20 mm", 10, 20),
    ("20 mm and more", 20, np.inf),
)
# LIDC scores texture 1 (non-solid) over 3 (part-solid, mixed) to 5 (solid) and names no others;
# the mean of a nodule's readers is rounded to the nearest named one, 2 and 4 to the ends.
TEXTURES: tuple[tuple[str, float, float], ...] = (
    ("ground-glass", 0, 2.5),
    ("part-solid", 2.5, 3.5),
    ("solid", 3.5, np.inf),
)


def group_of(value: float, groups: Sequence[tuple[str, float, float]]) -> str:
    """Return the name of the group that a value belongs to."""
    return next(name for name, low, high in groups if low <= value < high)
