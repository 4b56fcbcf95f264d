"""Fit the rescorer: which candidates would readers call a nodule."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.cubes import CUBE_KJI
from inference.runtime.nets import NoduleRescorer
from inference.training.checkpoint import State
from inference.training.heatmap import rate
from inference.training.mine import MARGIN, Mined

WIDTHS = (12, 24, 48, 64)
BATCH = 32
_SAVE_EVERY_S = 60.0
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


def fit_rescorer(
    mined: Mined, folder: Path, minutes: float, seed: int, report: Callable[[str], None]
) -> None:
    """Train for ``minutes`` of wall time in all, from the last checkpoint if there is one."""
    torch.manual_seed(seed)
    net = new_net().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    state = State(net, weight_decay=1e-3)
    path = folder / "rescorer.safetensors"
    if path.exists():
        state.resume(path)
        report(f"rescorer: continues at step {state.step}, {state.seconds / 60:.1f} min")
    draw = Draw(mined)
    budget = minutes * 60
    started = time.monotonic() - state.seconds
    saved, told, recent = state.seconds, state.seconds, []
    state.net.train()
    while state.seconds < budget:
        cubes, share = draw(np.random.default_rng((seed, state.step)))
        for group in state.optimiser.param_groups:
            group["lr"] = rate(state.seconds / budget)
        with torch.autocast("cpu", torch.bfloat16):
            logits = state.net(cubes.contiguous(memory_format=torch.channels_last_3d))
        value = functional.binary_cross_entropy_with_logits(logits.float(), share)
        state.optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(state.net.parameters(), 2.0)
        state.optimiser.step()
        state.step += 1
        state.blend(0.995)
        recent.append(float(value.detach()))
        state.seconds = time.monotonic() - started
        if state.seconds - told > 20:
            told = state.seconds
            mean = float(np.mean(recent))
            state.curve.append({"step": state.step, "seconds": round(told), "loss": round(mean, 5)})
            recent = []
            left = max(budget - told, 0) / 60
            report(f"rescorer: step {state.step}, loss {mean:.4f}, {left:.1f} min left")
        if state.seconds - saved > _SAVE_EVERY_S:
            saved = state.seconds
            state.save(path)
    state.save(path)
