"""What stands over the list of findings: in which order it is, and which of them it holds."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from resources.text import translate
from viewer.ui import theme
from viewer.ui.queue import KINDS, ORDERS, Queue
from viewer.ui.reading import Reading


def order_name(order: str) -> str:
    """Return what an order of the queue is called."""
    return {
        "number": translate("queue", "Number"),
        "score": translate("queue", "Score"),
        "size": translate("queue", "Size"),
        "volume": translate("queue", "Volume"),
        "place": translate("queue", "Place"),
        "uncertainty": translate("queue", "Uncertainty"),
        "open": translate("queue", "Not reviewed first"),
    }[order]


def kind_name(kind: str) -> str:
    """Return what findings of a kind are called."""
    return {
        "all": translate("queue", "All"),
        "open": translate("queue", "Not reviewed"),
        "accepted": translate("queue", "Accepted"),
        "rejected": translate("queue", "Rejected"),
        "unsure": translate("queue", "Unsure"),
        "human": translate("queue", "By readers"),
    }[kind]


class _MenuButton(QToolButton):
    """A small button with a menu of which one entry is chosen."""

    def __init__(
        self, command: QAction, names: dict[str, str], choose: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._command = command
        self.setProperty("role", "quiet")
        self.setFont(theme.font(theme.CORNER_PX))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.entries: dict[str, QAction] = {}
        self.popup_menu = QMenu(self)
        group = QActionGroup(self.popup_menu)
        for value, name in names.items():
            action = self.popup_menu.addAction(name)
            action.setCheckable(True)
            action.triggered.connect(lambda _on=False, value=value: choose(value))
            group.addAction(action)
            self.entries[value] = action
        self.clicked.connect(self.open_menu)

    def open_menu(self) -> None:
        """Open the menu under the button; the keyboard goes on in it."""
        menu = self.popup_menu
        menu.popup(self.mapToGlobal(QPoint(0, self.height())))  # to the right: off the image
        chosen = next((entry for entry in self.entries.values() if entry.isChecked()), None)
        if chosen is not None:
            menu.setActiveAction(chosen)

    def show_choice(self, value: str, text: str, *, heed: bool = False) -> None:
        """Say what is chosen; ``heed`` when it leaves something out."""
        self.setText(f"{text} \N{BLACK DOWN-POINTING SMALL TRIANGLE}")
        theme.set_tone(self, "pending" if heed else "")
        self.entries[value].setChecked(True)
        self.setAccessibleName(f"{self._command.text()}: {text}")
        self.setToolTip(self._command.toolTip())


class QueueControls(QWidget):
    """Order, kind, and whether a verdict leads on; each has a key."""

    def __init__(self, reading: Reading, queue: Queue, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._reading = reading
        self._queue = queue
        self._order = _MenuButton(
            actions["sort"], {order: order_name(order) for order in ORDERS}, queue.set_order
        )
        self._kind = _MenuButton(
            actions["filter"], {kind: kind_name(kind) for kind in KINDS}, queue.set_kind
        )
        self._go_on = QToolButton()
        self._go_on.setCheckable(True)
        self._go_on.setProperty("role", "quiet")
        self._go_on.setFont(theme.font(theme.CORNER_PX))
        self._go_on.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._go_on.setText(translate("queue", "Go on"))
        self._go_on.clicked.connect(actions["go_on"].trigger)
        self._action = actions["go_on"]
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 5, 2)  # the words, not the buttons, stand under the head
        row.setSpacing(4)
        row.addWidget(self._order)
        row.addWidget(self._kind)
        row.addStretch(1)
        row.addWidget(self._go_on)

    def refresh(self) -> None:
        """Follow the queue; whether it is seen is up to the panel."""
        lesions, queue = self._reading.lesions, self._queue
        self._order.show_choice(queue.order, order_name(queue.order))
        text = kind_name(queue.kind)
        if queue.kind != "all":
            text = translate("queue", "{kind}: {listed} of {all}").format(
                kind=text, listed=len(queue.rows()), all=len(lesions)
            )
        self._kind.show_choice(queue.kind, text, heed=queue.kind != "all")
        self._go_on.setChecked(queue.goes_on)
        self._go_on.setToolTip(self._action.toolTip())
        self._go_on.setAccessibleName(self._action.text())

    def show_orders(self) -> None:
        """Offer the orders."""
        if self.isVisible():
            self._order.open_menu()

    def show_kinds(self) -> None:
        """Offer the kinds."""
        if self.isVisible():
            self._kind.open_menu()
