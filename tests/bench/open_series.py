"""Time from files to voxels, side by side with other readers: open_series.py DIR.

Each way runs in a fresh process, in turn, so that neither profits from the other. ``process``
is the whole of it, start of the interpreter and imports included; ``cpu`` is what it and its
children used of the processors, which tells more on a machine that is busy with other things;
``peak_mib`` is the peak memory of the process. ``--cold`` drops the page cache before each
(Linux, as root). ``make_study.py`` writes studies to open.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_BEGIN = """
import json, sys, time
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
    "pydicom loop": """
from pathlib import Path
import numpy as np
import pydicom
begin = time.perf_counter()
slices = [pydicom.dcmread(path) for path in Path(sys.argv[1]).iterdir()]
slices.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
volume = np.stack([ds.pixel_array * ds.RescaleSlope + ds.RescaleIntercept for ds in slices])
volume = volume.astype(np.int16)
end = time.perf_counter()
parts = {}
voxels = volume.size
""",
}
_END = """
print(json.dumps({"work": end - begin, "voxels": voxels, **parts}))
"""


def run(way: str, folder: Path) -> dict[str, float]:
    """Open ``folder`` in a fresh process; seconds and MiB."""
    with tempfile.TemporaryDirectory() as out:
        if way == "dcm2niix":
            program = shutil.which("dcm2niix", path=str(Path(sys.executable).parent))
            assert program is not None, "pip install dcm2niix"
            command = [program, "-z", "n", "-b", "n", "-o", out, str(folder)]
        else:
            command = [sys.executable, "-c", _BEGIN + _WAYS[way] + _END, str(folder)]
        begin = time.perf_counter()
        with Path(out, "said").open("w+") as said:
            started = subprocess.Popen(command, cwd=_ROOT, stdout=said)
            usage, status = _wait(started)
            seconds = time.perf_counter() - begin
            assert status == 0, way
            said.seek(0)
            text = said.read()
        found: dict[str, float] = {} if way == "dcm2niix" else json.loads(text)
        return {"process": seconds, **usage, **found}


def _wait(started: subprocess.Popen[bytes]) -> tuple[dict[str, float], int]:
    """Return what a process used, and how it ended."""
    if not hasattr(os, "wait4"):
        return {}, started.wait()
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    usage = {"cpu": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / per_mib}
    return usage, started.returncode


def main() -> None:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument(
        "--ways", nargs="+", choices=(*_WAYS, "dcm2niix"), default=["overread", "SimpleITK"]
    )
    options = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {way: [] for way in options.ways}
    for _ in range(options.runs):
        for way in options.ways:
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
    ours = found[options.ways[0]]
    for way in options.ways[1:]:
        theirs = found[way]
        if "voxels" in theirs[0]:
            assert ours[0]["voxels"] == theirs[0]["voxels"], way
        for key in ("process", "cpu", "work", "peak_mib"):
            if key in theirs[0]:
                # Of each pair, for the load of a machine changes from one minute to the next.
                ratios = [a[key] / b[key] for a, b in zip(ours, theirs, strict=True)]
                print(
                    f"{key}: {statistics.median(ratios):.2f} x {way} "
                    f"({min(ratios):.2f} to {max(ratios):.2f})"
                )


if __name__ == "__main__":
    main()
