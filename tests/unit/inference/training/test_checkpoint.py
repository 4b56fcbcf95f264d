from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from inference.training.checkpoint import State, place


def test_training_goes_on_where_a_checkpoint_left_it(tmp_path: Path):
    def step(state: State) -> None:
        torch.manual_seed(state.step)
        state.optimiser.zero_grad()
        state.net(torch.randn(4, 3)).square().mean().backward()
        state.optimiser.step()
        state.step += 1
        state.blend()

    def fresh() -> State:
        torch.manual_seed(0)
        return State(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)))

    straight, first, second = fresh(), fresh(), fresh()
    for _ in range(6):
        step(straight)
    for _ in range(3):
        step(first)
    first.seconds = 12.0
    first.save(tmp_path / "c.safetensors")
    second.resume(tmp_path / "c.safetensors")
    assert second.step == 3 and second.seconds == 12.0
    assert place(tmp_path / "c.safetensors")["step"] == 3
    for _ in range(3):
        step(second)
    for a, b in ((straight.net, second.net), (straight.average, second.average)):
        for name, tensor in a.state_dict().items():
            assert torch.equal(tensor, b.state_dict()[name]), name


def test_what_overflowed_does_not_stay_in_the_counts_of_batch_norm():
    state = State(nn.Sequential(nn.BatchNorm1d(2)))
    norm, kept = state.net[0], state.average[0]
    norm.running_mean.fill_(float("nan"))
    state.step = 1
    state.blend(0.9)
    assert torch.isfinite(norm.running_mean).all()
    assert torch.isfinite(kept.running_mean).all()
