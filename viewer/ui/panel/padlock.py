"""A padlock in the rows of outlines: closed where nothing may change one; a click toggles it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton

from resources.text import translate
from viewer.ui import theme

WIDE_PX = 20


def draw_padlock(painter: QPainter, at: QPointF, colour: QColor, *, closed: bool) -> None:
    """Draw one round a point; an open one is hollow, and its shackle stands aside."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    shackle = QRectF(at.x() - 2.5 + (0 if closed else 3.6), at.y() - 5.5, 5, 6)
    painter.drawArc(shackle, 0, 180 * 16)
    for x in (shackle.left(), shackle.right()):
        foot = at.y() if closed or x == shackle.left() else at.y() - 2
        painter.drawLine(QPointF(x, at.y() - 2.5), QPointF(x, foot))
    if closed:
        painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(at.x() - 4, at.y(), 8, 5.6), 1, 1)
    painter.restore()


def lock_text(name: str, key: str, *, locked: bool) -> str:
    """Return what a click on the padlock of a row does, and with which key that is done."""
    text = (
        translate("lock", "{name} is locked: nothing changes its outline. Unlock it  {key}")
        if locked
        else translate("lock", "Lock the outline of {name}  {key}")
    )
    return text.format(name=name, key=key).rstrip()


class PadlockButton(QToolButton):
    """The padlock of one row."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._followed: tuple[bool, str, str] | None = None
        self.setCheckable(True)
        self.setProperty("role", "bare")
        self.setFixedSize(QSize(WIDE_PX, 24))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.follow(False, "")

    def follow(self, locked: bool, key: str, why_not: str = "") -> None:
        """Show whether the outline is locked, and why that cannot be changed."""
        if self._followed == (locked, key, why_not) and self.isChecked() == locked:
            return  # asked at every step
        self._followed = (locked, key, why_not)
        self.setChecked(locked)
        self.setEnabled(not why_not)
        said = lock_text(self._name, key, locked=locked)
        self.setAccessibleName(
            translate("lock", "{name}, locked").format(name=self._name)
            if locked
            else translate("lock", "{name}, not locked").format(name=self._name)
        )
        self.setToolTip(f"{said}\n{why_not}" if why_not else said)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        hand = self.isEnabled() and (self.underMouse() or self.hasFocus())
        ink = theme.ACTIVE if hand else theme.TEXT if self.isChecked() else theme.DIM
        at = QPointF(self.width() / 2, self.height() / 2)
        draw_padlock(painter, at, QColor(ink), closed=self.isChecked())
