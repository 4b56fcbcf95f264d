"""An export of the window is written by another process, and goes with the window."""

import subprocess
import sys

from viewer.export import apart


def test_a_window_that_is_closed_in_an_export_leaves_nothing_of_it(
    reviewed, qtbot, tmp_path, monkeypatch
):
    begun = []
    popen = subprocess.Popen

    def noted(command, *args, **kwargs):
        process = popen(command, *args, **kwargs)
        if command == apart.command():
            begun.append(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", noted)
    reviewed.export_to(tmp_path, None)
    qtbot.waitUntil(lambda: bool(begun), timeout=20_000)
    reviewed.close()
    assert begun[0].returncode is not None, "it has ended and was waited for"
    assert list(tmp_path.iterdir()) == []


def test_the_window_itself_never_loads_what_writes_dicom(reviewed, qtbot, tmp_path):
    before = set(sys.modules)
    with qtbot.waitSignal(reviewed.exporter.ended, timeout=60_000) as ended:
        reviewed.export_to(tmp_path, None)
    assert ended.args[1] is None
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    assert not new & {"highdicom", "nibabel"}


def test_an_export_whose_process_is_killed_is_told_and_the_next_one_works(
    reviewed, qtbot, tmp_path, monkeypatch
):
    code = "import os; os._exit(137)"
    with monkeypatch.context() as patch:
        patch.setattr(apart, "command", lambda: [sys.executable, "-c", code])
        with qtbot.waitSignal(reviewed.exporter.ended, timeout=60_000) as ended:
            reviewed.export_to(tmp_path, None)
    assert "ended before it was done" in reviewed.message.text
    assert ended.args[0] is None
    assert list(tmp_path.iterdir()) == []
    with qtbot.waitSignal(reviewed.exporter.ended, timeout=60_000) as ended:
        reviewed.export_to(tmp_path, None)
    assert ended.args[1] is None


def test_after_a_defect_the_next_export_is_possible(reviewed, qtbot, tmp_path, monkeypatch):
    def fails(*_args, **_more):
        raise KeyError("a defect")

    with monkeypatch.context() as patch, qtbot.captureExceptions() as raised:
        patch.setattr("viewer.export.export_case", fails)
        with qtbot.waitSignal(reviewed.exporter.ended) as ended:
            reviewed.export_to(tmp_path, None)
        qtbot.waitUntil(lambda: bool(raised))
    assert raised[0][0] is KeyError, "it is still told as the defect that it is"
    assert ended.args[0] is None
    assert "went wrong" in reviewed.message.text
    assert reviewed.exporter.why_not() == ""
    with qtbot.waitSignal(reviewed.exporter.ended) as ended:
        reviewed.export_to(tmp_path, None)
    assert ended.args[1] is None
