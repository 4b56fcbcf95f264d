"""Who reads, as the settings keep it: name and role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.text import translate
from viewer.session import Reader

if TYPE_CHECKING:
    from viewer.ui.settings import Settings

_NAME, _ROLE, _ASKED = "reader", "reader_role", "reader_asked"


def reader_of(settings: Settings) -> Reader:
    """Return who reads; without a name when nobody said so."""
    return Reader(settings.text(_NAME), settings.text(_ROLE))


def keep(settings: Settings, reader: Reader) -> None:
    """Remember who reads."""
    if reader_of(settings) != reader:
        settings.put(_NAME, reader.name)
        settings.put(_ROLE, reader.role)
    settings.put(_ASKED, "yes")


def to_be_asked(settings: Settings) -> bool:
    """Tell whether nobody was asked yet."""
    return not (settings.text(_NAME) or settings.text(_ASKED))


def asked(settings: Settings) -> None:
    """Remember that somebody was asked, whatever the answer."""
    settings.put(_ASKED, "yes")


def roles() -> tuple[str, ...]:
    """Return the roles that are offered; another one can be typed."""
    return (
        translate("readers", "Radiologist"),
        translate("readers", "Resident"),
        translate("readers", "Radiographer"),
        translate("readers", "Physician"),
        translate("readers", "Researcher"),
    )


def text_of(reader: Reader) -> str:
    """Return a reader in a line: the name, then the role."""
    return ", ".join(filter(None, (reader.name, reader.role)))
