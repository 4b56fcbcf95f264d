"""The loop that both nets are trained by: timed, resumable, with its progress told."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from inference.training.checkpoint import State

Report = Callable[[str], None]

PEAK_RATE = 2e-3
_SAVE_EVERY_S = 60.0
_TELL_EVERY_S = 20.0


def rate(share: float) -> float:
    """Return the learning rate after a share 0..1 of the time: warm up, then a cosine."""
    if share < 0.03:
        return PEAK_RATE * max(share / 0.03, 0.01)
    return PEAK_RATE * max(0.5 * (1 + math.cos(math.pi * min((share - 0.03) / 0.97, 1.0))), 0.003)


def train(
    state: State,
    path: Path,
    loss: Callable[[np.random.Generator], Tensor],
    *,
    minutes: float,
    seed: int,
    report: Report,
    blend: float,
) -> None:
    """Train for ``minutes`` of wall time in all, from the last checkpoint if there is one.

    Parameters
    ----------
    state
        The net and its optimiser.
    path
        Checkpoint, written about once a minute and at the end; its stem names the net.
    loss
        Draws the batch of one step with the generator of that step and returns its loss.
    blend
        How slowly the running average of the weights follows, see ``State.blend``.
    """
    name = path.stem
    if path.exists():
        state.resume(path)
        report(f"{name}: continues at step {state.step}, {state.seconds / 60:.1f} min")
    budget = minutes * 60
    started = time.monotonic() - state.seconds
    saved, told, recent = state.seconds, state.seconds, []
    state.net.train()
    while state.seconds < budget:
        for group in state.optimiser.param_groups:
            group["lr"] = rate(state.seconds / budget)
        value = loss(np.random.default_rng((seed, state.step)))
        state.optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(state.net.parameters(), 2.0)
        state.optimiser.step()
        state.step += 1
        state.blend(blend)
        recent.append(float(value.detach()))
        state.seconds = time.monotonic() - started
        if state.seconds - told > _TELL_EVERY_S:
            told = state.seconds
            mean = float(np.mean(recent))
            state.curve.append({"step": state.step, "seconds": round(told), "loss": round(mean, 5)})
            recent = []
            left = max(budget - told, 0) / 60
            report(f"{name}: step {state.step}, loss {mean:.4f}, {left:.1f} min left")
        if state.seconds - saved > _SAVE_EVERY_S:
            saved = state.seconds
            state.save(path)
    state.save(path)
