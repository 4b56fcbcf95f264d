"""Boxes to tick and lists to choose from, drawn in the colours of the theme."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QRadioButton,
    QStyle,
    QStyleOptionButton,
)

from viewer.ui import theme

_MARK_PX = 14.0


def _begin(button: QAbstractButton, element: QStyle.SubElement) -> tuple[QPainter, QRectF]:
    """Write the words of a button; return where its mark belongs, and what draws it."""
    option = QStyleOptionButton()
    option.initFrom(button)
    option.text = button.text()
    painter = QPainter(button)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    place = QRectF(button.style().subElementRect(element, option, button))
    middle = place.center()
    mark = QRectF(place.left() + 0.5, middle.y() - _MARK_PX / 2, _MARK_PX, _MARK_PX)
    words = QRectF(button.rect()).adjusted(mark.right() + 8, 0, 0, 0)
    painter.setPen(QColor(theme.TEXT if button.isEnabled() else theme.DIM))
    painter.drawText(
        words,
        int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic),
        button.text(),
    )
    return painter, mark


def _ground(painter: QPainter, button: QAbstractButton, *, filled: bool) -> None:
    edge = theme.ACTIVE if button.hasFocus() or button.underMouse() else theme.DIM
    if not button.isEnabled():
        edge = theme.EDGE
    painter.setPen(QPen(QColor(edge), 1))
    painter.setBrush(QColor(theme.PRIMARY if filled and button.isEnabled() else theme.RAISED))


class Tick(QCheckBox):
    """A box to tick."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, box = _begin(self, QStyle.SubElement.SE_CheckBoxIndicator)
        _ground(painter, self, filled=self.isChecked())
        painter.drawRoundedRect(box, 3, 3)
        if self.isChecked():
            colour = theme.ON_PRIMARY if self.isEnabled() else theme.DIM
            painter.setPen(QPen(QColor(colour), 1.8))
            at = box.center()
            ticks = (QPointF(-3.4, 0.2), QPointF(-1.0, 2.6), QPointF(3.5, -2.6))
            painter.drawPolyline([at + point for point in ticks])


class Pick(QRadioButton):
    """One of several, of which one is chosen."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, box = _begin(self, QStyle.SubElement.SE_RadioButtonIndicator)
        _ground(painter, self, filled=self.isChecked())
        painter.drawEllipse(box)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.ON_PRIMARY if self.isEnabled() else theme.DIM))
            painter.drawEllipse(box.center(), 2.8, 2.8)


class Choice(QComboBox):
    """A list to choose from."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.SECONDARY if self.isEnabled() else theme.DIM), 1.6))
        at = QPointF(self.width() - 15, self.height() / 2)
        painter.drawPolyline([at + QPointF(x, y) for x, y in ((-4, -2), (0, 2), (4, -2))])
