"""A program killed in the middle of painting loses nothing that was painted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import settle

_ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_strokes_survive_kill_9(qtbot, phantom_folder, private_home, request):
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "QT_QPA_PLATFORM": "offscreen"}
    script = Path(__file__).with_name("paint_until_killed.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(phantom_folder)],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as painter:
        assert painter.stdout is not None
        for line in painter.stdout:
            number, voxels = (int(part) for part in line.split())
            if number >= 6:
                painter.send_signal(signal.SIGKILL)  # in the middle of the next stroke
                break
        # What it had still said before it died is also on the disk.
        for line in painter.stdout:
            if line.endswith("\n") and len(line.split()) == 2:
                number, voxels = (int(part) for part in line.split())
        assert painter.wait() == -signal.SIGKILL

    window = request.getfixturevalue("opened")
    settle(window)
    (lesion,) = window.reading.case.document.lesions
    # The last stroke may have reached the disk before its line reached us.
    assert lesion.mask.count >= voxels > 0
    steps = 0
    while window.reading.case.undo_name is not None:
        window.corrections.undo()
        steps += 1
    assert steps - 1 in (number, number + 1)
    assert not window.reading.case.document.lesions


_IDLE = """
import sys
from PySide6.QtCore import QTimer
from viewer.ui import app

app.make_app()
QTimer.singleShot(0, lambda: print("up", flush=True))
sys.exit(app.run([]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process there")
def test_ctrl_c_in_the_terminal_closes_an_idle_window(private_home):
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(
        [sys.executable, "-c", _IDLE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as idle:
        assert idle.stdout is not None
        assert idle.stderr is not None
        assert idle.stdout.readline() == "up\n"
        idle.send_signal(signal.SIGINT)
        assert idle.wait(timeout=30) == 0
        assert idle.stderr.read() == ""
