"""The engine: which parts of a stack the nets see, and what becomes of their answers."""

from __future__ import annotations

import numpy as np
import torch

from inference.runtime.engine import Engine
from inference.runtime.grid import Grid
from inference.runtime.nets import Calibration
from inference.runtime.stack import Stack


class _Mean:
    """A backend that answers the mean over the channels."""

    device, name = "cpu", "CPU"

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, net, inputs):
        self.shapes.append(tuple(inputs.shape))
        assert net == "heatmap"
        return (inputs.mean(dim=1, keepdim=True),)


def _engine(backend: _Mean | None = None) -> Engine:
    return Engine(backend or _Mean(), Calibration())


def _stack(rows: int = 16, columns: int = 16) -> Stack:
    box = (slice(0, 12), slice(0, rows), slice(0, columns))
    grid = Grid.over(box, (2.0, 0.7, 0.7))
    voxels = np.arange(12 * rows * columns).reshape(12, rows, columns) % 1500 - 1000
    return Stack(voxels.astype(np.int16), grid)


def test_heat_is_made_only_where_it_is_wanted():
    stack = _stack()
    everywhere = _engine().heat(stack)
    where = np.zeros(everywhere.shape, dtype=bool)
    where[2:5, 3:9, 4:8] = True
    backend = _Mean()
    told: list[tuple[int, int]] = []
    heat = _engine(backend).heat(stack, where, lambda done, total: told.append((done, total)))
    assert np.array_equal(heat, np.where(where, everywhere, 0))
    # Slices 8 to 11 hold nothing that is wanted: the net never runs on them.
    assert backend.shapes == [(8, 5, 16, 16)]
    assert told == [(8, 12), (12, 12)]


def test_a_window_is_cut_round_what_is_wanted_and_its_heat_put_back_there():
    stack = _stack(123, 157)
    everywhere = _engine().heat(stack)
    assert everywhere.shape == (12, 123, 157) and 0.5 <= everywhere.min() < everywhere.max()
    where = np.zeros(everywhere.shape, dtype=bool)
    where[:, 40:61, 100:] = True
    backend = _Mean()
    heat = _engine(backend).heat(stack, where)
    assert np.allclose(heat, np.where(where, everywhere, 0), atol=1e-6)
    assert not heat[~where].any()
    # 24 cells around it, as far as the grid goes, and rows and columns multiples of 8.
    assert backend.shapes == [(8, 5, 72, 88), (4, 5, 72, 88)]


def test_heat_is_brought_to_the_share_of_readers_where_it_was_looked_for():
    engine = _engine()
    engine.calibration.heat[:] = torch.tensor([1.0, -1.0])
    heat = engine.heat(_stack(), np.arange(12)[:, None, None] < np.full((12, 16, 16), 5))
    calibrated = engine.calibrated(heat)
    assert not calibrated[5:].any()
    assert np.allclose(calibrated[:5], 1 / (1 + np.exp(1) * (1 - heat[:5]) / heat[:5]), atol=1e-4)
