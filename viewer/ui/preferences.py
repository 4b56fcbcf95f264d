"""What a reader may set to his liking: one table, of which every room reads its own rows.

A room adds a row to ``settings`` and asks ``preferences.on(key)`` or ``preferences.choice(key)``
where it acts; the dialog shows every row by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from resources.text import translate

if TYPE_CHECKING:
    from viewer.ui.settings import Settings

LOOKS, READING, READERS = "looks", "reading", "readers"
OWN_READINGS, DICE_LIMIT = "own_readings", "dice_limit"
_ON, _OFF = "on", "off"


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set.

    Attributes
    ----------
    key
        Its name in settings.json and in the program.
    page
        ``LOOKS``, ``READING`` or ``READERS``.
    text
        What it is, as the dialog says it.
    choices
        (value, shown text) to choose from; empty for a switch.
    default
        Value while nothing was chosen; ``"on"`` or ``"off"`` for a switch.
    hint
        A sentence under it, or empty.
    """

    key: str
    page: str
    text: str
    choices: tuple[tuple[str, str], ...] = ()
    default: str = _OFF
    hint: str = ""

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return not self.choices

    def accepts(self, value: str) -> bool:
        """Tell whether a value is one of its own."""
        allowed = (_ON, _OFF) if self.is_switch else tuple(value for value, _ in self.choices)
        return value in allowed


SIZES = ("100", "125", "150", "175", "200", "225", "250")


def pages() -> tuple[tuple[str, str], ...]:
    """Return (id, title) of the pages of the dialog."""
    return (
        (LOOKS, translate("settings", "Looks")),
        (READING, translate("settings", "Reading")),
        (READERS, translate("settings", "Readers")),
    )


def settings() -> tuple[Setting, ...]:
    """Return every setting in the reader's language, in the order of the dialog."""
    return (
        Setting(
            "theme",
            LOOKS,
            translate("settings", "Theme"),
            (
                ("dark", translate("settings", "Dark, for the reading room")),
                ("light", translate("settings", "Light, for a bright room")),
            ),
            "dark",
            translate("settings", "The ground of the images is black in both."),
        ),
        Setting(
            "interface_size",
            LOOKS,
            translate("settings", "Interface size"),
            tuple((size, f"{size} %") for size in SIZES),
            "100",
            translate("settings", "On top of the screen's own scaling, from the next start on."),
        ),
        Setting(
            "heat_palette",
            LOOKS,
            translate("settings", "Colours of the heatmap"),
            palettes(),
            "cividis",
            translate("settings", "Readers who see colours differently see cividis alike."),
        ),
        Setting(
            "picture_patient",
            LOOKS,
            translate("settings", "Patient text in saved pictures"),
            hint=translate("settings", "Text that is part of the image itself always stays."),
        ),
        Setting(
            "invert_window_drag",
            READING,
            translate("settings", "Window drag: down is brighter"),
            hint=translate("settings", "Otherwise up is brighter, and right is wider in both."),
        ),
        Setting(
            "read_first",
            READING,
            translate("settings", "Read first: the AI shows after your first impression"),
            hint=translate("settings", "A case whose AI you have seen stays open to you."),
        ),
        Setting(
            "go_on",
            READING,
            translate("settings", "Go on to the next finding after a verdict"),
        ),
        Setting(
            OWN_READINGS,
            READERS,
            translate("settings", "Each reader begins blind to others"),
            hint=translate(
                "settings", "Who has no part in a case gets a second reading of his own at once."
            ),
        ),
        Setting(
            DICE_LIMIT,
            READERS,
            translate("settings", "Outlines differ below a Dice of"),
            tuple((limit, limit) for limit in ("0.5", "0.6", "0.7", "0.8", "0.9")),
            "0.7",
            translate("settings", "For adjudications that are begun from now on."),
        ),
    )


def palettes() -> tuple[tuple[str, str], ...]:
    """Return (id, shown name) of the palettes of the heatmap; those of DICOM keep its names."""
    return (
        ("cividis", translate("settings", "Cividis")),
        ("viridis", translate("settings", "Viridis")),
        ("hot_iron", translate("settings", "Hot Iron")),
        ("pet", translate("settings", "PET")),
        ("hot_metal_blue", translate("settings", "Hot Metal Blue")),
        ("pet_20_step", translate("settings", "PET 20 Step")),
    )


class Preferences(QObject):
    """The settings as they are now; ``changed`` names the key of one that is another."""

    changed = Signal(str)

    def __init__(self, store: Settings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._table = {setting.key: setting for setting in settings()}
        self._values: dict[str, str] = {}
        for key, setting in self._table.items():
            kept = store.text(key, setting.default) if store is not None else setting.default
            self._values[key] = kept if setting.accepts(kept) else setting.default

    def choice(self, key: str) -> str:
        """Return the value of a setting.

        Raises
        ------
        KeyError
            When the table has no such setting.
        """
        return self._values[key]

    def on(self, key: str) -> bool:
        """Return whether a switch is on."""
        return self._values[key] == _ON

    def put(self, key: str, value: str | bool) -> None:
        """Set, keep and tell; a value that is none of its own raises ``ValueError``."""
        if isinstance(value, bool):
            value = _ON if value else _OFF
        if not self._table[key].accepts(value):
            raise ValueError(f"{key}: {value}")
        if value == self._values[key]:
            return
        self._values[key] = value
        if self._store is not None:
            self._store.put(key, value)
        self.changed.emit(key)
