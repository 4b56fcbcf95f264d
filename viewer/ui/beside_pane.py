"""The pane of the series beside: its view, or in words why there is none yet."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QStackedLayout, QVBoxLayout, QWidget

from resources.problem import Problem
from resources.text import translate
from viewer.ui import on_image as theme
from viewer.ui.slice_view import SliceView

_BAR_PX = 220
_WIDEST_PX = 380


class BesidePane(QWidget):
    """Empty, busy, failed, or the view: four states, each in words where there is no picture."""

    def __init__(self, view: SliceView) -> None:
        super().__init__()
        self.view = view
        self._title = QLabel()
        self._text = QLabel()
        for label, size, colour in (
            (self._title, theme.BODY_PX + 2, theme.TEXT),
            (self._text, theme.BODY_PX, theme.SECONDARY),
        ):
            label.setFont(theme.font(size))
            label.setStyleSheet(f"color: {colour}; background: transparent;")
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_BAR_PX)
        self._words = words = QWidget()
        palette = words.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(theme.CANVAS))
        words.setPalette(palette)
        words.setAutoFillBackground(True)
        self._column = column = QVBoxLayout(words)
        column.setSpacing(10)
        column.addStretch(2)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(words)
        self._stack.addWidget(view)
        self.setAccessibleName(translate("beside", "Series beside"))

    @property
    def text(self) -> str:
        """What is said in the place of a picture; empty while there is one."""
        if self._stack.currentWidget() is self.view:
            return ""
        return " ".join(text for text in (self._title.text(), self._text.text()) if text)

    def show_empty(self, key: str) -> None:
        """Say how a series comes here; ``key`` takes the next best."""
        self._say(
            translate("beside", "No series beside"),
            translate(
                "beside",
                "Drag one from the series list onto a view, or press {key} for the next best.",
            ).format(key=key),
        )

    def show_busy(self, text: str) -> None:
        """Say what is being done."""
        self._say(text, "")
        self._bar.setRange(0, 0)
        self._bar.show()

    def show_progress(self, done: int, total: int) -> None:
        """Say how far it is."""
        self._bar.setRange(0, max(total, 0))
        self._bar.setValue(done)

    def show_failed(self, problem: Problem) -> None:
        """Say why there is nothing, and what to do."""
        self._say(problem.sentence, problem.remedy)

    def show_view(self) -> None:
        """Show the picture."""
        self._stack.setCurrentWidget(self.view)

    def _say(self, title: str, text: str) -> None:
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._bar.hide()
        self._stack.setCurrentWidget(self._words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        # Lines of words are no wider than the eye likes; the labels wrap in what is left.
        side = max(20, (self.width() - _WIDEST_PX) // 2)
        self._column.setContentsMargins(side, 20, side, 20)

    def wheelEvent(self, event: QEvent) -> None:
        # From the grip in the corner.
        self.view.wheelEvent(event)  # type: ignore[arg-type]
