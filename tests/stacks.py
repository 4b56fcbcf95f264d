"""What a stack shows of each slice, for comparison with other resamplers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference.runtime.slices import NEIGHBOURS
from inference.runtime.stack import Stack


def middles(stack: Stack) -> npt.NDArray[np.float32]:
    """Return the slices (k, row, column) between their neighbours, 0..1, without padding."""
    rows, columns = stack.grid.size_px
    return stack.inputs(0, len(stack))[:, NEIGHBOURS, :rows, :columns].numpy()
