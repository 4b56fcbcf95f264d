"""One process owns a case, and the lock dies with it."""

import errno
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from resources.problem import Problem
from viewer.annotate import lock as lock_module
from viewer.annotate.lock import CaseLock

_HOLD = """
import sys, time
from pathlib import Path
from viewer.annotate.lock import CaseLock
lock = CaseLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""
ROOT = Path(__file__).resolve().parents[3]


def test_the_second_is_told_who_has_it(tmp_path):
    lock = CaseLock(tmp_path)
    with pytest.raises(Problem) as told:
        CaseLock(tmp_path)
    assert platform.node() in told.value.sentence
    assert str(os.getpid()) in told.value.sentence
    assert "UTC" in told.value.sentence
    assert told.value.remedy
    lock.release()
    lock.release()
    again = CaseLock(tmp_path)
    assert again.stale is None
    again.release()


def test_two_cases_do_not_meet(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = CaseLock(tmp_path / "a"), CaseLock(tmp_path / "b")
    first.release()
    second.release()


def test_the_lock_dies_with_its_process(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout.readline() == "held\n"
            with pytest.raises(Problem) as told:
                CaseLock(tmp_path)
            assert str(process.pid) in told.value.sentence
        finally:
            process.kill()
    lock = CaseLock(tmp_path)
    assert lock.stale.pid == process.pid
    lock.release()


def test_rubbish_in_the_file_of_a_dead_owner_does_no_harm(tmp_path):
    (tmp_path / "lock").write_bytes(os.urandom(700))
    lock = CaseLock(tmp_path)
    assert lock.stale is None
    with pytest.raises(Problem, match=str(os.getpid())):
        CaseLock(tmp_path)
    lock.release()


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="cannot be written"):
        CaseLock(tmp_path / "absent")


def test_a_disk_without_locks_is_told_as_such(tmp_path, monkeypatch):
    def refuse(handle):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock_module, "_lock", refuse)
    with pytest.raises(Problem, match="cannot be locked"):
        CaseLock(tmp_path)
