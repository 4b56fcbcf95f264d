"""The net of the second stage: the outline of one pointed-at lesion, and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Outlined(NamedTuple):
    """What the outliner says of a batch of windows.

    Attributes
    ----------
    masks
        (batch, 2, k, row, column) logits: the share of the nodule's readers who would outline
        the voxel, and whether at least half of them would.
    verdicts
        (batch, 3): logit that this is a nodule at all; the readers' mean likelihood of
        malignancy and their mean texture, each less 3, the middle of its scale of 1 to 5.
    """

    masks: Tensor
    verdicts: Tensor


class _Block3d(nn.Module):
    """A 1 x 3 x 3 and a second convolution with batch norm and a residual path."""

    def __init__(self, inputs: int, outputs: int, depth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(inputs, outputs, (1, 3, 3), padding=(0, 1, 1), bias=False)
        self.norm1 = nn.BatchNorm3d(outputs)
        self.conv2 = nn.Conv3d(
            outputs, outputs, (depth, 3, 3), padding=(depth // 2, 1, 1), bias=False
        )
        self.norm2 = nn.BatchNorm3d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        first = functional.relu(self.norm1(self.conv1(x)))
        second = self.norm2(self.conv2(first))
        return functional.relu(second + first)


class NoduleOutliner(nn.Module):
    """Outline and impression of the lesion at the middle of a window.

    Slices are never pooled: their spacing differs from scan to scan, and a nodule has few.

    Parameters
    ----------
    inputs
        Channels of a window, see ``runtime.window``.
    widths
        Channels of each level, the finest first; each level halves rows and columns.

    Notes
    -----
    Input (batch, inputs, k, row, column); rows and columns must be multiples of
    ``2 ** (len(widths) - 1)``, k may be any number from 1.
    """

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.down = nn.ModuleList()
        before = inputs
        for level, width in enumerate(widths):
            self.down.append(_Block3d(before, width, 3 if level else 1))
            before = width
        self.up = nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.up.append(_Block3d(before + width, width, 3))
            before = width
        self.masks = nn.Conv3d(before, 2, 1)
        self.drop = nn.Dropout(0.3)
        self.verdict = nn.Sequential(
            nn.Linear(2 * widths[-1], 64), nn.ReLU(inplace=True), nn.Linear(64, 3)
        )

    def forward(self, x: Tensor) -> Outlined:
        """Return logits, see the class."""
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            if level:
                x = functional.max_pool3d(x, (1, 2, 2))
            x = block(x)
            kept.append(x)
        deepest = x
        for block, skip in zip(self.up, reversed(kept[:-1]), strict=True):
            x = functional.interpolate(x, scale_factor=(1.0, 2.0, 2.0), mode="nearest")
            x = block(torch.cat((x, skip), dim=1))
        masks = self.masks(x)
        factor = 2 ** (len(self.down) - 1)
        # The verdict looks where the outline is, and a little at the whole window.
        weight = functional.avg_pool3d(torch.sigmoid(masks[:, :1]), (1, factor, factor)) + 0.02
        where = (2, 3, 4)
        mean = (deepest * weight).sum(where) / weight.sum(where)
        rows, columns = deepest.shape[-2] // 4, deepest.shape[-1] // 4
        middle = deepest[..., rows : 3 * rows, columns : 3 * columns]
        pooled = torch.cat((mean, middle.amax(where)), dim=1)
        return Outlined(masks, self.verdict(self.drop(pooled)))
