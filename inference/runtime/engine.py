"""The nets of a pack and their calibration, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from inference.runtime.backend import Backend, OnFallback, backend_for
from inference.runtime.nets import Calibration
from inference.runtime.stack import EVERYWHERE, Stack, Window

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Tell = Callable[[int, int], None]

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
    """The nets of a pack, ready to run.

    Attributes
    ----------
    backend
        Runs the nets ``heatmap`` and ``outliner``.
    calibration
        What turns their logits into chances.
    """

    def __init__(self, backend: Backend, calibration: Calibration) -> None:
        self.backend = backend
        self.calibration = calibration

    @classmethod
    def of(
        cls, nets: Mapping[str, nn.Module], device: str, on_fallback: OnFallback | None = None
    ) -> Engine:
        """Put the nets of ``load.load_nets`` on a device."""
        calibration = nets["calibration"]
        assert isinstance(calibration, Calibration)
        running = {name: net for name, net in nets.items() if net is not calibration}
        return cls(backend_for(running, device, on_fallback), calibration)

    def heat(self, stack: Stack, where: Bools | None = None, tell: Tell | None = None) -> Floats:
        """Return the heat (k, row, column), 0..1, of a stack, not calibrated.

        Parameters
        ----------
        stack
            Slices on a grid.
        where
            (k, row, column) bool: heat is wanted here, and is 0 elsewhere. Default: everywhere.
        tell
            Is told how many slices are done.
        """
        out = np.zeros((len(stack), *stack.grid.size_px), dtype=np.float32)
        # The window is chosen for a fixed group of slices, so that the heat is the same
        # however many of them fit the memory at once.
        for first in range(0, len(stack), _GROUP):
            last = min(first + _GROUP, len(stack))
            window = EVERYWHERE if where is None else _window(where[first:last])
            if window is not None:
                (logits,) = self.backend.run("heatmap", stack.inputs(first, last, window))
                part = out[first:last, window[0], window[1]]
                high, wide = part.shape[1:]
                part[:] = torch.sigmoid(logits[:, 0, :high, :wide]).numpy()
            if tell:
                tell(last, len(stack))
        if where is not None:
            out *= where
        return out

    def calibrated(self, heat: Floats) -> Floats:
        """Return the share of readers 0..1 that heat stands for, a slice at a time."""
        out = np.empty_like(heat)
        for plane, wanted in zip(heat, out, strict=True):
            wanted[:] = self.calibration.heats(torch.from_numpy(plane)).numpy()
        return out
