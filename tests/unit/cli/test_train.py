"""``overread train``: the child's arguments, exit code, end, and what it says without one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resources.problem import Problem
from viewer import cli
from viewer.cli import child, train

ROOT = Path(cli.__file__).parents[2]

CHILD = """
import os, sys, threading, time
print("out", *sys.argv[1:], flush=True)
print("err", file=sys.stderr, flush=True)
if sys.argv[1] == "wait":
    open(sys.argv[2], "w").write(str(os.getpid()))
    os.read(0, 1)
    sys.exit(130)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module that is found by the child as by this process."""
    (tmp_path / "stand_in_child.py").write_text(CHILD)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "stand_in_child"


def test_arguments_output_and_exit_code_pass(stand_in: str, capfd: pytest.CaptureFixture[str]):
    assert child.run_child(stand_in, ["0", "a b", "ü"]) == 0
    assert child.run_child(stand_in, ["7"]) == 7
    captured = capfd.readouterr()
    assert captured.out.splitlines() == ["out 0 a b ü", "out 7"]
    assert captured.err.splitlines() == ["err", "err"]


def test_the_command_hands_everything_on(monkeypatch: pytest.MonkeyPatch):
    ran = []
    monkeypatch.setattr(
        train, "run_child", lambda module, given, needs: ran.append((module, given)) or 3
    )
    given = ["--data", "d", "--out", "o", "--config", "c.json", "--device", "cpu", "--threads", "2"]
    assert cli.main(["train", "lung-nodule", *given]) == 3
    ((module, arguments),) = ran
    assert module == "inference.training"
    assert arguments[0] == "lung-nodule"
    assert dict(zip(arguments[1::2], arguments[2::2], strict=True)) == dict(
        zip(given[::2], given[1::2], strict=True)
    )


def test_a_bundle_and_a_missing_extra_are_told_with_a_remedy(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(Problem, match=r"missing: no_such_thing\. .*overread\[train\]"):
        child.run_child("inference.training", [], needs=["json", "no_such_thing"])
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(Problem, match=r"packaged Overread .*pip install"):
        child.run_child("inference.training", [])


PARENT = """
import signal, sys
from viewer.cli.child import run_child
# A shell that runs the tests in the background has them, and this, ignore Ctrl+C.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run_child("stand_in_child", ["wait", sys.argv[1]]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no Ctrl+C to one process")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_its_parent(stand_in: str, tmp_path: Path, end: signal.Signals):
    marker = tmp_path / "started"
    paths = os.pathsep.join([str(ROOT), str(tmp_path)])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(marker)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    limit = time.monotonic() + 120
    while not (marker.exists() and marker.read_text()) and time.monotonic() < limit:
        time.sleep(0.05)
    number = int(marker.read_text())
    parent.send_signal(end)
    # Only the parent was told: the child's standard input ended, and it answered by 130.
    assert parent.wait(120) == (130 if end == signal.SIGINT else -signal.SIGKILL)
    while time.monotonic() < limit and Path(f"/proc/{number}").exists():
        time.sleep(0.05)
    if Path("/proc").is_dir():
        assert not Path(f"/proc/{number}").exists()


def test_retraining_hands_everything_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    ran = []
    monkeypatch.setattr(
        train, "run_child", lambda module, given, needs: ran.append((module, given)) or 0
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    given = ["--data", "d", "--base", "mine", "--out", "o", "--steps", "9", "--version", "1.0.0"]
    assert cli.main(["retrain", *given]) == 0
    assert cli.main(["retrain", "--data", "d", "--base", "lung-nodule-ct", "--out", "o"]) == 0
    (module, arguments), (_, short) = ran
    assert module == "inference.training"
    assert arguments[0] == short[0] == "retrain"
    named = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    assert named["--base"] == str(tmp_path / "mine")
    assert (named["--steps"], named["--version"]) == ("9", "1.0.0")
    # What was not said is decided where the training is.
    assert dict(zip(short[1::2], short[2::2], strict=True)) == {
        "--data": "d", "--base": "lung-nodule-ct", "--out": "o", "--device": "auto",
    }  # fmt: skip
