"""The loop that all nets are trained by: resumable, with its progress and time left told."""

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
    """Return the learning rate after a share 0..1 of the steps: warm up, then a cosine."""
    if share < 0.03:
        return PEAK_RATE * max(share / 0.03, 0.01)
    return PEAK_RATE * max(0.5 * (1 + math.cos(math.pi * min((share - 0.03) / 0.97, 1.0))), 0.003)


def train(
    state: State,
    path: Path,
    loss: Callable[[int], Tensor],
    *,
    steps: int,
    report: Report,
    blend: float,
) -> None:
    """Train for ``steps`` in all, from the last checkpoint if there is one.

    Parameters
    ----------
    state
        The net and its optimiser.
    path
        Checkpoint, written about once a minute and at the end; its stem names the net.
    loss
        Draws the batch of the numbered step and returns its loss. What it draws may depend on
        nothing but that number: a run that was interrupted then goes on as if it was not.
    steps
        How many there are in all; the learning rate ends with them.
    blend
        How slowly the running average of the weights follows, see ``State.blend``.
    """
    name = path.stem
    if path.exists():
        state.resume(path)
        report(f"{name}: continues at step {state.step}, {state.seconds / 60:.1f} min")
    started = time.monotonic() - state.seconds
    saved, told, since, recent = state.seconds, state.seconds, state.step, []
    state.net.train()
    while state.step < steps:
        for group in state.optimiser.param_groups:
            group["lr"] = rate(state.step / steps)
        value = loss(state.step)
        state.optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(state.net.parameters(), 2.0)
        state.optimiser.step()
        state.step += 1
        state.blend(blend)
        recent.append(float(value.detach()))
        state.seconds = time.monotonic() - started
        if state.seconds - told > _TELL_EVERY_S:
            pace = (state.seconds - told) / (state.step - since)
            told, since = state.seconds, state.step
            mean = float(np.mean(recent))
            state.curve.append({"step": state.step, "seconds": round(told), "loss": round(mean, 5)})
            recent = []
            left = (steps - state.step) * pace / 60
            report(f"{name}: step {state.step} of {steps}, loss {mean:.4f}, {left:.1f} min left")
        if state.seconds - saved > _SAVE_EVERY_S:
            saved = state.seconds
            state.save(path)
    state.save(path)
