"""What the benches of the window share: the studies, the rounds, the peers, the command line."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench import make_study
from tests.bench.peers import Napari, Pyqtgraph
from tests.bench.station import Station

Times = dict[str, list[float]]
"""Milliseconds of each viewer, ours first."""
SIZE_PX = 1000


class Bench:
    """What all rows share: the studies, the rounds, the peers."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.rounds: int = options.rounds
        self.rows: dict[str, Any] = {}
        self.station: Station | None = None
        self._open: tuple[int, int] | None = None
        self.napari: Napari | None = None

    def study(self, count: int) -> Path:
        """Return the folder of a synthetic series of so many slices, made on first use."""
        folder = Path(self.options.data) / f"ct{count}"
        if not folder.exists():
            make_study.write(folder, count)
        return folder

    def at(self, count: int, candidates: int) -> Station:
        """Return the window with a study and so many candidates."""
        if self._open != (count, candidates):
            self.leave()
            self.station = Station(self.study(count), candidates)
            self._open = (count, candidates)
        assert self.station is not None
        return self.station

    def leave(self) -> None:
        """Close window and peers."""
        for part in (self.napari, self.station):
            if part is not None:
                part.close()
        self.napari = self.station = self._open = None

    def peer_napari(self, station: Station) -> Napari | None:
        """Start napari on the open study, where there is one."""
        if self.options.napari and self.napari is None:
            findings = station.scripted.findings
            assert findings is not None
            self.napari = Napari(self.options.napari, station.case.volume, findings, SIZE_PX)
        return self.napari

    def note(self, name: str, times: Times, reach: str, peer: Pyqtgraph | None = None) -> None:
        """Keep and print the figures of a row."""
        row: dict[str, Any] = {"reach": reach}
        for who, values in times.items():
            row[who] = figures(values)
        if self.station is not None and self.station.cpu_ms:
            # What the processor worked, all threads: other programs hardly stretch it.
            row["overread_cpu"] = figures(self.station.cpu_ms)
            row["yardstick"] = figures(self.station.yard_ms)
            self.station.cpu_ms, self.station.yard_ms = [], []
        if peer is not None and peer.cpu_ms:
            row["pyqtgraph_cpu"] = figures(peer.cpu_ms)
            peer.cpu_ms = []
        ours = next(iter(times.values()))
        for who in list(times)[1:]:
            if who in ("pyqtgraph", "napari"):
                row[f"x_{who}"] = round(statistics.median(times[who]) / statistics.median(ours), 2)
        row["load"] = (
            [round(part, 1) for part in os.getloadavg()] if hasattr(os, "getloadavg") else []
        )
        self.rows[name] = row
        print(name, json.dumps(row), flush=True)


def figures(values: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and extremes, in milliseconds."""
    return {
        "median": round(float(np.median(values)), 2),
        "p95": round(float(np.percentile(values, 95)), 2),
        "min": round(min(values), 2),
        "max": round(max(values), 2),
        "n": len(values),
    }


def main(about: str, rows: Mapping[str, Callable[[Bench], None]], *, rounds: int) -> None:
    """Time the rows that the command line asks for.

    Parameters
    ----------
    about
        What ``--help`` says first.
    rounds
        Where ``--rounds`` says nothing.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rows", nargs="+", choices=rows, default=list(rows))
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--data", default=str(Path(tempfile.gettempdir()) / "overread-bench"))
    here = sys.executable if find_spec("napari") else ""  # the extra "bench" brings it
    parser.add_argument("--napari", default=here, help="a Python that has napari")
    parser.add_argument("--real", type=Path, help="a chest CT for the model's run")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("OVERREAD_HOME", home)
        bench = Bench(options)
        try:
            for row in options.rows:
                rows[row](bench)
        finally:
            bench.leave()
    if options.json is not None:
        found = {
            "platform": os.environ.get("QT_QPA_PLATFORM", "screen"),
            "cores": os.cpu_count(),
            "rows": bench.rows,
        }
        options.json.write_text(json.dumps(found, indent=1))
