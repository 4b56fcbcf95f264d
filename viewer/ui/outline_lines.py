"""Outlines as a view draws them: closed lines in millimetres, their look, and one drawn apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from viewer.display.contours import split
from viewer.display.strokes import RIM_PX, Stroke
from viewer.ui.inked import Inked

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from viewer.ui.look import Look


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Closed lines in view mm, one behind the other, up to where each ends.

    With what is around them: left, top, right and bottom.
    """

    points: npt.NDArray[np.float64]
    ends: npt.NDArray[np.int64]
    box_mm: tuple[float, float, float, float]

    @property
    def lines(self) -> list[npt.NDArray[np.float64]]:
        """The lines one by one."""
        return split(self.points, self.ends)

    @classmethod
    def of(cls, lines: Sequence[npt.NDArray[np.float64]]) -> Outline:
        if not lines:
            return cls(np.zeros((0, 2)), np.zeros(0, np.int64), (0.0, 0.0, 0.0, 0.0))
        points = np.concatenate(lines)
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        ends = np.cumsum([len(line) for line in lines])
        return cls(points, ends, (left, top, right, bottom))


@dataclass(frozen=True, slots=True)
class Line:
    """An outline with its look, and whose it is."""

    target_id: str
    outline: Outline
    colour: str
    width_px: float
    dashed: bool
    dotted: bool = False

    def is_same(self, other: Line) -> bool:
        return self.outline is other.outline and self == other

    def stroke(self, look: Look, away_mm: tuple[float, float]) -> Stroke:
        """Return it in pixels of the device, carried away in view mm."""
        scale = look.ratio / look.mm_per_px
        shift = np.subtract(look.corner_mm, away_mm)
        lines = split((self.outline.points - shift) * scale, self.outline.ends)
        colour, ratio = int(self.colour[1:7], 16), look.ratio
        return Stroke(
            lines, colour, self.width_px * ratio, RIM_PX * ratio, self.dashed, self.dotted
        )


class ApartLayer:
    """Outline of the target that is worked on, drawn apart: the others are not drawn with it."""

    def __init__(self) -> None:
        self._line: Line | None = None
        self._inked = Inked()
        self._inked_for: tuple[Line, Look, tuple[float, float]] | None = None

    def show_line(self, line: Line | None) -> None:
        self._line = line
        if line is None:
            self._inked, self._inked_for = Inked(), None

    @property
    def shows_line(self) -> bool:
        return self._line is not None

    def paint(self, painter: QPainter, look: Look, away_mm: tuple[float, float]) -> None:
        """Draw it with a painter of logical pixels, carried away in view mm."""
        if self._line is None:
            return
        wanted = (self._line, look, away_mm)
        if self._inked_for != wanted:
            self._inked.draw([self._line.stroke(look, away_mm)], look)
            self._inked_for = wanted
        self._inked.paint(painter, look)
