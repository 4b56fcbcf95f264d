"""The nets on a device behind one protocol: torch on a GPU, the fastest equal on a CPU.

Every backend gives float32 logits and the same answers but for rounding. One that runs out of
memory takes smaller steps, and from a GPU it moves to the CPU; findings stay the same.
"""

from __future__ import annotations

import contextlib
import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)

Nets = Mapping[str, nn.Module]
# Is told "smaller" or "cpu" each time that memory ran out.
OnFallback = Callable[[str], None]

# Most inputs in one step, of memory: what fits beside a scan, and is no slower than more.
_ON_CPU = {"heatmap": 1, "outliner": 4}
_ON_GPU = {"heatmap": 8, "outliner": 32}
_SHRINK = 4


class Backend(Protocol):
    """Runs the nets of one pack."""

    @property
    def device(self) -> str:
        """Id of the device, as in ``protocol.Device``: where the nets run now."""

    @property
    def name(self) -> str:
        """The device in words and, on a CPU, the engine."""

    def run(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        """Run one net.

        Parameters
        ----------
        net
            Its name: ``heatmap`` or ``outliner``.
        inputs
            (n, ...) float32 on the CPU, n at least 1, see the net for the axes. However many
            they are, they are taken in steps that fit the memory.

        Returns
        -------
        tuple of Tensor
            What the net returns, (n, ...) float32 on the CPU.

        Raises
        ------
        MemoryError
            When not even one input fits.
        """


def backend_for(nets: Nets, device: str, on_fallback: OnFallback | None = None) -> Backend:
    """Return the fastest backend for a device that gives the answers of torch.

    Parameters
    ----------
    nets
        By name, see ``load.load_nets``; they must not change afterwards.
    device
        Id of one of ``load.devices``.
    on_fallback
        Is told ``"smaller"`` or ``"cpu"`` each time that memory ran out.
    """
    if torch.device(device).type != "cpu":
        return TorchBackend(nets, device, on_fallback)
    try:
        from inference.runtime.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(nets, on_fallback)
    except MemoryError:
        raise
    except Exception:
        # Missing, or unfit for this processor: slower findings are better than none, and
        # Findings.device says which engine it was.
        log.warning("OpenVINO cannot run these nets; PyTorch does.", exc_info=True)
        return TorchBackend(nets, device, on_fallback)


def short_of_memory(error: BaseException) -> bool:
    """Tell whether a library ran out of memory; not each has an error of its own for it."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    signs = ("out of memory", "ALLOC_FAILED", "DefaultCPUAllocator", "bad_alloc", "bad allocation")
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)


class Stepwise:
    """Takes inputs in steps, smaller ones when memory runs out.

    Parameters
    ----------
    most
        Inputs in one step, by net.
    on_fallback
        Is told ``"smaller"``.
    """

    def __init__(self, most: Mapping[str, int], on_fallback: OnFallback | None) -> None:
        self._most = dict(most)
        self._on_fallback = on_fallback

    def _infer(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        """Run one step."""
        raise NotImplementedError

    def _give_up(self) -> Backend:
        """Return who takes over when not even one input fits."""
        raise MemoryError

    def _in_steps(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        parts: list[tuple[Tensor, ...]] = []
        done = 0
        while done < len(inputs):
            size = min(self._most.get(net, 1), len(inputs) - done)
            part = self._attempt(net, inputs[done : done + size])
            if part is not None:
                parts.append(part)
                done += size
            elif size > 1:
                self._most[net] = max(1, size // _SHRINK)
                self._tell("smaller")
            else:
                parts.append(self._give_up().run(net, inputs[done:]))
                done = len(inputs)
        return tuple(torch.cat(same) for same in zip(*parts, strict=True))

    def _attempt(self, net: str, inputs: Tensor) -> tuple[Tensor, ...] | None:
        """Run one step; return None when memory ran out.

        The error ends here: as long as it is held, so is all that its frames hold.
        """
        try:
            return self._infer(net, inputs)
        except (RuntimeError, MemoryError) as error:
            if not short_of_memory(error):
                raise
            return None

    def _tell(self, note: str) -> None:
        if self._on_fallback:
            self._on_fallback(note)


class TorchBackend(Stepwise):
    """The nets through torch, as it stands: on a GPU, or on a CPU when nothing else can.

    Parameters
    ----------
    nets
        By name. On a CPU they are used as they are, a GPU gets copies.
    device
        ``"cpu"`` or a CUDA device.
    on_fallback
        Is told ``"smaller"`` or ``"cpu"`` each time that memory ran out, also when the GPU is
        so full that the nets cannot be moved there.
    """

    def __init__(self, nets: Nets, device: str, on_fallback: OnFallback | None = None) -> None:
        self._device = torch.device(device)
        on_cpu = self._device.type == "cpu"
        super().__init__(_ON_CPU if on_cpu else _ON_GPU, on_fallback)
        self._nets = nets
        self._placed: dict[str, nn.Module] = {}
        # The backend on the CPU that took over.
        self._instead: Backend | None = None
        if not self._place():
            self._give_up()

    @property
    def device(self) -> str:
        """Id of the device where the nets run now."""
        return self._instead.device if self._instead else str(self._device)

    @property
    def name(self) -> str:
        """Name of the GPU, or the CPU with its engine."""
        if self._instead:
            return self._instead.name
        if self._device.type == "cuda":
            return torch.cuda.get_device_name(self._device)
        return f"{self._device.type.upper()} (PyTorch)"

    def run(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        """Run one net, see ``Backend``."""
        return self._instead.run(net, inputs) if self._instead else self._in_steps(net, inputs)

    def _place(self) -> bool:
        """Bring the nets to the device; tell whether they fit."""
        try:
            for name, net in self._nets.items():
                own = net if self._device.type == "cpu" else copy.deepcopy(net)
                self._placed[name] = _channels_last(own.eval().to(self._device))
        except RuntimeError as error:
            if self._device.type == "cpu" or not short_of_memory(error):
                raise
            return False
        return True

    def _infer(self, net: str, inputs: Tensor) -> tuple[Tensor, ...]:
        last = torch.channels_last if inputs.ndim == 4 else torch.channels_last_3d
        with torch.inference_mode(), _exact():
            moved = inputs.to(self._device).contiguous(memory_format=last)
            found = self._placed[net](moved)
            each = (found,) if isinstance(found, Tensor) else tuple(found)
            return tuple(one.float().cpu().contiguous() for one in each)

    def _give_up(self) -> Backend:
        if self._device.type == "cpu":
            raise MemoryError
        self._placed.clear()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self._tell("cpu")
        self._instead = backend_for(self._nets, "cpu", self._on_fallback)
        return self._instead


def _channels_last(net: nn.Module) -> nn.Module:
    """Lay out the weights of convolutions so that channels lie side by side: faster."""
    for weights in net.parameters():
        if weights.ndim == 4:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last)
        elif weights.ndim == 5:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last_3d)
    return net


@contextlib.contextmanager
def _exact() -> Iterator[None]:
    """Keep a GPU from rounding products to 10 bits and from choosing algorithms by the clock."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield
