"""The nets on a device, with a way down when memory runs out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from inference.runtime.prepare import EVERYWHERE, Stack, Window

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Tell = Callable[[int, int], None]

_BATCHES = {"cpu": 1, "cuda": 8}
_CUBES = 16
_GROUP = 8
_MARGIN_PX = 24


def _window(where: Bools) -> Window | None:
    """Return rows and columns that hold all that is wanted, with what the net sees around it."""
    plane = where.any(axis=0)
    if not plane.any():
        return None
    sides = []
    for axis in (0, 1):
        hits = np.flatnonzero(np.any(plane, axis=(1 - axis,)))
        low = max(int(hits[0]) - _MARGIN_PX, 0)
        sides.append(slice(low, min(int(hits[-1]) + 1 + _MARGIN_PX, plane.shape[axis])))
    return sides[0], sides[1]


class Engine:
    """Both nets of the pack, ready to run.

    Parameters
    ----------
    heatmap, rescorer
        Trained nets.
    device
        ``"cpu"`` or a CUDA device.
    on_fallback
        Called with the name of the way down, ``"smaller"`` or ``"cpu"``, each time that
        memory ran out.
    """

    def __init__(
        self,
        heatmap: nn.Module,
        rescorer: nn.Module,
        device: torch.device,
        on_fallback: Callable[[str], None] | None = None,
    ) -> None:
        self._heatmap = heatmap.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._rescorer = rescorer.eval().to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        self._on_fallback = on_fallback
        self._move(device)

    def _move(self, device: torch.device) -> None:
        self.device = device
        self._heatmap.to(device)
        self._rescorer.to(device)

    def heat(self, stack: Stack, where: Bools | None = None, tell: Tell | None = None) -> Floats:
        """Return the heat (k, row, column), 0..1, of a stack.

        Parameters
        ----------
        stack
            Slices on a grid.
        where
            (k, row, column) bool: heat is wanted here, and is 0 elsewhere. Default: everywhere.
        tell
            Is told how many slices are done.
        """
        rows, columns = stack.grid.size_px
        out = np.zeros((len(stack), rows, columns), dtype=np.float32)
        batch = _BATCHES[self.device.type]
        # The window is chosen for a fixed group of slices, so that the heat is the same
        # however many of them fit the memory at once.
        for first in range(0, len(stack), _GROUP):
            last = min(first + _GROUP, len(stack))
            window = EVERYWHERE if where is None else _window(where[first:last])
            done = first
            while done < last and window is not None:
                stop = min(done + batch, last)
                try:
                    part = self._run(self._heatmap, stack.inputs(done, stop, window))
                except torch.OutOfMemoryError:
                    batch = self._way_down(batch)
                    continue
                high, wide = out[0][window].shape
                out[done:stop, window[0], window[1]] = part[:, 0, :high, :wide].numpy()
                done = stop
                if tell:
                    tell(done, len(stack))
            if tell and window is None:
                tell(last, len(stack))
        if where is not None:
            out *= where
        return out

    def scores(self, cubes: list[Tensor], tell: Tell | None = None) -> Floats:
        """Return the score 0..1 of every candidate cube (2, k, j, i)."""
        out = np.empty(len(cubes), dtype=np.float32)
        done, batch = 0, _CUBES
        while done < len(cubes):
            stop = min(done + batch, len(cubes))
            try:
                part = self._run(self._rescorer, torch.stack(cubes[done:stop]))
            except torch.OutOfMemoryError:
                batch = self._way_down(batch)
                continue
            out[done:stop] = part.numpy()
            done = stop
            if tell:
                tell(done, len(cubes))
        return out

    def _run(self, net: nn.Module, inputs: Tensor) -> Tensor:
        with torch.inference_mode():
            last = torch.channels_last if inputs.ndim == 4 else torch.channels_last_3d
            inputs = inputs.contiguous(memory_format=last)
            result: Tensor = torch.sigmoid(net(inputs.to(self.device)).float()).cpu()
        return result

    def _way_down(self, batch: int) -> int:
        """Return a smaller batch; when there is none, move to the CPU."""
        if self.device.type == "cpu" and batch == 1:
            raise MemoryError
        if self.device.type != "cpu":
            torch.cuda.empty_cache()
        if batch > 1:
            if self._on_fallback:
                self._on_fallback("smaller")
            return max(1, batch // 4)
        if self._on_fallback:
            self._on_fallback("cpu")
        self._move(torch.device("cpu"))
        return _BATCHES["cpu"]
