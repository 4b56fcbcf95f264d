"""The label schema as a window: what findings may be called, and the site's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

import resources
from resources import labels
from resources.problem import Problem
from resources.text import translate
from viewer import site_labels
from viewer.annotate.attributes import name_text
from viewer.ui import theme
from viewer.ui.label_colours import label_colour
from viewer.ui.panel import words
from viewer.ui.places import ask_files, ask_save
from viewer.ui.widgets import note

_WIDE, _HIGH = 800, 420


class LabelsDialog(QDialog):
    """Shows the labels in use; takes a site's file, gives one out, goes back to Overread's own."""

    changed = Signal()  # other labels are in use

    def __init__(self, problem: Problem | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("labels", "Labels"))
        self.resize(_WIDE, _HIGH)
        self.said = note()
        self.table = QTableWidget(0, 5)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for at, width in ((0, 150), (1, 90), (4, 100)):
            header.setSectionResizeMode(at, QHeaderView.ResizeMode.Interactive)
            self.table.setColumnWidth(at, width)
        self.use_button = self._button(translate("labels", "Use a file…"), self._ask_use)
        self.save_button = self._button(translate("labels", "Save as a file…"), self._ask_save)
        self.back_button = self._button(translate("labels", "Overread's own"), self.take_away)
        close = QPushButton(translate("labels", "Close"))
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        for button in (self.use_button, self.save_button, self.back_button):
            foot.addWidget(button)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        column.setSpacing(10)
        column.addWidget(self.said)
        column.addWidget(self.table, 1)
        column.addLayout(foot)
        self._show()
        if problem is not None:
            self._tell(str(problem), failed=True)

    @staticmethod
    def _button(text: str, act: Any) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("role", "plain")
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: act())
        return button

    # ------------------------------------------------------------------- acts

    def _ask_use(self) -> None:
        files = ask_files(self, translate("labels", "Use a label file"))
        if files:
            self.use(files[0])

    def use(self, file: Path) -> None:
        """Take a file as that of the site; one that is wrong is told and changes nothing."""
        try:
            site_labels.use(file)
        except Problem as problem:
            self._tell(str(problem), failed=True)
            return
        self._show()
        self.changed.emit()

    def _ask_save(self) -> None:
        kind = translate("labels", "Labels (*.json)")
        file = ask_save(self, translate("labels", "Save the labels"), "overread-labels.json", kind)
        if file is not None:
            self.save(file)

    def save(self, file: Path) -> None:
        """Write the labels in use as a file that can be changed and used."""
        try:
            file.write_text(labels.as_file(), encoding="utf-8")
        except OSError:
            self._tell(translate("labels", "The labels could not be saved there."), failed=True)
            return
        self._tell(translate("labels", "Saved. Change it with a text editor, then use it here."))

    def take_away(self) -> None:
        """Go back to the labels that came with Overread."""
        try:
            site_labels.take_away()
        except Problem as problem:
            self._tell(str(problem), failed=True)
            return
        self._show()
        self.changed.emit()

    # ---------------------------------------------------------------- showing

    def _tell(self, text: str, *, failed: bool = False) -> None:
        self.said.setText(text)
        theme.set_tone(self.said, "failed" if failed else "secondary")

    def _show(self) -> None:
        own = labels.own()
        self.back_button.setEnabled(site_labels.file().exists())
        self.back_button.setToolTip(
            translate("labels", "The site's file is kept beside, as labels.json.old.")
            if site_labels.file().exists()
            else translate("labels", "These are Overread's own labels.")
        )
        self._tell(
            translate("labels", "The site's own file counts: {file}").format(
                file=site_labels.file()
            )
            if own
            else translate("labels", "These labels came with Overread; a site may add its own.")
        )
        self.table.setHorizontalHeaderLabels(
            [
                translate("labels", "Label"),
                translate("labels", "For"),
                translate("labels", "Code"),
                translate("labels", "To be said"),
                translate("labels", "From"),
            ]
        )
        shown = [key for kind in labels.KINDS for key in labels.offered(kind)]
        self.table.setRowCount(len(shown))
        for row, key in enumerate(shown):
            for column, text in enumerate(_row(key, site=key in own)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if column == 0:
                    item.setIcon(_swatch(label_colour(key)))
                self.table.setItem(row, column, item)


def _row(key: str, *, site: bool) -> tuple[str, ...]:
    term = resources.table("labels")[key]
    code, scheme, meaning = term["type"]
    required = [name_text(name) for name in labels.required(key)]
    return (
        words.label_name(key),
        translate("labels", "findings")
        if term["kind"] == "lesion"
        else translate("labels", "anatomy"),
        f"{meaning} · {scheme} {code}",
        ", ".join(required),
        translate("labels", "this site") if site else "Overread",
    )


def _swatch(colour: str) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(QColor(colour))
    return QIcon(picture)
