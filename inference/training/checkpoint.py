"""Training state on disk as safetensors and JSON: resumable, and never a pickle."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import AdamW


class State:
    """A net in training: weights, their running average, optimiser and place.

    Parameters
    ----------
    net
        The module to train.
    weight_decay
        Of AdamW.
    """

    def __init__(self, net: nn.Module, weight_decay: float = 1e-4) -> None:
        self.net = net
        self.average = copy.deepcopy(net).eval().requires_grad_(False)
        self.optimiser = AdamW(net.parameters(), lr=1e-3, weight_decay=weight_decay)
        self.step = 0
        self.seconds = 0.0
        self.curve: list[dict[str, float]] = []

    @torch.no_grad()
    def blend(self, decay: float = 0.999) -> None:
        """Move the running average towards the net; faster at the beginning.

        What batch norm counted in a step that overflowed is no number and would stay so: it is
        taken back from the average.
        """
        for kept, new in zip(self.average.buffers(), self.net.buffers(), strict=True):
            if not torch.isfinite(new).all():
                new.copy_(kept)
        keep = min(decay, (1 + self.step) / (10 + self.step))
        for kept, new in zip(
            self.average.state_dict().values(), self.net.state_dict().values(), strict=True
        ):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - keep)
            else:
                kept.copy_(new)

    def save(self, path: Path) -> None:
        """Write everything, whole or not at all."""
        tensors: dict[str, Tensor] = {}
        for prefix, module in (("net", self.net), ("average", self.average)):
            for name, tensor in module.state_dict().items():
                tensors[f"{prefix}/{name}"] = tensor.detach().contiguous().clone()
        for index, slot in self.optimiser.state_dict()["state"].items():
            for name, tensor in slot.items():
                tensors[f"optimiser/{index}/{name}"] = tensor.detach().contiguous().clone()
        found = {"step": self.step, "seconds": self.seconds, "curve": self.curve}
        save_whole(path, tensors, {"place": json.dumps(found)})

    def resume(self, path: Path) -> None:
        """Continue from ``path``."""
        tensors = load_file(path)
        for prefix, module in (("net", self.net), ("average", self.average)):
            module.load_state_dict(_below(tensors, prefix))
        state: dict[int, dict[str, Any]] = {}
        for name, tensor in _below(tensors, "optimiser").items():
            index, key = name.split("/")
            state.setdefault(int(index), {})[key] = tensor
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        found = place(path)
        self.step, self.seconds = int(found["step"]), float(found["seconds"])
        self.curve = list(found["curve"])


def save_whole(path: Path, tensors: dict[str, Tensor], notes: dict[str, str] | None = None) -> None:
    """Write safetensors, whole or not at all, whenever the process is killed."""
    partial = path.with_suffix(".partial")
    save_file({n: t.contiguous() for n, t in tensors.items()}, partial, metadata=notes)
    partial.replace(path)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    head = prefix + "/"
    return {name[len(head) :]: t for name, t in tensors.items() if name.startswith(head)}


def place(path: Path) -> dict[str, Any]:
    """Return how far a checkpoint is: step, seconds and the curve of the loss."""
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        header: dict[str, Any] = json.loads(handle.read(length))
    found: dict[str, Any] = json.loads(header["__metadata__"]["place"])
    return found


def average(net: nn.Module, path: Path) -> nn.Module:
    """Load the running average of a checkpoint into ``net``."""
    net.load_state_dict(_below(load_file(path), "average"))
    return net.eval()
