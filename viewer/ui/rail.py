"""The series rail on the left: one card a series."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from resources.text import translate
from viewer.ui import theme
from viewer.ui.rail_outlines import RailOutlines
from viewer.ui.widgets import head

RAIL_PX = 188


@dataclass
class SeriesCard:
    """What a card says."""

    title: str
    detail: str
    state: str = ""
    failed: bool = False
    thumbnail: npt.NDArray[np.uint8] | None = field(default=None, repr=False)


class _Card(QWidget):
    chosen = Signal(int)
    menu_asked = Signal(int, QPoint)
    carry_begun = Signal(int)
    carried = Signal(QPoint)
    dropped = Signal(QPoint)

    def __init__(self, number: int, card: SeriesCard) -> None:
        super().__init__()
        self._number = number
        self.card = card
        self.current = False
        self.beside = False
        self.anonymous = False
        self._under = False
        self._press: QPoint | None = None
        self._carrying = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.follow()

    def follow(self) -> None:
        card = self.card
        said = (self._title(), card.detail, self._state())
        self.setAccessibleName(", ".join(text for text in said if text))
        self.setToolTip(html.escape(self._title()))
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def _title(self) -> str:
        if self.anonymous:
            return translate("rail", "Series {n}").format(n=self._number + 1)
        return self.card.title

    def _state(self) -> str:
        return translate("rail", "Shown beside") if self.beside else self.card.state

    def sizeHint(self) -> QSize:
        return QSize(168, 106 + 44 + (17 if self._state() else 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.current:
            painter.setBrush(QColor(theme.SELECTED))
        else:
            painter.setBrush(QColor(theme.RAISED if self._under else theme.BAR))
        edge = theme.ACTIVE if self.current or self.beside or self.hasFocus() else theme.HAIRLINE
        line = QPen(QColor(edge), 1)
        if self.beside and not self.hasFocus():
            line.setDashPattern([4, 3])
        painter.setPen(line)
        painter.drawRoundedRect(frame, 6, 6)
        picture = QRectF(1, 1, self.width() - 2, 104)
        painter.fillRect(picture.adjusted(3, 3, -3, 0), QColor(theme.CANVAS))
        if self.card.thumbnail is not None:
            grey = np.ascontiguousarray(self.card.thumbnail)
            rows, columns = grey.shape
            image = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
            scale = min((picture.width() - 6) / columns, (picture.height() - 3) / rows)
            width, height = columns * scale, rows * scale
            painter.drawImage(
                QRectF(
                    picture.center().x() - width / 2,
                    picture.center().y() - height / 2 + 1.5,
                    width,
                    height,
                ),
                image,
            )
        painter.setFont(theme.font(theme.BODY_PX))
        metrics = painter.fontMetrics()
        room = self.width() - 16
        painter.setPen(QColor(theme.TEXT))
        title = metrics.elidedText(self._title(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(8, 122, title)
        painter.setFont(theme.font(theme.CORNER_PX))
        metrics = painter.fontMetrics()
        painter.setPen(QColor(theme.SECONDARY))
        detail = metrics.elidedText(self.card.detail, Qt.TextElideMode.ElideRight, room)
        painter.drawText(8, 140, detail)
        if self._state():
            painter.setPen(QColor(theme.FAILED if self.card.failed else theme.SECONDARY))
            state = metrics.elidedText(self._state(), Qt.TextElideMode.ElideRight, room)
            painter.drawText(8, 157, state)

    # A press alone opens nothing: it may be the beginning of a drag onto a view.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = event.globalPosition().toPoint()
            self._carrying = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.globalPosition().toPoint()
        if self._press is None:
            return
        if not self._carrying:
            if (at - self._press).manhattanLength() < QApplication.startDragDistance():
                return
            self._carrying = True
            self.carry_begun.emit(self._number)
        self.carried.emit(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._press is None:
            return
        carrying, self._press, self._carrying = self._carrying, None, False
        if carrying:
            self.dropped.emit(event.globalPosition().toPoint())
        elif self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self._number)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_asked.emit(self._number, event.globalPos())

    def keyPressEvent(self, event: object) -> None:
        key = event.key()  # type: ignore[attr-defined]
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self._number)
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]

    def enterEvent(self, event: QEnterEvent) -> None:
        self._under = True
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._under = False
        self.update()


class SeriesRail(QWidget):
    """Cards of all series found; a click opens one, a drag onto a view shows it beside."""

    chosen = Signal(int)
    menu_asked = Signal(int, QPoint)
    carry_begun = Signal(int)
    carried = Signal(QPoint)  # in pixels of the screen
    dropped = Signal(QPoint)
    prior_chosen = Signal(int)
    prior_carry_begun = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setFixedWidth(RAIL_PX)
        self._cards: list[_Card] = []
        self._count = head("")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 12, 4, 8)
        column.setSpacing(8)
        column.addWidget(self._count)
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(0, 0, 6, 0)
        self._list.setSpacing(8)
        self._priors: list[_Card] = []
        self._prior_head = head(translate("rail", "Other studies"))
        self._prior_head.hide()
        self._list.addWidget(self._prior_head)
        self.outlines = RailOutlines()
        self._list.addWidget(self.outlines)
        self._list.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll = scroll
        self._anonymous = False
        column.addWidget(scroll, 1)
        self.set_cards([])

    def set_cards(self, cards: list[SeriesCard]) -> None:
        """Show these series."""
        self._drop(self._cards)
        self._cards = []
        for number, card in enumerate(cards):
            widget = self._made(number, card)
            widget.chosen.connect(self.chosen)
            widget.menu_asked.connect(self.menu_asked)
            widget.carry_begun.connect(self.carry_begun)
            self._cards.append(widget)
            self._list.insertWidget(number, widget)
        self._count.setText(
            translate("rail", "Series · {count}").format(count=len(cards))
            if cards
            else translate("rail", "Series")
        )

    def set_priors(self, cards: list[SeriesCard], shown: int | None) -> None:
        """Show studies of the worklist under the series; ``shown`` stands beside now."""
        self._drop(self._priors)
        self._priors = []
        for number, card in enumerate(cards):
            widget = self._made(number, card)
            widget.beside = number == shown
            widget.follow()
            widget.chosen.connect(self.prior_chosen)
            widget.carry_begun.connect(self.prior_carry_begun)
            self._priors.append(widget)
            self._list.insertWidget(len(self._cards) + 1 + number, widget)
        self._prior_head.setVisible(bool(cards))

    def _made(self, number: int, card: SeriesCard) -> _Card:
        widget = _Card(number, card)
        widget.anonymous = self._anonymous
        widget.follow()
        widget.carried.connect(self.carried)
        widget.dropped.connect(self.dropped)
        return widget

    def _drop(self, cards: list[_Card]) -> None:
        for old in cards:
            self._list.removeWidget(old)
            old.hide()
            old.deleteLater()

    def set_anonymous(self, anonymous: bool) -> None:
        """Show nothing that files say of their series, or all again."""
        self._anonymous = anonymous
        for card in (*self._cards, *self._priors):
            card.anonymous = anonymous
            card.follow()
        self.outlines.set_anonymous(anonymous)

    def card(self, number: int) -> SeriesCard:
        """Return what a card says; change it, then call ``follow``."""
        return self._cards[number].card

    def follow(self, number: int) -> None:
        """Show a changed card."""
        if number < len(self._cards):
            self._cards[number].follow()

    def set_beside(self, number: int | None) -> None:
        """Mark the series that is shown beside the open one."""
        for at, card in enumerate(self._cards):
            if card.beside != (at == number):
                card.beside = at == number
                card.follow()

    def set_current(self, number: int | None) -> None:
        """Mark the open series."""
        for at, card in enumerate(self._cards):
            card.current = at == number
            card.update()
        if number is not None and number < len(self._cards):
            self._scroll.ensureWidgetVisible(self._cards[number])
