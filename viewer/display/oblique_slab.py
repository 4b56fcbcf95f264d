"""Slabs of oblique planes: their slices sampled one by one, kept, and shown as one.

A slice that is sampled costs ten times as much as one that is only looked up. Scrolling by one
leaves all but one of a slab's slices where they were: what is kept makes it as quick as one slice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.display.oblique import ObliquePlane
from viewer.display.sampling import Part, sample
from viewer.display.slab import Mode, Span

Bools = npt.NDArray[np.bool_]
_SPARE = 12  # slices kept beyond the slab, for a reader who scrolls to and fro


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One sampled slice: values, such as change nothing where it lies outside, and where it does.

    Attributes
    ----------
    inside
        Packed bits of the rows one after the other.
    """

    values: npt.NDArray[Any]
    inside: npt.NDArray[np.uint8]


class Layers:
    """Slices of one oblique plane through one boxed array.

    Parameters
    ----------
    values_kji
        (k, j, i) array that covers a box of the volume.
    origin_kji
        Index in the volume of its first voxel.
    mode
        How the slices become one; of masks and maps the highest.
    linear
        Whether values are interpolated.
    """

    def __init__(
        self,
        values_kji: npt.NDArray[Any],
        plane: ObliquePlane,
        mode: Mode,
        *,
        origin_kji: tuple[int, int, int] = (0, 0, 0),
        linear: bool,
    ) -> None:
        self.values_kji = values_kji
        self.plane = plane
        self.mode = mode
        self._origin_kji = origin_kji
        self._linear = linear
        self.part, self._reach = _room(values_kji.shape, origin_kji, plane)
        self._kept: dict[int, Layer] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the part of the plane that the box may meet."""
        rows, columns = self.part
        return max(0, rows.stop - rows.start), max(0, columns.stop - columns.start)

    def met(self, indices: Iterable[int]) -> list[int]:
        """Return those slices that the box may meet at all."""
        if not min(self.shape):
            return []
        return [index for index in indices if self._reach[0] <= index <= self._reach[1]]

    def missing(self, indices: Iterable[int]) -> list[int]:
        """Return those slices that have to be sampled."""
        return [index for index in self.met(indices) if index not in self._kept]

    def sampled(self, index: int) -> Layer:
        """Sample one slice; changes nothing, in any thread."""
        values, inside = sample(
            self.values_kji,
            self.plane,
            index,
            origin_kji=self._origin_kji,
            linear=self._linear,
            part=self.part,
        )
        values[~inside] = _neutral(values.dtype, self.mode)
        return Layer(values, np.packbits(inside))

    def put(self, index: int, layer: Layer) -> None:
        """Keep a slice."""
        self._kept[index] = layer

    def let_go(self, span: Span) -> None:
        """Forget the slices that lie far from a slab."""
        for index in list(self._kept):
            if not span[0] - _SPARE <= index < span[1] + _SPARE:
                del self._kept[index]

    def flat(self, indices: Iterable[int]) -> tuple[npt.NDArray[Any], Bools]:
        """Show those slices that are kept as one.

        Returns
        -------
        (row, column) values, bool
            0 outside, and where any of the slices lies in the box. The mean is of those that
            do, rounded as ``slab.project`` does.
        """
        layers = [self._kept[index] for index in indices if index in self._kept]
        dtype = self.values_kji.dtype
        if not layers:
            return np.zeros(self.shape, dtype), np.zeros(self.shape, np.bool_)
        if self.mode == "mean":
            return self._mean(layers)
        reduce = np.maximum if self.mode == "mip" else np.minimum
        values = layers[0].values.copy()
        packed = layers[0].inside.copy()
        for layer in layers[1:]:
            reduce(values, layer.values, out=values)
            packed |= layer.inside
        inside = self._unpacked(packed)
        values[~inside] = 0
        return values, inside

    def _mean(self, layers: list[Layer]) -> tuple[npt.NDArray[Any], Bools]:
        dtype = self.values_kji.dtype
        total = np.zeros(self.shape, np.float64 if dtype.kind == "f" else np.int32)
        count = np.zeros(self.shape, np.uint16)
        for layer in layers:
            total += layer.values
            count += self._unpacked(layer.inside)
        inside = count > 0
        mean = np.divide(total, count, out=np.zeros(self.shape), where=inside)
        return (mean if dtype.kind == "f" else np.rint(mean)).astype(dtype), inside

    def _unpacked(self, packed: npt.NDArray[np.uint8]) -> Bools:
        rows, columns = self.shape
        bits = np.unpackbits(packed, count=rows * columns)
        return bits.view(np.bool_).reshape(rows, columns)


def some_of(span: Span, index: int, most: int) -> list[int]:
    """Return a few slices spread over a slab, the middle one among them, to be shown at once."""
    step = max(1, -(-(span[1] - span[0]) // most))
    return list(range(span[0] + (index - span[0]) % step, span[1], step))


def _neutral(dtype: np.dtype[Any], mode: Mode) -> Any:
    """Return the value that leaves the highest, the lowest or the sum of others as it is."""
    if mode == "mean" or dtype.kind == "b":
        return dtype.type(0)
    if dtype.kind == "f":
        return dtype.type(-np.inf if mode == "mip" else np.inf)
    info = np.iinfo(dtype)
    return dtype.type(info.min if mode == "mip" else info.max)


def _room(
    shape: tuple[int, ...], origin_kji: tuple[int, int, int], plane: ObliquePlane
) -> tuple[Part, tuple[int, int]]:
    """Return the part of a plane over or under a box, and the slices that may meet it."""
    columns, rows = plane.size_px
    if shape == plane.shape_kji:
        return (slice(0, rows), slice(0, columns)), (0, plane.count - 1)
    if not min(shape):
        return (slice(0, 0), slice(0, 0)), (0, -1)
    corners = np.array(list(product((0.0, 1.0), repeat=3))) * shape - 0.5 + origin_kji
    away = corners @ plane.affine[:3, :3].T + plane.affine[:3, 3] - plane.corner_lps_mm
    depth = away @ plane.normal_lps / plane.spacing_mm
    pixel = plane.pixel_mm[0]
    x, y = away @ plane.across_lps / pixel, away @ plane.down_lps / pixel
    part = (
        slice(max(int(np.floor(y.min())), 0), min(int(np.ceil(y.max())) + 1, rows)),
        slice(max(int(np.floor(x.min())), 0), min(int(np.ceil(x.max())) + 1, columns)),
    )
    return part, (int(np.floor(depth.min())), int(np.ceil(depth.max())))
