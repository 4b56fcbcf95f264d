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


@cache
def table(name: str) -> Any:
    """Return the parsed JSON table ``resources/tables/<name>.json``; do not change it."""
    return json.loads(path("tables", f"{name}.json").read_text(encoding="utf-8"))
