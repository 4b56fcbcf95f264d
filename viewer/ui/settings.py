"""What the program remembers between starts. No patient data, no paths of studies."""

from __future__ import annotations

import json
import logging
from typing import Any

from viewer import folders

log = logging.getLogger(__name__)

_FILE = "settings.json"


class Settings:
    """A small JSON file in the data folder; a damaged one is set aside, not fatal."""

    def __init__(self) -> None:
        self._file = folders.data_dir() / _FILE
        self._values: dict[str, Any] = {}
        try:
            loaded = json.loads(self._file.read_text(encoding="utf-8"))
            if isinstance(loaded, dict):
                self._values = loaded
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.warning("settings could not be read: %s", type(error).__name__)

    def text(self, name: str, default: str = "") -> str:
        """Return a remembered text."""
        value = self._values.get(name, default)
        return value if isinstance(value, str) else default

    def put(self, name: str, value: str) -> None:
        """Remember a value at once."""
        self._values[name] = value
        part = self._file.with_suffix(".part")
        try:
            part.write_text(json.dumps(self._values, indent=1), encoding="utf-8")
            part.replace(self._file)
        except OSError as error:
            log.warning("settings could not be written: %s", type(error).__name__)
