"""What the geometry and the values on the screen rest on, told on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QFont
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.session import Case
from viewer.study.scan import Skipped
from viewer.study.trust import Row, trust
from viewer.ui import theme
from viewer.ui.reading import Reading
from viewer.ui.widgets import head

_MARK = {"good": ("✓", "accepted"), "note": ("●", "pending"), "bad": ("▲", "failed")}
_QUESTION_PX = 168
_WIDE, _HIGH = 760, 640


def ai_row(reasons: Sequence[str]) -> Row:
    """Return whether the model may read what is open, and by which rule not."""
    question = translate("trust", "May the AI run?")
    source = translate("trust", "limits in the model's manifest")
    if reasons:
        return Row(
            question, translate("trust", "No. {why}").format(why=" ".join(reasons)), "bad", source
        )
    return Row(question, translate("trust", "Yes."), "good", source)


class TrustButton(QToolButton):
    """A word on the geometry in the status line; a click opens the sheet."""

    def __init__(self, reading: Reading, action: QAction) -> None:
        super().__init__()
        self._reading = reading
        self._action = action
        self.setFont(theme.font(theme.CORNER_PX))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(action.trigger)
        action.changed.connect(self.follow)
        reading.case_changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """Say what is open."""
        case = self._reading.case
        self.setVisible(case is not None)
        if case is None:
            return
        text, state = _verdict(case)
        mark, tone = _MARK[state]
        self.setText(f"{mark} {text}")
        self.setToolTip(self._action.toolTip())
        theme.set_tone(self, "secondary" if state == "good" else tone, theme.QUIET)


def _verdict(case: Case) -> tuple[str, str]:
    volume = case.volume
    if case.plan.resampled:
        return translate("trust", "Resampled copy"), "note"
    if volume.regular:
        if case.plan.problems:
            return translate("trust", "Regular volume, with notes"), "note"
        return translate("trust", "Regular volume"), "good"
    if volume.places is not None:
        return translate("trust", "Irregular slices"), "bad"
    if not volume.in_mm:
        return translate("trust", "No spacing"), "bad"
    return translate("trust", "Not placed in the patient"), "note"


class TrustDialog(QDialog):
    """The rows of ``viewer.study.trust`` and what may be done about them."""

    resample_asked = Signal()

    def __init__(
        self, rows: Sequence[Row], title: str, parent: QWidget, *, resample: bool = False
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("trust", "What this image rests on"))
        self.resize(_WIDE, _HIGH)
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setContentsMargins(0, 0, 8, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(2, 1)
        for number, row in enumerate(rows):
            self._add(grid, 2 * number, row)
        grid.setRowStretch(2 * len(rows), 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        buttons = QHBoxLayout()
        if resample:
            again = QPushButton(translate("trust", "Open a resampled copy"))
            again.setProperty("role", "verdict")
            again.setToolTip(
                translate("trust", "A regular volume by interpolation; it says so wherever shown.")
            )
            again.clicked.connect(self._on_resample)
            buttons.addWidget(again)
        buttons.addStretch(1)
        close = QPushButton(translate("trust", "Close"))
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 16, 14)
        column.setSpacing(12)
        column.addWidget(head(title))
        column.addWidget(scroll, 1)
        column.addLayout(buttons)

    def _add(self, grid: QGridLayout, at: int, row: Row) -> None:
        sign, tone = _MARK[row.state]
        mark, question, answer = QLabel(sign), QLabel(row.question), QLabel(row.answer)
        theme.set_tone(mark, tone)
        mark.setAccessibleName(row.state)
        question.setFont(theme.font(theme.BODY_PX, QFont.Weight.DemiBold))
        question.setFixedWidth(_QUESTION_PX)
        source = QLabel(row.source)
        source.setProperty("role", "hint")
        source.setFont(theme.font(theme.CORNER_PX))
        told = QVBoxLayout()
        told.setContentsMargins(0, 8, 0, 8)
        told.setSpacing(2)
        for label in (answer, source):
            # What a file says of itself is text, never markup.
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            if label.text():
                told.addWidget(label)
        question.setTextFormat(Qt.TextFormat.PlainText)
        question.setWordWrap(True)
        for place, label in enumerate((mark, question)):
            label.setContentsMargins(0, 8, 0, 8)
            grid.addWidget(label, at, place, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(told, at, 2)
        line = QFrame()
        line.setObjectName("rule")
        line.setFixedHeight(1)
        grid.addWidget(line, at + 1, 0, 1, 3)

    def _on_resample(self) -> None:
        self.accept()
        self.resample_asked.emit()


def rows_of(case: Case, skipped: Sequence[Skipped], reasons: Sequence[str]) -> tuple[Row, ...]:
    """Return every row of the sheet for an open case."""
    return (*trust(case.plan, skipped), ai_row(reasons))
