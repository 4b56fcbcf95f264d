"""A program killed while its reader paints: everything but the stroke in hand is there."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.annotate_cases import findings, findings_sha, open_case, state, volume
from tests.annotate_victim import stroke_number

ROOT = Path(__file__).resolve().parents[3]


@contextlib.contextmanager
def _victim(mode) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.annotate_victim", mode],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Whatever goes wrong in there, a read from its pipe must end.
    watchdog = threading.Timer(60.0, process.kill)
    watchdog.start()
    with process:
        try:
            assert process.stdout.readline() == "open False\n"
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def _saved(lines) -> int:
    numbers = [int(line.split()[1]) for line in lines if line.startswith("saved")]
    return max(numbers, default=0)


@pytest.mark.parametrize(("seed", "delay_s"), [(0, 0.0), (1, 0.05), (2, 0.2), (3, 0.5)])
def test_all_that_was_saved_is_there(seed, delay_s, tmp_path_factory, monkeypatch):
    with _victim("paint") as process:
        lines = [process.stdout.readline()]
        time.sleep(delay_s)
        process.kill()
        # What was in the pipe at that moment; the last line may be torn.
        lines += [line for line in process.stdout.read().splitlines(True) if line.endswith("\n")]
    saved = _saved(lines)
    assert saved >= 1
    case = open_case()
    assert not case.read_only
    assert case.recovered is None
    replayed = state(case.document)
    steps = len(case._history.done)
    assert steps >= saved
    # The same steps, done anew in a fresh home, give the same document, bit by bit.
    monkeypatch.setenv("OVERREAD_HOME", str(tmp_path_factory.mktemp("fresh")))
    fresh = open_case()
    fresh.apply(case._history.done[0])
    n = 0
    while len(fresh._history.done) < steps:
        stroke_number(fresh, n)
        n += 1
    assert state(fresh.document) == replayed
    assert findings_sha(case.document.findings) == findings_sha(findings(volume()))
    # And the way back is there too.
    while len(case._history.done) > 1:
        case.undo()
    for lesion, detection in zip(case.document.record, findings(volume()).detections, strict=True):
        assert lesion.mask.voxels.tobytes() == detection.mask.voxels.tobytes()
        assert lesion.origin == "ai"
    assert case.close() == fresh.close() == 0


def test_only_the_stroke_in_hand_is_lost():
    with _victim("half") as process:
        lines = []
        while not lines or not lines[-1].startswith("half"):
            lines.append(process.stdout.readline())
            assert lines[-1], "the victim ended by itself"
        process.kill()
    steps = int(lines[-1].split()[1])
    assert steps > 2
    case = open_case()
    assert len(case._history.done) == steps
    # The strokes that were committed and nothing of the last one.
    replayed = state(case.document)
    while len(case._history.done) > 1:
        case.undo()
    for n in range(4):
        stroke_number(case, n)
    assert state(case.document) == replayed
    assert case.recovered is None
    assert case.close() == 0


def test_a_case_that_a_live_program_holds_is_opened_for_reading_only():
    with _victim("hold") as process:
        case = open_case()
        assert case.read_only
        assert str(process.pid) in case.read_only_problem.sentence
        assert case.close() == 0
        process.kill()
        process.wait()
        again = open_case()
        assert not again.read_only
        assert again.close() == 0
