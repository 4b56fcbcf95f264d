"""Point and outline: 3-D Dice with the majority of readers, and the readers' own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.evaluation import points
from inference.evaluation.folder import Bools, Folder, Lesion
from inference.evaluation.predictions import Predictions
from inference.evaluation.statistics import (
    SIZES,
    TEXTURES,
    Sample,
    agreement,
    average,
    group_of,
    spread,
)
from inference.findings import Mask
from inference.measure import measure


def dice(a: Bools, b: Bools) -> float:
    """Return twice the overlap by the sum; 1 when both are empty."""
    total = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / total if total else 1.0


def _dice(mask: Bools, reference: Bools) -> float:
    """Return the Dice with a reference; NaN when there is nothing in it to be found."""
    return dice(mask, reference) if reference.any() else float("nan")


def _repeat(first: Bools, second: Bools) -> float:
    """Return the Dice of two outlines; NaN when both are empty: that failure counts elsewhere."""
    return dice(first, second) if first.any() or second.any() else float("nan")


def long_axis_mm(mask: Bools, lesion: Lesion) -> float:
    """Return the longest chord in a slice (``inference.measure``); NaN without voxels."""
    if not mask.any():
        return float("nan")
    return measure(Mask.from_array(mask), lesion.affine).diameter_mm


def volume_ml(mask: Bools, lesion: Lesion) -> float:
    """Return the volume; 0 without voxels."""
    return int(mask.sum()) * lesion.pixel_mm**2 * lesion.gap_mm / 1000


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """One nodule's outlines, judged.

    Attributes
    ----------
    number, lesion
        Of the index.
    dice, dice_strict
        Of the model's outline with the voxels of at least half, and of more than half, of
        the readers; NaN where no voxel is.
    dice_largest
        Of the outline from a point on the largest slice, NaN when not asked for.
    repeat
        Dice between the outlines from two points; NaN when not asked for or both are empty.
    readers
        Each reader with the majority (at least half) of the others.
    readers_strict
        The same with more than half of the others.
    against_others
        The model with those same majorities, a reader left out each time.
    axis_mm, volume_ml
        Of the model's outline, of the majority, and of each reader.
    others_axis_mm, others_volume_ml
        Of the majority of the others, for each reader.
    empty, beside
        The model outlined nothing; the point lay on no voxel of the majority.
    """

    number: int
    lesion: Lesion
    dice: float
    dice_strict: float
    dice_largest: float
    repeat: float
    readers: tuple[float, ...]
    readers_strict: tuple[float, ...]
    against_others: tuple[float, ...]
    axis_mm: tuple[float, ...]
    volume_ml: tuple[float, ...]
    others_axis_mm: tuple[float, ...]
    others_volume_ml: tuple[float, ...]
    empty: bool
    beside: bool

    @property
    def texture(self) -> float:
        """Mean of its readers' scores."""
        return float(np.mean(self.lesion.texture)) if self.lesion.texture else float("nan")


def judge(folder: Folder, predictions: Predictions, number: int) -> Outlined:
    """Compare the outlines of one nodule."""
    lesion = folder.lesions[number]
    half = folder.majority(lesion)
    strict = folder.majority(lesion, strict=True)
    own = predictions.masks[lesion.rows]
    each = folder.readers(lesion)
    others = [np.delete(each, n, axis=0) for n in range(len(each))] if len(each) > 1 else []
    loose = [2 * o.sum(axis=0) >= len(o) for o in others]
    tight = [2 * o.sum(axis=0) > len(o) for o in others]

    another, largest = predictions.other_masks, predictions.largest_masks
    return Outlined(
        number=number,
        lesion=lesion,
        dice=_dice(own, half),
        dice_strict=_dice(own, strict),
        dice_largest=float("nan") if largest is None else _dice(largest[lesion.rows], half),
        repeat=float("nan") if another is None else _repeat(another[lesion.rows], own),
        readers=tuple(_dice(e, o) for e, o in zip(each, loose, strict=False)),
        readers_strict=tuple(_dice(e, o) for e, o in zip(each, tight, strict=False)),
        against_others=tuple(_dice(own, o) for o in loose),
        axis_mm=tuple(long_axis_mm(mask, lesion) for mask in (own, half, *each)),
        volume_ml=tuple(volume_ml(mask, lesion) for mask in (own, half, *each)),
        others_axis_mm=tuple(long_axis_mm(mask, lesion) for mask in loose),
        others_volume_ml=tuple(volume_ml(mask, lesion) for mask in loose),
        empty=not own.any(),
        beside=bool(half.any()) and points.beside(lesion, half, "first"),
    )


def _sample(results: Sequence[Outlined], value: Callable[[Outlined], float]) -> Sample:
    return Sample.of([value(one) for one in results], [one.lesion.patient for one in results])


