"""The small window that asks who reads."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.session import Reader
from viewer.ui.inputs import Choice
from viewer.ui.who import roles
from viewer.ui.widgets import note


def buttons(dialog: QDialog, *, cancel: bool) -> QDialogButtonBox:
    """Return the row that ends a dialog: OK, and Cancel where there is something to give up."""
    box = QDialogButtonBox()
    ok = box.addButton(translate("dialogs", "OK"), QDialogButtonBox.ButtonRole.AcceptRole)
    ok.setProperty("role", "primary")
    if cancel:
        box.addButton(translate("dialogs", "Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
    box.accepted.connect(dialog.accept)
    box.rejected.connect(dialog.reject)
    return box


class ReaderDialog(QDialog):
    """Asks who reads, and as what; both stand beside every entry of a case's log."""

    def __init__(self, reader: Reader, parent: QWidget, *, first: bool = False) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("dialogs", "Reader"))
        self._name = QLineEdit(reader.name)
        self._name.setMaxLength(64)
        self._name.setMinimumWidth(320)
        self._name.setPlaceholderText(translate("dialogs", "Such as Dr. A. Reader"))
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        column.addWidget(QLabel(translate("dialogs", "Your name")))
        column.addWidget(self._name)
        self._role = Choice()
        self._role.setEditable(True)
        self._role.addItems(["", *roles()])
        self._role.setCurrentText(reader.role)
        self._role.setAccessibleName(translate("dialogs", "Your role"))
        line = self._role.lineEdit()
        assert line is not None, "it can be edited"
        line.setMaxLength(64)
        line.setPlaceholderText(translate("dialogs", "Such as Resident"))
        column.addWidget(QLabel(translate("dialogs", "Your role")))
        column.addWidget(self._role)
        column.addWidget(note(self._hint(first)))
        column.addWidget(buttons(self, cancel=True))
        # Wrapped words tell their height only once they have a width.
        self.setMinimumHeight(column.totalHeightForWidth(max(360, column.totalSizeHint().width())))

    @staticmethod
    def _hint(first: bool) -> str:
        said = translate(
            "dialogs", "The name stands beside each of your verdicts and in exports, both in logs."
        )
        if first:
            said += " " + translate("dialogs", "F2 changes it at any time.")
        return said

    @property
    def reader(self) -> Reader:
        """Who was typed, without surrounding space."""
        name, role = (
            " ".join(text.split()) for text in (self._name.text(), self._role.currentText())
        )
        return Reader(name, role)
