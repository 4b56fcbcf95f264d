"""Work off the GUI thread, and what is remembered between starts."""

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QObject, QSettings, QThread
from PySide6.QtWidgets import QFileDialog, QWidget

from resources.problem import Problem
from viewer import folders
from viewer.study.cancel import Cancelled
from viewer.ui import places
from viewer.ui.jobs import Job
from viewer.ui.settings import Settings


@pytest.fixture
def owner(qapp):
    return QObject()


class Ears(QObject):
    """Hears the signals of a job and notes in which thread."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def on_progress(self, done, total):
        self.heard.append(("progress", done, total, QThread.currentThread()))

    def on_success(self, result):
        self.heard.append(("success", result, QThread.currentThread()))


def test_work_runs_elsewhere_and_answers_in_the_gui_thread(owner, qtbot, qapp):
    ears = Ears()
    ran_in = []

    def work(report, cancelled):
        ran_in.append(threading.current_thread())
        report(1, 2)
        return 42

    job = Job(work, owner)
    job.progressed.connect(ears.on_progress)
    job.succeeded.connect(ears.on_success)
    with qtbot.waitSignal(job.ended, timeout=5000):
        job.start()
    assert ran_in[0] is not threading.main_thread()
    assert ears.heard == [("progress", 1, 2, qapp.thread()), ("success", 42, qapp.thread())]


def test_a_problem_is_handed_over(owner, qtbot):
    def work(report, cancelled):
        raise Problem("It is cut short.", "Copy it again.")

    job = Job(work, owner)
    with qtbot.waitSignal(job.failed, timeout=5000) as failed:
        job.start()
    assert str(failed.args[0]) == "It is cut short. Copy it again."


def test_a_defect_is_raised_in_the_gui_thread(owner, qtbot):
    def work(report, cancelled):
        raise ZeroDivisionError

    job = Job(work, owner)
    with qtbot.capture_exceptions() as caught, qtbot.waitSignal(job.ended, timeout=5000):
        job.start()
    assert caught[0][0] is ZeroDivisionError


def test_a_result_after_the_cancel_is_discarded_not_used(owner, qtbot):
    go, used, discarded = threading.Event(), [], []

    def work(report, cancelled):
        assert go.wait(60)
        return "late"

    job = Job(work, owner)
    job.succeeded.connect(used.append)
    job.discarded.connect(discarded.append)
    job.start()
    job.cancel()
    with qtbot.waitSignal(job.ended, timeout=5000):
        go.set()
    assert used == []
    assert discarded == ["late"]


def test_cancelled_work_ends_without_a_word(owner, qtbot):
    def work(report, cancelled):
        raise Cancelled

    job = Job(work, owner)
    said = []
    job.failed.connect(said.append)
    job.succeeded.connect(said.append)
    with qtbot.waitSignal(job.ended):
        job.start()
    assert said == []


class Held:
    """Notes in which thread it dies."""

    def __init__(self, died_in):
        self._died_in = died_in

    def __del__(self):
        self._died_in.append(threading.current_thread())


def wait_for(gate, held, _report, _cancelled):
    assert gate.wait(20)


def test_what_work_holds_dies_in_the_gui_thread(qapp, qtbot):
    """Else connections are undone while the GUI thread connects, and the program crashes.

    The hardest case: the window that asked for the work has gone meanwhile.
    """
    owner, gate, died_in = QObject(), threading.Event(), []
    for _ in range(3):
        Job(partial(wait_for, gate, Held(died_in)), owner).start()
    shiboken6.delete(owner)
    gate.set()
    qtbot.waitUntil(lambda: len(died_in) == 3, timeout=20_000)
    assert set(died_in) == {threading.main_thread()}


def test_settings_last_and_survive_a_damaged_file():
    settings = Settings()
    settings.put("reader", "Dr. A. Test")
    assert Settings().text("reader") == "Dr. A. Test"
    (folders.data_dir() / "settings.json").write_text('{"reader": "Dr.', encoding="utf-8")
    assert Settings().text("reader", "nobody") == "nobody"
    (folders.data_dir() / "settings.json").write_text("[1, 2]", encoding="utf-8")
    assert Settings().text("reader", "nobody") == "nobody"


def test_folders_that_were_visited_are_written_down_nowhere(qapp, tmp_path, monkeypatch):
    secret = tmp_path / "Canary^Patient"
    secret.mkdir()
    QSettings.setPath(
        QSettings.defaultFormat(), QSettings.Scope.UserScope, str(tmp_path / "config")
    )
    parent = QWidget()

    def visit(*_) -> str:
        dialog = QFileDialog(parent, "", str(secret))
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setHistory([str(secret)])
        shiboken6.delete(dialog)  # then it writes down where it was
        return str(secret)

    def kept() -> str:
        files = [file for file in (tmp_path / "config").rglob("*") if file.is_file()]
        return "".join(file.read_text(encoding="utf-8") for file in files)

    visit()
    QSettings(QSettings.Scope.UserScope, "QtProject").sync()
    assert "Canary" in kept()  # else this would prove nothing
    settings = QSettings(QSettings.Scope.UserScope, "QtProject")
    settings.remove("FileDialog/history")
    settings.remove("FileDialog/lastVisited")
    settings.sync()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", visit)
    assert places.ask_folder(parent, "") == secret
    assert "Canary" not in kept()


def test_a_window_is_deleted_while_work_goes_on_that_began_after_its_closing(tmp_path):
    # In a process of its own: what this guards against never ends.
    ended = subprocess.run(
        [sys.executable, "-m", "tests.ui.window_deleted_at_work"],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "OVERREAD_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout == "gone\n"