def _pooled(results: Sequence[Outlined], values: Callable[[Outlined], Sequence[float]]) -> Sample:
    pairs = [(value, one.lesion.patient) for one in results for value in values(one)]
    return Sample.of([value for value, _ in pairs], [patient for _, patient in pairs])


def figures(results: Sequence[Outlined]) -> dict[str, Any]:
    """Return the Dice figures of nodules, those of three or more readers."""
    out = {
        "reference": "voxels that at least half of the nodule's readers outlined",
        "empty": sum(one.empty for one in results),
        "points_beside_the_majority": sum(one.beside for one in results),
        "dice": spread(_sample(results, lambda one: one.dice)),
        "by_size": _by_size(results, lambda one: one.dice),
        "by_texture": _by_texture(results, lambda one: one.dice),
        "dice_more_than_half": spread(_sample(results, lambda one: one.dice_strict)),
    }
    largest = _sample(results, lambda one: one.dice_largest)
    if len(largest):
        out["dice_point_on_largest_slice"] = spread(largest)
    repeat = _sample(results, lambda one: one.repeat)
    if len(repeat):
        out["two_points"] = spread(repeat)
    return out


def _by_size(results: Sequence[Outlined], value: Callable[[Outlined], float]) -> dict[str, Any]:
    return {
        name: spread(_sample(own, value))
        for name, _, _ in SIZES
        if (own := [o for o in results if group_of(o.lesion.diameter_mm, SIZES) == name])
    }


def _by_texture(results: Sequence[Outlined], value: Callable[[Outlined], float]) -> dict[str, Any]:
    scored = [one for one in results if np.isfinite(one.texture)]
    return {
        name: spread(_sample(own, value))
        for name, _, _ in TEXTURES
        if (own := [one for one in scored if group_of(one.texture, TEXTURES) == name])
    }


def reader_figures(results: Sequence[Outlined]) -> dict[str, Any]:
    """Return each reader against the others on the same nodules, and the model in their place."""
    readers = _pooled(results, lambda one: one.readers)
    model = _pooled(results, lambda one: one.against_others)
    difference = Sample(model.values - readers.values, readers.patients)
    return {
        "reference": "voxels that at least half of the other readers outlined",
        "dice": spread(readers),
        "model_against_the_same": spread(model),
        "model_minus_reader": average(difference),
        "by_size": {
            name: spread(_pooled(own, lambda one: one.readers))
            for name, _, _ in SIZES
            if (own := [o for o in results if group_of(o.lesion.diameter_mm, SIZES) == name])
        },
        "dice_more_than_half": spread(_pooled(results, lambda one: one.readers_strict)),
    }


def size_figures(results: Sequence[Outlined]) -> dict[str, Any]:
    """Return the errors of long axis and volume, of the model and of each reader."""
    found = [one for one in results if not one.empty and np.isfinite(one.dice)]
    patients = [one.lesion.patient for one in found]
    axis = np.array([one.axis_mm[:2] for one in found], dtype=np.float64).reshape(-1, 2)
    volume = np.array([one.volume_ml[:2] for one in found], dtype=np.float64).reshape(-1, 2)
    readers = [(one, n) for one in found for n in range(len(one.others_axis_mm))]
    owners = [one.lesion.patient for one, _ in readers]

    def column(values: Callable[[Outlined, int], float]) -> Any:
        return np.array([values(one, n) for one, n in readers], dtype=np.float64)

    return {
        "without_outline": sum(one.empty for one in results),
        "long_axis_mm": agreement(axis[:, 0], axis[:, 1], patients),
        "readers_long_axis_mm": agreement(
            column(lambda one, n: one.axis_mm[2 + n]),
            column(lambda one, n: one.others_axis_mm[n]),
            owners,
        ),
        "volume": _volumes(volume[:, 0], volume[:, 1], patients),
        "readers_volume": _volumes(
            column(lambda one, n: one.volume_ml[2 + n]),
            column(lambda one, n: one.others_volume_ml[n]),
            owners,
        ),
    }


def _volumes(measured: Any, truth: Any, patients: Sequence[str]) -> dict[str, Any]:
    """Compare volumes in % of the mean of both, as Bland and Altman do for what varies widely."""
    mean = (measured + truth) / 2
    percent = 100 * np.divide(measured - truth, mean, out=np.zeros_like(mean), where=mean > 0)
    ratio = np.divide(measured, truth, out=np.full_like(mean, np.nan), where=truth > 0)
    relative = Sample.of((100 * (ratio - 1)).tolist(), patients)
    return {
        "percent_of_the_mean_of_both": agreement(percent, np.zeros_like(percent), patients),
        "percent_of_the_reference": average(relative),
        "median_percent_of_the_reference": float(np.round(np.median(relative.values), 4))
        if len(relative)
        else None,
        "all_together_percent": float(np.round(100 * (measured.sum() / truth.sum() - 1), 4))
        if len(truth) and truth.sum() > 0
        else None,
        "ml": agreement(measured, truth, patients),
    }
