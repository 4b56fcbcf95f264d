"""What a child tells of its progress behind a window, and how it steps back."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from inference.background import Telling


def test_a_line_each_half_second_and_the_ends_of_each_stage():
    now = [0.0]
    out = io.StringIO()
    tell = Telling(out, lambda: now[0])
    for step in range(101):
        tell("train", step, 100)
        now[0] += 0.125
    tell("measure", 0, 2)
    tell("measure", 2, 2)
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    train = [one for one in said if one["stage"] == "train"]
    assert len(train) == 26
    assert train[0] == {"stage": "train", "done": 0, "total": 100, "left_s": None}
    assert train[10]["left_s"] == pytest.approx(0.125 * (100 - train[10]["done"]), abs=0.1)
    assert train[-1] == {"stage": "train", "done": 100, "total": 100, "left_s": 0}
    assert [(one["done"], one["total"]) for one in said if one["stage"] == "measure"] == [
        (0, 2), (2, 2),
    ]  # fmt: skip


def test_what_was_done_before_says_nothing_of_the_pace():
    now = [0.0]
    out = io.StringIO()
    tell = Telling(out, lambda: now[0])
    tell("train", 300, 400)
    now[0] = 10.0
    tell("train", 310, 400)
    tell.at_most_s = 15.0
    now[0] = 11.0
    tell("train", 311, 400)
    left = [json.loads(line)["left_s"] for line in out.getvalue().splitlines()]
    assert left == [None, 90, 4]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX tells the priority by os.nice")
def test_it_takes_the_lowest_priority():
    code = "from inference.background import step_back; import os; step_back(); print(os.nice(0))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "19"
