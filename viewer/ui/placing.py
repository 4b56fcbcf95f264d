"""Where the cells of a layout lie in a rectangle of pixels, and where its seams can be dragged.

No Qt: pure arithmetic of integers, so that every pixel belongs to one cell or one gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from viewer.ui.layouts import Split

GAP_PX = 2
LEAST_PX = (160, 120)  # width and height of a cell


@dataclass(frozen=True, slots=True)
class Rect:
    """Left, top, width and height in logical pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Seam:
    """The gap after part ``number`` of a split.

    Attributes
    ----------
    name
        Of the split's weights.
    sizes
        Of all parts of the split, along it, in pixels.
    least
        The smallest that each of them may become.
    """

    name: str
    number: int
    across: bool
    rect: Rect
    sizes: tuple[int, ...]
    least: tuple[int, ...]

    def moved(self, by_px: int) -> tuple[float, ...]:
        """Return the weights when it is dragged, as far as there is room."""
        sizes, n = list(self.sizes), self.number
        low = min(self.least[n] - sizes[n], 0)
        high = max(sizes[n + 1] - self.least[n + 1], 0)
        by_px = min(max(by_px, low), high)
        sizes[n] += by_px
        sizes[n + 1] -= by_px
        total = sum(sizes)
        return tuple(size / total for size in sizes)


@dataclass(slots=True)
class Placed:
    """Rectangle of every cell, and the seams between them."""

    cells: dict[int, Rect] = field(default_factory=dict)
    seams: list[Seam] = field(default_factory=list)


def place(tree: Split | int | None, weights: Mapping[str, Sequence[float]], room: Rect) -> Placed:
    """Divide a rectangle among the cells of a tree."""
    placed = Placed()
    if tree is not None:
        _place(tree, weights, room, placed)
    return placed


def least(tree: Split | int) -> tuple[int, int]:
    """Return the smallest width and height in which every cell has its least size."""
    if isinstance(tree, int):
        return LEAST_PX
    parts = [least(part) for part in tree.parts]
    gaps = GAP_PX * (len(parts) - 1)
    widths, heights = [w for w, _ in parts], [h for _, h in parts]
    if tree.across:
        return sum(widths) + gaps, max(heights)
    return max(widths), sum(heights) + gaps


def _place(
    tree: Split | int, weights: Mapping[str, Sequence[float]], room: Rect, into: Placed
) -> None:
    if isinstance(tree, int):
        into.cells[tree] = room
        return
    count = len(tree.parts)
    axis = 0 if tree.across else 1
    along = (room.width if tree.across else room.height) - GAP_PX * (count - 1)
    smallest = tuple(least(part)[axis] for part in tree.parts)
    sizes = _sizes(weights.get(tree.seam, ()), along, smallest)
    start = room.x if tree.across else room.y
    for number, part in enumerate(tree.parts):
        size = sizes[number]
        if tree.across:
            _place(part, weights, Rect(start, room.y, size, room.height), into)
            gap = Rect(start + size, room.y, GAP_PX, room.height)
        else:
            _place(part, weights, Rect(room.x, start, room.width, size), into)
            gap = Rect(room.x, start + size, room.width, GAP_PX)
        if number < count - 1:
            into.seams.append(Seam(tree.seam, number, tree.across, gap, sizes, smallest))
        start += size + GAP_PX


def _sizes(weights: Sequence[float], along: int, smallest: tuple[int, ...]) -> tuple[int, ...]:
    """Share pixels by weight; no part gets less than its least size while there is room."""
    count = len(smallest)
    if len(weights) != count:
        weights = (1.0,) * count  # a part of the split is left out
    total, ends, done = sum(weights), [], 0.0
    for weight in weights:
        done += weight
        ends.append(round(max(along, 0) * done / total))
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    for number, size in enumerate(sizes):
        short = min(smallest[number] - size, max(sizes) - max(smallest))
        if short > 0:
            sizes[sizes.index(max(sizes))] -= short
            sizes[number] += short
    return tuple(sizes)
