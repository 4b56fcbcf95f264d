"""What part of a plane a view shows."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize
from PySide6.QtGui import QTransform


@dataclass(frozen=True)
class Look:
    """What part of a plane a view shows: its logical size, point at the top left, scale."""

    size: QSize
    ratio: float
    corner_mm: tuple[float, float]
    mm_per_px: float

    @property
    def pixels(self) -> QSize:
        """Pixels of the device."""
        return (self.size * self.ratio).expandedTo(QSize(1, 1))

    @property
    def transform(self) -> QTransform:
        """From mm of the plane to logical pixels."""
        scale = 1 / self.mm_per_px
        return QTransform.fromScale(scale, scale).translate(-self.corner_mm[0], -self.corner_mm[1])
