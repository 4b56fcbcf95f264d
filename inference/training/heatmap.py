"""Fit the heatmap net: the share of readers who outlined each pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.nets import NoduleUNet
from inference.runtime.slices import NEIGHBOURS
from inference.training.batches import Batch, Batches
from inference.training.checkpoint import State
from inference.training.loop import Report, train

WIDTHS = (16, 32, 64, 128)
BATCH = 32


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


def fit_heatmap(batches: Batches, folder: Path, steps: int, seed: int, report: Report) -> None:
    """Train for ``steps`` in all, from the last checkpoint if there is one.

    Writes ``heatmap.safetensors`` in ``folder``, about once a minute.
    """
    torch.manual_seed(seed)
    state = State(new_net().to(memory_format=torch.channels_last))  # type: ignore[call-overload]

    def step(number: int) -> Tensor:
        rng = np.random.default_rng((seed, number))
        batch = batches.draw(rng, BATCH)
        images = batch.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = state.net(images)
        return loss(logits.float(), batch)

    path = folder / "heatmap.safetensors"
    train(state, path, step, steps=steps, report=report, blend=0.999)
