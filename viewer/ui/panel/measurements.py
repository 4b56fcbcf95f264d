"""The measurements of the open case in the review panel: one row each, a click goes there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout

from resources.text import translate
from viewer.annotate import measurement_words as words
from viewer.annotate.measuring import sheet_of
from viewer.ui import theme
from viewer.ui.panel.row import Row, show_rows
from viewer.ui.panel.section import Section
from viewer.ui.panel.value_plot import ValuePlot
from viewer.ui.view_corners import plane_name
from viewer.ui.widgets import head, note

if TYPE_CHECKING:
    from viewer.annotate.measurements import Measurement
    from viewer.ui.measuring import Measuring
    from viewer.ui.reading import Reading


def slice_text(reading: Reading, one: Measurement) -> str:
    """Return where a measurement lies as its view counts, such as ``"axial 67"``."""
    case = reading.case
    if case is None:
        return ""
    for plane in reading.straight.values():
        index = plane.index_of_lps(one.points_lps_mm[0])
        if sheet_of(plane, index, case.volume).shows(one):
            if not case.volume.placed:
                return translate("measure", "image {number}").format(number=plane.number(index))
            return f"{plane_name(plane.name)} {plane.number(index)}"
    return translate("measure", "oblique")


def table_text(reading: Reading, listed: dict[str, Measurement]) -> str:
    """Return all measurements as lines of text, tabs between the columns."""
    return "\n".join(
        "\t".join(
            (
                str(one.number),
                words.kind_text(one.kind),
                words.summary(one),
                slice_text(reading, one),
            )
        )
        for one in _by_number(listed).values()
    )


class _Row(Row):
    """One measurement: number and name, value, slice; wraps rather than being cut."""

    def __init__(self) -> None:
        self._where = note(size_px=theme.CORNER_PX)
        self._value = note(size_px=theme.CORNER_PX)
        super().__init__(self._where, self._value)

    def show_one(self, one: Measurement, where: str, *, chosen: bool) -> None:
        name = f"{one.number} · {words.kind_text(one.kind)}"
        if one.origin == "ai":
            name += translate("measure", " · axes of the AI")
        elif one.origin == "ai-edited":
            name += translate("measure", " · AI, edited")
        self._name.setText(name)
        self._where.setText(where)
        # Broken between figures only, never between one and its unit.
        parts = (line.replace(" ", "\N{NO-BREAK SPACE}") for line in words.lines(one))
        self._value.setText(" · ".join(parts))
        self.setChecked(chosen)
        spoken = ", ".join(filter(None, (name, words.summary(one), where)))
        self.setAccessibleName(spoken)
        by = translate("measure", "Go there. Measured by {reader}.").format(
            reader=one.reader or "?"
        )
        self.setToolTip(by if one.reader else translate("measure", "Go there."))


class MeasurementsSection(Section):
    """Lists what was measured; hidden while there is nothing."""

    def __init__(self, reading: Reading, measuring: Measuring) -> None:
        super().__init__(reading)
        self._measuring = measuring
        self._ids: list[str] = []
        self._rows: list[_Row] = []
        self._copy = QToolButton()
        self._copy.setProperty("role", "quiet")
        self._copy.setText(translate("measure", "Copy"))
        self._copy.setToolTip(translate("measure", "Copy all measurements as text"))
        self._copy.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._copy.clicked.connect(self.copy)
        self._note = note()
        top = QHBoxLayout()
        top.setContentsMargins(8, 0, 0, 0)
        top.addWidget(head(translate("measure", "Measurements")))
        top.addStretch(1)
        top.addWidget(self._copy)
        self._list = QVBoxLayout()
        self._list.setSpacing(1)
        column = self._column
        column.setContentsMargins(6, 10, 8, 10)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(self._list)
        self._plot = ValuePlot()
        column.addWidget(self._plot)
        column.addWidget(self._note)
        self._note.setContentsMargins(8, 0, 0, 0)
        measuring.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Follow the case."""
        listed = _by_number(self._measuring.listed)
        damaged = self._measuring.kept.damaged
        self.setVisible(bool(listed) or damaged > 0)
        self._ids = list(listed)
        show_rows(self._rows, self._list, len(listed), self._new_row)
        for row, (key, one) in zip(self._rows, listed.items(), strict=False):
            chosen = key == self._measuring.selected
            row.show_one(one, slice_text(self._reading, one), chosen=chosen)
            row.updateGeometry()
        self._copy.setVisible(bool(listed))
        case = self._reading.case
        self._plot.show_one(
            case.volume if case is not None else None, listed.get(self._measuring.selected or "")
        )
        said = self._said(damaged)
        self._note.setText(said)
        self._note.setVisible(bool(said))

    def _said(self, damaged: int) -> str:
        case = self._reading.case
        parts = []
        if damaged:
            text = translate("measure", "Damaged and left out: {count}.")
            parts.append(text.format(count=damaged))
        if case is not None and case.keeps_no_notes and self._ids:
            why = case.read_only_problem.sentence if case.read_only_problem is not None else ""
            parts.append(translate("measure", "Not kept: {why}").format(why=why))
        return " ".join(parts)

    def _new_row(self, number: int) -> _Row:
        row = _Row()
        row.clicked.connect(partial(self._go_to, number))
        return row

    def _go_to(self, row: int) -> None:
        if row < len(self._ids):
            self._measuring.go_to(self._ids[row])
            self.refresh()  # a second click on the chosen one leaves it chosen

    def copy(self) -> None:
        """Put all measurements on the clipboard as text."""
        text = table_text(self._reading, self._measuring.listed)
        QGuiApplication.clipboard().setText(text)
        self._measuring.told.emit(translate("measure", "Measurements copied as text."))


def _by_number(listed: dict[str, Measurement]) -> dict[str, Measurement]:
    order = np.argsort([one.number for one in listed.values()], kind="stable")
    keys = list(listed)
    return {keys[n]: listed[keys[n]] for n in order}
