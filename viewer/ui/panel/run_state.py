"""What stands above the list while there are no findings: empty, running, failed, none found."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from inference.protocol import Progress
from resources.problem import Problem
from resources.text import translate
from viewer.stages import stage_text
from viewer.ui import theme
from viewer.ui.widgets import CommandButton, note


class RunState(QWidget):
    """Says what the model does, or what to press."""

    cancel_asked = Signal()

    def __init__(self, run: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stage = self._left = ""
        self._text = note()
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._run = CommandButton(run, role="primary")
        self._cancel = QPushButton(translate("findings", "Cancel"))
        self._cancel.setProperty("role", "verdict")
        self._cancel.clicked.connect(self.cancel_asked)
        buttons = QHBoxLayout()
        buttons.addWidget(self._run)
        buttons.addWidget(self._cancel)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 4, 14, 8)
        column.setSpacing(8)
        column.addWidget(self._text)
        column.addWidget(self._bar)
        column.addLayout(buttons)

    def _set(
        self, text: str, *, bar: bool = False, run: bool = False, failed: bool = False
    ) -> None:
        self._text.setText(text)
        theme.set_tone(self._text, "failed" if failed else "secondary")
        self._bar.setVisible(bar)
        self._cancel.setVisible(bar)
        self._run.setVisible(run)
        self.setVisible(bool(text))

    def show_nothing(self) -> None:
        """Step aside: the list speaks for itself."""
        self._set("")

    def show_no_case(self) -> None:
        """Say that nothing is open."""
        self._set(translate("findings", "Findings appear here once a series is open."))

    def show_empty(self) -> None:
        """Offer the model: it has not run on this series."""
        self._set(
            translate("findings", "The model has not run on this series."),
            run=True,
        )

    def show_refused(self, reasons: tuple[str, ...], *, viewing_only: bool) -> None:
        """Say that no model may run on this series, and by which rule."""
        by_hand = translate("findings", "Lesions can still be added by hand (M).")
        self._set(" ".join(reasons if viewing_only else (*reasons, by_hand)))

    def show_none_found(self, below: int, threshold: float) -> None:
        """Say that the model ran and shows nothing at this threshold."""
        if below:
            text = translate(
                "findings", "The model marked nothing from {score} on; %n more below.", below
            ).replace("%n", str(below))
            text = text.format(score=f"{threshold:.2f}")
        else:
            text = translate("findings", "The model marked nothing. That proves nothing: read on.")
        self._set(text)

    def show_started(self) -> None:
        """Say that the model starts."""
        self._left = ""
        self.show_progress(Progress("start", 0, 0))

    def show_progress(self, step: Progress) -> None:
        """Show stage and share done."""
        if step.total > 1:  # a stage of one step has no share done
            self._bar.setRange(0, step.total)
            self._bar.setValue(step.done)
            percent = 100 * step.done // step.total
            self._stage = f"{stage_text(step)} · {percent} %"
        else:
            self._bar.setRange(0, 0)
            self._stage = f"{stage_text(step)}…"
        self._show_run()

    def show_left(self, text: str) -> None:
        """Show how long the run still takes; empty as long as that is not known."""
        self._left = text
        if not self._bar.isHidden():
            self._show_run()

    def _show_run(self) -> None:
        self._set("\n".join(text for text in (self._stage, self._left) if text), bar=True)

    def show_failed(self, problem: Problem) -> None:
        """Say why the run ended without a result."""
        self._set(str(problem), run=True, failed=True)
