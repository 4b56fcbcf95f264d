"""AI against corrected in the review panel: volumes by colour, then one row a finding."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from resources.text import translate
from viewer.annotate.comparison import Compared, dice, totals
from viewer.ui import change_layer
from viewer.ui.commands import key_text
from viewer.ui.panel import words
from viewer.ui.panel.row import Row, show_rows
from viewer.ui.panel.section import Section
from viewer.ui.widgets import KeyCap, head, note

if TYPE_CHECKING:
    from viewer.ui.comparing import Comparing
    from viewer.ui.reading import Reading

_SWATCH_PX = 10


def outcome_text(one: Compared) -> str:
    """Return whose a finding is now, in words."""
    if one.outcome == "rejected" and one.reason:
        return translate("comparing", "rejected: {reason}").format(
            reason=words.reason(one.reason).lower()
        )
    if one.outcome == "ai" and one.decided:
        return translate("comparing", "AI, accepted")
    return {
        "ai": translate("comparing", "AI, as drawn"),
        "ai-edited": translate("comparing", "AI, edited"),
        "missed": translate("comparing", "missed by the AI"),
        "human": translate("comparing", "reader's own"),
        "imported": translate("comparing", "of another file"),
        "rejected": translate("comparing", "rejected, no reason given"),
        "deleted": translate("comparing", "deleted"),
    }[one.outcome]


def figures_text(one: Compared) -> str:
    """Return what came and went of a finding, with units."""
    parts = []
    if one.added_ml:
        parts.append(translate("comparing", "+{volume}").format(volume=_ml(one.added_ml)))
    if one.removed_ml:
        parts.append(
            translate("comparing", "\N{MINUS SIGN}{volume}").format(volume=_ml(one.removed_ml))
        )
    if one.kept_ml:
        parts.append(translate("comparing", "{volume} kept").format(volume=_ml(one.kept_ml)))
    if one.moved_mm >= 0.05:
        parts.append(translate("comparing", "moved {mm} mm").format(mm=f"{one.moved_mm:.1f}"))
    return " · ".join(parts) or translate("comparing", "a point without voxels")


def dice_text(value: float | None) -> str:
    """Return the overlap; empty where there is nothing to compare."""
    if value is None:
        return ""
    # What is not wholly the same is never rounded up to it.
    shown = 1.0 if value == 1 else min(value, 0.999)
    return translate("comparing", "Dice {value}").format(value=f"{shown:.3f}")


def _ml(volume: float) -> str:
    if 0 < volume < 0.01:
        return translate("findings", "{volume} mL").format(volume=f"{volume:.4f}")
    return words.millilitres(volume)


class _Swatch(QWidget):
    """A square of one colour, as it lies on the image."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = QColor(colour)
        self.setFixedSize(QSize(_SWATCH_PX, _SWATCH_PX))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._colour)
        painter.end()


class _Row(Row):
    """One finding: whose it is and its Dice, then what came and went."""

    def __init__(self) -> None:
        self._dice, self._figures = note(), note()
        super().__init__(self._dice, self._figures)

    def show_one(self, one: Compared, seconds: float, *, chosen: bool) -> None:
        label = words.label_name(one.label)
        name = label if one.number is None else f"{one.number} · {label}"
        self._name.setText(f"{name} · {outcome_text(one)}")
        self._dice.setText(dice_text(one.dice))
        figures = figures_text(one).replace(" mL", "\N{NO-BREAK SPACE}mL")
        if seconds >= 1:
            figures += translate("comparing", " · {n} s at it").format(n=f"{seconds:.0f}")
        self._figures.setText(figures)
        self.setChecked(chosen)
        self.setAccessibleName(
            ", ".join((name, outcome_text(one), figures_text(one), dice_text(one.dice)))
        )
        self.setToolTip(translate("comparing", "Go there."))


class ChangesSection(Section):
    """What readers made of the AI result; hidden while it is not asked for."""

    def __init__(self, reading: Reading, comparing: Comparing) -> None:
        super().__init__(reading)
        self._comparing = comparing
        self.rows: list[_Row] = []
        self._cap = KeyCap("")
        self._dice = note()
        self._dice.setWordWrap(False)
        top = QHBoxLayout()
        top.setContentsMargins(8, 0, 8, 0)
        top.setSpacing(8)
        top.addWidget(head(translate("comparing", "AI against corrected")))
        top.addWidget(self._cap)
        top.addStretch(1)
        top.addWidget(self._dice)
        self._sums: list[QLabel] = []
        legend = QHBoxLayout()
        legend.setContentsMargins(8, 2, 8, 4)
        legend.setSpacing(12)
        for colour, name in (
            (change_layer.ADDED, translate("comparing", "added")),
            (change_layer.REMOVED, translate("comparing", "removed")),
            (change_layer.KEPT, translate("comparing", "kept")),
        ):
            legend.addLayout(self._legend(colour, name), 1)
        self._list = QVBoxLayout()
        self._list.setSpacing(1)
        self._column.setContentsMargins(6, 10, 8, 10)
        self._column.setSpacing(4)
        self._column.addLayout(top)
        self._column.addLayout(legend)
        self._column.addLayout(self._list)
        self._note = note()
        self._note.setContentsMargins(8, 0, 8, 0)
        self._column.addWidget(self._note)
        comparing.changed.connect(self.refresh)
        reading.selection_changed.connect(self.refresh)
        reading.keys.changed.connect(self.refresh)

    def _legend(self, colour: str, name: str) -> QVBoxLayout:
        """Return a colour, what it says, and room for the volume under it."""
        volume, word = QLabel(), note(name)
        word.setWordWrap(False)
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(_Swatch(colour))
        top.addWidget(word)
        top.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(volume)
        self._sums.append(volume)
        return column

    def refresh(self) -> None:
        """Follow the case."""
        compared, case = self._comparing.compared(), self._reading.case
        self.setVisible(self._comparing.shows and not self._reading.ai_hidden)
        self._cap.set_key(key_text(self._reading.keys.keys_of("changes")[:1]))
        show_rows(self.rows, self._list, len(compared), self._new_row)
        for row, one in zip(self.rows, compared, strict=False):
            seconds = 0.0 if case is None else case.attention.seconds(one.target_id)
            row.show_one(one, seconds, chosen=one.target_id == self._reading.selected)
            row.updateGeometry()
        added, removed, kept = totals(compared)
        for label, volume in zip(self._sums, (added, removed, kept), strict=True):
            label.setText(_ml(volume))
        self._dice.setText(dice_text(dice(kept, added, removed)))
        self._note.setText(self._said(compared))

    def _new_row(self, number: int) -> _Row:
        row = _Row()
        row.clicked.connect(partial(self._go_to, number))
        return row

    def _said(self, compared: tuple[Compared, ...]) -> str:
        if not compared:
            return translate("comparing", "Nothing is listed.")
        if all(one.same for one in compared):
            return translate("comparing", "No voxel differs from the AI result.")
        return translate("comparing", "Dashed: as the AI drew it. Solid: as it is now.")

    def _go_to(self, row: int) -> None:
        compared = self._comparing.compared()
        if row >= len(compared):
            return
        one = compared[row]
        case = self._reading.case
        if case is not None and one.outcome == "deleted":
            self._reading.move_cursor(case.document.lesion(one.target_id).centre_lps_mm)
        else:
            self._reading.select(one.target_id)
        self.refresh()  # a second click on the chosen one leaves it chosen
