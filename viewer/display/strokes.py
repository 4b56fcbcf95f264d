"""Outlines drawn straight into pixels: lines with a dark rim, dashed or solid, smooth at the edges.

A drawing library strokes a path: it makes an area of it, cuts that into spans and blends those,
which takes longer than all else when a lung has a thousand corners. Here all lines are walked
along at once, pixel by pixel; across, a few pixels are covered by how near they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Lines = Sequence[npt.NDArray[np.float64]]
Indices = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float32]

# The rim keeps a line readable on bright bone and contrast: so much wider, so dark (of 255).
RIM_PX = 1.4
RIM_ALPHA = 90
# Lengths of a dash and of the gap after it, in widths of the line.
DASH, GAP = 4.0, 3.0
DOT, DOT_GAP = 1.5, 1.8
# What a pixel keeps, the first the weightiest: how much of a dash it has, how near its middle is
# to the line, and which line that is. Of two lines the nearer has the pixel.
_SHARES, _NEAR_BITS, _LINE_BITS = 4, 7, 6
_NEAREST, _AT_ONCE = (1 << _NEAR_BITS) - 1, 1 << _LINE_BITS
_LOOKS = (_SHARES + 1) << _NEAR_BITS
# Up to this slope a piece may be walked along by its shorter side.
_EITHER = 1.2
# Share of the reach by which pieces go on around a corner.
_CORNER = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """Lines of one look.

    Attributes
    ----------
    lines
        Each (n, 2), x and y in pixels; (0, 0) is the outer corner top left. A closed line ends
        where it began.
    colour
        0xRRGGBB.
    width_px
        Of the line without its rim.
    rim_px
        How much wider the rim is.
    dashed, dotted
        Whether it is broken, into dashes or into dots; else it is solid.
    """

    lines: Lines
    colour: int
    width_px: float
    rim_px: float = RIM_PX
    dashed: bool = False
    dotted: bool = False

    @property
    def reach_px(self) -> float:
        """Distance from the middle at which nothing is covered any more."""
        return (self.width_px + self.rim_px) / 2 + 0.5


class Canvas:
    """A clear picture of (row, column) 0xAARRGGBB, premultiplied, for lines alone.

    It knows which pixels were drawn, so that to clear them costs no more than to draw them.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.pixels = np.zeros((rows, columns), dtype=np.uint32)
        self._kept = np.zeros(rows * columns, dtype=np.uint16)
        self._drawn: list[Indices] = []

    @property
    def is_clear(self) -> bool:
        """Whether nothing is drawn."""
        return not self._drawn

    @property
    def rows(self) -> tuple[int, int]:
        """First row that was drawn on, and the one after the last."""
        if not self._drawn:
            return 0, 0
        columns = self.pixels.shape[1]
        first = min(int(at.min()) for at in self._drawn) // columns
        return first, max(int(at.max()) for at in self._drawn) // columns + 1

    def clear(self) -> None:
        """Take everything away."""
        flat = self.pixels.reshape(-1)
        for at in self._drawn:
            flat[at] = 0
        self._drawn.clear()

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """Draw lines over what there is; where two meet, a pixel is of the nearer one."""
        for first in range(0, len(strokes), _AT_ONCE):
            self._draw(strokes[first : first + _AT_ONCE])

    def _draw(self, strokes: Sequence[Stroke]) -> None:
        found = _covered(strokes, *self.pixels.shape)
        if found is None:
            return
        at, kept = found
        np.maximum.at(self._kept, at, kept)
        best = self._kept[at]
        looks = np.concatenate([_looks(s.colour, s.width_px, s.rim_px) for s in strokes])
        number = (best & np.uint16(_AT_ONCE - 1)).astype(np.int64)
        number *= _LOOKS
        number += best >> np.uint16(_LINE_BITS)
        over = looks[number]
        pixels = self.pixels.reshape(-1)
        if self._drawn:
            over = _over(over, pixels[at])
        pixels[at] = over
        self._kept[at] = 0
        self._drawn.append(at)


class _Pieces(NamedTuple):
    """Straight pieces of lines, pixels."""

    starts: Reals  # (n, 2)
    steps: Reals  # (n, 2)
    along: Reals  # (n,) how far along its line each begins
    owner: npt.NDArray[np.intp]  # (n,) whose it is
    before: npt.NDArray[np.intp]  # (n,) the piece before, around a closed line


