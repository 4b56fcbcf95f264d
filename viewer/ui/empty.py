"""What the views show while no series is open: what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from resources.text import translate
from viewer.ui import theme
from viewer.ui.widgets import CommandButton, note


class EmptyView(QWidget):
    """Says how to open a study; while one loads, how far it is."""

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setObjectName("empty")
        self.setStyleSheet("#empty, #empty QLabel { background: #000000; }")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = QLabel()
        self._title.setFont(theme.font(18, QFont.Weight.DemiBold))
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text = note()
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(320)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        self._buttons = [
            CommandButton(actions["open"], role="primary"),
            CommandButton(actions["open_file"], role="verdict"),
            CommandButton(actions["sample"], role="verdict"),
        ]
        for button in self._buttons:
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(buttons)
        column.addStretch(3)
        self.show_idle()

    def show_idle(self) -> None:
        """Say how to open a study."""
        self._title.setText(translate("empty", "Open a study"))
        self._text.setText(
            translate("empty", "Drop a folder or a file here. CT, MR and other DICOM series.")
        )
        self._bar.hide()
        for button in self._buttons:
            button.show()

    def show_loading(self, text: str) -> None:
        """Say what is being loaded."""
        self._title.setText(text)
        self._text.setText(translate("empty", "Esc gives up"))
        self._bar.setRange(0, 0)
        self._bar.show()
        for button in self._buttons:
            button.hide()

    def show_progress(self, done: int, total: int) -> None:
        """Show how far the loading is."""
        self._bar.setRange(0, max(0, total))
        self._bar.setValue(done)
        if total > 0:
            self._text.setText(
                translate("empty", "{done} of {total}").format(done=done, total=total)
            )
