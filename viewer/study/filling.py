"""The arrays that the slices of a stack are read into: one kind for each kind of pixel."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from viewer.study import colour, pixels
from viewer.study.cancel import CancelCheck, stop_if
from viewer.study.order import FrameRef, StackPlan
from viewer.study.series import InstanceHeader
from viewer.study.values import factor, narrowed, rescaled, whole_rescale

Places = tuple[tuple[int, int], ...]
"""Pairs (slice of the stack, frame of the instance)."""


class Misfit(Exception):
    """A value does not fit the type that was chosen; the stack is to be read another way."""


class Filling(Protocol):
    """What a stack is read into. Slices may be read from several threads, each slice once.

    Attributes
    ----------
    voxels
        (k, j, i), rescaled as far as it has been read; the rest is 0.
    colours
        (k, j, i, 3) uint8, or None.
    """

    @property
    def voxels(self) -> npt.NDArray[Any]:
        """As above."""

    @property
    def colours(self) -> npt.NDArray[np.uint8] | None:
        """As above."""

    def read(self, instance: InstanceHeader, places: Places, cancelled: CancelCheck) -> None:
        """Read frames of one instance into their slices.

        Raises
        ------
        Problem
            When the file is damaged.
        Misfit
            When a value does not fit; then no slice of this filling is to be relied on.
        Cancelled
            When ``cancelled`` says so.
        """

    def retyped(self) -> bool:
        """Take a type that fits all slices so far, after a ``Misfit``; tell whether there is."""

    def finished(self, missing: list[int]) -> npt.NDArray[Any]:
        """Fill what could not be read with the lowest value; return the voxels for good."""


def filling_for(plan: StackPlan) -> Filling:
    """Return what a stack is to be read into, judged by what its headers say."""
    if colour.is_colour(plan.planes[0].instance):
        return _Coloured(plan)
    whole = whole_rescale(plan.planes)
    return _Real(plan) if whole is None else _Whole(plan, *whole)


def wide_filling_for(plan: StackPlan) -> Filling:
    """Return what holds any value, for a stack whose headers promised less."""
    return _Real(plan)


class _Whole:
    """16 bits, for a rescale of whole numbers that is the same in all slices.

    Sums and products are taken modulo 65,536, in place, while each slice is still in the
    cache: they are right whenever the true result fits, and the extremes of the stored values
    tell whether it does, and as which of the two types.
    """

    colours: npt.NDArray[np.uint8] | None = None

    def __init__(self, plan: StackPlan, slope: int, intercept: int) -> None:
        self._planes = plan.planes
        self._slope, self._intercept = slope, intercept
        self._bits = np.zeros(plan.shape_kji, dtype=np.uint16)
        count = len(plan.planes)
        # Extremes of each slice, rescaled; 0 where they fit for certain.
        self._low = np.zeros(count, dtype=np.int64)
        self._high = np.zeros(count, dtype=np.int64)
        self._there = np.zeros(count, dtype=np.bool_)
        low, high = _bounds(plan, slope, intercept)
        self._signed = low < 0 or high <= 32767
        # What Bits Stored allow fits: nobody need look for the extremes.
        self._sure = _fits(low, high, signed=True)

    @property
    def voxels(self) -> npt.NDArray[Any]:
        return self._bits.view(np.int16) if self._signed else self._bits

    def read(self, instance: InstanceHeader, places: Places, cancelled: CancelCheck) -> None:
        if pixels.is_direct(instance):
            for k, frame in places:
                stop_if(cancelled)
                self._place(k, pixels.read_into(instance, frame, self._bits[k]), self._sure)
            return
        decoded = pixels.frames(instance, [frame for _, frame in places], cancelled=cancelled)
        for (k, _), stored in zip(places, decoded, strict=True):
            self._place(k, stored)

    def _place(self, k: int, stored: npt.NDArray[Any], sure: bool = False) -> None:
        if stored.dtype.kind not in "iu" or stored.dtype.itemsize > 2:
            raise Misfit
        slope, intercept = self._slope, self._intercept
        if not sure:
            self._low[k] = int(stored.min()) * slope + intercept
            self._high[k] = int(stored.max()) * slope + intercept
        self._there[k] = True
        target = self._bits[k]
        if stored.dtype.itemsize == 1:
            target.view(np.int16)[...] = stored
        elif not np.may_share_memory(stored, target):
            target[...] = stored.view(np.uint16)
        if slope != 1:
            np.multiply(target, np.uint16(slope), out=target)
        if intercept:
            np.add(target, np.uint16(intercept % 65536), out=target)
        if not sure and not _fits(int(self._low[k]), int(self._high[k]), signed=self._signed):
            raise Misfit

    def retyped(self) -> bool:
        low, high = self._extremes()
        # The other thread may have seen to it already.
        if not _fits(low, high, signed=self._signed):
            self._signed = not self._signed
        return _fits(low, high, signed=self._signed)

    def finished(self, missing: list[int]) -> npt.NDArray[Any]:
        # What may be known only now: 16 unsigned bits that hold no large value.
        self._signed = _fits(*self._extremes(), signed=True)
        voxels = self.voxels
        if missing:
            voxels[missing] = min(int(voxels[k].min()) for k in np.flatnonzero(self._there))
        return voxels

    def _extremes(self) -> tuple[int, int]:
        if not self._there.any():
            return 0, 0
        return int(self._low[self._there].min()), int(self._high[self._there].max())


class _Real:
    """float32: for rescales that are not whole or differ, wide and float pixels."""

    colours: npt.NDArray[np.uint8] | None = None

    def __init__(self, plan: StackPlan) -> None:
        self._planes = plan.planes
        self._factor = factor(plan.planes)
        self._values = np.zeros(plan.shape_kji, dtype=np.float32)
        self._low = np.full(len(plan.planes), np.inf)

    @property
    def voxels(self) -> npt.NDArray[Any]:
        return self._values

    def read(self, instance: InstanceHeader, places: Places, cancelled: CancelCheck) -> None:
        decoded = pixels.frames(instance, [frame for _, frame in places], cancelled=cancelled)
        for (k, _), stored in zip(places, decoded, strict=True):
            values = rescaled(stored, self._planes[k], self._factor)
            self._values[k] = values
            self._low[k] = np.min(values, initial=np.inf, where=np.isfinite(values))

    def retyped(self) -> bool:
        return True

    def finished(self, missing: list[int]) -> npt.NDArray[Any]:
        low = self._low.min()
        for k in missing:
            self._values[k] = low if np.isfinite(low) else 0.0
        # A table gives whole numbers, and those that fit 16 bits are shown faster.
        table = any(ref.instance.has_modality_lut for ref in self._planes)
        return narrowed(self._values) if table else self._values


class _Coloured:
    """Red, green and blue of 8 bits, and their luminance."""

    def __init__(self, plan: StackPlan) -> None:
        self.colours: npt.NDArray[np.uint8] | None = np.zeros((*plan.shape_kji, 3), dtype=np.uint8)
        self._luminance = np.zeros(plan.shape_kji, dtype=np.uint8)

    @property
    def voxels(self) -> npt.NDArray[Any]:
        return self._luminance

    def read(self, instance: InstanceHeader, places: Places, cancelled: CancelCheck) -> None:
        assert self.colours is not None
        decoded = pixels.frames(instance, [frame for _, frame in places], cancelled=cancelled)
        for (k, _), stored in zip(places, decoded, strict=True):
            rgb = colour.rgb_of(instance, stored)
            self.colours[k] = rgb
            self._luminance[k] = colour.luminance(rgb)

    def retyped(self) -> bool:
        return True

    def finished(self, missing: list[int]) -> npt.NDArray[Any]:
        return self._luminance  # black is already what is missing


def _bounds(plan: StackPlan, slope: int, intercept: int) -> tuple[int, int]:
    """Return the least and the greatest rescaled value that Bits Stored allow."""
    kinds = {(ref.instance.bits_stored, ref.instance.signed) for ref in plan.planes}
    low = min(-(1 << bits - 1) if signed else 0 for bits, signed in kinds)
    high = max((1 << bits - 1 if signed else 1 << bits) - 1 for bits, signed in kinds)
    return low * slope + intercept, high * slope + intercept


def _fits(low: int, high: int, *, signed: bool) -> bool:
    return (low >= -32768 and high <= 32767) if signed else (low >= 0 and high <= 65535)


def one_frame(ref: FrameRef) -> npt.NDArray[np.float32]:
    """Read one plane alone, rescaled, or the luminance of colours: (row, column) float32."""
    stored = pixels.frames(ref.instance, [ref.frame])[0]
    if colour.is_colour(ref.instance):
        return np.asarray(colour.luminance(colour.rgb_of(ref.instance, stored)), dtype=np.float32)
    return rescaled(stored, ref)
