"""What keeping work costs: bytes of a stroke, time to write it, time to open 10,000 edits.

``python -m tests.bench.journal [--edits N]`` prints one line a figure. The volume is that of a
chest CT, the strokes are balls of 20 mm in 60 dabs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.annotate_cases import affine, findings, open_case, volume
from viewer.annotate import store as store_module
from viewer.annotate.edits import PaintStroke
from viewer.annotate.mask import Delta
from viewer.session import Case
from viewer.tools.brush import Brush

SHAPE = (200, 400, 400)
SPACING = (1.25, 0.7, 0.7)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.journal", description=__doc__)
    parser.add_argument("--edits", type=int, default=10_000)
    edits = parser.parse_args().edits
    ct = volume(SHAPE, transform=affine(SPACING))
    with tempfile.TemporaryDirectory() as home:
        os.environ["OVERREAD_HOME"] = home
        written = _timed_inserts()
        case = open_case(of=ct)
        case.add_findings(findings(ct))
        case.add_missed(tuple(ct.affine[:3, :3] @ (100, 200, 200) + ct.affine[:3, 3]))
        assert case.flush(60) == 0
        _strokes(case, written)
        with case.document.deferred():  # nobody looks at the figures of each
            _many(case, edits)
        assert case.close(120) == 0
        size = sum(path.stat().st_size for path in Path(home).rglob("journal.db*"))
        print(f"journal of {edits} edits: {size / 1e6:.1f} MB")
        for which in ("first", "second", "third"):
            started, begun = time.perf_counter(), time.thread_time()
            case = open_case(of=ct)
            seconds, worked = time.perf_counter() - started, time.thread_time() - begun
            print(f"opening it, {which} time: {seconds:.2f} s, processor {worked:.2f} (reach: 2)")
            assert case.close() == 0
    sys.exit(0)


def _timed_inserts() -> list[float]:
    """Note how long each transaction takes, in the store's thread."""
    real, seconds = store_module.insert, []

    def timed(*arguments: object) -> None:
        started = time.perf_counter()
        real(*arguments)
        seconds.append(time.perf_counter() - started)

    store_module.insert = timed
    return seconds


def _strokes(case: Case, written: list[float]) -> None:
    written.clear()
    sizes, applied, undone, worked = [], [], [], []
    rng = np.random.default_rng(0)
    for _ in range(20):
        stroke = case.start_stroke("h1", Brush(20.0, "ball", 0, "add"))
        at = np.array([100.0, 200.0, 200.0]) + rng.uniform(-20, 20, 3)
        way = rng.uniform(-1, 1, 3)
        for dab in range(60):
            stroke.move_to(at + way * dab * 0.8)
        started = time.perf_counter()
        case.commit_stroke(stroke)
        applied.append(time.perf_counter() - started)
        assert case.flush() == 0
        sizes.append(len(case.undo_edit.delta.bits))
        for act in (case.undo, case.redo):
            started, begun = time.perf_counter(), time.thread_time()
            act()
            undone.append(time.perf_counter() - started)
            worked.append(time.thread_time() - begun)
        assert case.flush() == 0
    print(f"undo memory of a stroke of 60 dabs: median {statistics.median(sizes):.0f} bytes,")
    print(f"    most {max(sizes)} (reach: 1000)")
    print(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    for what, of in (
        ("stroke applied", applied),
        ("undo or redo", undone),
        ("undo or redo, time of the processor", worked),
        ("write", written),
    ):
        print(f"{what}: median {_ms(of, 50)} ms, p95 {_ms(of, 95)} ms (reach: 10)")


def _many(case: Case, edits: int) -> None:
    """Fill the journal: seven strokes of ten edits, the rest verdicts, notes and undos."""
    rng = np.random.default_rng(1)
    ball = np.linalg.norm((np.indices((17, 29, 29)).T - (8, 14, 14)) / (8, 14, 14), axis=-1).T <= 1
    for n in range(edits - 62):
        match n % 10:
            case 7:
                case.set_verdict("d1", ("accepted", "rejected", "unsure")[n // 10 % 3])
            case 8:
                case.set_note("key-image", f"k{n % 50}", {"n": n})
            case 9:
                case.undo()
            case _:
                target = ("d1", "d2", "h1", "lung_right")[n % 4]
                corner = tuple(int(v) for v in np.add(rng.integers(0, 60, 3), (60, 150, 150)))
                delta = Delta.from_array(ball & (rng.random(ball.shape) < 0.999), corner)
                case.apply(PaintStroke(target, delta, "add", "ball", 20.0))


def _ms(seconds: list[float], share: int) -> float:
    return round(float(np.percentile(seconds, share)) * 1000, 1)


if __name__ == "__main__":
    main()
