"""The tools that change a whole outline: what each does, and what it can be set to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from inference.findings import Mask
from inference.geometry import Affine
from resources.text import translate
from viewer.annotate.mask import Box, Triple
from viewer.tools import reshape
from viewer.tools.between import fill_between
from viewer.tools.grow import grow
from viewer.tools.limits import clipped, limited
from viewer.tools.walk import walk


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a tool works on; nothing of it changes while it does.

    Attributes
    ----------
    mask
        The outline to be changed.
    affine, shape_kji, voxels
        Of the volume; ``voxels`` (k, j, i).
    axis
        Index axis across the slices of the active view.
    other
        A second outline, for sets; else None.
    kept_out
        Outlines of the other findings.
    box
        Voxels outside of which nothing changes; None: all may.
    """

    mask: Mask
    affine: Affine
    shape_kji: Triple
    voxels: npt.NDArray[Any]
    axis: int
    other: Mask | None = None
    kept_out: tuple[Mask, ...] = ()
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A length or volume that a tool is set to.

    Attributes
    ----------
    key
        Its name in the journal, with its unit.
    low, high, step, first
        Range, smallest change, and value to begin with.
    unit
        As it is shown.
    """

    key: str
    low: float
    high: float
    step: float
    first: float
    unit: str

    def text(self, value: float) -> str:
        """Return a value with its unit."""
        sign = "+" if self.low < 0 < value else ""
        return f"{sign}{value:g} {self.unit}".replace("-", "\N{MINUS SIGN}")


Work = Callable[[Given, float, Callable[[], bool]], Mask]


@dataclass(frozen=True, slots=True)
class Op:
    """One tool.

    Attributes
    ----------
    id
        Of its command, and of ``Reshape.made_by`` with hyphens.
    work
        Gives the changed outline, from what is given, the value set, and what asks for a stop.
    setting
        None for a tool that acts at once.
    beyond_box
        Whether it changes what lies outside the box, if there is one.
    """

    id: str
    work: Work
    setting: Setting | None = None
    beyond_box: bool = False

    @property
    def made_by(self) -> str:
        """What the journal calls it."""
        return self.id.replace("_", "-")

    def make(self, given: Given, value: float, stop: Callable[[], bool]) -> Mask:
        """Return the changed outline, which stays as it was outside the box."""
        after = self.work(given, value, stop)
        if given.box is None or self.beyond_box:
            return after
        return limited(given.mask, after, given.box)


def ops() -> dict[str, Op]:
    """Return the tools that need one outline only, by the id of their command."""
    mm, cubic = translate("reshape", "mm"), translate("reshape", "mm³")
    every = (
        Op("fill_between", lambda g, _v, stop: fill_between(g.mask, g.affine, g.axis, stop)),
        Op("largest_piece", lambda g, _v, _s: reshape.largest_piece(g.mask)),
        Op(
            "small_pieces",
            lambda g, v, _s: reshape.without_small(g.mask, v, g.affine),
            Setting("smaller_than_mm3", 1.0, 500.0, 1.0, 15.0, cubic),
        ),
        Op("fill_holes", lambda g, _v, _s: reshape.fill_holes(g.mask)),
        Op(
            "smooth",
            lambda g, v, _s: reshape.smooth(g.mask, v, g.affine, g.shape_kji),
            Setting("sigma_mm", 0.5, 6.0, 0.1, 1.0, mm),
        ),
        Op(
            "median",
            lambda g, v, _s: reshape.median(g.mask, v, g.affine, g.shape_kji),
            Setting("diameter_mm", 1.0, 15.0, 0.5, 3.0, mm),
        ),
        Op(
            "margin",
            lambda g, v, _s: reshape.margin(g.mask, v, g.affine, g.shape_kji),
            Setting("margin_mm", -15.0, 15.0, 0.5, 2.0, mm),
        ),
        Op(
            "hollow",
            lambda g, v, _s: reshape.hollow(g.mask, v, g.affine, g.shape_kji),
            Setting("wall_mm", 0.5, 15.0, 0.5, 2.0, mm),
        ),
        Op(
            "grow",
            lambda g, v, _s: grow(g.mask, g.voxels, g.affine, v, g.kept_out),
            Setting("reach_mm", 1.0, 30.0, 0.5, 6.0, mm),
        ),
        Op(
            "walk",
            lambda g, v, stop: walk(g.mask, g.voxels, g.affine, v, g.kept_out, stop),
            Setting("reach_mm", 1.0, 30.0, 0.5, 6.0, mm),
        ),
        Op("box_keep", _kept_in_box, beyond_box=True),
    )
    return {op.id: op for op in every}


def _kept_in_box(given: Given, _value: float, _stop: Callable[[], bool]) -> Mask:
    return given.mask if given.box is None else clipped(given.mask, given.box)


SETS: dict[str, reshape.Operation] = {
    "union": "union", "subtract": "subtract", "intersect": "intersect",
}  # fmt: skip


def set_op(how: str) -> Op:
    """Return the tool that makes one outline of two."""
    operation = SETS[how]

    def work(given: Given, _value: float, _stop: Callable[[], bool]) -> Mask:
        assert given.other is not None
        return reshape.combine(given.mask, given.other, operation)

    return Op(how, work)


# A part that is smaller, of the largest one, is a crumb: it stays where it was.
_CRUMB = 0.05


def parts_of(given: Given) -> tuple[Mask, ...]:
    """Return the lesions that one is to be split into; one mask when nothing parts it."""
    found = reshape.pieces(given.mask)
    large = [part for part in found if part.count >= _CRUMB * found[0].count]
    if len(large) < 2:
        return reshape.halves(given.mask, given.affine)
    first = large[0]
    for crumb in found[len(large) :]:
        first = reshape.combine(first, crumb, "union")
    return (first, *large[1:])
