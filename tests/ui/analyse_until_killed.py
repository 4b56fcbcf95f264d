"""Victim of ``test_batch``: analyses a folder in the background until somebody kills it."""

import sys
from pathlib import Path

from PySide6.QtTest import QTest

from inference import registry
from tests.ui.conftest import ScriptedProcess
from viewer.ui import app, engine


class HangsAtTheSecond(ScriptedProcess):
    """Answers once."""

    def analyze(self, *asked, **told):
        if self.runs:
            self.hold.clear()
        return super().analyze(*asked, **told)


def main() -> None:
    """Let the first study come to its end, the second one hang; say so and wait."""
    from tests.ui.test_batch import small_findings

    process = HangsAtTheSecond()
    process.findings = small_findings()
    engine.ModelProcess = lambda: process
    registry.eligibility = lambda pack, volume: ()
    app.make_app()
    from viewer.ui.main_window import MainWindow

    window = MainWindow()
    window.show()
    window.batch.add_folders([Path(sys.argv[1])])
    while process.runs < 2 or "done" not in {item.state for item in window.batch.items}:
        QTest.qWait(5)
    window.batch._files.waitForDone()
    print("at work", flush=True)
    while True:
        QTest.qWait(50)


if __name__ == "__main__":
    main()
