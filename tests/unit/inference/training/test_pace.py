from __future__ import annotations

import pytest

from inference.training.pace import Pace, Work


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_is_that_of_all_stages_at_the_pace_so_far():
    clock = Clock()
    pace = Pace({"first": Work(10, 2.0), "second": Work(5, 4.0)}, clock)
    assert pace.left_s == 40
    pace.enter("first")
    clock.now = 20
    pace.tick(5)
    # Four seconds a step: twice what was expected, and so the second will be.
    assert pace.left_s == pytest.approx(5 * 4 + 5 * 8)
    clock.now = 40
    pace.tick(10)
    pace.enter("second")
    assert pace.left_s == pytest.approx(40)
    clock.now = 55
    pace.tick(3)
    # Its own pace counts as soon as it is known.
    assert pace.left_s == pytest.approx(2 * 5)
    pace.tick(5)
    assert pace.left_s == 0


def test_what_an_earlier_run_did_is_no_pace_of_this_one():
    clock = Clock()
    pace = Pace({"first": Work(100, 1.0), "second": Work(10, 1.0)}, clock)
    pace.enter("first", 90)
    clock.now = 15
    pace.tick(95)
    assert pace.left_s == pytest.approx(5 * 3 + 10 * 3)
    pace.enter("second", 10)
    assert pace.left_s == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "less than a minute left"), (600, "10 min left"), (3900, "1 h 05 min left")],
)
def test_it_is_told_in_words(seconds: int, words: str):
    assert str(Pace({"all": Work(seconds, 1.0)}, Clock())) == words
