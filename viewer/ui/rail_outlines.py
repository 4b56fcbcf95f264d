"""Under the series of the rail: outlines and reports that lie beside the images of the study."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from resources.text import translate
from viewer.study.header import OtherObject
from viewer.ui.widgets import head

_MOST = 40


class _Entry(QToolButton):
    """One file: what it is and what its series is called, as far as there is room."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self._said = said
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(said)
        self.setMinimumWidth(10)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self.width() - 18
        elided = self.fontMetrics().elidedText(self._said, Qt.TextElideMode.ElideRight, room)
        self.setText(elided)


class RailOutlines(QWidget):
    """A button a file; a press reads it and shows what it holds."""

    chosen = Signal(object)  # an OtherObject

    def __init__(self) -> None:
        super().__init__()
        self._anonymous = False
        self._shown: tuple[tuple[OtherObject, ...], str] = ((), "")
        self._entries: list[_Entry] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 4, 0, 0)
        self._column.setSpacing(2)
        self._column.addWidget(head(translate("rail", "Outlines in the study")))
        self.hide()

    @property
    def entries(self) -> Sequence[QToolButton]:
        """The buttons, in order."""
        return tuple(self._entries)

    def show_objects(self, objects: Sequence[OtherObject], why_not: str) -> None:
        """Offer files; ``why_not`` says why none can be taken now, or is empty."""
        now = tuple(objects[:_MOST]), why_not
        if now != self._shown:
            self._shown = now
            self._build()

    def set_anonymous(self, anonymous: bool) -> None:
        """Show nothing that files say of their series, or all again."""
        if anonymous != self._anonymous:
            self._anonymous = anonymous
            self._build()

    def _build(self) -> None:
        for old in self._entries:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        objects, why_not = self._shown
        self._entries = []
        for number, other in enumerate(objects, start=1):
            named = "" if self._anonymous else other.description
            entry = _Entry(f"{other.modality} · {named or number}")
            said = translate("rail", "See what it holds, and take outlines in")
            told = entry.accessibleName()
            entry.setToolTip(f"{told}\n{why_not or said}")
            entry.setEnabled(not why_not)
            entry.clicked.connect(partial(self._on_clicked, other))
            self._entries.append(entry)
            self._column.addWidget(entry)
        self.setVisible(bool(objects))

    def _on_clicked(self, other: OtherObject, _checked: bool = False) -> None:
        self.chosen.emit(other)
