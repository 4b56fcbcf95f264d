"""What the voxels of a region hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.tools.measures.regions import Indices


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of the voxels that count, in the unit of the volume.

    Attributes
    ----------
    n
        Number of voxels; the others are NaN when it is 0.
    mean, low, high
        Mean, least and greatest value.
    sd
        Standard deviation of these voxels themselves (divided by n, not by n - 1).
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float


def statistics(
    voxels: npt.NDArray[Any], indices_kji: Indices, padding: tuple[float, float] | None = None
) -> Statistics:
    """Return the figures of some voxels.

    Parameters
    ----------
    voxels
        The whole volume (k, j, i).
    indices_kji
        (n, 3) as ``voxels_in`` gives them.
    padding
        Lowest and highest value that stands for no value: such voxels do not count.
    """
    values = voxels[tuple(indices_kji.T)].astype(np.float64)
    if padding is not None:
        values = values[(values < padding[0]) | (values > padding[1])]
    values = values[np.isfinite(values)]
    if not values.size:
        nan = float("nan")
        return Statistics(0, nan, nan, nan, nan)
    return Statistics(
        int(values.size),
        float(values.mean()),
        float(values.std()),
        float(values.min()),
        float(values.max()),
    )
