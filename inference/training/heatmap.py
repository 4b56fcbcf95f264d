"""Fit the heatmap net: the share of readers who outlined each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from inference.runtime.nets import NoduleUNet
from inference.runtime.slices import NEIGHBOURS
from inference.training.batches import Batch, Batches
from inference.training.checkpoint import State
from inference.training.loop import Report, Tick, train
from inference.training.recipe import Course

COURSE = Course(2632, 32, (16, 32, 64, 128), 2e-3, 1e-4, 0.999)


def new_net(widths: Sequence[int] = COURSE.widths) -> NoduleUNet:
    """Return the net of the pack, untrained."""
    return NoduleUNet(2 * NEIGHBOURS + 1, widths)


def loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy on the share of readers, and soft Dice for the few pixels that count."""
    entropy = functional.binary_cross_entropy_with_logits(logits, batch.target, weight=batch.weight)
    found = torch.sigmoid(logits) * batch.weight
    wanted = batch.target * batch.weight
    both = (found * wanted).sum()
    dice = 1 - 2 * both / (found.square().sum() + wanted.square().sum() + 1.0)
    return 10 * entropy + 0.5 * dice


def fit_heatmap(
    batches: Batches,
    folder: Path,
    course: Course,
    seed: int,
    device: torch.device,
    report: Report,
    tick: Tick | None = None,
) -> None:
    """Train by ``course``, from the last checkpoint if there is one.

    Writes ``heatmap.safetensors`` in ``folder``, about once a minute.
    """
    torch.manual_seed(seed)
    net = new_net(course.widths)
    state = State(
        net.to(device, memory_format=torch.channels_last),  # type: ignore[call-overload]
        weight_decay=course.weight_decay,
    )

    def step(number: int) -> Tensor:
        rng = np.random.default_rng((seed, number))
        drawn = batches.draw(rng, course.batch)
        batch = Batch(*(getattr(drawn, name).to(device) for name in Batch.__slots__))
        images = batch.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16):
            logits = state.net(images)
        return loss(logits.float(), batch)

    train(state, folder / "heatmap.safetensors", step, course, seed=seed, report=report, tick=tick)
