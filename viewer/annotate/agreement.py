"""How far two readings of one case agree: verdicts, outlines, what only one of them has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference import geometry
from inference.findings import Mask
from viewer.annotate.comparison import dice, parts_of
from viewer.annotate.document_state import DocumentState
from viewer.annotate.lesion import Lesion
from viewer.annotate.mask import cut

# A point without voxels is the same finding as an outline whose centre is no farther.
_NEAR_MM = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One finding in two readings.

    Attributes
    ----------
    first, second
        The finding in either reading; None where that reading does not have it.
    dice
        Overlap of both outlines, 0 to 1; None where either reading has no outline of it.
    hd95_mm
        Hausdorff distance of their surfaces, 95th percentile, mm; None likewise.
    """

    first: Lesion | None
    second: Lesion | None
    dice: float | None
    hd95_mm: float | None

    @property
    def either(self) -> Lesion:
        """The finding as the first reading has it, else as the second."""
        found = self.first or self.second
        assert found is not None
        return found

    @property
    def agreed(self) -> bool:
        """Whether both readings say the same: there or not, and the same verdict."""
        return stands(self.first) == stands(self.second) and said(self.first) == said(self.second)


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Two readings side by side.

    Attributes
    ----------
    pairs
        Every finding of either, by number.
    kappa
        Cohen's kappa of the verdicts on what the AI had proposed to both; None where it has no
        value: nothing was judged by both, or both said one and the same of everything.
    verdicts
        The two verdicts on each finding that it rests on.
    judged
        How many these are.
    same_verdicts
        Of how many of them both said the same.
    both, only_first, only_second
        How many findings stand in both readings, or in one of them only.
    mean_dice, mean_hd95_mm
        Over the findings that have an outline in both; None where none has.
    """

    pairs: tuple[Pair, ...]
    kappa: float | None
    verdicts: tuple[tuple[str, str], ...]
    judged: int
    same_verdicts: int
    both: int
    only_first: int
    only_second: int
    mean_dice: float | None
    mean_hd95_mm: float | None


def compare(
    first: DocumentState,
    second: DocumentState,
    threshold: float,
    second_threshold: float | None = None,
) -> Agreement:
    """Compare two readings of one volume that rest on the same AI result.

    Parameters
    ----------
    threshold
        Score from which findings of the AI count in both, or in the first.
    second_threshold
        That of the second, when it is another.
    """
    other = threshold if second_threshold is None else second_threshold
    found = _matched(_counting(first, threshold), _counting(second, other))
    pairs = tuple(_pair(first, a, b) for a, b in found)
    pairs = tuple(sorted(pairs, key=lambda pair: (pair.either.number, pair.first is None)))
    verdicts = [
        (pair.first.verdict, pair.second.verdict)
        for pair in pairs
        if pair.first is not None and pair.second is not None and pair.first.run
        if pair.first.verdict is not None and pair.second.verdict is not None
    ]
    there = [(stands(pair.first), stands(pair.second)) for pair in pairs]
    return Agreement(
        pairs=pairs,
        kappa=cohen_kappa(verdicts),
        verdicts=tuple(verdicts),
        judged=len(verdicts),
        same_verdicts=sum(a == b for a, b in verdicts),
        both=there.count((True, True)),
        only_first=there.count((True, False)),
        only_second=there.count((False, True)),
        mean_dice=_mean(pair.dice for pair in pairs),
        mean_hd95_mm=_mean(pair.hd95_mm for pair in pairs),
    )


def stands(lesion: Lesion | None) -> bool:
    """Tell whether a reading holds a finding for real: neither rejected nor taken away."""
    return lesion is not None and lesion.live and lesion.verdict != "rejected"


def cohen_kappa(verdicts: Sequence[tuple[object, object]]) -> float | None:
    """Return Cohen's kappa (1960) of pairs of verdicts, unweighted; None where it has no value."""
    n = len(verdicts)
    if not n:
        return None
    kinds = {one for pair in verdicts for one in pair}
    observed = sum(a == b for a, b in verdicts) / n
    by_chance = sum(
        sum(a == kind for a, _ in verdicts) * sum(b == kind for _, b in verdicts) for kind in kinds
    ) / (n * n)
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def hausdorff_95_mm(a: Mask, b: Mask, affine: geometry.Affine) -> float | None:
    """Return the 95th percentile of the distances between two surfaces, the greater direction.

    Surface: voxels of a mask that touch a voxel outside it by a face. Distances are between
    voxel centres, mm. None where either mask is empty.
    """
    from scipy import ndimage  # here: not every session compares readings

    if not a.voxels.any() or not b.voxels.any():
        return None
    origin = np.minimum(a.origin_kji, b.origin_kji) - 1
    end = np.maximum(*(np.add(m.origin_kji, m.voxels.shape) for m in (a, b))) + 1
    box = tuple(slice(int(low), int(high)) for low, high in zip(origin, end, strict=True))
    surfaces = []
    for mask in (a, b):
        voxels = cut(mask, (box[0], box[1], box[2]))
        surfaces.append(voxels & ~ndimage.binary_erosion(voxels))
    spacing = [float(np.linalg.norm(affine[:3, axis])) for axis in range(3)]
    return max(
        _directed(surfaces[0], surfaces[1], spacing), _directed(surfaces[1], surfaces[0], spacing)
    )


