"""The few windows that open beside the main one: reader, keys, model card."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.ui import theme
from viewer.ui.commands import commands, key_text
from viewer.ui.widgets import KeyCap, head, note


def _buttons(dialog: QDialog, *, cancel: bool) -> QDialogButtonBox:
    box = QDialogButtonBox()
    ok = box.addButton(translate("dialogs", "OK"), QDialogButtonBox.ButtonRole.AcceptRole)
    ok.setProperty("role", "primary")
    if cancel:
        box.addButton(translate("dialogs", "Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
    box.accepted.connect(dialog.accept)
    box.rejected.connect(dialog.reject)
    return box


class ReaderDialog(QDialog):
    """Asks who reads; the name stands beside every verdict and in the export."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("dialogs", "Reader"))
        self._name = QLineEdit(name)
        self._name.setMaxLength(64)
        self._name.setMinimumWidth(320)
        self._name.setPlaceholderText(translate("dialogs", "Such as Dr. A. Reader"))
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        column.addWidget(QLabel(translate("dialogs", "Your name")))
        column.addWidget(self._name)
        column.addWidget(
            note(translate("dialogs", "It stands beside each of your verdicts and in exports."))
        )
        column.addWidget(_buttons(self, cancel=True))

    @property
    def name(self) -> str:
        """The name as typed, without surrounding space."""
        return " ".join(self._name.text().split())


class KeysDialog(QDialog):
    """All keys and mouse gestures on one sheet."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("dialogs", "Keys and mouse"))
        columns = QHBoxLayout()
        columns.setSpacing(36)
        groups: dict[str, list[tuple[str, str]]] = {}
        for command in commands():
            groups.setdefault(command.group, []).append((command.text, key_text(command.keys)))
        mouse = translate("dialogs", "Mouse")
        groups[mouse] = [
            (translate("dialogs", "Grey window, or the chosen tool"), translate("dialogs", "Left")),
            (translate("dialogs", "Slices"), translate("dialogs", "Wheel")),
            (translate("dialogs", "Zoom"), translate("dialogs", "Right, Ctrl+Wheel")),
            (translate("dialogs", "Pan"), translate("dialogs", "Middle")),
            (translate("dialogs", "Menu"), translate("dialogs", "Right click")),
            (translate("dialogs", "Enlarge a view"), translate("dialogs", "Double click")),
            (translate("dialogs", "Crosshair follows"), translate("dialogs", "Shift+Move")),
            (translate("dialogs", "Brush size"), translate("dialogs", "Shift+Wheel")),
        ]
        ordered = list(groups.items())
        per_column = -(-sum(len(rows) + 2 for _, rows in ordered) // 3)
        column, used = self._column(columns), 0
        for title, rows in ordered:
            if used and used + len(rows) + 2 > per_column + 4:
                column.addStretch(1)
                column, used = self._column(columns), 0
            column.addWidget(head(title))
            column.addLayout(self._grid(rows))
            column.addSpacing(12)
            used += len(rows) + 2
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 20, 24, 16)
        whole.addLayout(columns)
        whole.addWidget(_buttons(self, cancel=False))

    @staticmethod
    def _column(columns: QHBoxLayout) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(4)
        columns.addLayout(column)
        return column

    @staticmethod
    def _grid(rows: list[tuple[str, str]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for row, (text, keys) in enumerate(rows):
            grid.addWidget(QLabel(text), row, 0)
            caps = QHBoxLayout()
            caps.setSpacing(4)
            caps.addStretch(1)
            for key in keys.split("  "):
                caps.addWidget(KeyCap(key))
            grid.addLayout(caps, row, 1)
        return grid


class CardDialog(QDialog):
    """The model card as its makers wrote it."""

    def __init__(self, title: str, markdown: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(720, 640)
        text = QTextBrowser()
        text.setOpenLinks(False)  # nothing is fetched, nothing leaves the program
        text.setFont(theme.font(theme.BODY_PX, QFont.Weight.Normal))
        text.setMarkdown(markdown)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.addWidget(text)
        column.addWidget(_buttons(self, cancel=False))
