"""Time from voxels to findings against MONAI, in one run: python tests/bench/analyze_scan.py DIR.

Both ways are the same model process with the same nets, lungs, candidates and second stage.
The other way makes the heat as MONAI's users do: torch as it stands, SlidingWindowInferer over
every slice of the whole volume. Each run is a fresh process, the ways in turn, and the medians
count. "work" is from voxels to findings, "all" also the start of the process and the pipes;
"cpu" and peak memory are those of the model process (Linux). Where others use the processor too,
"cpu" is what can be compared.

MONAI takes minutes. ``--every 10`` lets it look at each tenth slice only and counts the time of
its stage "detect" ten times; its findings and its "cpu" then mean nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT))

_SERVE = "--serve-monai"


def serve(roi_px: int, every: int) -> int:
    """Be a model process whose heat is made by torch and MONAI."""
    import numpy as np
    import torch
    from monai.inferers import SlidingWindowInferer

    from inference import worker
    from inference.runtime import engine, pipeline
    from inference.runtime.backend import TorchBackend
    from inference.runtime.engine import Engine
    from inference.runtime.grid import Grid
    from inference.runtime.stack import Stack

    inferer = SlidingWindowInferer((roi_px, roi_px), sw_batch_size=4, overlap=0.5)

    class Sliding(Engine):
        def heat(self, stack, where=None, tell=None):
            whole = tuple(slice(0, size) for size in voxels[0].shape)
            grid = Grid.over(whole, stack.grid.spacing_kji_mm)
            slices = Stack(voxels[0], grid)
            rows, columns = grid.size_px
            heat = np.zeros((len(slices), rows, columns), dtype=np.float32)
            net = self.backend._placed["heatmap"]
            with torch.inference_mode():
                for k in range(0, len(slices), every):
                    image = slices.inputs(k, k + 1)[:, :, :rows, :columns]
                    heat[k] = torch.sigmoid(inferer(image, net))[0, 0].numpy()
                    if tell:
                        tell(k + 1, len(slices))
            own = stack.grid
            ks = [int(np.flatnonzero(grid.slices == k)[0]) for k in own.slices]
            at = [
                np.clip(
                    np.round(grid.cells(axis, _middles(own, axis))).astype(int), 0, grid_size - 1
                )
                for axis, grid_size in ((1, rows), (2, columns))
            ]
            out = heat[ks][:, at[0]][:, :, at[1]]
            return out if where is None else out * where

    def _middles(grid, axis):
        size, side = grid.size_px[axis - 1], grid.box[axis]
        return side.start + (np.arange(size) + 0.5) * (side.stop - side.start) / size - 0.5

    voxels: list[Any] = []
    finite = pipeline._finite

    def kept(given):
        voxels[:] = [finite(given)]
        return voxels[0]

    pipeline._finite = kept
    engine.Engine = Sliding
    engine.backend_for = lambda nets, device, tell: TorchBackend(nets, "cpu", tell)
    return worker.main()


def usage() -> tuple[float, float]:
    """Return the CPU seconds and the peak MiB of the one child process."""
    found = (float("nan"), float("nan"))
    for tasks in Path("/proc/self/task").glob("*/children"):
        for pid in tasks.read_text().split():
            status = Path(f"/proc/{pid}/status").read_text()
            peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            found = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), peak
    return found


def run(volume, pack, command: list[str] | None, every: int) -> tuple[dict[str, float], Any]:
    """Analyse in a fresh model process; return seconds and MiB, and the findings."""
    from inference.client import ModelProcess

    begin = time.perf_counter()
    with ModelProcess(command) as process:
        findings = process.analyze(volume, pack, "cpu")
        end = time.perf_counter()
        cpu, peak = usage()
    stages = dict(findings.seconds)
    extra = stages["detect"] * (every - 1)
    stages["detect"] += extra
    values = {
        "all": end - begin + extra,
        "work": sum(stages.values()),
        "cpu": cpu,
        "peak_mib": peak,
    }
    return {**values, **stages}, findings


def main() -> None:
    """Print a table of the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--roi", type=int, default=96, help="rows and columns of MONAI's window")
    parser.add_argument("--every", type=int, default=1, help="slices of which MONAI sees one")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    from inference import registry
    from viewer.study.order import order
    from viewer.study.read import read
    from viewer.study.scan import scan

    volume = read(order(scan([options.folder]).series[0]))
    pack = registry.find("lung-nodule-ct")
    other = [sys.executable, __file__, _SERVE, str(options.roi), str(options.every)]
    ways = {"overread": (None, 1), "torch + MONAI": (other, options.every)}
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    last: dict[str, Any] = {}
    for number in range(options.runs):
        for way, (command, every) in ways.items():
            values, last[way] = run(volume, pack, command, every)
            found[way].append(values)
            seconds = f"{values['work']:.1f} s, {values['peak_mib']:.0f} MiB"
            print(f"run {number + 1}, {way}: {seconds}", file=sys.stderr, flush=True)
    medians = {
        way: {key: statistics.median(each[key] for each in runs) for key in runs[0]}
        for way, runs in found.items()
    }
    ours, theirs = medians.values()
    print(f"{'':10}{'overread':>12}{'MONAI':>12}{'ratio':>8}")
    for key in ours:
        ratio = theirs[key] / ours[key] if ours[key] else float("nan")
        print(f"{key:10}{ours[key]:12.2f}{theirs[key]:12.2f}{ratio:8.1f}")
    for way, findings in last.items():
        count = sum(one.score >= findings.threshold for one in findings.detections)
        print(f"{way}: {findings.device}, {len(findings.detections)} found, {count} shown")
    if options.json:
        report = {
            "shape_kji": volume.shape_kji,
            "roi_px": options.roi,
            "every": options.every,
            "medians": medians,
            "runs": found,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if _SERVE in sys.argv:
        sys.exit(serve(*map(int, sys.argv[2:])))
    main()
