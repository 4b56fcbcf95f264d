"""What turns the nets' logits into chances: fitted on the validation patients, kept in the pack."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Calibration(nn.Module):
    """Straight lines on logits.

    Attributes
    ----------
    heat
        (2,): slope and level that bring the heat to the share of readers.
    score
        (3,): weights of the outliner's logit and of the logit of the hottest heat, and level.
    outline
        (1,): what the level of an outline, see ``chances.level_of``, is multiplied by.
    """

    heat: Tensor
    score: Tensor
    outline: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("heat", torch.tensor([1.0, 0.0]))
        self.register_buffer("score", torch.tensor([1.0, 0.0, 0.0]))
        self.register_buffer("outline", torch.tensor([1.0]))

    @property
    def outline_factor(self) -> float:
        """What the level of an outline is multiplied by."""
        return float(self.outline[0])

    def heats(self, heat: Tensor) -> Tensor:
        """Return calibrated heat 0..1; what was 0, not looked at, stays 0."""
        logits = torch.logit(heat, eps=1e-6) * self.heat[0] + self.heat[1]
        return torch.where(heat > 0, torch.sigmoid(logits), torch.zeros_like(heat))

    def scores(self, logits: Tensor, peaks: Tensor) -> Tensor:
        """Return the chance 0..1 that readers would call it a nodule."""
        weights = self.score
        heat = torch.logit(peaks, eps=1e-6)
        return torch.sigmoid(weights[0] * logits + weights[1] * heat + weights[2])
