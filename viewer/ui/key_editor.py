"""The editor of the keys: a command, a new key, who has it now, and back to the table."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.ui import theme
from viewer.ui.commands import Command, key_text
from viewer.ui.keymap import KeyMap, plain
from viewer.ui.widgets import note

_ID = Qt.ItemDataRole.UserRole
# Colours are those of the palette; only the shapes are another.
_ROWS = (
    "QTreeWidget { border: none; }"
    "QTreeWidget::item { padding: 3px 6px; }"
    "QHeaderView::section { background: transparent; border: none; padding: 4px 6px; }"
)


class KeyEditor(QDialog):
    """Lists all commands; a key that is pressed for one is checked, then used at once."""

    def __init__(self, keys: KeyMap, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("keys", "Change keys"))
        self._map = keys
        self._build()
        self._list()
        room = parent.window().size() - QSize(40, 40)
        self.resize(QSize(640, 680).boundedTo(room))
        keys.changed.connect(self._list)
        self.search.setFocus()

    # ----------------------------------------------------------------- build

    def _build(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText(translate("keys", "Search for a command or a key"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._sift)
        self.tree = QTreeWidget()
        self.tree.setColumnCount(3)
        self.tree.setHeaderLabels([translate("keys", "Command"), translate("keys", "Keys"), ""])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(12)
        self.tree.setStyleSheet(_ROWS)
        self.tree.setAccessibleName(translate("keys", "Commands and their keys"))
        columns = self.tree.header()
        columns.setStretchLastSection(False)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        columns.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.currentItemChanged.connect(self._choose)
        self.press = QKeySequenceEdit()
        self.press.setMaximumSequenceLength(1)
        self.press.setClearButtonEnabled(True)
        self.press.setAccessibleName(translate("keys", "Press the new key"))
        self.press.keySequenceChanged.connect(self._check)
        self.said = note()
        self.said.setMinimumHeight(2 * self.said.fontMetrics().height() + 4)
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.use = self._button(translate("keys", "Use"), self._use)
        self.use.setProperty("role", "primary")
        self.add = self._button(translate("keys", "Use as well"), self._add)
        self.clear = self._button(translate("keys", "No key"), self._clear)
        self.reset = self._button(translate("keys", "Reset"), self._reset)
        self.reset_all = self._button(translate("keys", "Reset all"), self._map.reset_all)
        close = self._button(translate("keys", "Close"), self.accept)
        row = QHBoxLayout()
        for widget in (self.press, self.use, self.add, self.clear, self.reset):
            row.addWidget(widget, 1 if widget is self.press else 0)
        foot = QHBoxLayout()
        foot.addWidget(self.reset_all)
        foot.addStretch(1)
        foot.addWidget(close)
        self._column(self.search, self.tree, row, self.said, foot)

    def _column(self, *parts: QWidget | QHBoxLayout) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 14)
        whole.setSpacing(10)
        for part in parts:
            if isinstance(part, QHBoxLayout):
                whole.addLayout(part)
            else:
                whole.addWidget(part)

    def _button(self, text: str, act: object) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.setProperty("role", "verdict")
        button.setMinimumWidth(button.fontMetrics().horizontalAdvance(text) + 28)
        button.clicked.connect(act)
        return button

    # ------------------------------------------------------------------ list

    def _list(self) -> None:
        chosen = self.chosen
        self.tree.blockSignals(True)
        self.tree.clear()
        heads: dict[str, QTreeWidgetItem] = {}
        for command in self._map.commands():
            group = heads.get(command.group)
            if group is None:
                group = heads[command.group] = QTreeWidgetItem(self.tree, [command.group])
                group.setFlags(Qt.ItemFlag.ItemIsEnabled)
                group.setFont(0, theme.font(theme.CORNER_PX, QFont.Weight.DemiBold))
                group.setFirstColumnSpanned(True)
            keys = key_text(self._map.keys_of(command.id)) or translate("keys", "none")
            mark = translate("keys", "changed") if self._map.is_chosen(command.id) else ""
            item = QTreeWidgetItem(group, [self._map.text_of(command.id), keys, mark])
            item.setData(0, _ID, command.id)
        self.tree.expandAll()
        self.tree.blockSignals(False)
        self._sift(self.search.text())
        self.choose(chosen.id if chosen is not None else self._map.commands()[0].id)
        self.reset_all.setEnabled(self._map.any_chosen)
        self.reset_all.setToolTip(
            "" if self._map.any_chosen else translate("keys", "No key was changed.")
        )

    def _items(self) -> list[QTreeWidgetItem]:
        return [item for group in self._groups() for item in self._items_of(group)]

    @staticmethod
    def _items_of(group: QTreeWidgetItem) -> list[QTreeWidgetItem]:
        found = (group.child(n) for n in range(group.childCount()))
        return [item for item in found if item is not None]

    def _groups(self) -> list[QTreeWidgetItem]:
        found = (self.tree.topLevelItem(n) for n in range(self.tree.topLevelItemCount()))
        return [group for group in found if group is not None]

    def _sift(self, text: str) -> None:
        """Show the commands whose name, group or key holds every word."""
        words = text.casefold().split()
        for group in self._groups():
            left = 0
            for item in self._items_of(group):
                said = " ".join([item.text(0), item.text(1), item.text(2), group.text(0)])
                hit = all(word in said.casefold() for word in words)
                item.setHidden(not hit)
                left += hit
            group.setHidden(not left)
        shown = [item for item in self._items() if not item.isHidden()]
        current = self.tree.currentItem()
        if shown and (current is None or current.isHidden()):
            self.tree.setCurrentItem(shown[0])

    @property
    def chosen(self) -> Command | None:
        """The command whose key would be changed."""
        item = self.tree.currentItem()
        wanted = item.data(0, _ID) if item is not None else None
        return next((c for c in self._map.commands() if c.id == wanted), None)

    def choose(self, command_id: str) -> None:
        """Choose a command of the list."""
        for item in self._items():
            if item.data(0, _ID) == command_id:
                self.tree.setCurrentItem(item)
                self.tree.scrollToItem(item)
        self._choose()

    def _choose(self, *_items: object) -> None:
        self.press.blockSignals(True)
        self.press.clear()
        self.press.blockSignals(False)
        self._follow()

    # ---------------------------------------------------------------- change

    @property
    def _key(self) -> str:
        return plain(self.press.keySequence().toString(QKeySequence.SequenceFormat.PortableText))

    def _check(self, *_sequence: object) -> None:
        self._follow()
        if self.use.isEnabled():
            self.use.setFocus()  # so that Enter uses it

    def _follow(self) -> None:
        """Say what the pressed key would do, and let it be used when it can."""
        command, key = self.chosen, self._key
        fixed = command is None or not self._map.editable(command.id)
        self.press.setEnabled(not fixed)
        refused = self._map.refusal(command.id, key) if command is not None and key else ""
        usable = bool(key) and not refused and not fixed
        self.use.setEnabled(usable)
        self.add.setEnabled(usable and bool(self._map.keys_of(command.id if command else "")))
        self.clear.setEnabled(not fixed and bool(command and self._map.keys_of(command.id)))
        self.reset.setEnabled(command is not None and self._map.is_chosen(command.id))
        self.said.setText(self._sentence(command, key, refused))
        owner = self._map.owner(key) if usable else None
        taken = owner is not None and command is not None and owner.id != command.id
        theme.set_tone(self.said, "failed" if refused else "pending" if taken else "secondary")
        self._say_why(fixed)

    def _say_why(self, fixed: bool) -> None:
        none = translate("keys", "Press a key first.")
        fixed_text = translate("keys", "This key cannot be changed.")
        for button, why in (
            (self.use, none),
            (self.add, none),
            (self.clear, translate("keys", "It has no key.")),
            (self.reset, translate("keys", "It has the key that it came with.")),
        ):
            why = fixed_text if fixed else why
            button.setToolTip("" if button.isEnabled() else why)

    def _sentence(self, command: Command | None, key: str, refused: str) -> str:
        if command is None:
            return translate("keys", "Choose a command.")
        if not self._map.editable(command.id):
            return translate("keys", "“{command}” keeps its key.").format(
                command=self._map.text_of(command.id)
            )
        if not key:
            return translate("keys", "Press the new key for “{command}”.").format(
                command=self._map.text_of(command.id)
            )
        if refused:
            return refused
        shown, owner = key_text((key,)), self._map.owner(key)
        if owner is None:
            return translate("keys", "{key} is free.").format(key=shown)
        if owner.id == command.id:
            return translate("keys", "{key} is its key already.").format(key=shown)
        return translate(
            "keys", "{key} is the key of “{other}”: using it here takes it from there."
        ).format(key=shown, other=self._map.text_of(owner.id))

    def _use(self) -> None:
        if self.chosen is not None and self.use.isEnabled():
            self._map.put(self.chosen.id, [self._key])

    def _add(self) -> None:
        if self.chosen is not None and self.add.isEnabled():
            self._map.put(self.chosen.id, [*self._map.keys_of(self.chosen.id), self._key])

    def _clear(self) -> None:
        if self.chosen is not None:
            self._map.put(self.chosen.id, [])

    def _reset(self) -> None:
        if self.chosen is not None:
            self._map.reset(self.chosen.id)
