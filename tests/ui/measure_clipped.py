"""Run by test_scaling: opens a study and reports as JSON which texts do not fit their widgets."""

import json
import os
import sys
import time
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QSizePolicy, QWidget

from viewer.ui import app as start
from viewer.ui.settings_dialog import SettingsDialog


def needed(widget: QWidget) -> QSize:
    """Return the room that the text of a label or button takes."""
    if isinstance(widget, QLabel) and widget.wordWrap():
        return QSize(0, widget.heightForWidth(widget.width()))
    if isinstance(widget, QLabel):
        return widget.sizeHint()
    return widget.minimumSizeHint()


def clipped(top: QWidget) -> list[str]:
    """Return the texts below a widget that are cut, or lie outside of their parents."""
    out = []
    for widget in top.findChildren(QWidget):
        if not isinstance(widget, (QLabel, QAbstractButton)) or not widget.isVisible():
            continue
        text = widget.text() or widget.accessibleName()
        shortened = widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Ignored
        if not text or shortened:
            continue
        room, want = widget.size(), needed(widget)
        if want.width() > room.width() + 1 or want.height() > room.height() + 1:
            wants, has = (f"{size.width()} x {size.height()}" for size in (want, room))
            out.append(f"{text!r} wants {wants}, has {has}")
        parent = widget.parentWidget()
        if parent is not None and not parent.rect().adjusted(-1, -1, 1, 1).contains(
            widget.geometry()
        ):
            out.append(f"{text!r} lies outside of {type(parent).__name__}")
    return out


def main(folder: Path, out: str) -> None:
    app = start.make_app()
    assert isinstance(app, QApplication)
    from viewer.ui.main_window import MainWindow

    def pump(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            app.processEvents()
            time.sleep(0.005)

    window = MainWindow()
    window.ai.pack = None  # no model process may start
    window.show()
    window.open_paths([folder])
    while window.reading.case is None or window.reading.case.is_being_read:
        pump(0.02)
    window.set_reader("Dr. Alexandra Reader")
    window.corrections.add_missed(window.reading.cursor_lps_mm)
    pump(1.0)  # until it is saved
    report: dict[str, object] = {"ratio": window.devicePixelRatioF()}
    for theme in ("dark", "light"):
        window.reading.preferences.put("theme", theme)
        for width, height in ((1680, 1050), (1280, 800), (1024, 700)):
            window.resize(width, height)
            pump(0.3)
            found = clipped(window)
            if (window.width(), window.height()) != (width, height):
                found.append(f"the window is {window.width()} x {window.height()}")
            report[f"{theme} {width}"] = found
            if out:
                window.grab().save(str(Path(out) / f"{os.environ['SHOT']}-{theme}-{width}.png"))
        dialog = SettingsDialog(window.reading.preferences, lambda: None, window)
        dialog.show()
        pump(0.1)
        report[f"{theme} settings"] = clipped(dialog)
        dialog.close()
    print(json.dumps(report), flush=True)
    window.close()
    pump(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
