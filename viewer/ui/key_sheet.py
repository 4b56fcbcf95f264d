"""The sheet of all keys and mouse gestures, as they are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from resources.text import translate
from viewer.ui.keymap import KeyMap
from viewer.ui.widgets import KeyCap, head, note

_COLUMN_PX = 268
_GAP_PX = 28
_EDGE_PX = 24
_ROOM_PX = 40  # left free around the sheet


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    keys: tuple[str, ...]


class KeySheet(QDialog):
    """All keys and mouse gestures by group, in as many columns as there is room for.

    Parameters
    ----------
    keys
        The map as it is now.
    change
        Opens the editor of the map; the sheet follows what was changed.
    """

    def __init__(self, keys: KeyMap, change: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("dialogs", "Keys and mouse"))
        self._map = keys
        self._columns = 0
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        buttons = QDialogButtonBox()
        done = buttons.addButton(translate("dialogs", "OK"), QDialogButtonBox.ButtonRole.AcceptRole)
        done.setProperty("role", "primary")
        done.setDefault(True)
        buttons.accepted.connect(self.accept)
        self.edit = QPushButton(translate("dialogs", "Change keys…"))
        self.edit.setAutoDefault(False)
        self.edit.setProperty("role", "verdict")
        self.edit.setMinimumWidth(self.edit.fontMetrics().horizontalAdvance(self.edit.text()) + 28)
        self.edit.clicked.connect(change)
        foot = QHBoxLayout()
        foot.addWidget(self.edit)
        foot.addStretch(1)
        foot.addWidget(buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(_EDGE_PX, 20, _EDGE_PX - 8, 14)
        whole.addWidget(self._area, 1)
        whole.addLayout(foot)
        self._foot_px = foot.sizeHint().height() + 20 + 14 + whole.spacing()
        self._size_to(parent)
        keys.changed.connect(self._fill)
        self._area.setFocus()  # so that the arrows scroll

    def _size_to(self, parent: QWidget) -> None:
        """Take what is needed of the window's size, and scroll what does not fit."""
        room = parent.window().size() - QSize(_ROOM_PX, _ROOM_PX)
        screen = parent.screen()
        if screen is not None:
            room = room.boundedTo(screen.availableSize() - QSize(0, _ROOM_PX))
        wide = room.width() - 2 * _EDGE_PX + _GAP_PX - 12
        self._columns = max(1, min(4, wide // (_COLUMN_PX + _GAP_PX)))
        self._fill()
        whole = self._area.widget()
        inner = whole.sizeHint() if whole is not None else QSize()
        width = self._columns * (_COLUMN_PX + _GAP_PX) - _GAP_PX + 2 * _EDGE_PX + 12
        height = inner.height() + self._foot_px + 4
        self.resize(QSize(max(width, inner.width() + 2 * _EDGE_PX + 12), height).boundedTo(room))

    def _fill(self) -> None:
        inner = QWidget()
        row = QHBoxLayout(inner)
        row.setContentsMargins(0, 0, 12, 0)
        row.setSpacing(_GAP_PX)
        for groups in _flowed(self._groups(), self._columns):
            column = QVBoxLayout()
            column.setSpacing(3)
            for number, (title, rows) in enumerate(groups):
                if number:
                    column.addSpacing(10)
                column.addWidget(head(title))
                column.addLayout(_listed(rows))
            column.addStretch(1)
            row.addLayout(column, 1)
        self._area.setWidget(inner)

    def _groups(self) -> list[tuple[str, list[_Row]]]:
        native = QKeySequence.SequenceFormat.NativeText
        groups: dict[str, list[_Row]] = {}
        for command in self._map.commands():
            keys = tuple(QKeySequence(k).toString(native) for k in self._map.keys_of(command.id))
            groups.setdefault(command.group, []).append(_Row(self._map.text_of(command.id), keys))
        groups[translate("dialogs", "Mouse")] = [_Row(*pair) for pair in mouse_rows()]
        return list(groups.items())


def mouse_rows() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what the mouse does in a view, and how."""
    return (
        (translate("dialogs", "Grey window, or the chosen tool"), (translate("dialogs", "Left"),)),
        (translate("dialogs", "Window faster, much faster"), ("Ctrl", "Ctrl+Shift")),
        (translate("dialogs", "Slices, with any tool"), (translate("dialogs", "Wheel"),)),
        (translate("dialogs", "Zoom"), (translate("dialogs", "Right"), _wheel("Ctrl"))),
        (translate("dialogs", "Brush size"), (_wheel("Shift"),)),
        (translate("dialogs", "Pan"), (translate("dialogs", "Middle"),)),
        (translate("dialogs", "Menu"), (translate("dialogs", "Right click"),)),
        (translate("dialogs", "Enlarge a view, and back"), (translate("dialogs", "Double click"),)),
        (
            translate("dialogs", "Crosshair follows the pointer"),
            (translate("dialogs", "Shift+Move"),),
        ),
    )


def _wheel(key: str) -> str:
    return translate("dialogs", "{key}+Wheel").format(key=key)


def _flowed(
    groups: list[tuple[str, list[_Row]]], columns: int
) -> list[list[tuple[str, list[_Row]]]]:
    """Part groups into columns of about the same height; a long group goes on in the next."""
    head_rows = 1.8  # a head and the gap before it, in rows
    total = sum(len(rows) + head_rows for _, rows in groups)
    target = total / columns
    parts: list[list[tuple[str, list[_Row]]]] = [[]]
    used = 0.0
    for title, rows in groups:
        left = list(rows)
        while left:
            room = int(target - used - head_rows + 0.99)
            last = len(parts) == columns
            # Neither one row alone under a head, nor one row alone in the next column.
            if not last and room < min(3, len(left)) and parts[-1]:
                parts.append([])
                used = 0.0
                continue
            take = len(left) if last or room >= len(left) - 2 else max(room, 3)
            parts[-1].append((title, left[:take]))
            left = left[take:]
            used += take + head_rows
            if left:
                parts.append([])
                used = 0.0
    return parts


def _listed(rows: list[_Row]) -> QVBoxLayout:
    """Return rows that share no column: one with wide keys leaves the others their width."""
    column = QVBoxLayout()
    column.setSpacing(3)
    for row in rows:
        line = QHBoxLayout()
        line.setSpacing(4)
        text = QLabel(row.text)
        text.setWordWrap(True)
        line.addWidget(text, 1)
        line.addSpacing(8)
        if not row.keys:
            line.addWidget(note(translate("dialogs", "no key"), "dim"))
        for key in row.keys:
            line.addWidget(KeyCap(key))
        column.addLayout(line)
    return column
