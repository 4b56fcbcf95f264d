"""From slices and what was outlined in them to one sample of the outliner, varied at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime import window
from inference.training.data import Nodule

Rng = np.random.Generator
Array = npt.NDArray[np.float32]

_THICK = 0.12


@dataclass(frozen=True, slots=True)
class Sample:
    """One window.

    Attributes
    ----------
    inputs
        (channels, k, row, column), see ``runtime.window``.
    share
        (k, row, column): share of the nodule's readers who outlined the voxel.
    half
        (k, row, column): 1 where at least half of them did.
    weight
        (2, k, row, column): how much each of the two targets counts.
    verdicts
        (3,): nodule 0 or 1, mean malignancy 1 to 5, mean texture 1 to 5; NaN when unknown.
    """

    inputs: Tensor
    share: Tensor
    half: Tensor
    weight: Tensor
    verdicts: Tensor


@dataclass(frozen=True, slots=True)
class Source:
    """A stack of slices to cut a window from: planes (k, row, column) of several kinds."""

    images: Array
    votes: Array
    offsets: npt.NDArray[np.intp]
    centre_rc: npt.NDArray[np.float64]
    pixel_mm: float
    gap_mm: float


def sample_of(source: Source, scale: window.Scale, nodule: Nodule | None, rng: Rng) -> Sample:
    """Warp a source into a window, with what was outlined, and vary its intensity."""
    images, votes = source.images, source.votes
    offsets = source.offsets.astype(np.float64)
    if rng.random() < _THICK and len(images) > 3:
        images, votes, offsets = _thick(images, votes, offsets)
    pixel_mm = scale.pixel_mm * float(np.exp(rng.normal(0, 0.05)))
    grid = _grid(images.shape, source.centre_rc, source.pixel_mm, pixel_mm, rng)
    # Half of four readers is a level of its own in the votes: it is drawn at the pixels of the
    # source and only then warped, or its edge would move inwards by half a pixel.
    readers = nodule.n_readers if nodule else 1
    half_px = (2 * votes >= readers if readers > 2 else votes >= readers).astype(np.float32)
    planes = np.concatenate([images, votes, half_px]).astype(np.float32)
    out = functional.grid_sample(torch.from_numpy(planes)[None], grid, align_corners=False)[0]
    count = len(images)
    seen = _jitter(out[:count], rng)
    votes_seen, half = out[count : 2 * count], (out[2 * count :] >= 0.5).float()
    distance = torch.from_numpy((offsets * source.gap_mm).astype(np.float32))
    if rng.random() < 0.5:
        distance = -distance
    inputs = window.channels(seen, distance, torch.ones(count), pixel_mm)
    inside = (grid.abs() <= 1).all(dim=-1).float().expand_as(votes_seen)
    if nodule is None:
        nothing = torch.zeros_like(votes_seen)
        verdicts = torch.tensor([0.0, float("nan"), float("nan")])
        return Sample(inputs, nothing, nothing, torch.stack((inside, inside)), verdicts)
    share = votes_seen / nodule.n_readers
    counts = inside
    if nodule.n_readers == 2:
        # Where only one of two outlined, "half of them" is a toss.
        counts = inside * ((share < 0.25) | (half > 0)).float()
    verdicts = torch.tensor([1.0, nodule.malignancy, nodule.texture])
    return Sample(inputs, share, half, torch.stack((inside, counts)), verdicts)


def _thick(
    images: Array, votes: Array, offsets: npt.NDArray[np.float64]
) -> tuple[Array, Array, npt.NDArray[np.float64]]:
    """Average pairs of neighbouring slices, as a thicker reconstruction would."""
    n = len(images) // 2 * 2

    def pairs(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray((values[0:n:2] + values[1:n:2]) / 2)

    return pairs(images), pairs(votes), pairs(offsets)


def _grid(
    shape: tuple[int, ...],
    centre_rc: npt.NDArray[np.float64],
    source_mm: float,
    pixel_mm: float,
    rng: Rng,
) -> Tensor:
    """Return a sampling grid (1, SIZE_PX, SIZE_PX, 2) with a random turn and mirror."""
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.6 else rng.integers(4) * np.pi / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn[:, 0] *= -1
    axis = (np.arange(window.SIZE_PX) - (window.SIZE_PX - 1) / 2) * pixel_mm / source_mm
    points = np.stack(np.meshgrid(axis, axis), axis=-1) @ turn.T + centre_rc[::-1]
    unit = (points + 0.5) / np.array([shape[-1], shape[-2]]) * 2 - 1
    return torch.from_numpy(unit.astype(np.float32))[None]


def _jitter(images: Tensor, rng: Rng) -> Tensor:
    """Vary contrast, level, sharpness and noise, as scanners and the scale estimate do."""
    lung_level = 0.1
    gain, level = rng.uniform(0.86, 1.16), rng.uniform(-0.03, 0.03)
    each = rng.normal(0, 0.02, (2, len(images), 1, 1)).astype(np.float32)
    each_gain, each_level = torch.from_numpy(each)
    out: Tensor = (images - lung_level) * (gain * (1 + each_gain)) + lung_level
    out = out + level + each_level / 4
    if rng.random() < 0.2:
        soft = functional.avg_pool2d(out[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
        out = out.lerp(soft, float(rng.uniform(0.3, 1.0)))
    if rng.random() < 0.6:
        noise = torch.from_numpy(rng.standard_normal(out.shape, dtype=np.float32))
        if rng.random() < 0.5:
            noise = functional.avg_pool2d(noise[:, None], 3, 1, 1)[:, 0] * 2
        out = out + noise * float(rng.uniform(0, 0.035))
    return out.clamp(0, 1)
