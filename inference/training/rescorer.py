"""Fit the rescorer: which candidates would readers call a nodule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.cubes import CUBE_KJI
from inference.runtime.nets import NoduleRescorer
from inference.training.checkpoint import State
from inference.training.loop import Report, train
from inference.training.mine import MARGIN, Mined

WIDTHS = (12, 24, 48, 64)
BATCH = 32
_LUNG_SHARE = 0.25


def new_net() -> NoduleRescorer:
    """Return the net of the pack, untrained."""
    return NoduleRescorer(WIDTHS)


class Draw:
    """Random batches: half nodules, a quarter from unlabelled lungs, the rest of the crops."""

    def __init__(self, mined: Mined) -> None:
        self._mined = mined
        self._groups = (
            np.flatnonzero(mined.share > 0),
            np.flatnonzero((mined.share == 0) & ~mined.from_crop),
            np.flatnonzero((mined.share == 0) & mined.from_crop),
        )

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return cubes (n, 2, k, j, i) and the share of readers (n,)."""
        lungs = int(BATCH * _LUNG_SHARE)
        counts = (BATCH // 2, lungs, BATCH // 2 - lungs)
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


def fit_rescorer(mined: Mined, folder: Path, steps: int, seed: int, report: Report) -> None:
    """Train for ``steps`` in all, from the last checkpoint if there is one."""
    torch.manual_seed(seed)
    net = new_net().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    state = State(net, weight_decay=1e-3)
    draw = Draw(mined)

    def step(number: int) -> Tensor:
        rng = np.random.default_rng((seed, number))
        cubes, share = draw(rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits = state.net(cubes.contiguous(memory_format=torch.channels_last_3d))
        return functional.binary_cross_entropy_with_logits(logits.float(), share)

    path = folder / "rescorer.safetensors"
    train(state, path, step, steps=steps, report=report, blend=0.995)
