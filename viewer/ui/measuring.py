"""Measuring on the images: what is drawn, chosen and changed, and the commands for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QPointF, Signal

from resources.text import translate
from viewer.annotate import measurement_words
from viewer.annotate.measurements import KINDS, TOPIC, Kept, Kind, Measurement
from viewer.annotate.measuring import sheet_of
from viewer.display.oblique import cut_plane
from viewer.tools.measures import shapes
from viewer.ui.measure_draft import Draft
from viewer.ui.measure_work import MeasureWork

if TYPE_CHECKING:
    from viewer.annotate.document import Change
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

Floats = npt.NDArray[np.float64]

_HANDLE_PX = 8.0
_LINE_PX = 6.0
# Of an ellipse or a rectangle: the handle that turns it, and how far outside it stands.
TURN, _STEM_PX = -1, 22.0
# A shape that is smaller on the screen was not meant.
_LEAST_PX = 3.0


@dataclass(frozen=True, slots=True)
class Hit:
    """What is under the pointer: a measurement, and the handle of it, or None for its line.

    ``handle`` is ``TURN`` for the one that turns it.
    """

    measurement_id: str
    handle: int | None


class Measuring(QObject):
    """The measurements of the open case, the one that is chosen, and the one being drawn.

    A room of the window (``Part``). Views ask it what to draw and what a press begins.
    """

    changed = Signal()  # what is listed, shown or chosen
    moved = Signal()  # what is drawn or under the pointer: the views alone follow it
    told = Signal(str)
    failed = Signal(object)

    def __init__(
        self, reading: Reading, delete_finding: Callable[[], object], parent: QObject
    ) -> None:
        super().__init__(parent)
        self.reading = reading
        self.selected: str | None = None
        self.hovered: Hit | None = None
        self.draft: Draft | None = None
        self.visible = True
        # The points of a measurement while one of its handles is dragged.
        self.edited: tuple[str, Floats] | None = None
        self.views: list[SliceView] = []
        self.work = MeasureWork(reading, self)
        self.work.failed.connect(self.failed)
        self._delete_finding = delete_finding
        self._finding: str | None = None
        reading.case_changed.connect(self._on_case)
        reading.document_changed.connect(self._on_document)
        reading.tool_changed.connect(self._on_tool)
        reading.shown_changed.connect(self.moved)
        reading.selection_changed.connect(self._on_selection)

    def attach(self, view: SliceView) -> None:
        """Let a view measure."""
        from viewer.ui import measure_layer

        view.measuring = self
        view.extras.append(measure_layer.paint)
        view.closers.append(self.close_polygon)
        self.views.append(view)
        self.changed.connect(view.update)
        self.moved.connect(view.update)

    # ------------------------------------------------------------------ part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do; the tools are those of the reading."""
        return {
            "measurements": self.toggle_visible,
            "measure_finding": self.measure_finding,
            "delete": self._delete,
        }

    def reasons(self) -> Mapping[str, str]:
        """Return why nothing can be measured now."""
        case = self.reading.case
        if case is None:
            return {}
        why: dict[str, str] = dict.fromkeys(KINDS, self.why_not())
        lesion = self.reading.lesion
        if not why["distance"] and (lesion is None or lesion.empty):
            why["measure_finding"] = translate("measure", "Select a finding with an outline first.")
        else:
            why["measure_finding"] = why["distance"]
        if self.selected is not None:
            why["delete"] = ""
        return why

    def checked(self) -> Mapping[str, bool]:
        """Return whether measurements are shown."""
        return {"measurements": self.visible}

    def why_not(self) -> str:
        """Return why nothing can be measured in the open case; empty when it can."""
        case = self.reading.case
        if case is None:
            return translate("measure", "Open a series first.")
        if case.is_being_read:
            return translate("measure", "The images are still being read.")
        return ""

    # --------------------------------------------------------------- reading

    @property
    def kept(self) -> Kept:
        """All measurements of the case."""
        return self.work.kept

    @property
    def listed(self) -> dict[str, Measurement]:
        """Those that may be seen now, by id: those of the AI go with the AI."""
        hidden = self.reading.ai_hidden
        return {
            key: one for key, one in self.kept.by_id.items() if one.origin == "human" or not hidden
        }

    def on_view(self, view: SliceView) -> dict[str, Measurement]:
        """Return those that lie on the slice of a view, with the points of an edit in hand."""
        if not self.visible or view.plane is None or view.case is None:
            return {}
        listed = self.listed
        if not listed:
            return {}
        sheet = sheet_of(view.plane, view.index, view.case.volume)
        found = {}
        for key, one in listed.items():
            if sheet.shows(one):
                if self.edited is not None and self.edited[0] == key:
                    one = self.work.measured(one, self.edited[1], view)
                found[key] = one
        return found

    def hit(self, view: SliceView, at: QPointF) -> Hit | None:
        """Return what lies under a pixel: handles before lines, the chosen one first."""
        best: tuple[float, Hit] | None = None
        here = np.array([at.x(), at.y()])
        for key, one in self.on_view(view).items():
            points = self.pixels(view, one.points_lps_mm)
            stem = self.turn_stem(key, one, points)
            if stem is not None and float(np.linalg.norm(stem[1] - here)) <= _HANDLE_PX:
                return Hit(key, TURN)
            away = np.linalg.norm(points - here, axis=1)
            favour = 0.5 if key == self.selected else 0.0
            handle = int(away.argmin())
            if away[handle] <= _HANDLE_PX:
                found = (float(away[handle]) - 20 - favour, Hit(key, handle))
            else:
                off = shapes.distance_to(shapes.outlines(one.kind, points), here)
                if off > _LINE_PX:
                    continue
                found = (off - favour, Hit(key, None))
            if best is None or found[0] < best[0]:
                best = found
        return None if best is None else best[1]

    def turn_stem(
        self, key: str, one: Measurement, points_px: Floats
    ) -> tuple[Floats, Floats] | None:
        """Return foot and head of the handle that turns a measurement; None without one."""
        if key != self.selected or one.kind not in shapes.TURNED:
            return None
        return shapes.turn_stem(one.kind, points_px, _STEM_PX)

    @staticmethod
    def pixels(view: SliceView, points_lps_mm: npt.ArrayLike) -> Floats:
        """Return where points in LPS mm lie in a view, (n, 2) logical pixels."""
        assert view.plane is not None
        found = [
            view.px_of_mm(*view.plane.view_of_lps(point))
            for point in np.asarray(points_lps_mm, dtype=np.float64)
        ]
        return np.array([(point.x(), point.y()) for point in found])

    @staticmethod
    def point_at(view: SliceView, at: QPointF) -> Floats:
        """Return the point in LPS mm under a pixel, on the slice shown."""
        return np.asarray(view.lps_at(at), dtype=np.float64)

    # -------------------------------------------------------------- choosing

    def select(self, measurement_id: str | None) -> None:
        """Choose a measurement, or none."""
        if measurement_id != self.selected:
            self.selected = measurement_id
            self.changed.emit()
            self.reading.selection_changed.emit()  # what Del does has changed

    def go_to(self, measurement_id: str) -> None:
        """Choose a measurement and bring the views to it."""
        one = self.kept.by_id[measurement_id]
        self.visible = True
        self.select(measurement_id)
        self.reading.move_cursor(np.mean(one.points_lps_mm, axis=0))
        if not self._is_seen(measurement_id):
            self._turn_to(one)
        if not self._is_seen(measurement_id):
            self.told.emit(translate("measure", "It lies in a plane that no view shows now."))
        self.changed.emit()

    def _is_seen(self, measurement_id: str) -> bool:
        shown = [view for view in self.views if view.isVisible() and view.plane is not None]
        return any(measurement_id in self.on_view(view) for view in shown)

    def _turn_to(self, one: Measurement) -> None:
        """Show the plane that a measurement was made in, in the view that is nearest to it."""
        reading, normal = self.reading, np.asarray(one.normal_lps)
        if reading.case is None or not reading.case.volume.regular or len(reading.straight) < 2:
            return
        straight = max(reading.straight.values(), key=lambda p: abs(float(p.normal_lps @ normal)))
        normal = normal * np.sign(straight.normal_lps @ normal)
        across = straight.across_lps - normal * (straight.across_lps @ normal)
        across = across / np.linalg.norm(across)
        frame = across, np.cross(normal, across)
        through = np.mean(one.points_lps_mm, axis=0)
        plane = cut_plane(straight, frame, through)
        reading.turn({**reading.planes, straight.name: plane})

    def toggle_visible(self) -> None:
        """Hide all measurements, or show them again."""
        self.visible = not self.visible
        self.give_up()
        self.hovered = None
        self.reading.show()

    def hover(self, view: SliceView, at: QPointF) -> None:
        """Follow the pointer while no button is held."""
        if self.draft is not None and self.draft.view is view:
            self.draft.rubber = self.point_at(view, at)
            self.moved.emit()
            return
        tool = self.reading.tool
        found = self.hit(view, at) if tool in ("window", *KINDS) else None
        if found != self.hovered:
            self.hovered = found
            view.follow_pointer(None if found is None else found.handle is not None)
            self.moved.emit()

    def leave(self, view: SliceView) -> None:
        """Let go of what the pointer was over."""
        if self.draft is not None and self.draft.view is view:
            self.draft.rubber = None
        self.hovered = None
        self.moved.emit()

    # --------------------------------------------------------------- drawing

    def start(self, view: SliceView, kind: Kind) -> Draft:
        """Begin a new measurement on the slice of a view."""
        assert view.plane is not None
        assert view.case is not None
        across, down = view_axes(view)
        sheet = sheet_of(view.plane, view.index, view.case.volume)
        self.draft = Draft(kind, view, sheet, across, down)
        self.visible = True
        self.select(None)
        return self.draft

    def give_up(self) -> bool:
        """Drop what is being drawn or changed; tell whether there was anything."""
        had = self.draft is not None or self.edited is not None
        self.draft = self.edited = None
        if had:
            self.moved.emit()
        return had

    def is_on_its_slice(self, draft: Draft) -> bool:
        """Return whether the view still shows the slice that a draft is drawn on."""
        view = draft.view
        if view.plane is None or view.case is None:
            return False
        now = sheet_of(view.plane, view.index, view.case.volume)
        same = now.holds([draft.sheet.origin_lps_mm])
        return same and abs(float(now.normal_lps @ draft.sheet.normal_lps)) > 1 - 1e-9

    def close_polygon(self) -> bool:
        """End a polygon with the corners that stand; tell whether one was being drawn."""
        draft = self.draft
        if draft is None or draft.kind != "polygon":
            return False
        if not draft.can_close:
            self.told.emit(translate("measure", "A polygon needs three corners."))
            return True
        draft.rubber = None
        self.finish()
        return True

    def finish(self) -> None:
        """Keep what was drawn."""
        draft, self.draft = self.draft, None
        points = None if draft is None else draft.points()
        if draft is None or points is None or self._is_tiny(draft.view, points):
            self.told.emit(translate("measure", "Too small to measure; nothing was kept."))
            self.moved.emit()
            return
        self._keep(self.work.new(draft.kind, points, draft.sheet, draft.view))

    def _is_tiny(self, view: SliceView, points: Floats) -> bool:
        px = self.pixels(view, points)
        return bool(np.linalg.norm(np.ptp(px, axis=0)) < _LEAST_PX)

    def _keep(self, one: Measurement) -> None:
        measurement_id = self.work.keep(one)
        if measurement_id is not None:
            self.selected = measurement_id
            self.told.emit(measurement_words.summary(one))
            self.reading.selection_changed.emit()  # what Del does has changed
        self.changed.emit()

    def change(self, measurement_id: str, points: Floats, view: SliceView) -> None:
        """Keep the points of a measurement after one of its handles was dragged: one step."""
        self.edited = None
        self.work.change(measurement_id, points, view)
        self.changed.emit()

    def preview(self, draft: Draft) -> Measurement | None:
        """Return a draft as the measurement that it would be now, or None."""
        points, kind = draft.points(), draft.kind
        if points is None and kind == "bidirectional" and draft.fixed:
            ends = [*draft.fixed[:2], *([] if draft.rubber is None else [draft.rubber])][:2]
            kind, points = "distance", (np.stack(ends) if len(ends) == 2 else None)
        return None if points is None else self.work.new(kind, points, draft.sheet, draft.view)

    # -------------------------------------------------------------- commands

    def delete(self) -> bool:
        """Delete the chosen measurement; tell whether one was chosen."""
        one = self.kept.by_id.get(self.selected or "")
        if one is None or self.selected is None:
            return False
        measurement_id, self.selected = self.selected, None
        self.hovered = None
        if self.work.delete(measurement_id):
            self.told.emit(
                translate("measure", "{what} deleted. {key} brings it back.").format(
                    what=measurement_words.kind_text(one.kind),
                    key=self.reading.keys.name("undo"),
                )
            )
        self.reading.selection_changed.emit()
        self.changed.emit()
        return True

    def _delete(self) -> None:
        if not self.delete():
            self._delete_finding()

    def measure_finding(self) -> None:
        """Make a measurement of the axes of the selected finding's outline."""
        lesion = self.reading.lesion
        one = None if lesion is None else self.work.of_finding(lesion)
        if one is not None:
            self._keep(one)
            self.reading.move_cursor(np.mean(one.points_lps_mm, axis=0))

    # --------------------------------------------------------------- follow

    def _on_case(self) -> None:
        self.work.on_case()
        self.draft = self.edited = self.hovered = self.selected = None
        self.visible = True
        self.changed.emit()

    def _on_document(self, change: Change) -> None:
        if change.note is not None and change.note[0] == TOPIC:
            self.work.forget()
            if self.selected not in self.kept.by_id:
                self.selected = None
            if self.hovered is not None and self.hovered.measurement_id not in self.kept.by_id:
                self.hovered = None
            self.changed.emit()

    def _on_selection(self) -> None:
        if self.reading.selected != self._finding:
            # Del takes what was chosen last, and there is only one such thing.
            self._finding = self.reading.selected
            if self._finding is not None and self.selected is not None:
                self.selected = None
                self.changed.emit()

    def _on_tool(self) -> None:
        self.hovered = None
        if self.draft is not None and self.draft.kind != self.reading.tool:
            self.give_up()


def view_axes(view: SliceView) -> tuple[Floats, Floats]:
    """Return unit vectors in LPS across and down the screen of a view."""
    assert view.plane is not None
    origin = view.plane.lps_at(0.0, 0.0, view.index)
    across = view.plane.lps_at(1.0, 0.0, view.index) - origin
    down = view.plane.lps_at(0.0, 1.0, view.index) - origin
    return across / np.linalg.norm(across), down / np.linalg.norm(down)
