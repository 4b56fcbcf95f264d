"""Run by test_kill: opens the window and paints strokes until it is killed."""

import sys
import time
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from viewer.ui import app as start
from viewer.ui.main_window import MainWindow


def main(folder: Path) -> None:
    app = start.make_app()
    window = MainWindow()
    # Only the pen is wanted here: no model process may start.
    window.ai.pack = None
    window.resize(1200, 800)
    window.show()
    window.open_paths([folder])
    while window.reading.case is None or window.opener.busy:
        app.processEvents()
        time.sleep(0.01)
    app.processEvents()
    case = window.reading.case
    view = window.views.views[0]
    middle = QPoint(view.width() // 3, view.height() // 2)
    window.corrections.add_missed(view.lps_at(view.px_of_mm(*view.mm_of_px(middle))))
    for number in range(1, 10_000):
        at = middle + QPoint(0, (number % 40) * 5 - 100)
        QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        for step in range(8):
            QTest.mouseMove(view.viewport(), at + QPoint(step * 6, 0))
            app.processEvents()
        QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at + QPoint(42, 0))
        while case.unsaved:
            time.sleep(0.001)
        print(number, case.document.lesions[0].mask.count, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
