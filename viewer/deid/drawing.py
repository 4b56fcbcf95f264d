"""Boxes as a person draws, moves and takes them back: plain geometry, and every step undone."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, get_args

from viewer.deid.options import Box

Scope = Literal["image", "series", "all"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Where a box is: in one image, in all of its series, in all that is looked at."""

Handle = tuple[int, int]
"""Which edges a handle moves: -1 left or upper, 1 right or lower, 0 neither."""

HANDLES: tuple[Handle, ...] = tuple(
    (across, down) for down in (-1, 0, 1) for across in (-1, 0, 1) if across or down
)

Place = tuple[str, str, int]
"""Series, image and frame of it: original UIDs, frames counted from 0."""


class Drawing:
    """The boxes as they are now, and as they were.

    Attributes
    ----------
    boxes
        In the order in which they were drawn.
    """

    def __init__(self, boxes: tuple[Box, ...] = ()) -> None:
        self.boxes = boxes
        self._before: list[tuple[Box, ...]] = []
        self._after: list[tuple[Box, ...]] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return bool(self._after)

    def put(self, boxes: tuple[Box, ...]) -> None:
        """Have other boxes from now on, as one step; the same ones are none."""
        if boxes == self.boxes:
            return
        self._before.append(self.boxes)
        self._after.clear()
        self.boxes = boxes

    def change(self, at: int, box: Box) -> None:
        """Have another box in place of one."""
        self.put((*self.boxes[:at], box, *self.boxes[at + 1 :]))

    def remove(self, at: int) -> None:
        """Take a box away."""
        self.put((*self.boxes[:at], *self.boxes[at + 1 :]))

    def undo(self) -> None:
        """Take the last step back."""
        if self._before:
            self._after.append(self.boxes)
            self.boxes = self._before.pop()

    def redo(self) -> None:
        """Do again what was taken back."""
        if self._after:
            self._before.append(self.boxes)
            self.boxes = self._after.pop()


def spanned(one: tuple[float, float], other: tuple[float, float], size: tuple[int, int]) -> Box:
    """Return the smallest box that holds two points and all pixels that they touch.

    Parameters
    ----------
    one, other
        Column and row, px; pixel 0 reaches from 0 to 1. Outside of the image they are moved in.
    size
        Columns and rows of the image.
    """
    left, width = _stretch(one[0], other[0], size[0])
    top, height = _stretch(one[1], other[1], size[1])
    return Box(left, top, width, height)


def _stretch(one: float, other: float, length: int) -> tuple[int, int]:
    low, high = sorted((min(max(one, 0.0), float(length)), min(max(other, 0.0), float(length))))
    start = min(math.floor(low), length - 1)
    return start, max(1, math.ceil(high) - start)


def moved(box: Box, columns: int, rows: int, size: tuple[int, int]) -> Box:
    """Return a box shifted by whole pixels, as far as the image reaches."""
    column = min(max(box.column + columns, 0), max(0, size[0] - box.width))
    row = min(max(box.row + rows, 0), max(0, size[1] - box.height))
    return replace(box, column=column, row=row)


def resized(box: Box, handle: Handle, to: tuple[float, float], size: tuple[int, int]) -> Box:
    """Return a box with the edges of a handle at a point; drawn across, it turns over."""
    edges = (
        (box.column, box.column + box.width, handle[0], to[0]),
        (box.row, box.row + box.height, handle[1], to[1]),
    )
    (left, right), (top, bottom) = (
        (low if which != -1 else at, high if which != 1 else at) for low, high, which, at in edges
    )
    new = spanned((left, top), (right, bottom), size)
    return replace(box, column=new.column, row=new.row, width=new.width, height=new.height)


def scope_of(box: Box) -> Scope:
    """Return where a box is."""
    return "image" if box.sop_uid else "series" if box.series_uid else "all"


def scoped(box: Box, scope: Scope, place: Place) -> Box:
    """Return a box in the image at a place, in all of its series, or in all images."""
    series, image, frame = place
    return replace(
        box,
        series_uid="" if scope == "all" else series,
        sop_uid=image if scope == "image" else "",
        frame=frame if scope == "image" else None,
    )
