"""A program to be killed: opens the case of the tests and paints without end.

Run as ``python -m tests.annotate_victim MODE``. It prints ``saved N`` for each record on the
disk. ``paint``: a stroke a moment, each of them always the same. ``half``: four strokes,
then one that is begun and never committed. ``hold``: opens the case and waits.
"""

from __future__ import annotations

import itertools
import os
import sys
import time

import numpy as np

from tests.annotate_cases import SHAPE, findings, open_case, volume
from viewer.session import Case
from viewer.tools.brush import Brush


def stroke_number(case: Case, n: int, commit: bool = True) -> None:
    """Draw stroke ``n``, the same in every process."""
    rng = np.random.default_rng(n)
    target = ("d1", "d2", "lung_right")[n % 3]
    brush = Brush(float(rng.uniform(1, 5)), "ball", 0, ("add", "erase")[n % 2])
    stroke = case.start_stroke(target, brush)
    for point in rng.uniform(0, SHAPE, (3, 3)):
        stroke.move_to(point)
    if commit:
        case.commit_stroke(stroke)


def say(line: str) -> None:
    """Write a line at once: two threads speak, and a kill must not leave half of one."""
    os.write(1, f"{line}\n".encode())


def main() -> None:
    mode = sys.argv[1]
    case = open_case(on_saved=lambda seq, utc: say(f"saved {seq}"))
    say(f"open {case.read_only}")
    if mode == "hold":
        time.sleep(600)
    if case.document.findings is None:
        case.add_findings(findings(volume()))
    if mode == "half":
        for n in range(4):
            stroke_number(case, n)
        assert case.flush() == 0
        stroke_number(case, 4, commit=False)
        say(f"half {len(case._history.done)}")
        time.sleep(600)
    for n in itertools.count():
        stroke_number(case, n)
        time.sleep(0.001)


if __name__ == "__main__":
    main()
