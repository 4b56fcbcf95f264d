"""The nets on a CPU through OpenVINO: converted in memory, no file is written or read."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from inference.runtime.backend import Nets, OnFallback, Stepwise

# openvino_telemetry tells the maker of each import, over the network. Without it openvino
# uses its own stub; so must it where somebody installed both.
sys.modules["openvino_telemetry"] = cast(Any, None)

import openvino  # noqa: E402 - after the line above

if TYPE_CHECKING:
    from openvino import CompiledModel

# One window at a time takes no longer, and has fewer shapes: each new one costs some tenths of a
# second (13.0 s at four, 10.1 s at one for the 185 windows of LIDC-IDRI-0001).
_MOST = {"heatmap": 1, "outliner": 1}
# Shapes of an example, and which axes may be of any size (-1).
_SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "heatmap": ((1, 5, 32, 32), (-1, 5, -1, -1)),
    "outliner": ((1, 5, 3, 64, 64), (-1, 5, -1, 64, 64)),
}
_SETTINGS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
    # A thread tied to a core waits there for the window or whoever else uses that core.
    "ENABLE_CPU_PINNING": False,
}
_MOST_APART = 1e-3

# Conversion takes some tenths of a second, so it is done once as long as the nets live.
_compiled: WeakKeyDictionary[nn.Module, CompiledModel] = WeakKeyDictionary()


class OpenVinoBackend(Stepwise):
    """The nets on the CPU.

    Parameters
    ----------
    nets
        By name, ``heatmap`` and ``outliner``.
    on_fallback
        Is told ``"smaller"`` each time that memory ran out.

    Raises
    ------
    Exception
        Whatever OpenVINO raises on nets that it cannot run.
    """

    device = "cpu"
    name = "CPU (OpenVINO)"

    def __init__(self, nets: Nets, on_fallback: OnFallback | None = None) -> None:
        super().__init__(_MOST, on_fallback)
        self._models = {name: _model(name, net) for name, net in nets.items()}

    def run(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        """Run one net, see ``backend.Backend``."""
        return self._in_steps(net, inputs)

    def _infer(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        return _answer(self._models[net], inputs)


class Disagreement(Exception):
    """OpenVINO answers otherwise than torch on this machine."""


class _Plain(nn.Module):
    """A net whose named outputs are a plain tuple, which is all that tracing knows."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        found = self.net(x)
        return found if isinstance(found, Tensor) else tuple(found)


def _model(name: str, net: nn.Module) -> CompiledModel:
    """Return a net converted, from memory if it was before and cannot have changed since."""
    changes = any(weights.requires_grad for weights in net.parameters())
    if changes or net not in _compiled:
        _compiled[net] = _convert(name, net)
    return _compiled[net]


def _convert(name: str, net: nn.Module) -> CompiledModel:
    shape, free = _SHAPES[name]
    # OpenVINO reads the weights where they lie, some of them later: they must stay as they are.
    plain = _Plain(copy.deepcopy(net)).eval()
    example = torch.linspace(0, 1, torch.Size(shape).numel()).reshape(shape)
    with torch.inference_mode():
        found = plain(example)
    with warnings.catch_warnings():
        # torch.export, which is to follow, takes ten times as long; see decision 0005.
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        trace = cast(Callable[..., Any], torch.jit.trace)
        traced = trace(plain, example, check_trace=False)
    model = openvino.convert_model(traced, input=[openvino.PartialShape(list(free))])
    compiled = openvino.Core().compile_model(model, "CPU", _SETTINGS)
    expected = (found,) if isinstance(found, Tensor) else found
    for ours, theirs in zip(expected, _answer(compiled, example), strict=True):
        apart = float((ours - theirs).abs().max())
        if not apart <= _MOST_APART:
            raise Disagreement(f"{name}: logits differ by {apart}")
    return compiled


def _answer(compiled: CompiledModel, inputs: Tensor) -> tuple[Tensor, ...]:
    found = compiled([inputs.float().contiguous().numpy()])
    return tuple(torch.from_numpy(found[index]) for index in range(len(found)))
