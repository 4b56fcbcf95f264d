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
from inference.training.recipe import Course

Report = Callable[[str], None]
# Is told how many steps of a stage are done.
Tick = Callable[[int], None]

_SAVE_EVERY_S = 60.0
_TELL_EVERY_S = 20.0
_CURVE_POINTS = 250


def rate(share: float) -> float:
    """Return the learning rate 0..1 after a share 0..1 of the steps: warm up, then a cosine."""
    if share < 0.03:
        return max(share / 0.03, 0.01)
    return max(0.5 * (1 + math.cos(math.pi * min((share - 0.03) / 0.97, 1.0))), 0.003)


def train(
    state: State,
    path: Path,
    loss: Callable[[int], Tensor],
    course: Course,
    *,
    seed: int,
    report: Report,
    tick: Tick | None = None,
    still: bool = False,
    limit_s: float = 0.0,
) -> None:
    """Train for the steps of ``course`` in all, from the last checkpoint if there is one.

    Parameters
    ----------
    state
        The net and its optimiser.
    path
        Checkpoint, written about once a minute and at the end; its stem names the net.
    loss
        Draws the batch of the numbered step and returns its loss. What it draws may depend on
        nothing but that number: a run that was interrupted then goes on as if it was not.
    course
        Steps, after which the learning rate has ended, its peak, and how the average follows.
    seed
        Of what is dropped out.
    report, tick
        Are told how it goes, every some seconds and after each step.
    still
        Whether batch norm keeps what it has counted and nothing is dropped out.
    limit_s
        Seconds after which it ends, though steps are left; the learning rate ends by then. 0
        sets no limit. What comes out then depends on how fast this computer is.
    """
    name, steps = path.stem, course.steps
    if path.exists():
        state.resume(path)
        report(f"{name}: continues at step {state.step}, {state.seconds / 60:.1f} min")
    started = time.monotonic() - state.seconds
    saved, told, since = state.seconds, state.seconds, state.step
    recent: list[float] = []
    state.net.train(not still)
    while state.step < steps and not 0 < limit_s <= state.seconds:
        share = max(state.step / steps, state.seconds / limit_s if limit_s else 0.0)
        for group in state.optimiser.param_groups:
            group["lr"] = course.rate * rate(share)
        torch.manual_seed(seed * 2**32 + state.step)
        value = loss(state.step)
        state.optimiser.zero_grad()
        value.backward()
        norm = torch.nn.utils.clip_grad_norm_(state.net.parameters(), 2.0)
        if torch.isfinite(norm):
            state.optimiser.step()
            state.blend(course.average)
            recent.append(float(value.detach()))
        else:
            # Half precision overflows now and then; such a step would spoil the net for good.
            report(f"{name}: step {state.step} left out, its gradient is no number")
        state.step += 1
        state.seconds = time.monotonic() - started
        if recent and (state.step % max(steps // _CURVE_POINTS, 1) == 0 or state.step == steps):
            mean = float(np.mean(recent))
            state.curve.append(
                {"step": state.step, "seconds": round(state.seconds), "loss": round(mean, 5)}
            )
            recent = []
        if state.seconds - told > _TELL_EVERY_S:
            pace = (state.seconds - told) / (state.step - since)
            told, since = state.seconds, state.step
            left = (steps - state.step) * pace
            left = min(left, limit_s - state.seconds) if limit_s else left
            report(_told(name, state, steps, left))
        if state.seconds - saved > _SAVE_EVERY_S:
            saved = state.seconds
            state.save(path)
        if tick:
            tick(state.step)
    state.save(path)


def _told(name: str, state: State, steps: int, left_s: float) -> str:
    now = state.curve[-1]["loss"] if state.curve else float("nan")
    return f"{name}: step {state.step} of {steps}, loss {now:.4f}, {left_s / 60:.1f} min left"
