"""What the Qt binding must do, and what it must be kept from (see decision 0003)."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtGui import QColor, QPainter, QPixmap


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


WHOLE = """
import sys
import viewer.ui
from PySide6.QtWidgets import QApplication, QWidget

class Painted(QWidget):
    fault = staticmethod(lambda: None)
    def paintEvent(self, event):
        self.fault()

app = QApplication(["x"])
told = []
sys.excepthook = lambda kind, error, trace: told.append(kind)
widget = Painted()
widget.show()
for fault in (lambda: [][0], lambda: None + 1, lambda: int("x"), lambda: {}["x"], lambda: len()):
    widget.fault = fault
    for repaint in (widget.repaint, widget.grab, lambda: (widget.update(), app.processEvents())):
        try:
            repaint()
        except Exception as error:
            told.append(type(error))
print(sorted({kind.__name__ for kind in told}))
"""


def test_an_exception_in_an_override_ends_no_program():
    """Before Python 3.12 most of these were segmentation faults (see ``viewer.ui.overrides``)."""
    done = subprocess.run(
        [sys.executable, "-c", WHOLE],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert done.stdout.strip() == "['IndexError', 'KeyError', 'TypeError', 'ValueError']"