def _pieces(strokes: Sequence[Stroke]) -> _Pieces | None:
    drawn = ((line, n) for n, stroke in enumerate(strokes) for line in stroke.lines)
    lines = [(line, n) for line, n in drawn if len(line) > 1]
    if not lines:
        return None
    points = np.concatenate([line for line, _ in lines]).astype(np.float32)
    steps = points[1:] - points[:-1]
    counts = np.array([len(line) for line, _ in lines]) - 1
    after = np.cumsum(counts)
    if len(lines) > 1:
        inner = np.ones(len(steps), dtype=np.bool_)
        inner[after[:-1] + np.arange(len(lines) - 1)] = False  # from one line to the next
        points, steps = points[:-1][inner], steps[inner]
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    along = np.cumsum(lengths) - lengths
    first = after - counts
    along -= np.repeat(along[first], counts)
    before = np.arange(len(steps)) - 1
    before[first] = after - 1
    owner = np.repeat(np.array([n for _, n in lines]), counts)
    return _Pieces(points[: len(steps)], steps, along, owner, before)


def _runs_level(steps: Reals) -> npt.NDArray[np.bool_]:
    """Return which pieces are walked along from left to right, not from top to bottom."""
    across, down = np.abs(steps[:, 0]), np.abs(steps[:, 1])
    # One that could be either follows those before it: where that changes costs more.
    either = (across < _EITHER * down) & (down < _EITHER * across)
    sure = np.where(either, 0, np.arange(len(steps)))
    return np.asarray((across >= down)[np.maximum.accumulate(sure)])


def _covered(
    strokes: Sequence[Stroke], rows: int, columns: int
) -> tuple[Indices, npt.NDArray[np.uint16]] | None:
    """Return pixels about lines, some more than once, and what each is to keep; 0 for nothing."""
    pieces = _pieces(strokes)
    if pieces is None:
        return None
    starts, steps, along, owner, before = pieces
    # Seen along its longer side, u, a piece passes each pixel of that side once; v lies across.
    level = _runs_level(steps)
    u0, v0 = np.where(level, starts.T, starts.T[::-1])
    du, dv = np.where(level, steps.T, steps.T[::-1])
    last_u, last_v = np.where(level, [[columns], [rows]], [[rows], [columns]])
    reach = np.array([stroke.reach_px for stroke in strokes], dtype=np.float32)[owner]
    # Pixels whose middles a piece passes; the next piece goes on where this one ends. Where it
    # does not go on along the same side both are walked around the corner.
    turns = ((level != level[before]) | (du * du[before] < 0)) * np.ceil(_CORNER * reach)
    low_u, high_u = turns.copy(), np.zeros_like(turns)
    np.maximum.at(high_u, before, turns)
    back = du < 0
    low_u[back], high_u[back] = high_u[back], low_u[back]
    first = np.ceil(np.minimum(u0, u0 + du) - np.float32(0.5) - low_u).astype(np.int64)
    after = np.ceil(np.maximum(u0, u0 + du) - np.float32(0.5) + high_u).astype(np.int64)
    first = np.minimum(np.maximum(first, 0), last_u)
    low, high = np.minimum(v0, v0 + dv) - reach, np.maximum(v0, v0 + dv) + reach
    after = np.where((high < 0) | (low > last_v), first, np.minimum(after, last_u))
    counts = np.maximum(after - first, 0)
    piece = np.repeat(np.arange(len(counts)), counts)
    if not len(piece):
        return None
    u = np.arange(len(piece)) - (np.cumsum(counts) - counts - first)[piece]
    lengths = np.hypot(du, dv)
    lengths[lengths == 0] = 1  # is passed by no pixel
    cosine, sine = du / lengths, dv / lengths
    part = (u.astype(np.float32) + np.float32(0.5) - u0[piece]) / cosine[piece]
    v = v0[piece] + part * sine[piece]
    whole = np.floor(v)
    width = math.ceil(float(reach.max()) * math.hypot(1, _EITHER))
    offsets = np.arange(-width, width + 1)
    away = (whole + np.float32(0.5) - v)[:, np.newaxis] + offsets.astype(np.float32)
    near, ran = _near(away, part, cosine[piece], sine[piece], lengths[piece])
    np.subtract(np.float32(1), near / reach[piece][:, np.newaxis], out=near)
    across = whole.astype(np.int64)[:, np.newaxis] + offsets
    if v.min() < width + 1 or (v - last_v[piece]).max() > -width - 2:
        near[(across < 0) | (across >= last_v[piece][:, np.newaxis])] = 0
        np.minimum(np.maximum(across, 0, out=across), last_v[piece][:, np.newaxis] - 1, out=across)
    near *= np.float32(_NEAREST)
    kept = np.maximum(near, 0, out=near).astype(np.uint16)
    ran += along[piece][:, np.newaxis]
    kept += _shares(strokes, owner[piece], ran) * (kept > 0)
    kept <<= np.uint16(_LINE_BITS)
    kept += (owner[piece].astype(np.uint16)[:, np.newaxis]) * (kept > 0)
    across *= np.where(level, columns, 1)[piece][:, np.newaxis]
    across += (u * np.where(level, 1, columns)[piece])[:, np.newaxis]
    return across.reshape(-1), kept.reshape(-1)


