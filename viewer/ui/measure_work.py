"""The measurements of the open case: their values, and every change of them as one edit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QThreadPool, Signal

from resources.problem import Problem
from viewer.annotate.journal import utc_now
from viewer.annotate.measurements import (
    TOPIC,
    Absence,
    Kept,
    Kind,
    Measurement,
    Origin,
    kept,
    new_id,
    next_number,
)
from viewer.annotate.measuring import Measured, Sheet, measure
from viewer.study.calibration import Calibration, calibration, is_asked_of_file
from viewer.tools.measures import shapes
from viewer.ui.jobs import Job

if TYPE_CHECKING:
    from viewer.annotate.lesion import Lesion, Point
    from viewer.session import Case
    from viewer.ui.reading import Reading
    from viewer.ui.slice_view import SliceView

Floats = npt.NDArray[np.float64]


class MeasureWork(QObject):
    """Reads, makes, changes and deletes the measurements of the open case."""

    failed = Signal(object)

    def __init__(self, reading: Reading, parent: QObject) -> None:
        super().__init__(parent)
        self._reading = reading
        self._kept: Kept | None = None
        self._calibration: Calibration = ""
        self._job: Job | None = None
        # The latest values: a view is painted more often than points are moved.
        self._asked: tuple[object, ...] | None = None
        self._found: Measured | None = None

    # --------------------------------------------------------------- reading

    @property
    def kept(self) -> Kept:
        """All measurements of the case."""
        case = self._reading.case
        if case is None:
            return Kept({}, 0)
        if self._kept is None:
            self._kept = kept(case.document.notes(TOPIC))
        return self._kept

    def forget(self) -> None:
        """Read the notes anew when they are asked for."""
        self._kept = None

    def on_case(self) -> None:
        """Follow another case."""
        self._kept = self._asked = None
        self._calibration = ""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        case = self._reading.case
        if case is None:
            return
        if not is_asked_of_file(case.plan):
            self._calibration = calibration(case.plan)
            return
        self._calibration = "projection"
        plan = case.plan
        self._job = Job(lambda _report, _cancelled: calibration(plan), self)
        self._job.succeeded.connect(self._on_calibration)
        self._job.start(QThreadPool.globalInstance())

    def _on_calibration(self, found: object) -> None:
        self._calibration = cast("Calibration", found)
        self._job = None

    # ---------------------------------------------------------------- values

    def measured(self, one: Measurement, points: Floats, view: SliceView | None) -> Measurement:
        """Return a measurement with other points and their values.

        Parameters
        ----------
        view
            Where they were put; None when not in a view.
        """
        sheet = Sheet(np.asarray(points)[0], np.asarray(one.normal_lps), one.slice_mm, one.k)
        found = self._values(one.kind, points, sheet, view) or Measured(())
        return replace(
            one,
            points_lps_mm=_points(points),
            values=found.values,
            absence=found.absence,
            calibration=self._calibration,
        )

    def new(self, kind: Kind, points: Floats, sheet: Sheet, view: SliceView | None) -> Measurement:
        """Return what points measure, with the next number; nothing is kept."""
        blank = Measurement(
            kind, next_number(self.kept), _points(points), _point(sheet.normal_lps),
            sheet.slice_mm, sheet.k, (),
        )  # fmt: skip
        return self.measured(blank, points, view)

    def _values(
        self, kind: Kind, points: Floats, sheet: Sheet, view: SliceView | None
    ) -> Measured | None:
        case = self._reading.case
        if case is None:
            return None
        # Of a slab the reader sees values that lie in other slices than the region does.
        slab = view is not None and view.slab is not None
        without: Absence = "slab" if slab else _without(case, sheet)
        asked = kind, points.tobytes(), sheet.k, sheet.normal_lps.tobytes(), without
        if asked != self._asked:
            try:
                self._found = measure(kind, points, sheet, case.volume, case.plan, without=without)
            except ValueError:
                self._found = None
            self._asked = asked
        return self._found

    # --------------------------------------------------------------- changes

    def keep(self, one: Measurement) -> str | None:
        """Keep a new measurement; return its id, or None when it could not be."""
        case = self._reading.case
        if case is None:
            return None
        measurement_id = new_id(case.document.notes(TOPIC))
        return measurement_id if self._put(measurement_id, one) else None

    def change(self, measurement_id: str, points: Floats, view: SliceView) -> None:
        """Keep other points of a measurement, as one step."""
        one = self.kept.by_id.get(measurement_id)
        if one is None:
            return
        normal = np.asarray(one.normal_lps)
        changed = self.measured(one, shapes.ordered(one.kind, points, normal), view)
        if changed.origin == "ai":
            changed = replace(changed, origin="ai-edited")
        self._put(measurement_id, changed)

    def delete(self, measurement_id: str) -> bool:
        """Delete a measurement; undo brings it back."""
        return self._put(measurement_id, None)

    def of_finding(self, lesion: Lesion) -> Measurement | None:
        """Return the axes of a lesion's outline as a measurement; None when it has none."""
        from inference.measure import axes_lps_mm

        case = self._reading.case
        if case is None or lesion.empty or not case.volume.regular:
            return None
        affine = case.volume.affine
        points = axes_lps_mm(lesion.mask, affine)
        normal = np.cross(affine[:3, 2], affine[:3, 1])
        normal /= np.linalg.norm(normal)
        k = round(float((np.linalg.inv(affine) @ (*points[0], 1.0))[0]))
        sheet = Sheet(points[0], normal, float(abs(affine[:3, 0] @ normal)), k)
        origins: dict[str, Origin] = {"ai": "ai", "ai-pointed": "ai", "ai-edited": "ai-edited"}
        return replace(
            self.new("bidirectional", points, sheet, None),
            origin=origins.get(lesion.origin, "human"),
            lesion_id=lesion.id,
        )

    def _put(self, measurement_id: str, one: Measurement | None) -> bool:
        case = self._reading.case
        if case is None:
            return False
        note = None
        if one is not None:
            note = replace(one, reader=case.reader.name, utc=utc_now()).to_json()
        tool = "measure" if one is None else f"measure-{one.kind}"
        try:
            change = case.set_note(TOPIC, measurement_id, note, tool)
        except Problem as problem:
            self.failed.emit(problem)
            return False
        if change is not None:
            self._reading.document_changed.emit(change)
        return change is not None


def _without(case: Case, sheet: Sheet) -> Absence:
    if sheet.k is not None:
        return "" if case.slices.has(sheet.k) else "slice-missing"
    return "" if case.slices.empty(case.volume.shape_kji[0]) is None else "slice-missing"


def _points(points: npt.ArrayLike) -> tuple[Point, ...]:
    return tuple(_point(point) for point in np.asarray(points, dtype=np.float64))


def _point(values: Floats) -> Point:
    x, y, z = (float(value) for value in values)
    return x, y, z
