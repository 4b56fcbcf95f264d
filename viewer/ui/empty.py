"""What the stage shows while no series is on it: the worklist, what to do, how far it loads."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QFont
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.ui import theme
from viewer.ui.widgets import CommandButton, note
from viewer.ui.worklist_page import WorklistPage


class EmptyView(QStackedWidget):
    """Lists the studies; before there are any, says how to open one; tells how far one loads.

    Attributes
    ----------
    page
        The worklist.
    """

    mode_changed = Signal()

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.page = WorklistPage(actions)
        self._listed = False
        self._idle = True
        self._plain = QWidget()
        self._plain.setObjectName("empty")
        self._plain.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
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
        column = QVBoxLayout(self._plain)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(buttons)
        column.addStretch(3)
        self.addWidget(self._plain)
        self.addWidget(self.page)
        self.currentChanged.connect(self.mode_changed)
        self.show_idle()

    @property
    def listing(self) -> bool:
        """Whether the worklist is what this shows."""
        return self.currentWidget() is self.page

    def set_listed(self, listed: bool) -> None:
        """Say whether there is any study to list; the first one brings the list up."""
        if listed and not self._listed and self._idle:
            self._listed = True
            self.show_idle()
        self._listed = listed

    def show_list(self) -> None:
        """Show the worklist, also when it is empty."""
        self._idle = True
        self.setCurrentWidget(self.page)

    def show_idle(self) -> None:
        """Show the worklist; without any study, say how to open one."""
        self._idle = True
        self._title.setText(translate("empty", "Open a study"))
        self._text.setText(
            translate("empty", "Drop a folder or a file here. CT, MR and other DICOM series.")
        )
        self._bar.hide()
        for button in self._buttons:
            button.show()
        self.setCurrentWidget(self.page if self._listed else self._plain)

    def show_loading(self, text: str) -> None:
        """Say what is being loaded."""
        self._idle = False
        self._title.setText(text)
        self._text.setText(translate("empty", "Esc gives up"))
        self._bar.setRange(0, 0)
        self._bar.show()
        for button in self._buttons:
            button.hide()
        self.setCurrentWidget(self._plain)

    def show_progress(self, done: int, total: int) -> None:
        """Show how far the loading is."""
        self._bar.setRange(0, max(0, total))
        self._bar.setValue(done)
        if total > 0:
            self._text.setText(
                translate("empty", "{done} of {total}").format(done=done, total=total)
            )
