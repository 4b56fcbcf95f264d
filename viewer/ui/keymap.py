"""Which keys do which command: those of the table, and those that the reader chose instead.

Only what differs from the table is kept, as data in the settings: a later version may give a
command another key without touching what a reader has chosen.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence

from resources.text import translate
from viewer.ui.commands import Command, commands, key_text

if TYPE_CHECKING:
    from viewer.ui.settings import Settings

log = logging.getLogger(__name__)

_SETTING = "keys"
# Keys that dialogs, lists and text fields need whatever a reader wishes.
_RESERVED = frozenset(
    ["Tab", "Shift+Tab", "Return", "Enter", "Esc", "Ctrl+C", "Ctrl+V", "Ctrl+X", "Alt+F4"]
)
# The only way out of a drag or a stroke stays where every hand looks for it.
_FIXED = frozenset(["abort"])
_TYPED_WITH_SHIFT = frozenset('?!"#$%&()*+:<>@^_{|}~')
_ONLY_MODIFIERS = frozenset(
    [Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr]
)


def plain(key: str) -> str:
    """Return a key as the table writes it, such as ``"Ctrl+Z"``; empty when it is none."""
    sequence = QKeySequence(key)
    if sequence.count() != 1:
        return ""
    pressed: QKeyCombination = sequence[0]  # type: ignore[index]
    if pressed.key() in (*_ONLY_MODIFIERS, Qt.Key.Key_unknown):
        return ""
    text = sequence.toString(QKeySequence.SequenceFormat.PortableText)
    if len(text) > 1 and text[-1] in _TYPED_WITH_SHIFT:
        return text.replace("Shift+", "")  # the symbol says it already
    return text


class KeyMap(QObject):
    """The keys of every command as they are now.

    A key belongs to one command. Where a default key of one command was given to another, the
    reader's choice holds and the first goes without.
    """

    changed = Signal()

    def __init__(self, settings: Settings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._commands = {command.id: command for command in commands()}
        self._chosen = self._read()
        self._actions: Mapping[str, QAction] = {}
        self._keys = self._resolved()

    # ------------------------------------------------------------------- ask

    def commands(self) -> tuple[Command, ...]:
        """Return all commands in the order of the key sheet."""
        return tuple(self._commands.values())

    def keys_of(self, command_id: str) -> tuple[str, ...]:
        """Return the keys of a command; none when it has lost or never had one."""
        return self._keys.get(command_id, ())

    def name(self, command_id: str) -> str:
        """Return how a sentence calls the way to a command: its key, else its name."""
        keys = self.keys_of(command_id)
        if keys:
            return key_text(keys[:1])
        return translate("keys", "“{command}”").format(command=self.text_of(command_id))

    def text_of(self, command_id: str) -> str:
        """Return the name of a command as it is now: presets are named after the open case."""
        action = self._actions.get(command_id)
        return action.text() if action is not None else self._commands[command_id].text

    def owner(self, key: str) -> Command | None:
        """Return the command that a key does now, or None."""
        wanted = plain(key)
        found = (name for name, keys in self._keys.items() if wanted and wanted in keys)
        return next((self._commands[name] for name in found), None)

    def is_chosen(self, command_id: str) -> bool:
        """Tell whether a command has other keys than those of the table."""
        return self.keys_of(command_id) != self._commands[command_id].keys

    @property
    def any_chosen(self) -> bool:
        """Whether anything differs from the table."""
        return any(self.is_chosen(name) for name in self._commands)

    def editable(self, command_id: str) -> bool:
        """Tell whether a command may have another key."""
        return command_id not in _FIXED

    def refusal(self, command_id: str, key: str) -> str:
        """Return why a command cannot have a key, in a sentence; empty when it can.

        That another command has the key now is told by ``owner``: it can be taken from there.
        """
        wanted = plain(key)
        if not self.editable(command_id):
            return translate("keys", "This key cannot be changed.")
        if not wanted:
            return translate("keys", "Press one key, with Ctrl, Shift or Alt if you like.")
        owner = self.owner(wanted)
        if wanted in _RESERVED or (owner is not None and not self.editable(owner.id)):
            return translate("keys", "{key} is kept for dialogs and text fields.").format(
                key=key_text((wanted,))
            )
        return ""

    # ---------------------------------------------------------------- change

    def put(self, command_id: str, keys: Iterable[str]) -> None:
        """Give a command these keys and no others, and take them from any other command.

        Raises
        ------
        ValueError
            When ``refusal`` names a reason.
        """
        wanted = tuple(dict.fromkeys(plain(key) for key in keys))
        for key in wanted:
            if self.refusal(command_id, key):
                raise ValueError(key)
            owner = self.owner(key)
            if owner is not None and owner.id != command_id:
                self._take(owner.id, key)
        self._chosen[command_id] = wanted
        self._keep()

    def reset(self, command_id: str) -> None:
        """Give a command the keys of the table back; who has one of them now loses it."""
        self._chosen.pop(command_id, None)
        for key in self._commands[command_id].keys:
            for other, keys in list(self._chosen.items()):
                if key in keys:
                    self._take(other, key)
        self._keep()

    def reset_all(self) -> None:
        """Give every command the keys of the table."""
        self._chosen.clear()
        self._keep()

    def attach(self, actions: Mapping[str, QAction]) -> None:
        """Keep the shortcuts of actions as the map is."""
        self._actions = actions
        self._apply()

    def _take(self, command_id: str, key: str) -> None:
        """Take a key from a command; one that has none left gets what is free of the table."""
        left = tuple(k for k in self.keys_of(command_id) if k != key)
        if left:
            self._chosen[command_id] = left
        else:
            self._chosen.pop(command_id, None)

    def _apply(self) -> None:
        for name, action in self._actions.items():
            keys = [QKeySequence(key) for key in self.keys_of(name)]
            if action.shortcuts() != keys:
                action.setShortcuts(keys)

    def _keep(self) -> None:
        self._chosen = {
            name: keys for name, keys in self._chosen.items() if keys != self._commands[name].keys
        }
        self._keys = self._resolved()
        # What was lost by another's choice and is there again is no difference any more.
        if self._settings is not None:
            kept = {name: list(keys) for name, keys in self._chosen.items()}
            self._settings.put(_SETTING, json.dumps(kept) if kept else "")
        self._apply()
        self.changed.emit()

    # ------------------------------------------------------------------ data

    def _resolved(self) -> dict[str, tuple[str, ...]]:
        taken = {key for keys in self._chosen.values() for key in keys}
        return {
            name: self._chosen[name]
            if name in self._chosen
            else tuple(key for key in command.keys if key not in taken)
            for name, command in self._commands.items()
        }

    def _read(self) -> dict[str, tuple[str, ...]]:
        """Return what the settings hold; what of it makes no sense is left out."""
        text = self._settings.text(_SETTING) if self._settings is not None else ""
        try:
            stored: Any = json.loads(text) if text else {}
        except ValueError:
            stored = None
        if not isinstance(stored, dict):
            log.warning("the chosen keys could not be read")
            return {}
        chosen: dict[str, tuple[str, ...]] = {}
        taken: set[str] = set()
        for name, keys in stored.items():
            if name not in self._commands or name in _FIXED or not isinstance(keys, list):
                continue
            sane = [plain(key) for key in keys if isinstance(key, str)]
            free = [k for k in sane if k and k not in taken and k not in _RESERVED]
            chosen[name] = tuple(dict.fromkeys(free))
            taken.update(free)
        return chosen
