"""A measurement while it is drawn: the points that stand, and the one under the pointer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from viewer.annotate.measurements import Kind
from viewer.annotate.measuring import Sheet
from viewer.tools.measures import shapes
from viewer.tools.measures.lines import crossing, long_first

if TYPE_CHECKING:
    from viewer.ui.slice_view import SliceView

Floats = npt.NDArray[np.float64]

_NEEDED: dict[Kind, int] = {
    "distance": 2, "bidirectional": 4, "angle": 3, "ellipse": 2, "rectangle": 2,
}  # fmt: skip
# Where a press puts a point at once: the others follow the pointer until the release.
_STARTS: dict[Kind, tuple[int, ...]] = {"bidirectional": (0, 2)}


@dataclass(eq=False)
class Draft:
    """What is being drawn in one view, on one slice.

    Attributes
    ----------
    sheet
        The slice.
    across, down
        Unit vectors in LPS along the edges of the screen.
    fixed
        Points that stand, LPS mm: corners of the drag for an ellipse or a rectangle.
    rubber
        The point under the pointer, LPS mm; None before it moved.
    """

    kind: Kind
    view: SliceView
    sheet: Sheet
    across: Floats
    down: Floats
    fixed: list[Floats] = field(default_factory=list)
    rubber: Floats | None = None

    @property
    def starts(self) -> bool:
        """Whether the next press puts a point at once."""
        return len(self.fixed) in _STARTS.get(self.kind, (0,))

    @property
    def finished(self) -> bool:
        """Whether nothing is left to put; a polygon is closed, it never fills up."""
        return len(self.fixed) >= _NEEDED.get(self.kind, 1 << 30)

    @property
    def can_close(self) -> bool:
        """Whether it is a polygon with enough corners."""
        return self.kind == "polygon" and len(self.fixed) >= 3

    def fix(self, point: Floats) -> None:
        """Let a point stand."""
        self.fixed.append(point)
        self.rubber = None

    def points(self) -> Floats | None:
        """Return the points of the shape as it would be now; None while it is none yet."""
        at = [*self.fixed, *([] if self.rubber is None else [self.rubber])]
        try:
            return self._shape(at)
        except ValueError:
            return None  # an axis without a length

    def _shape(self, at: list[Floats]) -> Floats | None:
        if self.kind == "polygon":
            return np.stack(at) if len(at) >= 3 else None
        if len(at) < _NEEDED[self.kind]:
            return None
        if self.kind == "bidirectional":
            normal = self.sheet.normal_lps
            cross = crossing(at[0], at[1], at[2], at[3], normal)
            if cross.short_mm <= 0.0:
                return None
            return long_first(cross, normal).points_lps_mm(normal)
        if self.kind in ("ellipse", "rectangle"):
            make = shapes.ellipse if self.kind == "ellipse" else shapes.box
            return make(at[0], at[1], self.across, self.down)
        return np.stack(at)

    def lines(self) -> list[Floats]:
        """Return what to draw of it, each (n, 3) LPS mm, also while it is no shape yet."""
        points = self.points()
        if points is not None and self.kind != "polygon":
            return shapes.outlines(self.kind, points)
        at = [*self.fixed, *([] if self.rubber is None else [self.rubber])]
        if self.kind == "bidirectional" and len(at) > 2:
            return [np.stack(at[:2])]
        return [np.stack(at)] if len(at) > 1 else []

    def guide(self) -> Floats | None:
        """Return the foot of the pointer on the long axis and the pointer, before the short one."""
        if self.kind != "bidirectional" or len(self.fixed) != 2 or self.rubber is None:
            return None
        a, b = self.fixed
        along = b - a
        share = float((self.rubber - a) @ along / (along @ along)) if along.any() else 0.0
        return np.stack([a + along * min(max(share, 0.0), 1.0), self.rubber])
