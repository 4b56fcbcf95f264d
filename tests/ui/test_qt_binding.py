"""What the Qt binding must do, and what it must be kept from (see decision 0003)."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QEvent, QSize
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QWidget


def test_painting_loses_no_reference_to_none(qapp):
    pixmap = QPixmap(8, 8)
    painter = QPainter(pixmap)
    before = sys.getrefcount(None)
    for _ in range(500):
        painter.setPen(QColor("#FFFFFF"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawEllipse(0, 0, 3, 3)
    after = sys.getrefcount(None)
    painter.end()
    # From Python 3.12 on None is immortal and its count never moves.
    assert after >= before - 50


FAILING = """
import sys
import viewer.ui
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication, QWidget

class Failing(QWidget):
    fault = staticmethod(lambda: None)
    def paintEvent(self, event):
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("red"))
        self.fault()

class Sound(QWidget):
    painted = 0
    def paintEvent(self, event):
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("blue"))
        Sound.painted += 1

def raise_it():
    raise RuntimeError

app = QApplication(["x"])
told = []
sys.excepthook = lambda kind, error, trace: told.append(kind.__name__)
window = QWidget()
window.resize(200, 50)
panes = [kind(window) for kind in (Failing, Sound, Failing, Sound)]
for n, pane in enumerate(panes):
    pane.setGeometry(50 * n, 0, 50, 50)
window.show()
for fault in (
    raise_it, lambda: [][0], lambda: None + 1, lambda: int("x"), lambda: {}["x"], lambda: len()
):
    Failing.fault = staticmethod(fault)
    for _ in range(50):
        window.repaint()
        window.grab()
        window.update()
        app.processEvents()
print(Sound.painted >= 300, *sorted(set(told)))
"""


def test_an_exception_in_an_override_is_told_and_ends_no_program():
    """Without ``viewer.ui.overrides`` it is a segmentation fault while the next pane is painted."""
    done = subprocess.run(
        [sys.executable, "-c", FAILING],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    told = ["IndexError", "KeyError", "RuntimeError", "TypeError", "ValueError"]
    assert done.stdout.split() == ["True", *told]
    assert done.stderr == ""


def test_what_fails_answers_with_nothing(qapp, qtbot):
    class Failing(QAbstractListModel):
        def rowCount(self, parent=None) -> int:
            raise RuntimeError("rows")

        def data(self, index, role=0) -> Any:
            raise RuntimeError("data")

    class Wide(QWidget):
        def event(self, event) -> bool:
            if event.type() == event.Type.User:
                raise RuntimeError("event")
            return super().event(event)

        def sizeHint(self) -> QSize:
            raise RuntimeError("size")

    model, widget = Failing(), Wide()
    qtbot.addWidget(widget)
    with qtbot.capture_exceptions() as caught:
        assert model.rowCount() == 0
        assert model.data(model.index(0, 0)) is None
        assert widget.sizeHint() == QSize()
        assert not QCoreApplication.sendEvent(widget, QEvent(QEvent.Type.User))
    told = dict.fromkeys(str(error) for _kind, error, _trace in caught)
    assert list(told) == ["rows", "data", "size", "event"]
