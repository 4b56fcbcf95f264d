"""The audit log as a window: every entry, a filter, whether it is proven, and a way to a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.annotate.audit import Audit, Row, matches
from viewer.ui import theme
from viewer.ui.widgets import note

_WIDE, _HIGH = 860, 620
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


def _headings() -> tuple[str, ...]:
    return (
        translate("audit", "No."),
        translate("audit", "When"),
        translate("audit", "Reader"),
        translate("audit", "What was done"),
        translate("audit", "With"),
    )


class AuditModel(QAbstractTableModel):
    """The rows of a log that a filter lets through, the latest first."""

    def __init__(self) -> None:
        super().__init__()
        self._all: tuple[Row, ...] = ()
        self._wanted = ""
        self.shown: tuple[Row, ...] = ()

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Take another log."""
        self._all = rows
        self.filter(self._wanted)

    def filter(self, wanted: str) -> None:
        """Show the rows only that hold every word."""
        self.beginResetModel()
        self._wanted = wanted
        self.shown = tuple(row for row in reversed(self._all) if matches(row, wanted))
        self.endResetModel()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(_headings())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _headings()[section]
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        row = self.shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            who = f"{row.reader or '–'}, {row.role}" if row.role else row.reader or "–"
            return (str(row.seq), _when(row.utc), who, row.step, row.tool)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole and not row.proven:
            return QColor(theme.FAILED)
        if role == Qt.ItemDataRole.ToolTipRole:
            proven = (
                translate("audit", "As it was written")
                if row.proven
                else translate("audit", "Not proven: the chain is broken here or before")
            )
            return f"{row.utc} UTC\n{proven}\n{row.chain[:16]}…"
        return None


def _when(utc: str) -> str:
    """Return date and time of this place; what is no time is shown as it is."""
    try:
        at = datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone()
    except ValueError:
        return utc
    return at.strftime("%Y-%m-%d %H:%M:%S")


class AuditDialog(QDialog):
    """Shows one log; does not stand in the way of the work."""

    save_asked = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget, reload: Callable[[], object]) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("audit", "Audit log of this case"))
        self.resize(_WIDE, _HIGH)
        self.model = AuditModel()
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(
            translate("audit", "Filter: words of reader, step, tool or date")
        )
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._on_filter)
        self._count = note()
        self._count.setWordWrap(False)
        self.table = QTableView()
        self.table.setModel(self.model)
        self._dress_table()
        self.save = QPushButton(translate("audit", "Save as CSV…"))
        self.save.setProperty("role", "plain")
        self.save.clicked.connect(self.save_asked)
        again = QPushButton(translate("audit", "Read again"))
        again.setProperty("role", "plain")
        again.setAutoDefault(False)
        again.clicked.connect(reload)
        close = QPushButton(translate("audit", "Close"))
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.close)
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        top.addWidget(self._count)
        buttons = QHBoxLayout()
        for button in (self.save, again):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(10)
        column.addWidget(self.verdict)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
        self.show_text(translate("audit", "Reading the log…"))

    def _dress_table(self) -> None:
        table = self.table
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        for column, width in ((0, 56), (1, 150), (2, 170), (4, 120)):
            table.setColumnWidth(column, width)

    # --------------------------------------------------------------- showing

    def show_log(self, log: Audit, unsaved: int) -> None:
        """Show a log that was read."""
        said = [log.verdict]
        if log.set_aside:
            text = translate("audit", "Damaged files of this case kept beside it: {n}.")
            said.append(text.format(n=log.set_aside))
        if unsaved:
            text = translate("audit", "{n} steps are not on the disk yet.")
            said.append(text.format(n=unsaved))
        self.model.show_rows(log.rows)
        self.show_text(" ".join(said), failed=log.broken_at is not None)
        self.save.setEnabled(True)
        self._tell_count()

    def show_text(self, text: str, *, failed: bool = False) -> None:
        """Say how the log stands."""
        self.verdict.setText(text)
        theme.set_tone(self.verdict, "failed" if failed else "secondary")

    def _on_filter(self, text: str) -> None:
        self.model.filter(text)
        self._tell_count()

    def _tell_count(self) -> None:
        shown = translate("audit", "{n} shown").format(n=len(self.model.shown))
        self._count.setText(shown)

    def done(self, result: int) -> None:
        super().done(result)
        self.closed.emit()
