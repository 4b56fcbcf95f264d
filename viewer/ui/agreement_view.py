"""The agreement of two readings as a window: the figures on top, then one row a finding."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.annotate.agreement import Agreement, Pair, stands
from viewer.annotate.lesion import Lesion
from viewer.ui import theme
from viewer.ui.panel import words
from viewer.ui.widgets import note

_WIDE, _HIGH = 820, 480


def verdict_text(lesion: Lesion | None) -> str:
    """Return what a reading says of a finding."""
    if lesion is None:
        return translate("readers", "not there")
    if lesion.verdict == "rejected" and lesion.decision.reason:
        return translate("readers", "rejected: {reason}").format(
            reason=words.reason(lesion.decision.reason).lower()
        )
    if lesion.run == 0 and lesion.verdict is None:
        return translate("readers", "added")
    return {
        "accepted": translate("readers", "accepted"),
        "rejected": translate("readers", "rejected"),
        "unsure": translate("readers", "unsure"),
        None: translate("readers", "not judged"),
    }[lesion.verdict]


def summary(found: Agreement) -> str:
    """Return the figures in sentences."""
    kappa = "–" if found.kappa is None else f"{found.kappa:.2f}"
    parts = [
        translate(
            "readers", "Verdicts: the same on {same} of {judged}, Cohen's kappa {kappa}."
        ).format(same=found.same_verdicts, judged=found.judged, kappa=kappa),
        translate(
            "readers", "Findings: {both} in both readings, {first} in the first only, {second} in"
            " the second only."
        ).format(both=found.both, first=found.only_first, second=found.only_second),
    ]  # fmt: skip
    if found.mean_dice is not None and found.mean_hd95_mm is not None:
        parts.append(
            translate("readers", "Outlines, mean: Dice {dice}, HD95 {hd95} mm.").format(
                dice=f"{found.mean_dice:.3f}", hd95=f"{found.mean_hd95_mm:.1f}"
            )
        )
    return " ".join(parts)


class AgreementDialog(QDialog):
    """Shows how far two readings agree; does not stand in the way of the work."""

    chosen = Signal(object)  # LPS mm of a finding

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("readers", "Agreement of two readings"))
        self.resize(_WIDE, _HIGH)
        self._pairs: tuple[Pair, ...] = ()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self._who = note()
        self.table = QTableWidget(0, 6)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column, width in ((3, 90), (4, 90), (5, 140)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.table.setColumnWidth(column, width)
        self.table.cellClicked.connect(self._on_cell)
        close = QPushButton(translate("readers", "Close"))
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(self._who, 1)
        buttons.addWidget(close)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 14)
        whole.setSpacing(10)
        whole.addWidget(self.summary)
        whole.addWidget(self.table, 1)
        whole.addLayout(buttons)

    def show_agreement(self, found: Agreement, first: str, second: str) -> None:
        """Show another comparison."""
        self._pairs = found.pairs
        self.summary.setText(summary(found))
        self._who.setText(
            translate("readers", "First: {first}. Second: {second}.").format(
                first=first, second=second
            )
        )
        self.table.setHorizontalHeaderLabels(
            [
                translate("readers", "Finding"),
                translate("readers", "First reading"),
                translate("readers", "Second reading"),
                translate("readers", "Dice"),
                translate("readers", "HD95"),
                translate("readers", "Agreement"),
            ]
        )
        self.table.setRowCount(len(found.pairs))
        for row, pair in enumerate(found.pairs):
            self._fill(row, pair)

    def _fill(self, row: int, pair: Pair) -> None:
        one_only = stands(pair.first) != stands(pair.second)
        agreed = (
            translate("readers", "✓ the same")
            if pair.agreed
            else translate("readers", "▲ one only")
            if one_only
            else translate("readers", "● verdict differs")
        )
        texts = (
            words.title(pair.either),
            verdict_text(pair.first),
            verdict_text(pair.second),
            "" if pair.dice is None else f"{pair.dice:.3f}",
            ""
            if pair.hd95_mm is None
            else translate("readers", "{mm} mm").format(mm=f"{pair.hd95_mm:.1f}"),
            agreed,
        )
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            if column == len(texts) - 1 and not pair.agreed:
                item.setForeground(QBrush(QColor(theme.PENDING)))
            self.table.setItem(row, column, item)

    def _on_cell(self, row: int, _column: int) -> None:
        if row < len(self._pairs):
            self.chosen.emit(self._pairs[row].either.centre_lps_mm)
