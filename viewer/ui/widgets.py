"""Small parts that the bar and the panels share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QWidget,
)

from resources.text import translate
from viewer.ui import theme


class KeyCap(QWidget):
    """The key of a command, drawn as a small key."""

    def __init__(self, key: str, parent: QWidget | None = None, *, on_colour: bool = False) -> None:
        super().__init__(parent)
        self._key = key
        self._wanted = True
        self._on_colour = on_colour
        self.setFont(theme.font(10))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_key(self, key: str) -> None:
        """Show another key; without one there is no cap."""
        if key != self._key:
            self._key = key
            self.setVisible(self._wanted)
            self.updateGeometry()
            self.update()

    def setVisible(self, visible: bool) -> None:
        self._wanted = visible
        super().setVisible(visible and bool(self._key))

    def sizeHint(self) -> QSize:
        return QSize(max(16, self.fontMetrics().horizontalAdvance(self._key) + 8), 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bright = self._on_colour and self.isEnabled()
        painter.setPen(QPen(QColor(255, 255, 255, 110) if bright else QColor(theme.EDGE), 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        text = theme.ON_PRIMARY if bright else theme.SECONDARY if self.isEnabled() else theme.DIM
        painter.setPen(QColor(text))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._key)


class CommandButton(QPushButton):
    """A button of one action, with its key beside its name.

    It follows the action: text, enabled, checked, and the tooltip that says why it is off.
    """

    def __init__(
        self,
        action: QAction,
        *,
        role: str = "",
        key: bool = True,
        text: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.action = action
        self._fixed_text = text
        if role:
            self.setProperty("role", role)
        self._label = QLabel(self)
        self._label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = QHBoxLayout(self)
        tight = role in ("verdict", "accept")
        row.setContentsMargins(*((4, 3, 4, 3) if tight else (8, 3, 8, 3)))
        row.setSpacing(5 if tight else 7)
        row.addStretch(1)
        row.addWidget(self._label)
        self._cap = KeyCap("", self, on_colour=role == "primary") if key else None
        if self._cap is not None:
            self._cap.setVisible(True)
            row.addWidget(self._cap)
        row.addStretch(1)
        self.setCheckable(action.isCheckable())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self._on_click)
        action.changed.connect(self._follow)
        action.toggled.connect(self._follow)
        self._follow()

    def _on_click(self) -> None:
        exclusive = self.action.actionGroup() is not None
        if exclusive and self.action.isChecked():
            self.setChecked(True)  # the chosen tool stays chosen on a second click
        else:
            self.action.trigger()

    def _follow(self) -> None:
        action = self.action
        self._label.setText(self._fixed_text or action.text())
        self.setAccessibleName(self._label.text())
        self.setEnabled(action.isEnabled())
        self.setChecked(action.isChecked())
        self.setToolTip(action.toolTip())
        if self._cap is not None:
            native = QKeySequence.SequenceFormat.NativeText
            self._cap.set_key(action.shortcut().toString(native))
        if self.property("role") == "primary":
            tone = "on_primary"
        elif self.property("role") == "accept":
            tone = "accepted"
        else:
            tone = "active" if action.isCheckable() and action.isChecked() else "text"
        theme.set_tone(self._label, tone if action.isEnabled() else "dim")

    def sizeHint(self) -> QSize:
        layout = self.layout()
        assert layout is not None
        return layout.sizeHint().expandedTo(QSize(24, 28))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


class Slider(QSlider):
    """A level slider: thin groove, filled up to the handle; a click goes to its place."""

    _HANDLE_PX = 12

    def __init__(self, low: int, high: int, name: str) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(low, high)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def sizeHint(self) -> QSize:
        return QSize(80, 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, 20)

    def _handle_x(self) -> float:
        share = (self.value() - self.minimum()) / max(1, self.maximum() - self.minimum())
        return self._HANDLE_PX / 2 + share * (self.width() - self._HANDLE_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle, x = self.height() / 2, self._handle_x()
        painter.setBrush(QColor(theme.EDGE))
        painter.drawRoundedRect(QRectF(0, middle - 2, self.width(), 4), 2, 2)
        on = self.isEnabled()
        painter.setBrush(QColor(theme.ACTIVE if on else theme.EDGE))
        painter.drawRoundedRect(QRectF(0, middle - 2, x, 4), 2, 2)
        if self.hasFocus():
            painter.setBrush(QColor(theme.SELECTED))
            painter.drawEllipse(QPointF(x, middle), self._HANDLE_PX / 2 + 3, 9)
        painter.setBrush(QColor(theme.HANDLE if on else theme.DIM))
        painter.drawEllipse(QPointF(x, middle), self._HANDLE_PX / 2, self._HANDLE_PX / 2)

    def _go(self, x: float) -> None:
        share = (x - self._HANDLE_PX / 2) / max(1, self.width() - self._HANDLE_PX)
        self.setValue(round(self.minimum() + share * (self.maximum() - self.minimum())))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()


class Striped(QFrame):
    """A sentence behind a coloured stripe; what can be done about it stands to its right."""

    def __init__(self, least_px: int, edge_px: int) -> None:
        super().__init__()
        self.setObjectName("message")
        self._stripe = QFrame()
        self._stripe.setObjectName("stripe")
        self._stripe.setFixedWidth(3)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, edge_px, 8, edge_px)
        self._row.setSpacing(10)
        self._row.addWidget(self._stripe)
        self._row.addWidget(self._text, 1)
        self.setMinimumHeight(least_px)
        self.hide()

    def _show(self, text: str, tone: str) -> None:
        """Show a sentence; ``tone`` is "active", "pending" or "failed"."""
        theme.set_tone(self._stripe, tone, "background: {ink};")
        self._text.setText(text)
        self.setAccessibleName(text)
        self.show()


def head(text: str) -> QLabel:
    """Return a section head."""
    label = QLabel(text)
    label.setProperty("role", "head")
    label.setFont(theme.head_font())
    return label


def note(text: str = "", role: str = "hint", size_px: int = theme.CORNER_PX) -> QLabel:
    """Return a line of secondary text."""
    label = QLabel(text)
    label.setProperty("role", role)
    label.setFont(theme.font(size_px))
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def rule() -> QFrame:
    """Return a hairline between sections."""
    line = QFrame()
    line.setObjectName("rule")
    line.setFixedHeight(1)
    return line


def upright() -> QFrame:
    """Return a short upright hairline between groups of the bar."""
    line = QFrame()
    line.setObjectName("rule")
    line.setFixedSize(1, 20)
    return line


def push_button(text: str, role: str, act: Callable[[], object]) -> QPushButton:
    """Return a button of a dialog, which Enter does not press unasked."""
    button = QPushButton(text)
    button.setProperty("role", role)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _checked: act())
    return button


class PlaceRow(QHBoxLayout):
    """A folder, as long as there is room for its name, and a button to change it."""

    def __init__(self, tip: str, change: Callable[[], object]) -> None:
        super().__init__()
        self._path = QLabel()
        self._path.setTextFormat(Qt.TextFormat.PlainText)
        self._path.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        button = push_button(translate("export", "Change…"), "plain", change)
        button.setToolTip(tip)
        self.addWidget(self._path, 1)
        self.addWidget(button)

    def show_folder(self, folder: Path) -> None:
        """Show which folder it is; all of its name is in the tooltip."""
        self._path.setText(str(folder))
        self._path.setToolTip(str(folder))
