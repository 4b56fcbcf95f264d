"""What was taken out, what stayed, and why: the report, on the screen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.deid import said
from viewer.ui.widgets import note, rule

if TYPE_CHECKING:
    from viewer.deid.report import LeftOut

_WIDE, _HIGH = 860, 620
_MOST_TOLD = 8


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """Return the report that lies in a folder; None when there is none."""
    try:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


class ReportDialog(QDialog):
    """A table of every attribute that came up; files that did not leave stand above it.

    Parameters
    ----------
    document
        As ``viewer.deid.report.Report.document`` gives it.
    folder
        Where the files lie.
    left_out
        What did not leave, and why: told here alone, for names of files may tell.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        folder: Path,
        parent: QWidget,
        left_out: Sequence[tuple[Path, LeftOut]] = (),
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("deid", "What was taken out"))
        self.resize(_WIDE, _HIGH)
        self._folder = folder
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(8)
        for line in said.summary(document):
            column.addWidget(note(line))
        if left_out:
            column.addWidget(note(_told(left_out), "pending"))
        column.addWidget(rule())
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(translate("deid", "Filter: attribute, action or reason"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._on_filter)
        column.addWidget(self.filter)
        self.table = self._table(document["attributes"])
        column.addWidget(self.table, 1)
        column.addLayout(self._foot())

    def _table(self, rows: Sequence[Mapping[str, Any]]) -> QTableWidget:
        heads = (
            translate("deid", "Attribute"),
            translate("deid", "Tag"),
            translate("deid", "What was done"),
            translate("deid", "Why"),
            translate("deid", "Files"),
        )
        table = QTableWidget(len(rows), len(heads))
        table.setHorizontalHeaderLabels(heads)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for at, width in ((1, 100), (2, 140), (3, 200), (4, 60)):
            table.setColumnWidth(at, width)
        private = translate("deid", "Private elements")
        for row, one in enumerate(rows):
            tag = str(one["tag"])
            cells = (
                one["name"] or (private if "gggg" in tag else tag),
                tag,
                said.action(one["action"]),
                said.reason(one["why"]),
                str(one["files"]),
            )
            for at, text in enumerate(cells):
                table.setItem(row, at, QTableWidgetItem(text))
        return table

    def _foot(self) -> QHBoxLayout:
        show = QPushButton(translate("deid", "Open the folder"))
        show.setProperty("role", "plain")
        show.setAutoDefault(False)
        show.clicked.connect(
            lambda _checked: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
        )
        close = QPushButton(translate("deid", "Close"))
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(show)
        row.addStretch(1)
        row.addWidget(close)
        return row

    def _on_filter(self, text: str) -> None:
        words = text.lower().split()
        for row in range(self.table.rowCount()):
            items = (self.table.item(row, at) for at in range(self.table.columnCount()))
            line = " ".join(item.text() for item in items if item is not None).lower()
            self.table.setRowHidden(row, not all(word in line for word in words))


def _told(left_out: Sequence[tuple[Path, LeftOut]]) -> str:
    lines = [f"{path.name}: {said.left_out(why)}" for path, why in left_out[:_MOST_TOLD]]
    if len(left_out) > _MOST_TOLD:
        lines.append(
            translate("deid", "… and {count} more.").format(count=len(left_out) - _MOST_TOLD)
        )
    head = translate("deid", "Left out: {count} files.").format(count=len(left_out))
    return "\n".join([head, *lines])
