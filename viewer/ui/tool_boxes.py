"""What a tool can be set to, in the bar beside it; shown while the tool is held."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.tools.lasso import MODES
from viewer.ui.lasso_layer import SIGNS
from viewer.ui.reading import Reading
from viewer.ui.widgets import CommandButton


class LassoBox(QWidget):
    """What the lasso does: add, cut off, keep."""

    def __init__(self, reading: Reading, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._reading = reading
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(2)
        for mode in MODES:
            row.addWidget(CommandButton(actions[f"lasso_{mode}"], key=False, text=SIGNS[mode]))
        reading.tool_changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        self.setVisible(self._reading.tool == "lasso")
