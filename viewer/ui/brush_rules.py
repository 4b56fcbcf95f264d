"""What of the voxels under brush and eraser is changed: all, some values, or up to an edge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QThreadPool, Signal

from inference.geometry import lps_mm_to_kji
from resources.text import translate
from viewer.annotate.mask import empty_mask
from viewer.tools import rules
from viewer.tools.brush import Brush, Stroke
from viewer.tools.rules import Edge, Range, Rule, two_tissues
from viewer.ui.jobs import Job

if TYPE_CHECKING:
    from viewer.ui.reading import Reading

KINDS = ("all", "range", "edge")
_TOOLS = ("brush", "erase")
# Of the values that a range is taken from: a stray one must not widen it.
_FROM, _TO = 2.0, 98.0
# Fewer say nothing of how a tissue's values spread.
_LEAST = 8


def kind_of(rule: Rule | None) -> str:
    """Return which of ``KINDS`` a rule is."""
    return "all" if rule is None else "range" if isinstance(rule, Range) else "edge"


def range_text(rule: Range, unit: str) -> str:
    """Return a range in words, such as ``"−200 to 300 HU"``."""
    text = translate("brush", "{low} to {high}").format(low=f"{rule.low:g}", high=f"{rule.high:g}")
    return f"{text} {unit}".strip().replace("-", "\N{MINUS SIGN}")


class BrushRules(QObject):
    """The commands of the brush's rules; a ``Part`` of the window.

    The rule in use is ``Reading.brush_rule``. The range that was used last comes back with its
    mode; in another case values mean something else, so there it is taken anew.
    """

    changed = Signal()
    told = Signal(str)

    def __init__(
        self, reading: Reading, point: Callable[[], Any], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._point = point  # LPS mm under the pointer
        self._range: Range | None = None
        self._pool = QThreadPool(self)
        reading.case_changed.connect(self._on_case)
        reading.tool_changed.connect(self._on_tool)
        self._case: object = None

    # ------------------------------------------------------------------ part

    def handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return what its commands do."""
        ways: dict[str, Callable[[], object]] = {
            f"brush_{kind}": partial(self.choose, kind) for kind in KINDS
        }
        return ways | {"brush_rule": self.cycle, "brush_values": self.take_values}

    def reasons(self) -> Mapping[str, str]:
        """Return why a brush cannot judge values now."""
        case = self._reading.case
        if case is None:
            return {}
        if case.read_only:
            return dict.fromkeys(self.handlers(), str(case.read_only_problem))
        if case.volume.colours is not None:
            why = translate("brush", "A colour image has no single values to go by.")
            return dict.fromkeys([name for name in self.handlers() if name != "brush_all"], why)
        return {}

    def checked(self) -> Mapping[str, bool]:
        """Return which rule is in use."""
        now = kind_of(self._reading.brush_rule)
        return {f"brush_{kind}": kind == now for kind in KINDS}

    # --------------------------------------------------------------- choosing

    def choose(self, kind: str) -> None:
        """Have brush and eraser follow a rule; the brush is taken when neither is held."""
        if kind == "range":
            rule: Rule | None = self._range or self._first_range()
            if rule is None:
                return
        else:
            rule = Edge() if kind == "edge" else None
        self._use(rule)

    def cycle(self) -> None:
        """Go on to the next rule."""
        at = KINDS.index(kind_of(self._reading.brush_rule))
        self.choose(KINDS[(at + 1) % len(KINDS)])

    def take_values(self) -> None:
        """Take the range from the values under the brush, where the pointer is."""
        found = self._range_at(self._point())
        if found is None:
            self.told.emit(translate("brush", "There are no values to take a range from."))
        else:
            self._use(found)

    def _use(self, rule: Rule | None) -> None:
        if isinstance(rule, Edge):
            # What it needs takes a third of a second to load: not at the first dab.
            Job(_prepare, self).start(self._pool)
        reading = self._reading
        reading.brush_rule = rule
        if reading.tool in _TOOLS:
            reading.tool_changed.emit()
        else:
            reading.set_tool("brush")
        self.changed.emit()
        self._say(rule)

    def _say(self, rule: Rule | None) -> None:
        case = self._reading.case
        if isinstance(rule, Range) and case is not None:
            text = translate("brush", "Brush and eraser: values {range}; {key} takes others.")
            said = text.format(
                range=range_text(rule, case.volume.unit),
                key=self._reading.keys.name("brush_values"),
            )
        elif rule is not None:
            said = translate("brush", "Brush and eraser follow edges: start inside the tissue.")
        else:
            said = translate("brush", "Brush and eraser: all voxels under them.")
        self.told.emit(said)

    # ----------------------------------------------------------------- ranges

    def _first_range(self) -> Range | None:
        """Return a range to begin with: of the selected outline, else of where the pointer is."""
        reading = self._reading
        case = reading.case
        if case is None:
            return None
        lesion = reading.lesion
        if lesion is not None and lesion.mask.count >= _LEAST:
            found = _spread(case.volume.voxels[lesion.mask.box][lesion.mask.voxels])
        else:
            found = self._range_at(self._point())
        if found is None:
            self.told.emit(translate("brush", "There are no values to take a range from."))
        return found

    def _range_at(self, point_lps_mm: Any) -> Range | None:
        reading = self._reading
        case = reading.case
        if case is None or case.volume.colours is not None:
            return None
        around = self._values(point_lps_mm, reading.brush_mm)
        middle = self._values(point_lps_mm, reading.brush_mm / 3)
        if not around.size or not middle.size:
            return None
        tissues = two_tissues(around.astype(np.float32))
        if tissues is not None:
            # The brush reaches over an edge: what lies on the pointer's side of it.
            above = float(np.median(middle)) > tissues[0]
            around = around[(around > tissues[0]) == above]
        return _spread(around)

    def _values(self, point_lps_mm: Any, diameter_mm: float) -> npt.NDArray[Any]:
        """Return the known values in a ball."""
        assert self._reading.case is not None
        volume = self._reading.case.volume
        ball = Stroke(volume.shape_kji, volume.affine, Brush(diameter_mm, "ball"), "", empty_mask())
        ball.move_to(lps_mm_to_kji(volume.affine, point_lps_mm))
        delta = ball.delta()
        if delta is None:
            return volume.voxels[:0].reshape(-1)
        values = volume.voxels[delta.box][delta.to_array()]
        return values[np.isfinite(values)]

    # ----------------------------------------------------------------- follow

    def _on_case(self) -> None:
        case = self._reading.case
        # The rest of the images of a case that is being read changes nothing.
        if case is None or case.key != self._case:
            self._case = None if case is None else case.key
            self._range = None
            self._reading.brush_rule = None
            self.changed.emit()

    def _on_tool(self) -> None:
        if isinstance(self._reading.brush_rule, Range):
            self._range = self._reading.brush_rule


def _prepare(_report: object, _cancelled: object) -> None:
    rules.prepare()


def _spread(values: npt.NDArray[Any]) -> Range | None:
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    low, high = (float(v) for v in np.percentile(known, (_FROM, _TO)))
    if values.dtype.kind in "iu":
        low, high = float(np.floor(low)), float(np.ceil(high))
    return Range(low, high)
