"""What the sections of the review panel share."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.ui.reading import Reading
from viewer.ui.widgets import KeyCap, head


def titled(title: str, *right: QWidget, key: str = "") -> QHBoxLayout:
    """Return the head of a section: its name, its key, and what stands at the right."""
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(head(title))
    if key:
        row.addWidget(KeyCap(key))
    row.addStretch(1)
    for widget in right:
        row.addWidget(widget)
    return row


class Section(QWidget):
    """A part of the panel that follows the reading."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 12, 14, 12)
        self._column.setSpacing(6)

    def refresh(self) -> None:
        """Follow the reading."""
        raise NotImplementedError