def _near(
    away: Reals, part: Reals, cosine: Reals, sine: Reals, lengths: Reals
) -> tuple[Reals, Reals]:
    """Return how far pixels are from pieces, and how far along.

    Parameters
    ----------
    away
        (n, offset) distance of the pixels from the line, across.
    part
        (n,) along the piece, from its beginning to where it passes.
    """
    ran = away * sine[:, np.newaxis]
    ran += part[:, np.newaxis]
    # Beyond its ends a piece is a point: no corner sticks out.
    over = np.maximum(-ran, ran - lengths[:, np.newaxis])
    np.maximum(over, 0, out=over)
    away *= cosine[:, np.newaxis]
    away *= away
    over *= over
    away += over
    return np.sqrt(away, out=away), ran


def _shares(
    strokes: Sequence[Stroke], owner: npt.NDArray[np.intp], ran: Reals
) -> npt.NDArray[np.uint16]:
    """Return how much of a dash lies on pixels so far along, above the bits of nearness."""
    whole = np.uint16(_SHARES << _NEAR_BITS)
    broken = [(stroke.dashed or stroke.dotted, stroke.dotted) for stroke in strokes]
    dashed, dotted = np.array(broken, dtype=np.bool_)[owner].T
    if not dashed.any():
        return np.full((1, 1), whole, dtype=np.uint16)
    widths = np.array([stroke.width_px for stroke in strokes], dtype=np.float32)[owner]
    on = widths * np.where(dotted, np.float32(DOT), np.float32(DASH))
    period = (on + widths * np.where(dotted, np.float32(DOT_GAP), np.float32(GAP)))[:, np.newaxis]
    ran /= period
    ran -= np.floor(ran)
    ran *= period
    covered = np.minimum(ran, on[:, np.newaxis] - ran)
    ran -= period
    np.maximum(covered, ran, out=covered)  # of the dash that follows
    covered += np.float32(0.5)
    covered *= np.float32(_SHARES)
    np.minimum(np.maximum(covered, 0, out=covered), _SHARES, out=covered)
    found = np.rint(covered, out=covered).astype(np.uint16) << np.uint16(_NEAR_BITS)
    if not dashed.all():
        found[~dashed] = whole
    return np.asarray(found)


@lru_cache(maxsize=128)
def _looks(colour: int, width_px: float, rim_px: float) -> npt.NDArray[np.uint32]:
    """Return the colours of a line over its rim, premultiplied: by share, then by nearness."""
    reach = (width_px + rim_px) / 2 + 0.5
    away = reach * (1 - np.arange(_NEAREST + 1) / _NEAREST)
    line = np.clip(width_px / 2 + 0.5 - away, 0.0, 1.0)
    rim = np.clip(reach - away, 0.0, 1.0) * RIM_ALPHA / 255
    line = line[np.newaxis] * (np.arange(_SHARES + 1) / _SHARES)[:, np.newaxis]
    out = np.rint((line + rim * (1 - line)) * 255).astype(np.uint32) << np.uint32(24)
    for shift in (16, 8, 0):
        out |= np.rint((colour >> shift & 255) * line).astype(np.uint32) << np.uint32(shift)
    out.flags.writeable = False
    return np.asarray(out.reshape(-1))


def _over(over: npt.NDArray[np.uint32], under: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Blend premultiplied 0xAARRGGBB over the same."""
    rest = np.uint32(255) - (over >> np.uint32(24))
    rest += rest >> np.uint32(7)  # to 256, so that to divide is to shift
    ends = np.uint32(0xFF00FF)
    low = (under & ends) * rest >> np.uint32(8) & ends
    high = (under >> np.uint32(8) & ends) * rest & ~ends
    return np.asarray(over + low + high, dtype=np.uint32)
