"""One line under the verdicts: why a finding was rejected, one key a reason."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from resources.text import translate
from viewer.ui import theme
from viewer.ui.panel import words
from viewer.ui.rejecting import Rejecting
from viewer.ui.widgets import KeyCap


class ReasonsStrip(QWidget):
    """Shown while a reason may be given; the rejection stands without one."""

    def __init__(self, rejecting: Rejecting) -> None:
        super().__init__()
        self._rejecting = rejecting
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 10)
        row.setSpacing(2)
        self.buttons: dict[str, QPushButton] = {}
        for reason, action in rejecting.actions.items():
            short = words.short_reason(reason) if reason else translate("rejecting", "None")
            button = QPushButton()
            button.setProperty("role", "reason")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text())
            button.clicked.connect(action.trigger)
            text = QLabel(short)
            text.setFont(theme.font(theme.HEAD_PX))
            text.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            inner = QHBoxLayout(button)
            inner.setContentsMargins(2, 0, 2, 0)
            inner.setSpacing(3)
            inner.addStretch(1)
            inner.addWidget(KeyCap(action.shortcut().toString()))
            inner.addWidget(text)
            inner.addStretch(1)
            button.setMinimumWidth(inner.minimumSize().width())
            row.addWidget(button, 1)
            self.buttons[reason] = button
        self.setAccessibleName(translate("rejecting", "Why it is rejected"))
        self.hide()
        rejecting.changed.connect(self._follow)

    def _follow(self) -> None:
        self.setVisible(self._rejecting.lesion_id is not None)
