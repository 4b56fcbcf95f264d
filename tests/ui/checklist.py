"""What the walks along the checklist of conventions share."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter

from viewer.study.display_facts import DisplayFacts
from viewer.ui import ink, view_corners, view_text

from ..dicom_files import write_slice
from .conftest import settle
from .test_geometry import open_folder

LEFT, MIDDLE, RIGHT = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.MiddleButton,
    Qt.MouseButton.RightButton,
)
NONE, SHIFT, CONTROL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


def main_view(window):
    return window.views.views[0]


def written(window, view, monkeypatch):
    """Return the words that stand in the corners of a view now."""
    said = []
    haloed, block, kept = view_corners.haloed, ink.block, ink.kept
    write_words = view_corners._write_words

    def listen(painter, at, text, *rest, **named):
        said.append(text)
        return haloed(painter, at, text, *rest, **named)

    def listen_to_block(lines, *rest, **named):
        said.extend(lines)
        return block(lines, *rest, **named)

    def listen_to_words(painter, view, lines, **how):
        said.extend(lines)
        return write_words(painter, view, lines, **how)

    def listen_to_kept(key, make):
        # The scale bar is a picture; its key says for how many mm it stands.
        if key[0] == "bar":
            said.append(f"{key[1] // 10} cm" if key[1] >= 10 else f"{key[1]} mm")
        return kept(key, make)

    picture = QImage(view.size(), QImage.Format.Format_RGB32)
    view.standing = type(view.standing)()  # what stands there is put together anew
    with monkeypatch.context() as patch, QPainter(picture) as painter:
        patch.setattr(view_corners, "haloed", listen)
        patch.setattr(ink, "block", listen_to_block)
        patch.setattr(ink, "kept", listen_to_kept)
        patch.setattr(view_corners, "_write_words", listen_to_words)
        view_text.paint(painter, view, view.rect())
    return [text for text in said if text.strip()]


def modified_drag(view, start, by, keys):
    """Drag with keys held, as QTest's moves hold none."""
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    def send(kind, at, button, buttons):
        where = QPointF(view.mapToGlobal(at))
        event = QMouseEvent(kind, QPointF(at), where, button, buttons, keys)
        QApplication.sendEvent(view, event)

    send(QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for share in (0.25, 0.5, 0.75, 1.0):
        at = start + QPoint(round(by.x() * share), round(by.y() * share))
        send(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, LEFT)
    send(QEvent.Type.MouseButtonRelease, start + by, LEFT, Qt.MouseButton.NoButton)


def radiograph(folder, **tags):
    values = np.linspace(0, 3000, 120 * 100).reshape(120, 100).astype(np.uint16)
    tags = {"modality": "DX", "position": None, "orientation": None, "spacing": None, **tags}
    return write_slice(folder / "dx.dcm", values, **tags)


def open_radiograph(window, qtbot, folder, **tags):
    radiograph(folder, **tags)
    open_folder(window, folder)
    qtbot.waitUntil(lambda: window.reading.facts != DisplayFacts(), timeout=10_000)
    settle(window)
