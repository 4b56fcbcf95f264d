"""The status line and the message bar: what happens, what went wrong, who reads."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
)

from resources.problem import Problem
from resources.text import translate
from viewer import logbook
from viewer.ui import theme
from viewer.ui.reading import Reading
from viewer.ui.trust import TrustButton
from viewer.ui.widgets import Striped

STATUS_PX = 26
_HINT_MS = 6000


class StatusLine(QFrame):
    """Left: what happens; right: reader and the standing notice."""

    def __init__(self, reading: Reading, reader: QAction, trust: QAction) -> None:
        super().__init__()
        self.setObjectName("status")
        self.setFixedHeight(STATUS_PX)
        self._reading = reading
        self._lasting = ""
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)  # files name themselves as they like
        # A long sentence is cut by the window, never the other way round.
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._seen = QLabel()
        self._reader = QToolButton()
        self._reader.setDefaultAction(reader)
        theme.set_tone(self._reader, "secondary", theme.QUIET)
        self._research = QLabel(translate("status", "Research use. Not for diagnosis."))
        self._research.setObjectName("research")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedWidth(140)
        self._progress.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(16)
        self._trust = TrustButton(reading, trust)
        parts = (self._progress, self._text, self._trust, self._seen, self._reader, self._research)
        for widget in parts:
            if not isinstance(widget, (QToolButton, QProgressBar)):
                widget.setFont(theme.font(theme.CORNER_PX))
            row.addWidget(widget, 1 if widget is self._text else 0)
        self._reader.setFont(theme.font(theme.CORNER_PX))
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.timeout.connect(lambda: self._text.setText(self._lasting))
        reading.seen_changed.connect(self.refresh_seen)
        reading.case_changed.connect(self.refresh_seen)

    def say(self, text: str) -> None:
        """Show what stands until something else happens."""
        self._lasting = text
        self._back.stop()
        self._text.setText(text)

    def hint(self, text: str) -> None:
        """Show a sentence for some seconds, then what stood before."""
        self._text.setText(text)
        self._back.start(_HINT_MS)

    def show_progress(self, done: int, total: int) -> None:
        """Show a thin bar; ``done == total`` hides it."""
        self._progress.setVisible(done < total or total == 0)
        self._progress.setRange(0, max(total, 0))
        self._progress.setValue(done)

    def end_progress(self) -> None:
        """Hide the bar."""
        self._progress.hide()

    def show_reader(self, name: str) -> None:
        """Say who reads."""
        self._reader.setText(
            translate("status", "Reader: {name}").format(name=name)
            if name
            else translate("status", "Reader not named · {key}").format(
                key=self._reading.keys.name("reader")
            )
        )

    def _seen_percent(self) -> int:
        # Rounded up, but 100 only when every slice was seen.
        share = self._reading.seen_share
        return 100 if share == 1.0 else min(99, math.ceil(share * 100))

    def refresh_seen(self) -> None:
        """Say how much of the series was on the screen."""
        if self._reading.case is None:
            self._seen.setText("")
        else:
            share = self._seen_percent()
            self._seen.setText(translate("status", "Slices seen {percent} %").format(percent=share))


class MessageBar(Striped):
    """One plain sentence and its remedy above the views; never a box over the image."""

    def __init__(self) -> None:
        super().__init__(least_px=36, edge_px=0)
        self._offer = QPushButton()
        self._offer.setProperty("role", "verdict")
        self._offer.hide()
        self._offer.clicked.connect(self._on_offer)
        self._row.addWidget(self._offer)
        self._act: Callable[[], object] | None = None
        close = QToolButton()
        close.setText("✕")
        close.setAccessibleName(translate("status", "Close the message"))
        close.setToolTip(translate("status", "Close the message"))
        close.clicked.connect(self.hide)
        self._row.addWidget(close)

    def show_problem(self, problem: Problem) -> None:
        """Show what a person can mend; its technical detail goes to the log."""
        logbook.note_problem(problem)
        self._offer.hide()
        self._show(str(problem), "failed")

    def show_note(self, text: str) -> None:
        """Show what went well or is worth knowing."""
        self._offer.hide()
        self._show(text, "active")

    def show_offer(self, text: str, choice: str, act: Callable[[], object]) -> None:
        """Show what is worth knowing, and a button for what can be done with it."""
        self._offer.setText(choice)
        self._act = act
        self._offer.show()
        self._show(text, "active")

    def _on_offer(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()

    @property
    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()
