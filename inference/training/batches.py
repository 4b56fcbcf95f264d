"""Batches for the heatmap net: crops, lungs without labels, nodules pasted into those lungs.

All three come through the same window and the same warp, so that the net cannot learn
which data set a patch is from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.intensity import to_unit
from inference.runtime.slices import NEIGHBOURS, stride
from inference.training.data import READERS, Crops, Lungs, Nodule, by_size
from inference.training.paste import in_air, paste_mask

PIXEL_MM = 0.7
PATCH_PX = 96
_WINDOW_PX = 192
_SHARES = {"crop": 0.58, "lung": 0.17, "paste": 0.25}

Rng = np.random.Generator
Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Images (n, slices, row, column) 0..1, target and weight (n, 1, row, column)."""

    images: Tensor
    target: Tensor
    weight: Tensor


class Batches:
    """Draw endless random batches from the training split.

    Parameters
    ----------
    crops, lungs
        The data sets; only train patients are drawn.
    """

    def __init__(self, crops: Crops, lungs: tuple[Lungs, ...]) -> None:
        self._crops = crops
        self._lungs = lungs
        self._nodules = crops.of("train")
        weights = np.sqrt([n.stop - n.start for n in self._nodules])
        self._chance = weights / weights.sum()
        self._alpha = {n: paste_mask(crops, n) for n in self._nodules if in_air(crops, n)}
        self._pasteable = tuple(self._alpha)

    def draw(self, rng: Rng, size: int) -> Batch:
        """Return one batch of ``size`` patches."""
        kinds = rng.choice(list(_SHARES), size=size, p=list(_SHARES.values()))
        images, targets, weights = [], [], []
        for kind in kinds:
            image, target, weight = getattr(self, f"_{kind}")(rng)
            images.append(image)
            targets.append(target)
            weights.append(weight)
        batch = torch.cat(images)
        return Batch(_jitter(batch, rng), torch.cat(targets), torch.cat(weights))

    def _crop(self, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
        nodule = self._nodules[rng.choice(len(self._nodules), p=self._chance)]
        rows = _neighbours(nodule, int(rng.integers(nodule.start, nodule.stop)), rng)
        votes = self._crops.votes[rows[NEIGHBOURS]] / np.float32(READERS)
        planes = np.concatenate([to_unit(self._crops.hu(rows)), votes[None]])
        reach = 14.0 if rng.random() < 0.6 else 30.0
        grid = _grid(rng, planes.shape[1:], nodule.pixel_mm, rng.uniform(-reach, reach, 2))
        out = _warp(planes, grid)
        inside = (grid.abs() <= 1).all(dim=-1)[:, None].float()
        return out[:, :-1], out[:, -1:], inside

    def _lung(self, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
        image = self._background(rng, rng.uniform(-20, 20, 2))
        return image, torch.zeros_like(image[:, :1]), torch.ones_like(image[:, :1])

    def _background(self, rng: Rng, shift_mm: npt.NDArray[np.float64]) -> Tensor:
        lungs = self._lungs[rng.choice(len(self._lungs), p=by_size(self._lungs))]
        k, j, i = lungs.inside[rng.integers(len(lungs.inside))]
        ks = k + np.arange(-NEIGHBOURS, NEIGHBOURS + 1) * stride(lungs.gap_mm)
        planes = to_unit(lungs.around(ks, j, i, _WINDOW_PX // 2))
        return _warp(planes, _grid(rng, planes.shape[1:], lungs.pixel_mm, shift_mm))

    def _paste(self, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
        """Put a nodule into lungs, half of the time so that the middle slice misses it.

        Every crop ends where its nodule ends; here the net sees what lies beyond.
        """
        nodule = self._pasteable[rng.integers(len(self._pasteable))]
        step = stride(nodule.gap_mm)
        if rng.random() < 0.5:
            middle = int(rng.integers(nodule.start, nodule.stop))
        else:
            beyond = int(rng.integers(1, step * NEIGHBOURS + 1))
            middle = nodule.start - beyond if rng.random() < 0.5 else nodule.stop - 1 + beyond
        wanted = middle + np.arange(-NEIGHBOURS, NEIGHBOURS + 1) * step
        rows = np.clip(wanted, nodule.start, nodule.stop - 1)
        there = (wanted == rows).astype(np.float32)[:, None, None]
        alpha = self._alpha[nodule][rows - nodule.start] * there
        votes = self._crops.votes[rows[NEIGHBOURS]] / np.float32(READERS) * there[NEIGHBOURS]
        planes = np.concatenate([to_unit(self._crops.hu(rows)), alpha, votes[None]])
        shift = rng.uniform(-20, 20, 2)
        out = _warp(planes, _grid(rng, planes.shape[1:], nodule.pixel_mm, shift))
        count = 2 * NEIGHBOURS + 1
        image, over, target = out[:, :count], out[:, count:-1], out[:, -1:]
        below = self._background(rng, shift)
        return image * over + below * (1 - over), target, torch.ones_like(target)


def _neighbours(nodule: Nodule, middle: int, rng: Rng) -> npt.NDArray[np.intp]:
    offsets = np.arange(-NEIGHBOURS, NEIGHBOURS + 1) * stride(nodule.gap_mm)
    if rng.random() < 0.1:
        offsets = offsets * 0
    return np.clip(middle + offsets, nodule.start, nodule.stop - 1)


def _grid(
    rng: Rng, shape: tuple[int, ...], pixel_mm: float, shift_mm: npt.NDArray[np.float64]
) -> Tensor:
    """Return a sampling grid (1, PATCH_PX, PATCH_PX, 2) with a random turn, mirror and zoom."""
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.integers(4) * np.pi / 2
    zoom = float(np.exp(rng.normal(0, 0.12)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn[:, 0] *= -1
    axis = (np.arange(PATCH_PX) - (PATCH_PX - 1) / 2) * PIXEL_MM * zoom
    # Shifted before the turn: what was at the centre moves alike whatever the turn is.
    points_mm = (np.stack(np.meshgrid(axis, axis), axis=-1) + shift_mm * zoom) @ turn.T
    half_px = np.array([shape[-1], shape[-2]]) / 2
    grid = points_mm / pixel_mm / half_px
    return torch.from_numpy(grid.astype(np.float32))[None]


def _warp(planes: Array, grid: Tensor) -> Tensor:
    stack = torch.from_numpy(np.ascontiguousarray(planes, dtype=np.float32))[None]
    return functional.grid_sample(stack, grid, align_corners=False)


def _jitter(images: Tensor, rng: Rng) -> Tensor:
    """Vary contrast, level, sharpness and noise, as scanners and the scale estimate do."""
    size = len(images)

    def each(low: float, high: float) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (size, 1, 1, 1)).astype(np.float32))

    lung_level = 0.1
    out = (images - lung_level) * each(0.85, 1.18) + lung_level + each(-0.03, 0.03)
    noisy = np.flatnonzero(rng.random(size) < 0.6)
    for part, coarse in ((noisy[::2], False), (noisy[1::2], True)):
        shape = (len(part), *images.shape[1:])
        noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
        # White noise at the pixel and, through a small blur, the grain of a soft kernel.
        grain = functional.avg_pool2d(noise, 3, 1, 1) * 2 if coarse else noise
        out[part] += grain * each(0, 0.035)[part]
    soft = np.flatnonzero(rng.random(size) < 0.2)
    out[soft] = functional.avg_pool2d(out[soft], 3, 1, 1, count_include_pad=False)
    if rng.random() < 0.5:
        out = out.flip(1)
    return out.clamp_(0, 1)
