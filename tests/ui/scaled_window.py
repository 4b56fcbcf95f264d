"""Opens the real window at the scale factor of the environment and tells what text is cut.

Run as a program, as Qt takes a scale factor before the application is made:
``python -m tests.ui.scaled_window FOLDER WIDTH HEIGHT [PICTURES]``; JSON to stdout.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QWidget,
)

DIALOGS = ("keys", "edit_keys", "reader", "trust", "card", "settings", "save_picture")
_SETTLES_S = 2.0
_SLACK_PX = 1  # a hint is rounded up to whole pixels


def cut_texts(root: QWidget) -> list[str]:
    """Return what of the visible text under a widget is cut, and by how much."""
    found = []
    for widget in (root, *root.findChildren(QWidget)):
        if not widget.isVisible() or widget.window() is not root.window():
            continue
        if isinstance(widget, QLabel):
            found += _cut_label(widget)
        elif isinstance(widget, QAbstractButton):
            found += _cut_button(widget)
    return found


def _cut_label(label: QLabel) -> list[str]:
    text, policy = label.text(), label.sizePolicy().horizontalPolicy()
    if not text or policy == QSizePolicy.Policy.Ignored:
        return []  # those are cut by the window on purpose, and say all in a tooltip
    room = label.contentsRect()
    if label.wordWrap():
        flags = int(Qt.TextFlag.TextWordWrap)
        needed = label.fontMetrics().boundingRect(QRect(0, 0, room.width(), 10_000), flags, text)
    else:
        needed = QRect(0, 0, label.fontMetrics().horizontalAdvance(text), room.height())
        if label.textFormat() == Qt.TextFormat.RichText:
            return []
    return _tell(label, text, needed.size(), room.size())


def _cut_button(button: QAbstractButton) -> list[str]:
    inner = button.layout()
    needed = inner.minimumSize() if inner is not None else QSize(0, 0)
    if inner is None and not button.text():
        return []
    style = button.toolButtonStyle() if isinstance(button, QToolButton) else None
    if style == Qt.ToolButtonStyle.ToolButtonIconOnly and not button.icon().isNull():
        return _tell(button, button.accessibleName(), needed, button.size())
    if inner is None and button.text():
        needed = QSize(button.fontMetrics().horizontalAdvance(button.text()), 0)
    return _tell(button, button.text() or button.accessibleName(), needed, button.size())


def _tell(widget: QWidget, text: str, needed: QSize, room: QSize) -> list[str]:
    over = [
        f"{name} {have} < {want}"
        for name, want, have in (
            ("width", needed.width(), room.width()),
            ("height", needed.height(), room.height()),
        )
        if want > have + _SLACK_PX
    ]
    over += _outside(widget)
    return [f"{type(widget).__name__} “{text[:60]}”: {', '.join(over)}"] if over else []


def _outside(widget: QWidget) -> list[str]:
    """Return by which of its parents a widget is cut off, unless that one scrolls."""
    parent, rect = widget.parentWidget(), widget.rect()
    while parent is not None and not parent.isWindow():
        rect = rect.translated(widget.pos())
        if isinstance(parent.parentWidget(), QScrollArea):
            # Up and down it scrolls; across it does not.
            rect = QRect(rect.x(), 0, rect.width(), 1)
        if not parent.rect().adjusted(-1, -1, 1, 1).contains(rect):
            return [f"outside {type(parent).__name__}"]
        if isinstance(parent.parentWidget(), QScrollArea):
            return []
        widget, parent = parent, parent.parentWidget()
    return []


class _Run:
    def __init__(self, pictures: str) -> None:
        self.cut: dict[str, list[str]] = {}
        self._pictures = Path(pictures) if pictures else None

    def look(self, name: str, widget: QWidget) -> None:
        """Note what is cut now."""
        end = time.monotonic() + _SETTLES_S
        pump(0.05)
        while (cut := cut_texts(widget)) and time.monotonic() < end:
            pump(0.05)  # layouts that are asked to change do so when the window is idle
        self.cut[name] = cut
        if self._pictures is not None:
            factor = os.environ.get("QT_SCALE_FACTOR", "1")
            widget.grab().save(str(self._pictures / f"{factor}-{name}.png"))


def pump(seconds: float, until=lambda: False) -> None:
    """Let the window work."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        QApplication.processEvents()
        time.sleep(0.005)


def main(folder: str, width: str, height: str, pictures: str = "") -> int:
    """Open the phantom with findings, and every dialog; print what is cut."""
    from viewer.phantom.anatomy import PhantomSpec, make_phantom
    from viewer.ui import app as application

    from .conftest import findings_of

    app = application.make_app()
    from viewer.ui.main_window import MainWindow

    run = _Run(pictures)
    window = MainWindow()
    window.resize(int(width), int(height))
    window.show()
    pump(0.2)
    run.look("nothing open", window)
    window.open_paths([Path(folder)])
    pump(30, lambda: window.reading.case is not None and not window.reading.case.is_being_read)
    case = window.reading.case
    assert case is not None
    change = case.add_findings(findings_of(make_phantom(PhantomSpec.small())))
    window.reading.document_changed.emit(change)
    window.reading.select(window.reading.lesions[0].id)
    window.actions_by_id["key_image"].trigger()
    window.reading.show(heatmap=True)
    run.look("review", window)
    for tool in ("brush", "distance"):
        window.reading.set_tool(tool)
        run.look(tool, window)
    _look_at_dialogs(run, window)
    window.actions_by_id["worklist"].trigger()
    pump(0.3)
    run.look("worklist", window)
    window.close()
    pump(0.2)
    json.dump({"ratio": window.devicePixelRatioF(), "cut": run.cut}, sys.stdout)
    app.quit()
    return 0


def _look_at_dialogs(run: _Run, window) -> None:
    shown = []

    def show(dialog: QDialog) -> int:
        dialog.show()
        shown.append(dialog)
        run.look(f"dialog {type(dialog).__name__}", dialog)
        assert dialog.width() <= window.width(), dialog
        assert dialog.height() <= window.height(), dialog
        dialog.close()
        return 0

    QDialog.exec = show
    for name in DIALOGS:
        before = len(shown)
        window.actions_by_id[name].trigger()
        pump(0.05)
        assert len(shown) == before + 1, name


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
