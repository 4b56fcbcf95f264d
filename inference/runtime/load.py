"""From a model pack to nets: the hash first, then safetensors, then a named architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from inference.manifest import ModelPack
from inference.protocol import Device
from inference.registry import weights_of
from inference.runtime.nets import Calibration, NoduleOutliner, NoduleUNet
from inference.runtime.slices import NEIGHBOURS
from inference.runtime.window import CHANNELS
from resources.problem import Problem
from resources.text import translate

# Widths that a pack may have; more would only fill the memory.
_WIDEST = 512
_MOST_LEVELS = 6

Tensors = Mapping[str, Tensor]


def _lung_nodule_3(tensors: Tensors) -> dict[str, nn.Module]:
    return {
        "heatmap": NoduleUNet(2 * NEIGHBOURS + 1, _widths(tensors, "heatmap")),
        "outliner": NoduleOutliner(CHANNELS, _widths(tensors, "outliner")),
        "calibration": Calibration(),
    }


def _widths(tensors: Tensors, net: str) -> tuple[int, ...]:
    """Return the channels of each level: a net trained on a GPU may have more of them."""
    found: list[int] = []
    while (name := f"{net}.down.{len(found)}.conv1.weight") in tensors:
        found.append(tensors[name].shape[0])
    if not 2 <= len(found) <= _MOST_LEVELS or max(found) > _WIDEST:
        raise RuntimeError(f"levels of {net}")
    return tuple(found)


ARCHITECTURES: dict[str, Callable[[Tensors], dict[str, nn.Module]]] = {
    "lung-nodule-3": _lung_nodule_3
}


def load_nets(pack: ModelPack) -> dict[str, nn.Module]:
    """Return the nets of a pack by name, on the CPU, ready to run.

    Raises
    ------
    Problem
        When the weights differ from the manifest's hash, are no safetensors, or do not fit
        the architecture; the hash is checked before a byte is parsed.
    """
    data = weights_of(pack)
    build = ARCHITECTURES.get(pack.weights.architecture)
    if build is None:
        raise _unfit(pack, f"unknown architecture {pack.weights.architecture}")
    try:
        tensors = load(data)
        for key, tensor in tensors.items():
            _check(key, tensor)
        nets = build(tensors)
        for name, net in nets.items():
            head = name + "."
            own = {key[len(head) :]: t for key, t in tensors.items() if key.startswith(head)}
            net.load_state_dict(own)
            net.eval().requires_grad_(False)
    except (SafetensorError, RuntimeError, KeyError, IndexError) as error:
        raise _unfit(pack, type(error).__name__) from error
    known = tuple(name + "." for name in nets)
    if any(not key.startswith(known) for key in tensors):
        raise _unfit(pack, "tensors of another model")
    return nets


def _check(key: str, tensor: Tensor) -> None:
    """Raise RuntimeError for numbers that no net of ours is made of."""
    # Batch norm counts its batches in whole numbers.
    if key.endswith("num_batches_tracked") and tensor.dtype == torch.int64:
        return
    if tensor.dtype not in (torch.float16, torch.float32) or not torch.isfinite(tensor).all():
        raise RuntimeError(f"numbers of {key}")


def _unfit(pack: ModelPack, fault: str) -> Problem:
    return Problem(
        translate("model", "The model file {name} does not fit this program.").format(
            name=pack.weights.file
        ),
        translate("model", "Install the model pack that belongs to this version of Overread."),
        f"{pack.id}: {fault}",
    )


def devices() -> tuple[Device, ...]:
    """Return where nets can run here, the fastest first."""
    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            found.append(Device(f"cuda:{index}", torch.cuda.get_device_name(index)))
    return (*found, Device("cpu", "CPU"))
