"""Time from a click to its outline, the model warm: python tests/bench/outline.py DIR --at X Y Z.

Then the time of a point that corrects it: one taken in beside its edge, one cut off within.

Both ways are the same model process with the same nets; one runs them by what the program picks
for the CPU, the other by torch as it stands. They take turns, and the medians count. The time is
that of the whole request: cutting the voxels round the point, the pipes, three looks, the answer.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT))

_SERVE = "--serve-torch"


def serve() -> int:
    """Be a model process whose nets are run by torch as it stands."""
    from inference import worker
    from inference.runtime import engine
    from inference.runtime.backend import TorchBackend

    engine.backend_for = lambda nets, device, tell=None: TorchBackend(nets, "cpu", tell)
    return worker.main()


def main() -> int:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="folder of one chest CT")
    parser.add_argument("--at", type=float, nargs=3, required=True, metavar=("X", "Y", "Z"))
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()

    from inference import registry
    from inference.client import ModelProcess
    from viewer.study.order import order
    from viewer.study.read import read
    from viewer.study.scan import scan

    volume = read(order(scan([options.study]).series[0]))
    pack = registry.find("lung-nodule-ct")
    ways = {
        "overread": ModelProcess(),
        "torch eager": ModelProcess([sys.executable, __file__, _SERVE]),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    said = {}
    for run in range(options.runs + 1):
        for name, process in ways.items():
            began = time.perf_counter()
            outline = process.outline(volume, pack, "cpu", options.at)
            # The first run of each loads the model.
            if run:
                taken[name].append(time.perf_counter() - began)
            said[name] = f"{outline.mask.count} voxels, score {outline.score:.3f}"
    refining = refined(ways["overread"], volume, pack, options)
    for name, process in ways.items():
        process.close()
        median = statistics.median(taken[name])
        print(f"{name:12} {median * 1000:6.0f} ms   {said[name]}")
    ratio = statistics.median(taken["torch eager"]) / statistics.median(taken["overread"])
    print(f"ratio {ratio:.2f}")
    for name, times in refining.items():
        print(f"{name:12} {statistics.median(times) * 1000:6.0f} ms")
    return 0


def refined(process: Any, volume: Any, pack: Any, options: Any) -> dict[str, list[float]]:
    """Return the seconds of points that correct the outline, taken in and cut off."""
    import numpy as np

    from inference.refine import Click

    mask = process.outline(volume, pack, "cpu", options.at).mask
    middle = len(mask.voxels) // 2
    row = int(mask.voxels[middle].sum(axis=1).argmax())
    last = int(np.flatnonzero(mask.voxels[middle, row])[-1])
    k, j, i = np.add(mask.origin_kji, (middle, row, last)).tolist()
    clicks = {"taken in": Click((k, j, i + 2), True), "cut off": Click((k, j, i - 1), False)}
    taken: dict[str, list[float]] = {name: [] for name in clicks}
    for _ in range(options.runs):
        for name, click in clicks.items():
            began = time.perf_counter()
            process.refine(volume, pack, "cpu", mask, [click])
            taken[name].append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    raise SystemExit(serve() if _SERVE in sys.argv else main())
