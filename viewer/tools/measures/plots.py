"""What a plot of a measurement shows: values along a line, their spread in a region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.geometry import lps_mm_to_kji
from inference.volume import Volume
from viewer.tools.measures.regions import Indices

Floats = npt.NDArray[np.float64]

_MOST_SAMPLES = 2000
_MOST_BINS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Values along a straight line.

    Attributes
    ----------
    at_mm
        Distance from the first end, mm, ascending.
    values
        In the unit of the volume, between voxels by trilinear interpolation; NaN outside of it.
    """

    at_mm: Floats
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How many voxels have which values.

    Attributes
    ----------
    edges
        Of the bins, ascending, one more than there are counts; a value on an edge belongs to the
        bin above it, on the last edge to the last bin.
    counts
        Voxels of each bin.
    """

    edges: Floats
    counts: npt.NDArray[np.int64]


def profile(volume: Volume, a_lps_mm: npt.ArrayLike, b_lps_mm: npt.ArrayLike) -> Profile:
    """Sample a regular grey volume from one point to another, twice a voxel or oftener.

    Parameters
    ----------
    a_lps_mm, b_lps_mm
        Ends, LPS mm.

    Raises
    ------
    ValueError
        When the ends are one point, or the volume has colours or no grid.
    """
    ends = np.array([a_lps_mm, b_lps_mm], dtype=np.float64)
    length_mm = float(np.linalg.norm(ends[1] - ends[0]))
    if length_mm == 0 or volume.colours is not None or not volume.regular:
        raise ValueError("there is no line of grey values")
    from scipy import ndimage

    kji = lps_mm_to_kji(volume.affine, ends)
    steps = float(np.abs(kji[1] - kji[0]).max())
    count = int(np.clip(np.ceil(2 * steps) + 1, 2, _MOST_SAMPLES))
    along = np.linspace(0.0, 1.0, count)
    places = kji[0] + along[:, None] * (kji[1] - kji[0])
    shape = np.array(volume.shape_kji)
    inside = ((places >= -0.5) & (places <= shape - 0.5)).all(axis=1)
    # Only what lies around the line: the filter would convert the whole volume.
    low = np.clip(np.floor(places.min(axis=0)).astype(int) - 1, 0, shape - 1)
    high = np.clip(np.ceil(places.max(axis=0)).astype(int) + 2, 1, shape)
    box = tuple(slice(first, last) for first, last in zip(low, high, strict=True))
    values = ndimage.map_coordinates(
        volume.voxels[box].astype(np.float64), (places - low).T, order=1, mode="nearest"
    )
    values[~inside] = np.nan
    return Profile(along * length_mm, values)


def histogram(
    volume: Volume, indices_kji: Indices, padding: tuple[float, float] | None = None
) -> Histogram:
    """Count the values of some voxels; whole numbers never share a bin unevenly.

    Parameters
    ----------
    indices_kji, padding
        As in ``statistics``.

    Raises
    ------
    ValueError
        When no voxel has a value.
    """
    values = volume.voxels[tuple(indices_kji.T)].astype(np.float64)
    if padding is not None:
        values = values[(values < padding[0]) | (values > padding[1])]
    values = values[np.isfinite(values)]
    if not values.size:
        raise ValueError("no voxel has a value")
    low, high = float(values.min()), float(values.max())
    if volume.voxels.dtype.kind in "iu":
        width = max(1.0, np.ceil((high - low + 1) / _MOST_BINS))
        bins = int(np.ceil((high - low + 1) / width))
        edges = low - 0.5 + width * np.arange(bins + 1)
    else:
        edges = np.linspace(low, high if high > low else low + 1.0, _MOST_BINS + 1)
    counts, _ = np.histogram(values, edges)
    return Histogram(edges, counts.astype(np.int64))
