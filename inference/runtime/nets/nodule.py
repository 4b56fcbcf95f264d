"""The net of the first stage: a 2.5-D U-Net that draws the heatmap."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Block2d(nn.Module):
    """Two 3 x 3 convolutions with batch norm and a residual path."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        first = functional.relu(self.norm1(self.conv1(x)), inplace=True)
        second = self.norm2(self.conv2(first))
        return functional.relu(second + first)


class NoduleUNet(nn.Module):
    """Heatmap of the middle slice from that slice and its neighbours.

    Parameters
    ----------
    slices
        Number of input channels: neighbouring slices, the middle one being the target.
    widths
        Channels of each level, the finest first; each level halves rows and columns.

    Notes
    -----
    Input (batch, slices, rows, columns) float, 0 to 1 over the HU window; rows and columns
    must be multiples of ``2 ** (len(widths) - 1)``. Output (batch, 1, rows, columns) logits.
    """

    def __init__(self, slices: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.down = nn.ModuleList()
        before = slices
        for width in widths:
            self.down.append(_Block2d(before, width))
            before = width
        self.up = nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.up.append(_Block2d(before + width, width))
            before = width
        self.head = nn.Conv2d(before, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, see the class."""
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            if level:
                x = functional.max_pool2d(x, 2)
            x = block(x)
            kept.append(x)
        for block, skip in zip(self.up, reversed(kept[:-1]), strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat((x, skip), dim=1))
        logits: Tensor = self.head(x)
        return logits
