"""Intensity as the nets see it, in training and at run time alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

HU_LOW, HU_HIGH = -1000.0, 400.0


def to_unit(hu: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Map HU to 0..1 over the window from air to bone, clipped."""
    scaled = (np.asarray(hu, dtype=np.float32) - HU_LOW) / (HU_HIGH - HU_LOW)
    return np.clip(scaled, 0.0, 1.0, out=scaled)
