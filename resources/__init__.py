"""The only finder of bundled data: icons, models, translations, documents, label tables.

Every other module asks this one, so that the program finds its data alike from a
checkout, an installed wheel and a frozen bundle.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

# The same as in pyproject.toml, which a frozen bundle does not carry.
VERSION = "0.1.0"


def path(*parts: str) -> Path:
    """Return the path of one bundled file or folder.

    Parameters
    ----------
    *parts
        Names below ``resources/``, such as ``"models", "lung-nodule-ct"``.

    Raises
    ------
    FileNotFoundError
        When the installation lacks the file.
    """
    found = Path(str(files(__name__))).joinpath(*parts)
    if not found.exists():
        raise FileNotFoundError("/".join(("resources", *parts)))
    return found


_in_place: dict[str, Any] = {}


def table(name: str) -> Any:
    """Return the table of a name: a site's own where there is one; do not change it."""
    return _in_place[name] if name in _in_place else bundled_table(name)


@cache
def bundled_table(name: str) -> Any:
    """Return the parsed JSON table ``resources/tables/<name>.json``; do not change it."""
    return json.loads(path("tables", f"{name}.json").read_text(encoding="utf-8"))


def put_in_place(name: str, table: Any) -> None:
    """Let a table stand in the place of the bundled one, in this process; None takes it away."""
    if table is None:
        _in_place.pop(name, None)
    else:
        _in_place[name] = table
