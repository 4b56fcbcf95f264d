from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from inference.runtime import window
from inference.runtime.nets.outliner import Outlined
from inference.training.outliner import Batches, Loss, collate
from inference.training.samples import Sample


def sample(slices: int, seed: int = 0, nodule: bool = True) -> Sample:
    rng = torch.Generator().manual_seed(seed)
    plane = (slices, window.SIZE_PX, window.SIZE_PX)
    half = torch.zeros(plane)
    if nodule:
        half[:, 24:40, 24:40] = 1
    unknown = float("nan")
    verdicts = [1.0, 4.0, 5.0] if nodule else [0.0, unknown, unknown]
    inputs = torch.rand((window.CHANNELS, *plane), generator=rng)
    return Sample(inputs, half * 0.75, half, torch.ones((2, *plane)), torch.tensor(verdicts))


def answer(batch: Sample, sure: float = 20.0) -> Outlined:
    """Return what a net would say that is right."""
    share = torch.logit(batch.share.clamp(1e-6, 1 - 1e-6))
    half = (batch.half * 2 - 1) * sure
    scores = torch.nan_to_num(batch.verdicts[:, 1:] - 3)
    verdicts = torch.cat([(batch.verdicts[:, :1] * 2 - 1) * sure, scores], dim=1)
    return Outlined(torch.stack([share, half], dim=1), verdicts)


def test_slices_that_are_not_there_do_not_count():
    batch = collate([sample(3), sample(7, nodule=False)])
    assert batch.inputs.shape[2] == 7
    assert not batch.inputs[0, :, 3:].any()
    assert not batch.weight[0, :, 3:].any()
    masks = torch.randn((2, 2, 7, window.SIZE_PX, window.SIZE_PX), requires_grad=True)
    verdicts = torch.zeros((2, 3))
    loss = Loss()
    first = loss(Outlined(masks, verdicts), batch)
    first.backward()
    assert masks.grad is not None
    assert not masks.grad[0, :, 3:].any()
    assert masks.grad[0, :, :3].any() and masks.grad[1].any()
    other = masks.detach().clone()
    other[0, :, 3:] = 9.0
    assert torch.equal(loss(Outlined(other, verdicts), batch), first.detach())


def test_being_right_costs_least():
    batch = collate([sample(4), sample(4, nodule=False)])
    loss = Loss()
    right = answer(batch)
    # The share of readers is no certainty: its own entropy is left over.
    rest = 8 * functional.binary_cross_entropy(batch.share, batch.share).mean() / 2
    assert float(loss(right, batch)) == pytest.approx(float(rest), abs=0.02)
    for wrong in (
        Outlined(right.masks.roll(8, dims=-1), right.verdicts),
        Outlined(-right.masks, right.verdicts),
        Outlined(right.masks, -right.verdicts),
        Outlined(right.masks, right.verdicts + torch.tensor([0.0, 1.5, 0.0])),
    ):
        assert float(loss(wrong, batch)) > float(loss(right, batch)) + 0.05


def test_scores_that_no_reader_gave_cost_nothing():
    batch = collate([sample(2, nodule=False)])
    masks = torch.zeros((1, 2, *batch.half.shape[1:]))
    far, near = (torch.tensor([[0.0, v, v]]) for v in (50.0, 0.0))
    loss = Loss()
    assert torch.isfinite(loss(Outlined(masks, far), batch))
    assert torch.equal(loss(Outlined(masks, far), batch), loss(Outlined(masks, near), batch))


class Numbered:
    """Windows whose verdict tells where they come from."""

    def __init__(self, mark: float) -> None:
        self.mark = mark

    def draw(self, rng: np.random.Generator) -> Sample:
        one = sample(int(rng.integers(1, 6)), int(rng.integers(1000)))
        return Sample(one.inputs, one.share, one.half, one.weight, torch.full((3,), self.mark))


def test_batches_are_those_of_their_number_whatever_was_drawn_before():
    straight = Batches(Numbered(1.0), 3, size=2)
    drawn = [straight.draw(n) for n in range(8)]
    resumed = Batches(Numbered(1.0), 3, size=2)
    for number in (6, 1, 7):
        assert torch.equal(resumed.draw(number).inputs, drawn[number].inputs)
    assert not torch.equal(Batches(Numbered(1.0), 4, size=2).draw(0).inputs, drawn[0].inputs)


def test_harder_windows_come_from_their_step_on():
    batches = Batches(Numbered(1.0), 0, 2, harder=Numbered(2.0), harder_from=8)
    marks = [float(batches.draw(n).verdicts[0, 0]) for n in range(12)]
    assert marks == [1.0] * 8 + [2.0] * 4
