"""The settings as pages of rows, made from the table; each counts as soon as it is changed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.ui import theme
from viewer.ui.inputs import Choice, Tick
from viewer.ui.preferences import Preferences, Setting, pages, settings
from viewer.ui.scaling import fits
from viewer.ui.widgets import note, rule

_PAGES_PX, _CONTROL_PX = 150, 230
_WIDE, _HIGH = 660, 440


class SettingsDialog(QDialog):
    """One page a room of settings; there is nothing to confirm."""

    def __init__(
        self,
        preferences: Preferences,
        edit_keys: Callable[[], object],
        parent: QWidget,
        edit_labels: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("settings", "Settings"))
        self.resize(_WIDE, _HIGH)
        self._preferences = preferences
        self.controls: dict[str, QComboBox | QCheckBox] = {}
        self._list = QListWidget()
        self._list.setObjectName("pages")
        self._list.setFixedWidth(_PAGES_PX)
        self._list.setAccessibleName(translate("settings", "Pages"))
        self._stack = QStackedWidget()
        rows = settings()
        for page, title in pages():
            of_page = [row for row in rows if row.page == page]
            if of_page:
                self._list.addItem(title)
                self._stack.addWidget(self._page(title, of_page))
        for row in range(self._list.count()):
            self._list.item(row).setSizeHint(QSize(_PAGES_PX - 16, 30))
        self._list.currentRowChanged.connect(self._stack.setCurrentIndex)
        self._list.setCurrentRow(0)
        keys = QPushButton(translate("settings", "Keys…"))
        keys.setProperty("role", "plain")
        keys.setToolTip(translate("settings", "Give commands other keys"))
        keys.setAutoDefault(False)
        keys.clicked.connect(lambda: edit_keys())
        close = QPushButton(translate("settings", "Close"))
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.addWidget(keys)
        if edit_labels is not None:
            names = QPushButton(translate("settings", "Labels…"))
            names.setProperty("role", "plain")
            names.setToolTip(translate("settings", "What findings may be called"))
            names.setAutoDefault(False)
            names.clicked.connect(lambda: edit_labels())
            foot.addWidget(names)
        foot.addStretch(1)
        foot.addWidget(close)
        middle = QHBoxLayout()
        middle.setSpacing(16)
        middle.addWidget(self._list)
        middle.addWidget(self._stack, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 14)
        column.setSpacing(12)
        column.addLayout(middle, 1)
        column.addWidget(rule())
        column.addLayout(foot)
        preferences.changed.connect(self._on_changed)

    # ------------------------------------------------------------------ build

    def _page(self, title: str, rows: list[Setting]) -> QWidget:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 2, 8, 0)
        column.setSpacing(14)
        name = QLabel(title)
        name.setFont(theme.font(16, QFont.Weight.DemiBold))
        column.addWidget(name)
        for row in rows:
            column.addLayout(self._row(row))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return scroll

    def _row(self, row: Setting) -> QVBoxLayout:
        around = QVBoxLayout()
        around.setSpacing(2)
        if row.is_switch:
            box = Tick(row.text)
            box.setChecked(self._preferences.on(row.key))
            box.toggled.connect(lambda on: self._preferences.put(row.key, bool(on)))
            self.controls[row.key] = box
            around.addWidget(box)
        else:
            line = QHBoxLayout()
            text = QLabel(row.text)
            text.setWordWrap(True)
            line.addWidget(text, 1)
            line.addWidget(self._choices(row))
            around.addLayout(line)
        if row.hint:
            hint = note(row.hint)
            hint.setContentsMargins(26 if row.is_switch else 0, 0, 0, 0)
            around.addWidget(hint)
        return around

    def _choices(self, row: Setting) -> QComboBox:
        box = Choice()
        box.setFixedWidth(_CONTROL_PX)
        box.setAccessibleName(row.text)
        for value, text in row.choices:
            box.addItem(text, value)
        if row.key == "interface_size":
            self._bound(box)
        box.setCurrentIndex(box.findData(self._preferences.choice(row.key)))
        box.activated.connect(lambda at: self._preferences.put(row.key, box.itemData(at)))
        self.controls[row.key] = box
        return box

    def _bound(self, box: QComboBox) -> None:
        """Offer no size at which the window would not fit on its screen."""
        model = box.model()
        assert isinstance(model, QStandardItemModel)
        for at in range(box.count()):
            if not fits(int(box.itemData(at)), self.screen()):
                model.item(at).setEnabled(False)
                model.item(at).setToolTip(translate("settings", "Too large for this screen."))

    def _on_changed(self, key: str) -> None:
        control = self.controls.get(key)
        if isinstance(control, QCheckBox):
            control.setChecked(self._preferences.on(key))
        elif isinstance(control, QComboBox):
            control.setCurrentIndex(control.findData(self._preferences.choice(key)))
