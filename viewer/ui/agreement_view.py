"""The agreement of two readings as a window: the figures on top, then one row a finding.

From here they are adjudicated, and the whole report is saved as a table.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QBrush, QColor
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
from viewer.annotate import adjudication
from viewer.annotate.agreement import Agreement, Pair, stands
from viewer.annotate.agreement_csv import frocs
from viewer.annotate.lesion import Lesion
from viewer.ui import theme
from viewer.ui.both_readings import Both
from viewer.ui.panel import words
from viewer.ui.widgets import CommandButton, note

_WIDE, _HIGH = 960, 520
_RESULT = 6


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


def froc_text(both: Both) -> str:
    """Return how the AI stands to each reading, at the threshold of its list."""
    names = {
        "first": translate("readers", "the first reading"),
        "second": translate("readers", "the second reading"),
        "adjudicated": translate("readers", "what is adjudicated"),
    }
    parts = []
    for name, one in frocs(both.parents, both.adjudicated).items():
        found, false = one.at(both.threshold)
        parts.append(
            translate("readers", "{found} of {lesions} found, {false} false against {what}").format(
                found=found, lesions=one.lesions, false=false, what=names[name]
            )
        )
    if not parts:
        return ""
    return translate("readers", "AI from a score of {score}: {parts}.").format(
        score=f"{both.threshold:.2f}", parts="; ".join(parts)
    )


class AgreementDialog(QDialog):
    """Shows how far two readings agree; does not stand in the way of the work."""

    chosen = Signal(object)  # a ``Pair``
    save_asked = Signal()

    def __init__(self, parent: QWidget, adjudicate: QAction) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("readers", "Agreement of two readings"))
        self.resize(_WIDE, _HIGH)
        self._pairs: tuple[Pair, ...] = ()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.froc = note()
        self.froc.setToolTip(
            translate(
                "readers",
                "Accepted findings and readers' own are lesions; rejected and deleted ones are"
                " false; unsure ones count for neither. The table holds the whole curve.",
            )
        )
        self._who = note()
        self.table = QTableWidget(0, _RESULT + 1)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column, width in ((3, 70), (4, 80), (5, 140), (_RESULT, 120)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.table.setColumnWidth(column, width)
        self.table.cellClicked.connect(self._on_cell)
        close = QPushButton(translate("readers", "Close"))
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.save = QPushButton(translate("readers", "Save as CSV…"))
        self.save.setProperty("role", "plain")
        self.save.setAutoDefault(False)
        self.save.clicked.connect(self.save_asked)
        self.adjudicate = CommandButton(adjudicate, role="verdict")
        self.adjudicate.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.addWidget(self.save)
        buttons.addWidget(self._who, 1)
        buttons.addWidget(self.adjudicate)
        buttons.addWidget(close)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 14)
        whole.setSpacing(10)
        whole.addWidget(self.summary)
        whole.addWidget(self.froc)
        whole.addWidget(self.table, 1)
        whole.addLayout(buttons)

    def show_both(self, both: Both, limit: float) -> None:
        """Show another comparison.

        Parameters
        ----------
        limit
            Dice below which outlines differ.
        """
        found, (first, second) = both.parents.agreement, both.names
        self._pairs = found.pairs
        self.summary.setText(summary(found))
        said = froc_text(both)
        self.froc.setText(said)
        self.froc.setVisible(bool(said))
        names = translate("readers", "First: {first}. Second: {second}.").format(
            first=first, second=second
        )
        seen = translate("readers", "The second had the first reading on the screen before.")
        self._who.setText(f"{names} {seen}" if both.seen else names)
        self.adjudicate.setVisible(not self.adjudicate.action.isChecked())  # else it is open
        self.table.setHorizontalHeaderLabels(
            [
                translate("readers", "Finding"),
                translate("readers", "First reading"),
                translate("readers", "Second reading"),
                translate("readers", "Dice"),
                translate("readers", "HD95"),
                translate("readers", "Agreement"),
                translate("readers", "Adjudicated"),
            ]
        )
        self.table.setRowCount(len(found.pairs))
        for row, pair in enumerate(found.pairs):
            self._fill(row, pair, limit, _result(both, pair))

    def _fill(self, row: int, pair: Pair, limit: float, result: str) -> None:
        one_only = stands(pair.first) != stands(pair.second)
        kinds = adjudication.kinds_of(pair, limit)
        agreed = (
            translate("readers", "✓ the same")
            if not kinds
            else translate("readers", "▲ one only")
            if one_only
            else translate("readers", "● verdict differs")
            if "verdict" in kinds
            else translate("readers", "● label differs")
            if "label" in kinds
            else translate("readers", "● outline differs")
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
            result,
        )
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            if column == _RESULT - 1 and kinds:
                item.setForeground(QBrush(QColor(theme.PENDING)))
            self.table.setItem(row, column, item)

    def _on_cell(self, row: int, _column: int) -> None:
        if row < len(self._pairs):
            self.chosen.emit(self._pairs[row])


def _result(both: Both, pair: Pair) -> str:
    """Return what was chosen for a pair; empty where nothing was."""
    if both.adjudicated is None:
        return ""
    found = adjudication.settlement(both.adjudicated, pair)
    if found is None:
        return translate("readers", "open")
    lesion = None if found.lesion_id is None else both.adjudicated.lesion(found.lesion_id)
    return verdict_text(lesion)
