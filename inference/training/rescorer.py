"""Fit the rescorer: which candidates would readers call a nodule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.cubes import CUBE_KJI
from inference.runtime.nets import NoduleRescorer
from inference.training.checkpoint import State
from inference.training.loop import Report, Tick, train
from inference.training.mine import MARGIN, Mined
from inference.training.recipe import Course
from resources.problem import Problem

COURSE = Course(0, 32, (12, 24, 48, 64), 2e-3, 1e-3, 0.995)
_LUNG_SHARE = 0.25


def new_net(widths: Sequence[int] = COURSE.widths) -> NoduleRescorer:
    """Return the net of the pack, untrained."""
    return NoduleRescorer(widths)


class Draw:
    """Random batches: half nodules, a quarter from unlabelled lungs, the rest of the crops."""

    def __init__(self, mined: Mined, size: int = COURSE.batch) -> None:
        self._mined = mined
        self._size = size
        self._groups = (
            np.flatnonzero(mined.share > 0),
            np.flatnonzero((mined.share == 0) & ~mined.from_crop),
            np.flatnonzero((mined.share == 0) & mined.from_crop),
        )
        if not all(map(len, self._groups)):
            raise Problem(
                "The heatmap net found no candidates of some kind for the rescorer to learn from.",
                "Train the heatmap net for more steps, or lower mining.peak.",
            )

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return cubes (n, 2, k, j, i) and the share of readers (n,)."""
        lungs = int(self._size * _LUNG_SHARE)
        counts = (self._size - self._size // 2, lungs, self._size // 2 - lungs)
        picks = np.concatenate(
            [rng.choice(group, n) for group, n in zip(self._groups, counts, strict=True)]
        )
        cubes = np.stack([_vary(self._mined.cubes[pick], rng) for pick in picks])
        return torch.from_numpy(cubes), torch.from_numpy(self._mined.share[picks])


def _vary(cube: npt.NDArray[np.float16], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Move, mirror, turn and jitter one cube; blank a rim, so that a crop's edge tells nothing."""
    j, i = rng.integers(0, 2 * MARGIN + 1, 2)
    out = cube[:, :, j : j + CUBE_KJI[1], i : i + CUBE_KJI[2]].astype(np.float32)
    out = np.rot90(out, int(rng.integers(4)), axes=(2, 3))
    for axis in (1, 2, 3):
        if rng.random() < 0.5:
            out = np.flip(out, axis)
    out = out.copy()
    if rng.random() < 0.3:
        side = slice(0, int(rng.integers(1, 12)))
        out[(slice(None), slice(None), side) if rng.random() < 0.5 else (..., side)] = 0
    level = 0.1
    out[0] = (out[0] - level) * rng.uniform(0.87, 1.15) + level + rng.uniform(-0.03, 0.03)
    if rng.random() < 0.5:
        out[0] += rng.standard_normal(out[0].shape, dtype=np.float32) * rng.uniform(0, 0.03)
    # The heat of patients seen in training is surer than it will be on others.
    out[1] = out[1] ** rng.uniform(0.7, 1.6) * rng.uniform(0.75, 1.1)
    return np.clip(out, 0, 1)


def fit_rescorer(
    mined: Mined,
    folder: Path,
    course: Course,
    seed: int,
    device: torch.device,
    report: Report,
    tick: Tick | None = None,
) -> None:
    """Train by ``course``, from the last checkpoint if there is one.

    Writes ``rescorer.safetensors`` in ``folder``, about once a minute.
    """
    torch.manual_seed(seed)
    net = new_net(course.widths)
    state = State(
        net.to(device, memory_format=torch.channels_last_3d),  # type: ignore[call-overload]
        weight_decay=course.weight_decay,
    )
    draw = Draw(mined, course.batch)

    def step(number: int) -> Tensor:
        cubes, share = draw(np.random.default_rng((seed, number)))
        inputs = cubes.contiguous(memory_format=torch.channels_last_3d).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            logits = state.net(inputs)
        return functional.binary_cross_entropy_with_logits(logits.float(), share.to(device))

    path = folder / "rescorer.safetensors"
    train(state, path, step, course, seed=seed, report=report, tick=tick)
