"""A row of a section that a click goes to: a name, what stands at the right, what stands below."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout


class Row(QToolButton):
    """Wraps what stands below rather than cutting it; what stands at the right never wraps."""

    def __init__(self, right: QLabel, below: QLabel) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._name = QLabel()
        right.setWordWrap(False)
        top = QHBoxLayout()
        top.addWidget(self._name, 1)
        top.addWidget(right)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 5)
        column.setSpacing(1)
        column.addLayout(top)
        column.addWidget(below)
        for label in (self._name, right, below):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        assert layout is not None
        width = max(self.width(), 200)
        return QSize(width, layout.totalHeightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())


R = TypeVar("R", bound=Row)


def show_rows(rows: list[R], column: QVBoxLayout, count: int, make: Callable[[int], R]) -> None:
    """Show as many rows as there are things to list; what is made once is kept.

    Parameters
    ----------
    make
        Returns a new row, given its number.
    """
    while len(rows) < count:
        row = make(len(rows))
        rows.append(row)
        column.addWidget(row)
    for n, row in enumerate(rows):
        row.setVisible(n < count)
