"""The time left: nothing before it is known, then what earlier runs and this one's pace tell."""

import json

import numpy as np
import pytest

from inference.protocol import Progress
from inference.volume import Volume
from viewer.pace import Learned, Left, Pace, litres

STAGES = {"prepare": 2.0, "lungs": 6.0, "load": 1.0, "detect": 30.0, "reduce": 8.0, "measure": 1.0}


def learned(device="CPU", size=10.0):
    known = Learned()
    known.take(device, size, STAGES)
    return known


def test_a_first_run_tells_nothing_of_the_whole():
    pace = Pace(Learned(), "CPU", 10.0, 0.0)
    assert pace.left(0.0) is None
    pace.step(Progress("prepare", 0, 1), 1.0)
    assert pace.left(50.0) is None
    pace.step(Progress("detect", 0, 100), 60.0)
    assert pace.left(60.5) is None
    pace.step(Progress("detect", 25, 100), 70.0)
    assert pace.left(70.0) == Left(30.0, whole=False)


def test_a_later_run_on_the_device_tells_the_whole_from_its_start():
    pace = Pace(learned(), "CPU", 10.0, 0.0)
    assert pace.left(0.0) is None  # nothing was heard of it yet
    pace.step(Progress("start", 0, 1), 0.1)
    left = pace.left(0.1)
    assert left is not None and left.whole
    assert left.seconds == pytest.approx(sum(STAGES.values()))


def test_another_device_is_not_known():
    pace = Pace(learned("CPU"), "GPU", 10.0, 0.0)
    pace.step(Progress("start", 0, 1), 0.0)
    assert pace.left(0.0) is None


def test_a_larger_series_takes_longer():
    pace = Pace(learned(size=10.0), "CPU", 20.0, 0.0)
    pace.step(Progress("start", 0, 1), 0.0)
    assert pace.left(0.0).seconds == pytest.approx(2 * sum(STAGES.values()))


def test_a_run_that_is_twice_as_slow_says_so_before_its_end():
    pace = Pace(learned(), "CPU", 10.0, 0.0)
    now = 0.0
    for stage in ("prepare", "lungs", "load"):
        pace.step(Progress(stage, 0, 1), now)
        now += 2 * STAGES[stage]
    pace.step(Progress("detect", 0, 100), now)
    left = pace.left(now)
    assert left.seconds == pytest.approx(2 * (30 + 8 + 1))
    # Its own steps count for more than what earlier runs took.
    pace.step(Progress("detect", 50, 100), now + 30)
    assert pace.left(now + 30).seconds == pytest.approx(30 + 2 * (8 + 1))


def test_it_counts_down_to_nothing_and_never_below():
    pace = Pace(learned(), "CPU", 10.0, 0.0)
    now, last = 0.0, float("inf")
    for stage, seconds in STAGES.items():
        for done in range(10):
            pace.step(Progress(stage, done, 10), now)
            left = pace.left(now).seconds
            assert 0 <= left <= last + 1e-6
            last = left
            now += seconds / 10
    assert last < 1.0
    assert pace.left(now + 500).seconds >= 0


def test_what_was_learned_lasts_and_follows_slowly():
    known = learned()
    again = Learned(known.text())
    assert again.of("CPU") == known.of("CPU")
    again.take("CPU", 10.0, {**STAGES, "start": 99.0, "detect": 90.0})
    assert again.of("CPU")["detect"] == pytest.approx(6.0)
    assert "start" not in again.of("CPU")


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", '{"CPU": 3}', '{"CPU": {"detect": "x"}}'])
def test_a_damaged_memory_is_none(text):
    assert Learned(text).of("CPU") == {}


def test_what_is_learned_names_no_patient_and_no_size():
    assert set(json.loads(learned().text())) == {"CPU"}


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (Left(2, True), "a few seconds left"),
        (Left(43, True), "about 45 s left"),
        (Left(100, True), "about 2 min left"),
        (Left(31, False), "about 30 s for this step"),
    ],
)
def test_it_is_as_exact_as_it_deserves(left, said):
    assert left.text() == said


def test_litres():
    volume = Volume(np.zeros((100, 500, 500), np.int16), np.diag([3.0, 0.8, 0.8, 1.0]), "CT", "HU")
    assert litres(volume) == pytest.approx(48.0)
