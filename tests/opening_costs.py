"""Opens files in a process of its own and tells what came of each and what it cost.

``python -m tests.opening_costs [--any-object]`` reads paths from stdin, one JSON string a line,
and answers with one JSON object a line. With ``--any-object`` the pixels of segmentations and
doses are looked at too, which the program says are no images. No clock on the wall is read: a
busy computer would be measured.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def opened(paths: Iterable[Path], *, any_object: bool = False) -> list[dict[str, Any]]:
    """Open each path in one other process; see ``_open`` for what is told."""
    command = [sys.executable, "-m", "tests.opening_costs", *["--any-object"] * any_object]
    lines = "".join(json.dumps(str(path)) + "\n" for path in paths)
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, encoding="utf-8", cwd=ROOT
    )
    # Whatever a file does, nothing is printed and nothing ends the process.
    assert done.returncode == 0 and not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _open(path: Path) -> dict[str, Any]:
    """Return what came of one file.

    ``sentence`` says why it cannot be shown, empty when it can; then ``shape``, ``kind`` and
    ``digest`` are those of its stored values. ``cpu_s`` is the time it took in both processes,
    ``peak_mb`` the most memory that each of them has held so far.
    """
    import numpy as np

    from resources.problem import Problem
    from viewer.study import decode, pixels
    from viewer.study.scan import scan

    before = _used_s(decode.pids())
    told: dict[str, Any] = {"path": str(path), "sentence": "", "trace": ""}
    try:
        found = scan(path)
        told["skipped"] = [[skipped.path.name, skipped.reason] for skipped in found.skipped]
        instances = [instance for series in found.series for instance in series.instances]
        if not instances:
            told["sentence"] = "; ".join(f"{name}: {reason}" for name, reason in told["skipped"])
        for instance in instances:
            frames = pixels.frames(instance, range(instance.n_frames))
            values = np.stack(frames) if instance.n_frames > 1 else frames[0]
            little = values.astype(values.dtype.newbyteorder("<"), copy=False)
            told |= {
                "shape": list(values.shape),
                "kind": values.dtype.str[1:],
                "digest": hashlib.sha256(little.tobytes()).hexdigest()[:16],
            }
    except Problem as problem:
        told["sentence"] = problem.sentence
    except Exception as error:
        told["trace"] = repr(error)
    pids = decode.pids()
    told["cpu_s"] = _used_s(pids) - before if _used_s(pids) > before else 0.0
    told["peak_mb"] = [_peak_mb("self"), *(_peak_mb(str(pid)) for pid in pids)]
    return told


def _used_s(pids: Iterable[int]) -> float:
    total = time.process_time()
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / 100
    return total


def _peak_mb(process: str) -> float:
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    line = next(line for line in text.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Serve stdin."""
    if "--any-object" in sys.argv:
        from viewer.study import header

        header._NOT_IMAGES, header._SEGMENTATION = frozenset(), "none"
    for line in sys.stdin:
        print(json.dumps(_open(Path(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
