"""The few windows that open beside the main one: reader, model card."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.ui import theme
from viewer.ui.widgets import note


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
