"""The score threshold: filters list and overlay at once, without running the model again."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel

from resources.text import translate
from viewer.session import Case
from viewer.ui import theme
from viewer.ui.panel.section import Section, titled
from viewer.ui.reading import Reading
from viewer.ui.widgets import Slider, note

_STEPS = 100
# So long what a move did stays in words after it.
_TOLD_MS = 2500


class ThresholdSlider(Slider):
    """A slider that knows the scores: a tick each, and a longer one at the model's own threshold.

    A double click asks for the model's own threshold. The pointer over the groove asks what a
    click there would do.
    """

    own_asked = Signal()
    hovered = Signal(object)  # a score, or None
    released = Signal()

    def __init__(self, name: str) -> None:
        super().__init__(0, _STEPS, name)
        self._scores: tuple[float, ...] = ()
        self._own = 0.0
        self.setMouseTracking(True)

    def show_scores(self, scores: tuple[float, ...], own: float) -> None:
        """Mark the scores of the findings that the threshold filters, and the model's own one."""
        if (scores, own) != (self._scores, self._own):
            self._scores, self._own = scores, own
            self.update()

    def _x(self, score: float) -> float:
        return self._HANDLE_PX / 2 + score * (self.width() - self._HANDLE_PX)

    def score_at(self, x: float) -> float:
        """Return the threshold that a click at ``x`` sets."""
        share = (x - self._HANDLE_PX / 2) / max(1, self.width() - self._HANDLE_PX)
        return round(min(max(share, 0.0), 1.0) * _STEPS) / _STEPS

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        for score in self._scores:
            painter.setPen(QPen(QColor(theme.SECONDARY), 1.4))
            x = self._x(score)
            painter.drawLine(QPointF(x, middle + 5), QPointF(x, middle + 9))
        painter.setPen(QPen(QColor(theme.TEXT), 1.4))
        x = self._x(self._own)
        painter.drawLine(QPointF(x, middle - 9), QPointF(x, middle - 5))
        painter.end()
        super().paintEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        pressed = bool(event.buttons() & Qt.MouseButton.LeftButton)
        self.hovered.emit(None if pressed else self.score_at(event.position().x()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.hovered.emit(None)
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.own_asked.emit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)


class ThresholdSection(Section):
    """Value, slider, and how many findings are shown, appeared, vanished, or would."""

    released = Signal()
    settled = Signal()  # the move is over: the threshold stands

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        name = translate("findings", "Score threshold")
        self._value = QLabel()
        self.slider = ThresholdSlider(name)
        self._note = note()
        self._column.addLayout(titled(name, self._value))
        self._column.addWidget(self.slider)
        self._column.addWidget(self._note)
        self._before: float | None = None  # the threshold when this move began
        self._hovered: float | None = None
        self._over = QTimer(self)
        self._over.setSingleShot(True)
        self._over.setInterval(_TOLD_MS)
        self._over.timeout.connect(self._end_move)
        self.slider.valueChanged.connect(self._on_value)
        self.slider.own_asked.connect(self._return_to_own)
        self.slider.hovered.connect(self._on_hover)
        self.slider.released.connect(self._on_release)
        reading.case_changed.connect(self._end_move)

    @property
    def held(self) -> bool:
        """Whether the reader holds the slider."""
        return self.slider.isSliderDown()

    # -------------------------------------------------------------------- moving

    def _on_value(self, value: int) -> None:
        self._move_to(value / _STEPS)

    def _return_to_own(self) -> None:
        case = self._reading.case
        if case is not None and case.document.findings is not None:
            self._move_to(case.document.findings.threshold)

    def _move_to(self, threshold: float) -> None:
        case = self._reading.case
        if case is None:
            return
        if self._before is None:
            self._before = case.threshold
        self._hovered = None
        self._over.start()
        self._reading.set_threshold(threshold)

    def _on_hover(self, score: float | None) -> None:
        self._hovered = score
        self.refresh()

    def _on_release(self) -> None:
        self._over.start()
        self.released.emit()
        self.settled.emit()

    def _end_move(self) -> None:
        if self.held:
            self._over.start()
            return
        moved, self._before = self._before is not None, None
        self.refresh()
        if moved:
            self.settled.emit()

    # --------------------------------------------------------------------- words

    def refresh(self) -> None:
        """Follow the case."""
        case = self._reading.case
        findings = case.document.findings if case is not None else None
        seen = findings is not None and not self._reading.ai_hidden
        self.setVisible(seen)
        if case is None or findings is None or not seen:
            # Also what is hidden can be read out: nothing of the model may stand there.
            self._value.clear()
            self._note.clear()
            self.slider.setAccessibleDescription("")
            self.slider.show_scores((), 0.0)
            return
        lesions = case.document.lesions
        filtered = (x.score for x in lesions if x.score is not None and not x.touched)
        self.slider.show_scores(tuple(filtered), findings.threshold)
        self.slider.blockSignals(True)
        self.slider.setValue(round(case.threshold * _STEPS))
        self.slider.blockSignals(False)
        self.slider.setToolTip(
            translate("findings", "Score threshold. Double click: the model's own, {own}").format(
                own=f"{findings.threshold:.2f}"
            )
        )
        self._value.setText(f"{case.threshold:.2f}")
        said = self._counts(case)
        self._note.setText(said)
        self.slider.setAccessibleDescription(said)

    def _counts(self, case: Case) -> str:
        shown, all_of_them = len(case.shown), len(case.document.lesions)
        parts = [
            translate("findings", "{shown} shown").format(shown=shown),
            translate("findings", "{below} more below").format(below=all_of_them - shown),
        ]
        if self._hovered is not None:
            change = len(case.document.shown(self._hovered)) - shown
            texts = (
                translate("findings", "{n} would appear at {score}"),
                translate("findings", "{n} would vanish at {score}"),
                translate("findings", "the same at {score}"),
            )
        elif self._before is not None:
            change = shown - len(case.document.shown(self._before))
            texts = (
                translate("findings", "{n} appeared"),
                translate("findings", "{n} vanished"),
                translate("findings", "none appeared or vanished"),
            )
        else:
            return " · ".join([*parts, translate("findings", "none reviewed is hidden")])
        text = texts[0] if change > 0 else texts[1] if change < 0 else texts[2]
        score = f"{self._hovered:.2f}" if self._hovered is not None else ""
        return " · ".join([*parts, text.format(n=abs(change), score=score)])
