"""Asking for folders and files, without Qt writing down where somebody has been."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QWidget


def ask_folder(parent: QWidget, title: str) -> Path | None:
    """Return the folder that is chosen, or None."""
    with _unremembered():
        folder = QFileDialog.getExistingDirectory(parent, title)
    return Path(folder) if folder else None


def ask_files(parent: QWidget, title: str) -> list[Path]:
    """Return the files that are chosen; none when it is given up."""
    with _unremembered():
        files, _ = QFileDialog.getOpenFileNames(parent, title)
    return [Path(file) for file in files]


def ask_save(parent: QWidget, title: str, name: str, kind: str) -> Path | None:
    """Return where a file is to be saved, or None; ``kind`` is a filter of Qt."""
    with _unremembered():
        file, _ = QFileDialog.getSaveFileName(parent, title, name, kind)
    return Path(file) if file else None


@contextmanager
def _unremembered() -> Iterator[None]:
    """Take back what Qt's own file dialog keeps of visited folders: names may name a patient."""
    settings = QSettings(QSettings.Scope.UserScope, "QtProject")
    keys = ("FileDialog/history", "FileDialog/lastVisited")
    before = {key: settings.value(key) for key in keys}
    try:
        yield
    finally:
        settings.sync()
        for key, value in before.items():
            if value is None:
                settings.remove(key)
            else:
                settings.setValue(key, value)
        settings.sync()
