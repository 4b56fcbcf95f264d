"""The layouts of the views as data: which cells there are, what stands in them, how wide. No Qt.

A layout is a tree of splits whose leaves are cells, counted from 0 in reading order. What stands
in the cells is an arrangement: the names of panes, in the order of the cells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

ONE, LIST, THREE, FOUR, BESIDE = "one", "list", "three", "four", "beside"

# Names of panes: the planes of the open series, the acquired one first, and what else there is.
FIRST, SECOND, THIRD = "first", "second", "third"
FOURTH_PANE, BESIDE_PANE = "fourth", "beside"
PLANES = (FIRST, SECOND, THIRD)

_LEAST_SHARE = 0.05
_MODALITY = re.compile(r"[A-Z0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Split:
    """Parts side by side (``across``) or one above the other.

    Attributes
    ----------
    parts
        Cells (int) or further splits.
    seam
        Name of its weights: splits of one name keep their seams in one line.
    """

    across: bool
    parts: tuple[Split | int, ...]
    seam: str


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout.

    Attributes
    ----------
    tree
        A split, or the only cell.
    panes
        What stands in its cells at first; more panes than cells stand ready to be shown there.
    weights
        Of every seam the shares at first; they add up to 1.
    """

    id: str
    tree: Split | int
    panes: tuple[str, ...]
    weights: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return sum(1 for _ in leaves(self.tree))


LAYOUTS: dict[str, Layout] = {
    layout.id: layout
    for layout in (
        Layout(ONE, 0, PLANES),
        Layout(LIST, 0, PLANES),
        Layout(
            THREE,
            Split(True, (0, Split(False, (1, 2), "right")), "whole"),
            PLANES,
            {"whole": (5 / 9, 4 / 9), "right": (0.5, 0.5)},
        ),
        Layout(
            FOUR,
            Split(False, (Split(True, (0, 1), "rows"), Split(True, (2, 3), "rows")), "whole"),
            (*PLANES, FOURTH_PANE),
            {"whole": (0.5, 0.5), "rows": (0.5, 0.5)},
        ),
        Layout(BESIDE, Split(True, (0, 1), "whole"), (FIRST, BESIDE_PANE), {"whole": (0.5, 0.5)}),
    )
}


@dataclass(frozen=True, slots=True)
class Arranged:
    """A layout as a reader has it: what stands where, and how wide.

    Attributes
    ----------
    order
        Names of panes; the first ones stand in the cells.
    """

    layout: str = THREE
    order: tuple[str, ...] = PLANES
    weights: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, layout_id: str) -> Arranged:
        """Return a layout as it is at first."""
        layout = LAYOUTS[layout_id]
        return cls(layout_id, layout.panes, dict(layout.weights))

    @property
    def shown(self) -> tuple[str, ...]:
        """The panes that stand in the cells."""
        return self.order[: LAYOUTS[self.layout].cells]

    def exchanged(self, one: str, other: str) -> Arranged:
        """Return the layout with two panes exchanged."""
        swap = {one: other, other: one}
        return replace(self, order=tuple(swap.get(name, name) for name in self.order))

    def turned(self) -> Arranged:
        """Return the layout with the next pane in the first cell."""
        return replace(self, order=(*self.order[1:], self.order[0]))

    def weighted(self, seam: str, weights: Sequence[float]) -> Arranged:
        """Return the layout with other shares."""
        return replace(self, weights={**self.weights, seam: tuple(weights)})

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        weights = {seam: list(shares) for seam, shares in self.weights.items()}
        return {"layout": self.layout, "order": list(self.order), "weights": weights}


def from_json(value: Any) -> Arranged | None:
    """Return what ``to_json`` made; None when it is damaged or of another version."""
    try:
        layout = LAYOUTS[value["layout"]]
        order = tuple(value["order"])
        given = value.get("weights", {})
        weights = {s: _shares(given.get(s, w), len(w)) for s, w in layout.weights.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if sorted(order) != sorted(layout.panes):
        return None
    return Arranged(layout.id, order, weights)


def _shares(values: Any, count: int) -> tuple[float, ...]:
    shares = tuple(float(value) for value in values)
    total = sum(shares)
    if len(shares) != count or not math.isfinite(total) or total <= 0:
        raise ValueError("no shares")
    shares = tuple(share / total for share in shares)
    if min(shares) < _LEAST_SHARE:
        raise ValueError("a part that nobody would see")
    return shares


def leaves(tree: Split | int) -> Iterator[int]:
    """Yield the cells of a tree in order."""
    if isinstance(tree, int):
        yield tree
        return
    for part in tree.parts:
        yield from leaves(part)


def without(tree: Split | int, cells: frozenset[int]) -> Split | int | None:
    """Return a tree without some cells; None when nothing is left."""
    if isinstance(tree, int):
        return None if tree in cells else tree
    parts = [part for each in tree.parts if (part := without(each, cells)) is not None]
    if len(parts) < 2:
        return parts[0] if parts else None
    return replace(tree, parts=tuple(parts))


def setting_of(modality: str) -> str | None:
    """Return under which name the layout of a modality is remembered; None when under none.

    The modality comes out of a file: what is no code string (PS3.5 6.2) is not written down.
    """
    return f"layout.{modality}" if _MODALITY.fullmatch(modality) else None
