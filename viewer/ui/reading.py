"""What is open and how it is shown. Views and panels follow its signals; none knows another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from inference.geometry import kji_to_lps_mm, lps_mm_to_kji
from viewer.annotate.measurements import KINDS
from viewer.display.grey import Window
from viewer.display.planes import Plane, make_planes
from viewer.display.reorder import Reordered
from viewer.study.display_facts import DisplayFacts
from viewer.ui.keymap import KeyMap
from viewer.ui.preferences import Preferences
from viewer.ui.settling import Settling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inference.findings import Heatmap
    from viewer.annotate.comparison import Compared
    from viewer.annotate.lesion import Lesion
    from viewer.session import Case
    from viewer.tools.rules import Rule

TOOLS = (
    "window", "region", "pan", "brush", "erase", "lasso", "move", "outline", "refine", "box",
    "rotate", *KINDS,
)  # fmt: skip
# Mirrored outlines rarely differ by more; on the whole scale they would all be as dark as lung.
_UNCERTAINTY_TOP = 0.5
TEXT_FULL, TEXT_SHORT, TEXT_NONE = range(3)
FILL_MOST = 0.3  # more would hide what is under it


@dataclass
class Shown:
    """Display switches that every view shares."""

    heatmap: bool = False
    uncertainty: bool = False  # the map of it instead of the heatmap
    heat_opacity: float = 0.45
    heat_floor: float = 0.1
    masks: bool = True
    fill: bool = False
    changes: bool = False  # AI against corrected, in the place of fills
    fill_opacity: float = 0.25
    crosshair: bool = True
    text: int = TEXT_FULL
    invert: bool = False
    graphics: bool = True  # overlay planes of the file
    ai_held_back: bool = False  # while a key is held that hides everything of the AI
    patient_hidden: bool = False  # for demonstrations: nothing on the screen says who it is


class Reading(QObject):
    """State of the reading: case, cursor, window, selection, tool.

    The cursor is one point in LPS mm; every view shows the slice that holds it. That is all
    that the views share.
    """

    case_leaving = Signal()  # the case and how it is shown are still there
    case_changed = Signal()
    planes_changed = Signal()  # turned, or straight again
    cursor_moved = Signal()
    window_changed = Signal()
    shown_changed = Signal()
    document_changed = Signal(object)
    selection_changed = Signal()
    threshold_changed = Signal()
    tool_changed = Signal()
    stroke_changed = Signal()
    seen_changed = Signal()
    outline_asked = Signal(object)  # LPS mm of a point that the model is to outline
    refine_asked = Signal(object, bool)  # LPS mm of a point, and whether it belongs to the outline

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settling = Settling()
        self.case: Case | None = None
        self.planes: dict[str, Plane] = {}  # as they are shown, turned or not
        self.straight: dict[str, Plane] = {}  # as the volume has them
        self.cursor_lps_mm = np.zeros(3)
        self.window = Window(0, 1)
        self.first_window = Window(0, 1)
        self.shown = Shown()
        self.selected: str | None = None
        self.tool = "window"
        self.brush_mm = 8.0
        self.brush_ball = False
        self.brush_rule: Rule | None = None  # which voxels under it are changed; None: all
        self.stroke: Any = None
        self.outlining: tuple[Any, ...] = ()  # points that the model works on, LPS mm
        # Anatomy starts hidden: its outlines would stand between the reader and the lesions.
        self.visible_segments: set[str] = set()
        self.voxels: Reordered | None = None  # the open volume, quick along every axis
        self.ai_locked = False  # until the reader has told a first impression
        self.lock_rule: Callable[[Case | None], bool] = lambda _case: False
        self.compared: Callable[[], tuple[Compared, ...]] = tuple  # while it is shown
        self._seen = np.zeros(0, dtype=np.bool_)
        self.keys = KeyMap()  # for sentences that name a key
        self.facts = DisplayFacts()  # what the file says for the screen, once it was asked
        self.preferences = Preferences()

    # -------------------------------------------------------------------- ai

    @property
    def ai_hidden(self) -> bool:
        """Whether nothing of the AI may be seen now: no score, no outline, no map, no row.

        Whatever shows a result of the model asks here first.
        """
        return self.ai_locked or self.shown.ai_held_back

    @property
    def lesions(self) -> tuple[Lesion, ...]:
        """The lesions to be listed and drawn now, by number."""
        if self.case is None:
            return ()
        if self.ai_hidden:
            return tuple(lesion for lesion in self.case.shown if lesion.origin == "human")
        return self.case.shown

    # ------------------------------------------------------------------ maps

    @property
    def shows_uncertainty(self) -> bool:
        """Whether the chosen map is that of uncertainty: it was asked for, and there is one."""
        findings = self.case.document.findings if self.case is not None else None
        return findings is not None and findings.uncertainty is not None and self.shown.uncertainty

    @property
    def chosen_map(self) -> Heatmap | None:
        """The map that the heatmap's switch shows, or None when the model made none."""
        findings = self.case.document.findings if self.case is not None else None
        if findings is None or self.ai_hidden:
            return None
        return findings.uncertainty if self.shows_uncertainty else findings.heatmap

    @property
    def heat_top(self) -> float:
        """Value of the chosen map that has the last colour, 0 to 1."""
        return _UNCERTAINTY_TOP if self.shows_uncertainty else 1.0

    # ------------------------------------------------------------------ case

    def set_case(self, case: Case | None, window: Window | None = None) -> None:
        """Show another case, or none; the cursor goes to its middle."""
        if self.case is not None:
            self.case_leaving.emit()
        self.case = case
        self.ai_locked = self.lock_rule(case)  # before anything is shown of it
        self.selected = None
        self.stroke = None
        self.shown.heatmap = False
        self.shown.uncertainty = False
        self.shown.invert = False
        self.shown.masks = True  # hidden findings of another case would be overlooked
        self.tool = "window"
        self.visible_segments = set()
        if case is None:
            self.planes = self.straight = {}
            self._seen = np.zeros(0, dtype=np.bool_)
        else:
            volume = case.volume
            self.planes = make_planes(volume.shape_kji, volume.affine)
            if not volume.regular or volume.shape_kji[0] == 1:
                # No other plane can be cut through one slice, or slices that make no grid.
                self.planes = {n: plane for n, plane in self.planes.items() if plane.axis == 0}
            self.straight = self.planes
            middle = (np.array(volume.shape_kji) - 1) // 2
            self.cursor_lps_mm = kji_to_lps_mm(volume.affine, middle)
            self.window = self.first_window = window or Window(0, 1)
            self._seen = np.zeros(volume.shape_kji[0], dtype=np.bool_)
        with self.settling.held():
            self.case_changed.emit()
            self.tool_changed.emit()

    def complete_case(self, case: Case) -> None:
        """Put a case in the place of the one that was shown while it was read.

        Slice, window and tool stay: a reader is looking at it.
        """
        before = self.case
        if (
            before is None
            or before.volume.shape_kji != case.volume.shape_kji
            or before.volume.regular != case.volume.regular
        ):
            self.set_case(case, self.window)
            return
        self.case = case
        self.ai_locked = self.lock_rule(case)
        with self.settling.held():
            self.case_changed.emit()

    def plane_order(self) -> list[str]:
        """Return the names of the planes, the acquired one first."""
        acquired = [name for name, plane in self.straight.items() if plane.axis == 0]
        return acquired + [name for name in self.straight if name not in acquired]

    def turn(self, planes: Mapping[str, Plane]) -> None:
        """Show other planes through the volume, by the names of ``straight``."""
        self.planes = dict(planes)
        self.planes_changed.emit()

    def mark_seen(self, k: int) -> None:
        """Remember that acquired slice ``k`` was on the screen."""
        if 0 <= k < len(self._seen) and not self._seen[k]:
            self._seen[k] = True
            self.seen_changed.emit()

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """Which of the acquired slices were on the screen; not to be changed."""
        return self._seen

    @property
    def seen_share(self) -> float:
        """Share of the acquired slices that were on the screen, 0 to 1."""
        return float(self._seen.mean()) if len(self._seen) else 0.0

    # ---------------------------------------------------------------- cursor

    def move_cursor(self, point_lps_mm: Any) -> None:
        """Move the linked cursor, kept inside the volume."""
        if self.case is None:
            return
        volume = self.case.volume
        kji = lps_mm_to_kji(volume.affine, point_lps_mm)
        kji = np.clip(kji, 0, np.array(volume.shape_kji) - 1)
        self.cursor_lps_mm = kji_to_lps_mm(volume.affine, kji)
        self.cursor_moved.emit()

    def cursor_kji(self) -> tuple[float, float, float]:
        """Return the linked cursor in fractional (k, j, i) of the open volume."""
        assert self.case is not None
        k, j, i = lps_mm_to_kji(self.case.volume.affine, self.cursor_lps_mm)
        return float(k), float(j), float(i)

    @property
    def place_lps_mm(self) -> npt.NDArray[np.float64] | None:
        """Where the cursor truly lies in the patient, LPS mm; None when no image says."""
        volume = self.case.volume if self.case is not None else None
        if volume is None or not volume.placed or not volume.in_mm:
            return None
        if volume.places is None:
            return self.cursor_lps_mm
        # The cursor moves on a made-up grid; the slice that it is on knows its own place.
        k, j, i = self.cursor_kji()
        return kji_to_lps_mm(volume.places[round(k)], (0.0, j, i))

    def show_slice(self, plane: Plane, index: int) -> None:
        """Move the cursor along one plane's axis to a slice, and nowhere else."""
        if self.case is None:
            return
        self.cursor_lps_mm = plane.on_slice(self.cursor_lps_mm, index)
        self.cursor_moved.emit()

    # ----------------------------------------------------------------- looks

    def set_window(self, window: Window) -> None:
        """Set centre and width for all views."""
        self.window = window.clamped()
        self.window_changed.emit()

    def show(self, **switches: Any) -> None:
        """Change display switches, such as ``heatmap=True``."""
        for name, value in switches.items():
            setattr(self.shown, name, value)
        self.shown_changed.emit()

    def set_facts(self, facts: DisplayFacts) -> None:
        """Take what the file of the open case says for the screen."""
        if facts != self.facts:
            self.facts = facts
            self.shown_changed.emit()

    def reveal(self, target_id: str | None) -> None:
        """Make the outline of a lesion or segment visible: nobody paints what he cannot see."""
        if self.case is None or target_id is None:
            return
        segments = {segment.id for segment in self.case.document.segments}
        hidden = target_id in segments and target_id not in self.visible_segments
        if hidden:
            self.visible_segments = self.visible_segments | {target_id}
        if hidden or not self.shown.masks:
            self.show(masks=True)

    def set_threshold(self, score: float) -> None:
        """Show AI lesions from this score on; those that a person touched always show."""
        if self.case is not None:
            self.case.threshold = min(max(score, 0.0), 1.0)
            self.threshold_changed.emit()

    def toggle_segment(self, segment_id: str) -> None:
        """Show or hide the outline of one anatomical segment."""
        self.visible_segments ^= {segment_id}
        self.shown_changed.emit()

    def show_segments(self, segment_ids: Iterable[str]) -> None:
        """Show the outlines of anatomical segments, beside those that are shown."""
        self.visible_segments |= set(segment_ids)
        self.shown_changed.emit()

    # ------------------------------------------------------------- selection

    @property
    def lesion(self) -> Lesion | None:
        """The selected lesion; None when nothing or an anatomical segment is selected."""
        if self.case is None or self.selected is None:
            return None
        lesions = self.lesions if self.ai_hidden else self.case.document.lesions
        return next((lesion for lesion in lesions if lesion.id == self.selected), None)

    def select(self, lesion_id: str | None, *, centre: bool = True) -> None:
        """Select a lesion (or segment) and, when asked, bring all views to it."""
        self.selected = lesion_id
        self.selection_changed.emit()
        lesion = self.lesion
        if centre and lesion is not None:
            self.move_cursor(lesion.centre_lps_mm)

    def set_tool(self, tool: str) -> None:
        """Choose what the left button does."""
        if tool not in TOOLS:
            raise ValueError(tool)
        self.tool = tool
        self.tool_changed.emit()

    def set_brush(self, size_mm: float | None = None, ball: bool | None = None) -> None:
        """Set the diameter of the brush in mm, and whether it is a ball or a disc."""
        if size_mm is not None:
            self.brush_mm = min(max(round(size_mm * 2) / 2, 1.0), 60.0)
        if ball is not None:
            self.brush_ball = ball
        self.tool_changed.emit()
