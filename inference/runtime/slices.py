"""Which neighbouring slices the heatmap net sees, in training and at run time alike."""

from __future__ import annotations

NEIGHBOURS = 2
_STEP_MM = 2.0


def stride(gap_mm: float) -> int:
    """Return how many slices lie from one input channel to the next: about 2 mm, at least 1."""
    return max(1, round(_STEP_MM / gap_mm))
