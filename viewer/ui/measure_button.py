"""The button of the bar that holds all tools for measuring."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton

from resources.text import translate
from viewer.annotate.measurements import KINDS
from viewer.ui.reading import Reading


class MeasureButton(QToolButton):
    """A menu of the tools; while one of them is chosen, the button has its name."""

    def __init__(self, reading: Reading, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._reading = reading
        self._actions = actions
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCheckable(True)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for kind in KINDS:
            menu.addAction(actions[kind])
        menu.addSeparator()
        for name in ("measure_finding", "measurements"):
            menu.addAction(actions[name])
        self.setMenu(menu)
        reading.tool_changed.connect(self.follow)
        actions["distance"].changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """Say which tool is chosen, and why none can be."""
        tool = self._reading.tool
        chosen = tool in KINDS
        self.setChecked(chosen)
        name = self._actions[tool].text() if chosen else translate("bar", "Measure")
        self.setText(name)
        self.setAccessibleName(name)
        first = self._actions["distance"]
        self.setEnabled(first.isEnabled())
        if first.isEnabled():
            self.setToolTip(translate("bar", "Distance, axes, angle, regions with their values"))
        else:
            self.setToolTip(first.toolTip())
