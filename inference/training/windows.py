"""Random windows for the outliner: nodules of the crops, the same with slices beyond, none at all.

A crop ends where its nodule ends and is centred on it. Here the point lies off the centre,
some nodules go on into slices from which they were erased, some lie in the lungs of another
scan, and some windows show a vessel instead, so that neither the frame nor the source of a
window tells where the lesion is or whether there is one.
"""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from inference.runtime import window
from inference.runtime.intensity import to_unit
from inference.training.data import Crops, Lungs, Nodule, by_size
from inference.training.paste import erased_ends, in_air, paste_mask
from inference.training.recipe import Mix
from inference.training.samples import Rng, Sample, Source, sample_of

Array = npt.NDArray[np.float32]

_TRUNCATED = 0.12
_MOST_BEYOND = 4
_AERATED_HU = -600


class Windows:
    """Draw endless random windows from the training patients.

    Parameters
    ----------
    crops, lungs
        The data sets; of the crops only train patients are drawn.
    vessels
        Places beside the nodules that look like one: (n, 3) row of the crops, row, column.
    inside
        The same for each of ``lungs``: (n, 3) k, row, column.
    mix
        How often they show what.
    nodules
        Which of the crops are drawn as nodules; None for those of train patients.
    others
        Crops without a nodule, in which ``vessels`` may lie.
    """

    def __init__(
        self,
        crops: Crops,
        lungs: tuple[Lungs, ...],
        vessels: npt.NDArray[np.intp],
        inside: tuple[npt.NDArray[np.intp], ...],
        mix: Mix | None = None,
        *,
        nodules: tuple[Nodule, ...] | None = None,
        others: tuple[Nodule, ...] = (),
    ) -> None:
        self._crops = crops
        self._lungs = lungs
        self._inside = inside
        self._mix = mix or Mix()
        self._nodules = crops.of("train") if nodules is None else nodules
        self._erased = {n: erased_ends(crops, n) for n in self._nodules}
        self._alpha = {n: paste_mask(crops, n) for n in self._nodules if in_air(crops, n)}
        self._pasteable = tuple(n for n in self._nodules if n in self._alpha)
        owner = np.full(len(crops.grey), -1, dtype=np.intp)
        self._stacks = (*self._nodules, *others)
        for index, nodule in enumerate(self._stacks):
            owner[nodule.start : nodule.stop] = index
        self._vessels = vessels[owner[vessels[:, 0]] >= 0]
        self._owner = owner
        self._mined: tuple[npt.NDArray[np.intp], tuple[npt.NDArray[np.intp], ...]] | None = None
        self._mined_share = 0.0

    def harder(
        self,
        vessels: npt.NDArray[np.intp],
        inside: tuple[npt.NDArray[np.intp], ...],
        share: float,
    ) -> Windows:
        """Return windows of which a share of those without a nodule shows these places instead.

        ``vessels`` and ``inside`` are told as for the class.
        """
        out = copy.copy(self)
        out._mined = vessels[self._owner[vessels[:, 0]] >= 0], inside
        out._mined_share = share
        return out

    def mixed(self, mix: Mix) -> Windows:
        """Return the same windows, drawn by another mix."""
        out = copy.copy(self)
        out._mix = mix
        return out

    def draw(self, rng: Rng) -> Sample:
        """Return one window."""
        kinds = self._mix.kinds
        kind = rng.choice(list(kinds), p=list(kinds.values()))
        sample: Sample = getattr(self, f"_{kind}")(rng)
        return sample

    # Nodules ------------------------------------------------------------------------------

    def _crop(self, rng: Rng) -> Sample:
        return self._of(self._any(self._nodules, rng), rng, 0, 0)

    def _beyond(self, rng: Rng) -> Sample:
        nodule = self._any(self._nodules, rng)
        below, above = rng.integers(0, _MOST_BEYOND + 1, 2)
        return self._of(nodule, rng, int(below), int(above))

    def _paste(self, rng: Rng) -> Sample:
        return self._of(self._any(self._pasteable, rng), rng, 99, 99)

    def _any(self, nodules: tuple[Nodule, ...], rng: Rng) -> Nodule:
        weight = np.array([1.0 if n.n_readers >= 3 else self._mix.few_readers for n in nodules])
        return nodules[rng.choice(len(nodules), p=weight / weight.sum())]

    def _of(self, nodule: Nodule, rng: Rng, below: int, above: int) -> Sample:
        """Cut a window of a nodule with some erased slices; with 99 it is pasted into lungs."""
        crops = self._crops
        votes = crops.votes[nodule.start : nodule.stop].astype(np.float32)
        k, centre, scale = self._aim(nodule, votes, rng)
        low, high = 0, len(votes)
        if rng.random() < _TRUNCATED and high > 2:
            low, high = _cut_off(low, high, k, rng)
        offsets = scale.offsets(nodule.gap_mm)
        wanted = k + offsets
        paste = below == 99
        keep = (
            np.full(len(offsets), True)
            if paste
            else ((wanted >= low - below) & (wanted < high + above))
        )
        offsets, wanted = offsets[keep], wanted[keep]
        own = (wanted >= low) & (wanted < high)
        rows = nodule.start + np.clip(wanted, low, high - 1)
        images = to_unit(crops.hu(rows))
        if paste:
            alpha = self._alpha[nodule][rows - nodule.start] * own[:, None, None]
            behind = self._behind(images.shape, offsets * nodule.gap_mm, nodule.pixel_mm, own, rng)
            images = images * alpha + behind * (1 - alpha)
        else:
            first, last = self._erased[nodule]
            for n, where in enumerate(wanted):
                if where < low:
                    images[n] = first if low == 0 else _shaken(images[n], rng)
                elif where >= high:
                    images[n] = last if high == len(votes) else _shaken(images[n], rng)
        outlined = votes[np.clip(wanted, 0, len(votes) - 1)] * own[:, None, None]
        source = Source(images, outlined, offsets, centre, nodule.pixel_mm, nodule.gap_mm)
        return sample_of(source, scale, nodule, rng)

    def _aim(
        self, nodule: Nodule, votes: Array, rng: Rng
    ) -> tuple[int, npt.NDArray[np.float64], window.Scale]:
        """Return slice, row and column of the point, and the scale of the look."""
        half = 2 * votes >= nodule.n_readers
        if not half.any():
            half = votes > 0
        diameter = nodule.mean_diameter_mm
        if rng.random() < self._mix.first_look:
            scale = window.first_scale(nodule.gap_mm)
            k = int(rng.choice(np.flatnonzero(half.any(axis=(1, 2)))))
            middle = np.argwhere(half[k]).mean(axis=0)
            reach = 0.25 * diameter / nodule.pixel_mm * np.sqrt(rng.random())
            angle = rng.uniform(0, 2 * np.pi)
            return k, middle + reach * np.array([np.cos(angle), np.sin(angle)]), scale
        places = np.argwhere(half)
        low, high = places[:, 1:].min(axis=0), places[:, 1:].max(axis=0)
        extent_mm = float((high - low + 1).max()) * nodule.pixel_mm
        guess = extent_mm * float(np.exp(rng.normal(0, 0.16)))
        middle = places.mean(axis=0)
        off = rng.normal(0, (0.04 * extent_mm + 0.4), 3)
        k = int(np.clip(round(middle[0] + off[0] / nodule.gap_mm), 0, len(votes) - 1))
        centre = middle[1:] + off[1:] / nodule.pixel_mm
        return k, centre, window.second_scale(guess, nodule.gap_mm)

    def _behind(
        self,
        shape: tuple[int, ...],
        offsets_mm: Array,
        pixel_mm: float,
        own: npt.NDArray[np.bool_],
        rng: Rng,
    ) -> Array:
        """Return lungs of another scan (k, row, column) at the pixel size of a crop.

        In the ``own`` slices of the nodule its place must be lung.
        """
        scan = self._lungs[rng.choice(len(self._lungs), p=by_size(self._lungs))]
        half = 80
        for _ in range(8):
            k, j, i = scan.inside[rng.integers(len(scan.inside))]
            ks = k + np.round(offsets_mm / scan.gap_mm).astype(np.intp)
            cut = scan.around(ks, j, i, half)
            middle = cut[own, half - 8 : half + 8, half - 8 : half + 8]
            if middle.mean(axis=(1, 2)).max() < _AERATED_HU:
                break
        unit = to_unit(cut)
        zoom = pixel_mm / scan.pixel_mm * shape[-1] / (2 * half)
        axis = torch.linspace(-1, 1, shape[-1]) * zoom
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)[None]
        out = functional.grid_sample(
            torch.from_numpy(unit)[None], grid, align_corners=True, padding_mode="reflection"
        )
        return np.asarray(out[0].numpy())

    # No nodule ----------------------------------------------------------------------------

    def _vessel(self, rng: Rng) -> Sample:
        mined = self._mined[0] if self._mined else None
        row, j, i = self._one_of(self._vessels, mined, rng)
        nodule = self._stacks[self._owner[row]]
        scale = self._any_scale(nodule.gap_mm, rng)
        offsets = scale.offsets(nodule.gap_mm)
        rows = row + offsets
        keep = (rows >= nodule.start) & (rows < nodule.stop)
        images = to_unit(self._crops.hu(rows[keep]))
        place = np.array([j, i]) + rng.normal(0, 1.0, 2)
        return _nothing(images, offsets[keep], place, nodule.pixel_mm, nodule.gap_mm, scale, rng)

    def _any_scale(self, gap_mm: float, rng: Rng) -> window.Scale:
        if rng.random() < self._mix.first_look:
            return window.first_scale(gap_mm)
        return window.second_scale(float(np.exp(rng.normal(np.log(7.0), 0.45))), gap_mm)

    def _one_of(
        self, places: npt.NDArray[np.intp], mined: npt.NDArray[np.intp] | None, rng: Rng
    ) -> npt.NDArray[np.intp]:
        if mined is not None and len(mined) and rng.random() < self._mined_share:
            places = mined
        return np.asarray(places[rng.integers(len(places))])

    def _lung(self, rng: Rng) -> Sample:
        index = int(rng.choice(len(self._lungs), p=by_size(self._lungs)))
        scan = self._lungs[index]
        mined = self._mined[1][index] if self._mined else None
        k, j, i = self._one_of(self._inside[index], mined, rng)
        scale = self._any_scale(scan.gap_mm, rng)
        offsets = scale.offsets(scan.gap_mm)
        if rng.random() < 0.5:
            # As short as a crop: else only windows without a nodule would be whole.
            offsets = offsets[np.abs(offsets) <= scale.step * rng.integers(1, 4)]
        offsets = offsets[(k + offsets >= 0) & (k + offsets < len(scan.hu))]
        images = to_unit(scan.around(k + offsets, j, i, 96))
        place = 96 + rng.normal(0, 1.0, 2)
        return _nothing(images, offsets, place, scan.pixel_mm, scan.gap_mm, scale, rng)


def _nothing(
    images: Array,
    offsets: npt.NDArray[np.intp],
    place: npt.NDArray[np.float64],
    pixel_mm: float,
    gap_mm: float,
    scale: window.Scale,
    rng: Rng,
) -> Sample:
    source = Source(images, np.zeros_like(images), offsets, place, pixel_mm, gap_mm)
    return sample_of(source, scale, None, rng)


def _cut_off(low: int, high: int, k: int, rng: Rng) -> tuple[int, int]:
    """Leave out slices at one end, never that of the point."""
    if rng.random() < 0.5:
        return int(rng.integers(low, k + 1)), high
    return low, int(rng.integers(k + 1, high + 1))


def _shaken(image: Array, rng: Rng) -> Array:
    return np.roll(image, rng.integers(-1, 2, 2), axis=(0, 1))