def _directed(
    start: npt.NDArray[np.bool_], goal: npt.NDArray[np.bool_], spacing: list[float]
) -> float:
    from scipy import ndimage

    away = ndimage.distance_transform_edt(~goal, sampling=spacing)
    return float(np.percentile(away[start], 95))


def _matched(
    first: Iterable[Lesion], second: Iterable[Lesion]
) -> list[tuple[Lesion | None, Lesion | None]]:
    """Put together what is one finding: of the AI by its id, others by where they lie.

    What a reader deleted and drew anew, and what two runs of a model call otherwise, is found by
    its place too.
    """
    ours = {lesion.id: lesion for lesion in first}
    theirs = {lesion.id: lesion for lesion in second}
    pairs: list[tuple[Lesion | None, Lesion | None]] = [
        (ours.pop(key), theirs.pop(key))
        for key in [key for key, lesion in ours.items() if lesion.run and key in theirs]
    ]
    near = [
        (-closeness, a, b)
        for a, mine in ours.items()
        for b, other in theirs.items()
        if (closeness := _closeness(mine, other)) > 0
    ]
    for _, a, b in sorted(near):
        if a in ours and b in theirs:
            pairs.append((ours.pop(a), theirs.pop(b)))
    pairs += [(lesion, None) for lesion in ours.values()]
    pairs += [(None, lesion) for lesion in theirs.values()]
    return pairs


def _counting(document: DocumentState, threshold: float) -> Iterable[Lesion]:
    return (lesion for lesion in document.shown(threshold) if lesion.live)


def _closeness(a: Lesion, b: Lesion) -> float:
    if not (a.empty or b.empty):
        parts = parts_of(a.mask, b.mask)
        return dice(parts.kept.count, parts.added.count, parts.removed.count) or 0.0
    away = float(np.linalg.norm(np.subtract(a.centre_lps_mm, b.centre_lps_mm)))
    return 1e-6 / (1.0 + away) if away <= _NEAR_MM else 0.0


def _pair(document: DocumentState, first: Lesion | None, second: Lesion | None) -> Pair:
    if first is None or second is None or not (stands(first) and stands(second)):
        return Pair(first, second, None, None)
    if first.empty or second.empty:
        return Pair(first, second, None, None)
    parts = parts_of(first.mask, second.mask)
    overlap = dice(parts.kept.count, parts.added.count, parts.removed.count)
    return Pair(first, second, overlap, hausdorff_95_mm(first.mask, second.mask, document.affine))


def said(lesion: Lesion | None) -> str | None:
    """Return the verdict of a reading; a reader's own finding is one that he accepts."""
    if lesion is None:
        return None
    return lesion.verdict or ("accepted" if lesion.run == 0 else None)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
