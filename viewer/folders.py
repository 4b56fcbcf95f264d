"""The folders of this installation: data, cache, log. Created private (0700) on first use."""

from __future__ import annotations

import os
from pathlib import Path

_HOME = "OVERREAD_HOME"
_APP = "Overread"


def data_dir() -> Path:
    """Return the folder of journals and settings that must last."""
    return _private("data")


def cache_dir() -> Path:
    """Return the folder of files that can be made again, such as the sample study."""
    return _private("cache")


def log_dir() -> Path:
    """Return the folder of log files."""
    return _private("log")


def place(kind: str) -> Path:
    """Return where the folder of ``"data"``, ``"cache"`` or ``"log"`` is, made or not."""
    base = os.environ.get(_HOME)
    if base:
        return Path(base).expanduser().absolute() / kind
    import platformdirs

    paths = {
        "data": platformdirs.user_data_path,
        "cache": platformdirs.user_cache_path,
        "log": platformdirs.user_log_path,
    }
    return paths[kind](_APP, appauthor=False)


def _private(kind: str) -> Path:
    folder = place(kind)
    folder.mkdir(parents=True, exist_ok=True)
    # Only the last folder is ours: a parent such as ~/.local/share keeps its own mode.
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder
