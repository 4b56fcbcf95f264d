"""Parts of the page of the worklist: heads of the columns, the search, a sentence with choices."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget

from resources.text import translate
from viewer.ui import theme
from viewer.ui.widgets import KeyCap, Striped
from viewer.ui.worklist_rows import Columns


class Heads(QWidget):
    """Names of the columns, above the list and in line with it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(24)
        self._worth = False

    def show_worth(self, shown: bool) -> None:
        """Name the reason that each row gives, or its description alone."""
        self._worth = shown
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(theme.head_font())
        painter.setPen(QColor(theme.SECONDARY))
        columns = Columns(self.width())
        for box, text in (
            (columns.who, translate("worklist", "Patient")),
            (columns.date, translate("worklist", "Study date")),
            (
                columns.what,
                translate("worklist", "Description, and what it is worth for training")
                if self._worth
                else translate("worklist", "Description"),
            ),
            (columns.state, translate("worklist", "State")),
            (columns.opened, translate("worklist", "Last opened")),
        ):
            if box.width() > 0:
                room = QRect(box.left(), 0, box.width(), self.height())
                painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), text)
        painter.setPen(QPen(QColor(theme.HAIRLINE), 1))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)


class Search(QLineEdit):
    """Where a name, an ID or a description is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText(translate("worklist", "Search name, ID or description"))
        self.setAccessibleName(self.placeholderText())
        self.setFixedHeight(32)
        self.setTextMargins(24, 0, 34, 0)
        self._escape = KeyCap("Esc", self)
        self._escape.hide()
        self.textChanged.connect(lambda text: self._escape.setVisible(bool(text)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        size = self._escape.sizeHint()
        at = QPoint(self.width() - size.width() - 10, (self.height() - size.height()) // 2)
        self._escape.setGeometry(QRect(at, size))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.SECONDARY), 1.5))
        painter.drawEllipse(10, 9, 10, 10)
        painter.drawLine(19, 18, 23, 22)


class Notice(Striped):
    """A sentence about the list, with what can be done about it."""

    def __init__(self) -> None:
        super().__init__(least_px=40, edge_px=4)
        self._buttons: list[QPushButton] = []

    @property
    def text(self) -> str:
        """The sentence shown; empty when there is none."""
        return "" if self.isHidden() else self._text.text()

    def say(self, text: str, tone: str, *choices: tuple[str, Callable[[], object]]) -> None:
        """Show a sentence, and a button for each choice."""
        for old in self._buttons:
            self._row.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._buttons = []
        for name, act in (*choices, (translate("worklist", "Close"), self.hide)):
            button = QPushButton(name)
            button.setProperty("role", "verdict")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setStyleSheet("padding: 4px 10px;")
            button.clicked.connect(_without_argument(self.hide, act))
            self._row.addWidget(button)
            self._buttons.append(button)
        self._show(text, tone)


def _without_argument(*acts: Callable[[], object]) -> Callable[..., None]:
    def call(*_checked: object) -> None:
        for act in acts:
            act()

    return call
