"""What is written over an image and stands still: put together once, drawn until it changes."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from PySide6.QtGui import QPainter

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import QImage


class Sheet:
    """Takes the place of a painter for what draws nothing but pictures, and keeps them.

    Parameters
    ----------
    ratio
        Pixels of the device a logical pixel.
    """

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self.pictures: list[tuple[QPoint | QPointF, QImage]] = []

    def device(self) -> Sheet:
        """Return what says how dense the pixels are, as a painter does."""
        return self

    def devicePixelRatioF(self) -> float:
        """Return the pixels of the device a logical pixel."""
        return self._ratio

    def drawImage(self, at: QPoint | QPointF, picture: QImage) -> None:
        """Take a picture down."""
        self.pictures.append((at, picture))

    def paint(self, painter: QPainter) -> None:
        """Draw the pictures."""
        draw = painter.drawImage
        for at, picture in self.pictures:
            draw(at, picture)


Board = QPainter | Sheet
"""What can draw a picture at a place."""


class Standing:
    """The sheets of one view, each kept as long as what it was made of is the same."""

    def __init__(self) -> None:
        self._sheets: dict[str, tuple[tuple[object, ...], Sheet, float]] = {}
        self._renewed = False

    def take_renewed(self) -> bool:
        """Tell whether a sheet was made anew since this was asked the last time."""
        renewed, self._renewed = self._renewed, False
        return renewed

    def paint(
        self,
        name: str,
        painter: QPainter,
        made_of: tuple[object, ...],
        make: Callable[[Sheet], float],
    ) -> float:
        """Draw a sheet, made anew when ``made_of`` is another; return what ``make`` returned.

        Parameters
        ----------
        made_of
            All that the sheet depends on.
        make
            Draws on a sheet; returns where the room under it begins.
        """
        ratio = painter.device().devicePixelRatioF()
        key = (ratio, *map(_loose, made_of))
        known = self._sheets.get(name)
        if known is None or known[0] != key:
            sheet = Sheet(ratio)
            self._renewed = True
            known = self._sheets[name] = (key, sheet, make(sheet))
        known[1].paint(painter)
        return known[2]


def _loose(part: object) -> object:
    """Return what stands for a part of a key; a case that was closed is not kept in memory."""
    if type(part).__eq__ is not object.__eq__ or part is None:
        return part
    try:
        return weakref.ref(part)
    except TypeError:
        return part
