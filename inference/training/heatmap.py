"""Fit the heatmap net: the share of readers who outlined each pixel."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.nets import NoduleUNet
from inference.runtime.slices import NEIGHBOURS
from inference.training.batches import Batch, Batches
from inference.training.checkpoint import State

WIDTHS = (16, 32, 64, 128)
BATCH = 32
PEAK_RATE = 2e-3
_SAVE_EVERY_S = 60.0

Report = Callable[[str], None]


def new_net() -> NoduleUNet:
    """Return the net of the pack, untrained."""
    return NoduleUNet(2 * NEIGHBOURS + 1, WIDTHS)


def loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy on the share of readers, and soft Dice for the few pixels that count."""
    entropy = functional.binary_cross_entropy_with_logits(logits, batch.target, weight=batch.weight)
    found = torch.sigmoid(logits) * batch.weight
    wanted = batch.target * batch.weight
    both = (found * wanted).sum()
    dice = 1 - 2 * both / (found.square().sum() + wanted.square().sum() + 1.0)
    return 10 * entropy + 0.5 * dice


def rate(share: float) -> float:
    """Return the learning rate after a share 0..1 of the time: warm up, then a cosine."""
    if share < 0.03:
        return PEAK_RATE * max(share / 0.03, 0.01)
    return PEAK_RATE * max(0.5 * (1 + math.cos(math.pi * min((share - 0.03) / 0.97, 1.0))), 0.003)


def fit_heatmap(batches: Batches, folder: Path, minutes: float, seed: int, report: Report) -> None:
    """Train for ``minutes`` of wall time in all, from the last checkpoint if there is one.

    Writes ``heatmap.safetensors`` in ``folder``, about once a minute.
    """
    torch.manual_seed(seed)
    state = State(new_net().to(memory_format=torch.channels_last))  # type: ignore[call-overload]
    path = folder / "heatmap.safetensors"
    if path.exists():
        state.resume(path)
        report(f"heatmap: continues at step {state.step}, {state.seconds / 60:.1f} min")
    budget = minutes * 60
    started = time.monotonic() - state.seconds
    saved, told, recent = state.seconds, state.seconds, []
    state.net.train()
    while state.seconds < budget:
        rng = np.random.default_rng((seed, state.step))
        batch = batches.draw(rng, BATCH)
        images = batch.images.contiguous(memory_format=torch.channels_last)
        for group in state.optimiser.param_groups:
            group["lr"] = rate(state.seconds / budget)
        with torch.autocast("cpu", torch.bfloat16):
            logits = state.net(images)
        value = loss(logits.float(), batch)
        state.optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(state.net.parameters(), 2.0)
        state.optimiser.step()
        state.step += 1
        state.blend()
        recent.append(float(value.detach()))
        state.seconds = time.monotonic() - started
        if state.seconds - told > 20:
            told = state.seconds
            mean = float(np.mean(recent))
            state.curve.append({"step": state.step, "seconds": round(told), "loss": round(mean, 5)})
            recent = []
            report(
                f"heatmap: step {state.step}, loss {mean:.4f}, "
                f"{max(budget - told, 0) / 60:.1f} min left"
            )
        if state.seconds - saved > _SAVE_EVERY_S:
            saved = state.seconds
            state.save(path)
    state.save(path)
