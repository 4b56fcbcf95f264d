"""Time from files to voxels, against SimpleITK, in one run: python tests/bench/open_series.py DIR.

Each way runs in a fresh process, in turn, so that neither profits from the other; the time
is the whole process, start of the interpreter and imports included, and beside it the work
alone. Peak memory is that of the process. ``--cold`` drops the page cache before each
(Linux, as root).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PEAK = """
import json, sys, time
try:
    import resource
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
except ImportError:
    peak = lambda: float("nan")
"""
_WAYS = {
    "overread": """
from viewer.study.order import order
from viewer.study.read import read
from viewer.study.scan import scan
begin = time.perf_counter()
found = scan(sys.argv[1])
scanned = time.perf_counter()
plans = [order(series) for series in found.series]
ordered = time.perf_counter()
volumes = [read(plan) for plan in plans]
end = time.perf_counter()
parts = {"scan": scanned - begin, "order": ordered - scanned, "read": end - ordered}
voxels = sum(volume.voxels.size for volume in volumes)
""",
    "SimpleITK": """
import SimpleITK as sitk
begin = time.perf_counter()
reader = sitk.ImageSeriesReader()
images = []
for uid in reader.GetGDCMSeriesIDs(sys.argv[1]):
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(sys.argv[1], uid))
    images.append(reader.Execute())
end = time.perf_counter()
parts = {}
voxels = sum(image.GetNumberOfPixels() for image in images)
""",
}
_END = """
print(json.dumps({"work": end - begin, "peak_mib": peak(), "voxels": voxels, **parts}))
"""


def run(way: str, folder: Path) -> dict[str, float]:
    """Open ``folder`` in a fresh process; seconds and MiB."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _PEAK + _WAYS[way] + _END, str(folder)],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return {"process": time.perf_counter() - begin, **found}


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {way: [] for way in _WAYS}
    for _ in range(options.runs):
        for way in _WAYS:
            if options.cold:
                subprocess.run(["sync"], check=True)
                Path("/proc/sys/vm/drop_caches").write_text("3")
            found[way].append(run(way, options.folder))
    medians = {
        way: {key: statistics.median(each[key] for each in runs) for key in runs[0]}
        for way, runs in found.items()
    }
    for way, values in medians.items():
        print(way, {key: round(value, 3) for key, value in values.items()})
    ours, theirs = medians["overread"], medians["SimpleITK"]
    assert ours["voxels"] == theirs["voxels"]
    for key in ("process", "work", "peak_mib"):
        print(f"{key}: {ours[key] / theirs[key]:.2f} x SimpleITK")


if __name__ == "__main__":
    main()
