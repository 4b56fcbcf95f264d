"""Deletes a window while work that began after its closing still runs; a child of the tests."""

import sys
import time

from PySide6.QtCore import QThreadPool
from PySide6.QtTest import QTest

from viewer.ui.app import make_app
from viewer.ui.jobs import Job
from viewer.ui.main_window import MainWindow


def slowly(_report, _cancelled):
    for _ in range(60):
        time.sleep(0.005)  # each turn needs Python


if __name__ == "__main__":
    app = make_app()
    window = MainWindow()
    window.show()
    QTest.qWait(50)
    window.close()
    Job(slowly, app).start(window.findChildren(QThreadPool)[0])
    window.deleteLater()
    QTest.qWait(100)
    print("gone")
    sys.exit(0)
