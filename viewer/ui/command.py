"""What a command of the window is; ``viewer.ui.commands`` lists them all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a key or a button does."""

    id: str
    group: str
    text: str
    keys: tuple[str, ...]
    toggle: str = ""  # "" plain, "switch" on/off, else the name of an exclusive group
