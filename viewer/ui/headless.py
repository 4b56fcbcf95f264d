"""The whole journey without a screen: open, analyse, export, and a picture of the window."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from rich.console import Console

from inference.protocol import Progress
from resources.problem import Problem
from resources.text import translate
from viewer import logbook
from viewer.stages import stage_text
from viewer.ui.app import install_net, make_app, start_log

_LIMIT_S = 900
_SETTLE_MS = 400


class _Steps:
    """Waits in the event loop for one signal, and carries a problem out of it."""

    def __init__(self) -> None:
        self._loop = QEventLoop()
        self.problem: Problem | None = None
        self.result: object = None

    def end(self, result: object = None) -> None:
        self.result = result
        self._loop.quit()

    def fail(self, problem: Problem | None) -> None:
        self.problem = problem
        self._loop.quit()

    def wait(self, start: Callable[[], object]) -> object:
        self.result, self.problem = None, None
        limit = QTimer()
        limit.setSingleShot(True)
        limit.timeout.connect(self._late)
        limit.start(_LIMIT_S * 1000)
        QTimer.singleShot(0, start)
        self._loop.exec()
        limit.stop()
        if self.problem is not None:
            raise self.problem
        return self.result

    def _late(self) -> None:
        self.fail(
            Problem(
                translate("headless", "The step took longer than {minutes} minutes.").format(
                    minutes=_LIMIT_S // 60
                ),
                translate("headless", "Try again on a machine that is less busy."),
            )
        )


def run(out: Path, *, device: str = "auto", study: Path | None = None) -> int:
    """Analyse a study (the sample when None), export it, draw the window; print where."""
    console = Console(stderr=True, highlight=False)
    try:
        start_log()
        make_app()
        install_net()
        picture, folder, found = _journey(out, device, study, console)
    except Problem as problem:
        logbook.note_problem(problem)
        print(str(problem), file=sys.stderr)
        return 2
    print(translate("headless", "Findings: {count} lesions").format(count=found))
    print(translate("headless", "Export: {folder}").format(folder=folder))
    print(translate("headless", "Picture of the window: {file}").format(file=picture))
    print(translate("headless", "Research use. Not for diagnosis."))
    return 0


def _journey(
    out: Path, device: str, study: Path | None, console: Console
) -> tuple[Path, Path, int]:
    from viewer.ui.main_window import MainWindow

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            translate("headless", "The folder {folder} cannot be made.").format(folder=out),
            translate("headless", "Choose another with --out."),
            type(error).__name__,
        ) from error
    window = MainWindow()
    steps = _Steps()
    try:
        window.show()
        window.opener.opened.connect(steps.end)
        window.opener.failed.connect(steps.fail)
        console.print(translate("headless", "Opening the study"))
        if study is None:
            steps.wait(window.open_sample)
        else:
            steps.wait(lambda: window.open_paths([study]))
        case = window.reading.case
        assert case is not None
        why_not = window.ai.why_not()
        if why_not:
            raise Problem(why_not)
        if device != "auto":
            window.ai.device = device
        said: set[str] = set()

        def tell(step: Progress) -> None:
            text = stage_text(step)
            if text not in said:
                said.add(text)
                console.print(text)

        window.ai.engine.progressed.connect(tell)
        window.ai.engine.succeeded.connect(steps.end)
        window.ai.engine.failed.connect(steps.fail)
        steps.wait(window.ai.run)
        _settle(steps)
        window.reading.show(heatmap=True)
        window.exporter.ended.connect(
            lambda folder, problem: steps.fail(problem) if problem else steps.end(folder)
        )
        console.print(translate("headless", "Exporting"))
        folder = steps.wait(lambda: window.exporter.start(out, leave=None, replace=True))
        assert isinstance(folder, Path)
        window.message.hide()
        _settle(steps)
        picture = out / "window.png"
        if not window.grab().save(str(picture)):
            raise Problem(
                translate("headless", "The picture {file} cannot be written.").format(file=picture),
                translate("headless", "Free some space, or choose another folder with --out."),
            )
        return picture, folder, len(case.shown)
    finally:
        window.close()
        window.deleteLater()


def _settle(steps: _Steps) -> None:
    """Let queued signals and paints run."""
    steps.wait(lambda: QTimer.singleShot(_SETTLE_MS, steps.end))
