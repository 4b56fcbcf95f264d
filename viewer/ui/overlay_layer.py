"""What is laid over a slice: outlines and marks of lesions, outlines of anatomy, heatmap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from inference.findings import Heatmap, Mask
from viewer.annotate.lesion import AI_DRAWN, NOT_AI
from viewer.display.layers import Fill, Heat, cut
from viewer.display.oblique import ObliquePlane
from viewer.display.outlines import flat_outline_mm, oblique_outline_mm, outline_mm
from viewer.display.planes import Plane
from viewer.display.slab import Span, flat_heatmap, flat_mask
from viewer.display.strokes import Stroke
from viewer.tools.brush import Stroke as BrushStroke
from viewer.ui import change_layer
from viewer.ui import on_image as theme
from viewer.ui.label_colours import label_colour
from viewer.ui.outline_lines import ApartLayer, Line, Outline
from viewer.ui.reading import Reading

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from viewer.annotate.lesion import Lesion, SegmentState
    from viewer.ui.look import Look
    from viewer.ui.oblique_slabs import ObliqueSlabs

_LINE_PX = 1.6
_SELECTED_PX = 2.4
_POINT_REACH_MM = 1.5
_CACHE = 256
_TRACED = 64  # slices of masks, some kilobytes each
_HEAT_SLICES = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """Number of a lesion beside it, in view mm; ``radius_mm`` 0 for a point without a mask."""

    lesion: Lesion
    centre_mm: tuple[float, float]
    radius_mm: float
    selected: bool


def _nothing() -> None:
    """Nobody wants to know."""


class OverlayLayer:
    """Vector overlays of one view, rebuilt when the slice or the document changes.

    AI outlines are dashed, human ones solid, those of other files dotted: colour is never the
    only cue.
    """

    def __init__(self, reading: Reading, oblique_slabs: ObliqueSlabs | None = None) -> None:
        self._reading = reading
        self._oblique_slabs = oblique_slabs
        self.changed: Callable[[], object] = _nothing  # called when it has to be drawn again
        self._lines: list[Line] = []
        self.marks: list[Mark] = []
        self.shows_ai = False
        self._carried: tuple[str, float, float] | None = None
        self._paths: dict[tuple[Any, ...], tuple[Mask, Outline]] = {}
        self._traced: dict[tuple[Any, ...], Outline] = {}
        self._live: tuple[object, Outline | None] = (None, None)
        self._span: Span | None = None  # of the slab, in the place of one slice
        self._flat_at: tuple[Span | None, int] = (None, 0)
        self._flat: dict[tuple[Any, ...], tuple[Mask | Heatmap, Any]] = {}
        self._slices: dict[tuple[int, int], tuple[Heatmap, Heatmap]] = {}
        self._apart_layer = ApartLayer()
        self._apart: str | None = None  # target that is, or was last, under the hand

    def clear(self) -> None:
        """Show nothing."""
        self._lines, self.marks, self.shows_ai = [], [], False
        self._paths.clear()
        self._traced.clear()
        self._live = (None, None)
        self._flat.clear()
        self._slices.clear()
        self._apart_layer.show_line(None)
        self.changed()

    # ----------------------------------------------------------------- build

    def rebuild(self, plane: Plane, index: int, span: Span | None = None) -> None:
        """Collect the outlines that meet one slice, or those that meet any slice of a slab."""
        if (span, index) != self._flat_at:
            self._span, self._flat_at = span, (span, index)
            self._flat.clear()
        if self._reading.stroke is not None:
            self._apart = self._reading.stroke.target_id
        elif self._apart != self._reading.selected:
            self._apart = None  # something else is worked on
        before = self._lines
        self._collect(plane, index)
        apart = [line for line in self._lines if line.target_id == self._apart]
        self._lines = self._without_apart
        self._apart_layer.show_line(apart[0] if apart else None)
        # Stroking long outlines takes longer than all else: only when one is another.
        if len(before) != len(self._lines) or not all(map(Line.is_same, before, self._lines)):
            self.changed()

    def put_apart(self, target_id: str) -> None:
        """Draw the outline of a target apart from now on, as long as it stays selected."""
        self._apart = target_id

    @property
    def shows_apart(self) -> bool:
        """Whether an outline is drawn apart on this slice."""
        return self._apart_layer.shows_line

    @property
    def _without_apart(self) -> list[Line]:
        return [line for line in self._lines if line.target_id != self._apart]

    def _collect(self, plane: Plane, index: int) -> None:
        self._lines, self.marks = [], []
        self.shows_ai = self.heat() is not None
        for segment in self._segments():
            self._add_line(segment, plane, index, selected=False)
            self.shows_ai |= segment.origin not in NOT_AI
        for drawn in change_layer.drawn_by_ai(self._reading):
            self._add_line(drawn, plane, index, selected=False)
        for lesion in self._lesions():
            self._add_lesion(lesion, plane, index)
            self.shows_ai |= lesion.origin not in NOT_AI

    def strokes_of(self, plane: Plane, index: int, look: Look) -> list[Stroke]:
        """Return the outlines of another slice, in pixels of the device; what is shown stays."""
        kept = self._lines, self.marks, self.shows_ai
        self._collect(plane, index)
        self._lines = self._without_apart
        strokes = self.strokes(look)
        self._lines, self.marks, self.shows_ai = kept
        return strokes

    def _lesions(self) -> Iterator[Lesion]:
        reading = self._reading
        if reading.case is None or not reading.shown.masks:
            return
        for lesion in reading.lesions:
            # A rejected lesion stays in the list; on the image it would hide what is real.
            chosen = lesion.id == reading.selected and not reading.shown.changes
            if lesion.verdict != "rejected" or chosen:
                yield lesion

    def _segments(self) -> Iterator[SegmentState]:
        reading = self._reading
        if reading.case is None or not reading.shown.masks:
            return
        for segment in reading.case.document.segments:
            if segment.id in reading.visible_segments and not reading.ai_hidden:
                yield segment

    def _add_lesion(self, lesion: Lesion, plane: Plane, index: int) -> None:
        selected = lesion.id == self._reading.selected
        outline = self._add_line(lesion, plane, index, selected=selected)
        if outline is not None:
            left, top, right, bottom = outline.box_mm
            middle = ((left + right) / 2, (top + bottom) / 2)
            radius = max(right - left, bottom - top) / 2
            self.marks.append(Mark(lesion, middle, radius, selected))
        elif lesion.empty and not self._painting(lesion.id):
            away_mm = plane.off_mm(lesion.centre_lps_mm, index)
            if away_mm <= max(_POINT_REACH_MM, plane.step_mm / 2) or self._in_slab(
                plane, lesion.centre_lps_mm
            ):
                self.marks.append(
                    Mark(lesion, plane.view_of_lps(lesion.centre_lps_mm), 0, selected)
                )

    def _painting(self, target_id: str) -> bool:
        stroke = self._reading.stroke
        return stroke is not None and stroke.target_id == target_id

    def _add_line(
        self, target: Lesion | SegmentState, plane: Plane, index: int, *, selected: bool
    ) -> Outline | None:
        painting = self._painting(target.id)
        outline: Outline | None
        if isinstance(plane, ObliquePlane):
            stroke = self._reading.stroke if painting else None
            if isinstance(stroke, BrushStroke):  # others are seen when they are done
                outline = Outline.of(oblique_outline_mm(stroke.after(), plane, index))
            else:
                outline = self._cached_oblique(target.id, target.mask, plane, index)
        elif painting:
            part, offset = self._reading.stroke.slice_of(plane.axis, index)
            outline = self._trace(part, offset, plane, live=True)
        else:
            outline = self._cached(target.id, target.mask, plane, index)
        if outline is None or not len(outline.ends):
            return None
        rejected = getattr(target, "verdict", None) == "rejected"
        colour = theme.DIM if rejected else label_colour(target.label)
        width_px = _SELECTED_PX if selected else _LINE_PX
        dashed = target.origin in AI_DRAWN and not painting
        dotted = target.origin == "imported" and not painting
        self._lines.append(Line(target.id, outline, colour, width_px, dashed, dotted))
        return outline

    def _in_slab(self, plane: Plane, point_lps_mm: tuple[float, float, float]) -> bool:
        if self._span is None:
            return False
        return self._span[0] <= plane.index_of_lps(point_lps_mm) < self._span[1]

    def flat_mask(self, mask: Mask, plane: Plane, index: int) -> Mask:
        """Return a mask as it is shown: over a slab all of its slices as one."""
        if self._span is None:
            return mask
        at = ("mask", id(mask), plane.axis)
        known = self._flat.get(at)
        if known is None or known[0] is not mask:
            known = self._flat[at] = (mask, flat_mask(mask, plane.axis, self._span, index))
        return known[1]

    def flat_heat(self, plane: Plane, index: int) -> Heat | None:
        """Return ``heat`` as it is shown: over a slab the highest value of all of its slices."""
        heat = self.heat()
        if heat is None or not plane.straight:
            return heat
        if self._span is None:
            return replace(heat, heatmap=self._heat_slice(heat.heatmap, plane.axis, index))
        at = ("heat", id(heat.heatmap), plane.axis)
        known = self._flat.get(at)
        if known is None or known[0] is not heat.heatmap:
            shown = flat_heatmap(heat.heatmap, plane.axis, self._span, index)
            known = self._flat[at] = (heat.heatmap, shown)
        return replace(heat, heatmap=known[1])

    def _heat_slice(self, heatmap: Heatmap, axis: int, index: int) -> Heatmap:
        """Return one slice of a heatmap, in one piece: a window that is dragged asks again."""
        known = self._slices.get((axis, index))
        if known is None or known[0] is not heatmap:
            if len(self._slices) >= _HEAT_SLICES:
                self._slices.clear()
            known = (heatmap, flat_heatmap(heatmap, axis, (index, index + 1), index))
            self._slices[axis, index] = known
        return known[1]

    def _cached(self, key: str, mask: Mask, plane: Plane, index: int) -> Outline | None:
        at = (key, plane.name, index if self._span is None else self._span)
        known = self._paths.get(at)
        if known is not None and known[0] is mask:
            return known[1]
        flat = self.flat_mask(mask, plane, index)
        part = cut(flat.voxels, flat.origin_kji, plane, index)
        if part is None:
            return None
        return self._keep(at, mask, self._trace(part[0], part[1], plane))

    def _cached_oblique(self, key: str, mask: Mask, plane: ObliquePlane, index: int) -> Outline:
        if self._span is not None and self._oblique_slabs is not None:
            found = self._oblique_slabs.mask(mask)
            return Outline.of([] if found is None else flat_outline_mm(*found, plane))
        at = (key, plane, index)
        known = self._paths.get(at)
        if known is not None and known[0] is mask:
            return known[1]
        return self._keep(at, mask, Outline.of(oblique_outline_mm(mask, plane, index)))

    def _keep(self, at: tuple[Any, ...], mask: Mask, outline: Outline) -> Outline:
        if len(self._paths) >= _CACHE:
            self._paths.clear()
        self._paths[at] = (mask, outline)
        return outline

    def _trace(
        self, part: Any, offset: tuple[int, int], plane: Plane, *, live: bool = False
    ) -> Outline:
        """Return the outline of a slice of a mask, the one that was traced if it is as before.

        A step back makes another mask of the same voxels, and a brush goes over the same place
        again. Of a stroke in the making only the last is remembered: no step leads into it.
        """
        at = (plane, offset, part.shape, np.packbits(part).tobytes())
        outline = self._traced.get(at) or (self._live[1] if at == self._live[0] else None)
        if outline is None:
            outline = Outline.of(outline_mm(part, offset, plane))
        if live:
            self._live = (at, outline)
        else:
            if len(self._traced) >= _TRACED:
                self._traced.clear()
            self._traced[at] = outline
        return outline

    def carry(self, lesion: tuple[str, float, float] | None) -> None:
        """Draw a lesion (id, across, down in view mm) away from its place while it is dragged."""
        self._carried = lesion
        self.changed()

    # ------------------------------------------------------------ raster part

    def heat(self) -> Heat | None:
        """Return the heatmap, or the map of uncertainty, to blend; None while it is off."""
        reading = self._reading
        if not reading.shown.heatmap:
            return None
        chosen = reading.chosen_map
        if chosen is None:
            return None
        floor = max(1, round(reading.shown.heat_floor * 255))
        top, palette = round(reading.heat_top * 255), reading.preferences.choice("heat_palette")
        return Heat(chosen, reading.shown.heat_opacity, floor, top, palette)

    def heatmap_value(
        self, voxel_kji: tuple[int, int, int], at_px: tuple[int, int] | None = None
    ) -> float | None:
        """Return the shown map's value at a voxel, 0 to 1; None while it is off.

        Parameters
        ----------
        at_px
            Row and column of an oblique plane whose slab is shown.
        """
        heat = self.heat()
        if heat is None:
            return None
        if at_px is not None and self._oblique_slabs is not None:
            return self._oblique_slabs.heat_at(*at_px)
        shown = heat.heatmap
        for what, _map, _axis in self._flat:
            if what == "heat":
                shown = self._flat[what, _map, _axis][1]  # the slab's
        values = shown.values
        at = tuple(v - o for v, o in zip(voxel_kji, shown.origin_kji, strict=True))
        inside = all(0 <= a < n for a, n in zip(at, values.shape, strict=True))
        return float(values[at]) / 255 if inside else 0.0

    def fills(self) -> list[Fill]:
        """Return the masks to fill; none while outlines alone are asked for."""
        if self._reading.compared():
            return change_layer.fills(self._reading)
        if not self._reading.shown.fill:
            return []
        targets: list[Lesion | SegmentState] = [*self._segments(), *self._lesions()]
        return [
            Fill(target.mask, label_colour(target.label), self._reading.shown.fill_opacity)
            for target in targets
            if not self._painting(target.id)
        ]

    def flat_fills(self, plane: Plane, index: int) -> list[Fill]:
        """Return ``fills`` as they are shown: over a slab all of its slices as one."""
        return [
            replace(fill, mask=self.flat_mask(fill.mask, plane, index)) for fill in self.fills()
        ]

    # ----------------------------------------------------------------- paint

    def strokes(self, look: Look) -> list[Stroke]:
        """Return the outlines in pixels of the device, in the order in which they are drawn."""
        return [line.stroke(look, self._away_mm(line.target_id)) for line in self._lines]

    def _away_mm(self, target_id: str | None) -> tuple[float, float]:
        """Return how far a target is carried, view mm."""
        carried = self._carried
        return carried[1:] if carried and carried[0] == target_id else (0.0, 0.0)

    def paint_apart(self, painter: QPainter, look: Look) -> None:
        """Draw the outline that is worked on with a painter of logical pixels."""
        self._apart_layer.paint(painter, look, self._away_mm(self._apart))

    def lesion_at(self, x_mm: float, y_mm: float, reach_mm: float) -> str | None:
        """Return the id of the lesion marked at a view position in mm, or None."""
        best: tuple[float, str] | None = None
        for mark in self.marks:
            away = float(np.hypot(x_mm - mark.centre_mm[0], y_mm - mark.centre_mm[1]))
            if away <= mark.radius_mm + reach_mm and (best is None or away < best[0]):
                best = (away, mark.lesion.id)
        return best[1] if best else None
