"""The button of the layouts in the bar: a small picture of the one that is shown, and a menu."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from resources.text import translate
from viewer.ui import theme
from viewer.ui.layouts import BESIDE, FOUR, LAYOUTS, LIST, ONE, THREE
from viewer.ui.placing import Rect, place

COMMANDS = {
    ONE: "layout_one",
    LIST: "layout_list",
    THREE: "layout_three",
    FOUR: "layout_four",
    BESIDE: "layout_beside",
}
_ICON = QSize(18, 14)
_SCALE = 20


class LayoutButton(QToolButton):
    """Shows which layout is chosen and opens the menu of all.

    ``renamed`` tells that another name stands on it, which needs other room.
    """

    renamed = Signal()

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._shown = ""
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(_ICON)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self.setMenu(menu)
        theme.changes().changed.connect(self._renew)
        for command in COMMANDS.values():
            menu.addAction(actions[command])
        menu.addSeparator()
        menu.addAction(actions["link"])
        self.fixed = len(menu.actions())  # what stands in it always; the rest is filled in
        self.show_layout(THREE)

    def show_layout(self, layout_id: str) -> None:
        """Show which layout is chosen."""
        if layout_id != self._shown:
            self._shown = layout_id
            self._renew()

    def show_text(self, shown: bool) -> None:
        """Leave the name out where there is no room."""
        style = Qt.ToolButtonStyle
        self.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if shown else style.ToolButtonIconOnly
        )

    def _renew(self) -> None:
        name = self._actions[COMMANDS[self._shown]].text()
        self.setText(f" {_short(self._shown) or name}")
        self.setIcon(icon(self._shown, self.devicePixelRatioF(), theme.SECONDARY))
        self.setToolTip(translate("layout", "Layout: {name}").format(name=name))
        self.setAccessibleName(self.toolTip())
        for layout_id, command in COMMANDS.items():
            # In a menu a picture takes the place of the tick.
            colour = theme.ACTIVE if layout_id == self._shown else theme.SECONDARY
            self._actions[command].setIcon(icon(layout_id, self.devicePixelRatioF(), colour))
        self.renamed.emit()


def _short(layout_id: str) -> str:
    """Return what the bar calls a layout whose name is too long for it; the tooltip has it all."""
    return {
        LIST: translate("layout", "View and list"),
        BESIDE: translate("layout", "Side by side"),
    }.get(layout_id, "")


def icon(layout_id: str, ratio: float, colour: str) -> QIcon:
    """Return a small picture of a layout."""
    picture = QPixmap(_ICON * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), 1.2))
    layout = LAYOUTS[layout_id]
    width = _ICON.width() - (5 if layout_id == LIST else 0)
    room = Rect(0, 0, width * _SCALE, _ICON.height() * _SCALE)
    for cell in place(layout.tree, layout.weights, room).cells.values():
        x, y, w, h = (value / _SCALE for value in (cell.x, cell.y, cell.width, cell.height))
        painter.drawRoundedRect(QRectF(x + 0.8, y + 0.8, w - 1.6, h - 1.6), 1.2, 1.2)
    if layout_id == LIST:
        for row in range(3):
            y = 3 + row * 4
            painter.drawLine(width + 1, y, _ICON.width() - 1, y)
    painter.end()
    return QIcon(picture)
