"""Rows of ``views.py`` that are no acts of the hand: stalls, first presses, resident memory."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer

from tests.bench.station import Station

if TYPE_CHECKING:
    from tests.bench.rows import Bench

_BEAT_MS = 10
_NO_KEYS = frozenset({"quit", "open", "open_file", "sample", "run", "export", "next_case"})


class Heart(QObject):
    """A timer of 10 ms in the GUI thread; what comes later than due is a stall."""

    def __init__(self) -> None:
        super().__init__()
        self.late_ms: list[float] = []
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        self.late_ms = []
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> dict[str, float]:
        """Return the figures, in milliseconds: how much later than due each beat came."""
        self._timer.stop()
        late = self.late_ms
        return {
            "median": round(float(np.median(late)), 2),
            "p99": round(float(np.percentile(late, 99)), 2),
            "max": round(max(late), 2),
            "n": len(late),
        }

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late_ms.append(max(0.0, (now - self._last) * 1000 - _BEAT_MS))
        self._last = now


def _spin(station: Station, until: Any, seconds: float) -> None:
    """Let the event loop wait as it does in the program, not poll."""
    from PySide6.QtCore import QEventLoop

    loop = QEventLoop()
    end = time.monotonic() + seconds
    look = QTimer()
    look.timeout.connect(lambda: loop.quit() if until() or time.monotonic() > end else None)
    look.start(50)
    loop.exec()
    look.stop()
    assert until(), "it never came"


def stall_row(bench: Bench) -> None:
    """Stalls while a series is read, while the real model runs, while the case is exported."""
    import tempfile

    bench.leave()
    big, real = bench.study(500), bench.options.real
    row: dict[str, Any] = {"reach": "p99 <= 30, max <= 100"}
    heart = Heart()
    station = Station(bench.study(20), None)
    window = station.window
    station.pump(2.0)
    heart.start()
    window.open_paths([big])
    _spin(station, lambda: station.case is not None and len(station.case.volume.voxels) == 500
          and not window.opener.busy, 120)  # fmt: skip
    _spin(station, lambda: not station._busy(), 60)
    row["load"] = heart.stop()
    if real is not None:
        heart.start()
        window.open_paths([real])
        _spin(station, lambda: station.case is not None and not window.opener.busy
              and len(station.case.volume.voxels) != 500, 120)  # fmt: skip
        _spin(station, lambda: not station._busy(), 60)
        row["second study"] = heart.stop()
    station.pump(1.0)
    assert not window.ai.why_not(), window.ai.why_not()
    problems: list[object] = []
    window.ai.ended.connect(problems.append)
    heart.start()
    window.ai.run()
    _spin(station, lambda: not window.ai.engine.running and window.ai._case is None, 600)
    _spin(station, lambda: not station._busy(), 60)
    row["inference"] = heart.stop()
    assert station.case.document.findings is not None, problems
    with tempfile.TemporaryDirectory() as folder:
        ended: list[object] = []
        window.exporter.ended.connect(lambda folder, problem: ended.append((folder, problem)))
        heart.start()
        window.export_to(Path(folder), None)
        _spin(station, lambda: bool(ended), 300)
        row["export"] = heart.stop()
        assert ended[0][1] is None, ended  # type: ignore[index]
        # Closed in the middle of it all: a run, an export, a series that is being read.
        window.ai.run()
        window.export_to(Path(folder) / "again", None)
        _spin(station, lambda: bool(window.ai.engine.last), 60)
        window.open_paths([big])
        _spin(station, lambda: window.opener.busy, 20)
        begin = time.perf_counter()
        window.close()
        row["close"] = {"reach": "<= 1000", "ms": round((time.perf_counter() - begin) * 1000)}
    row["machine"] = [round(part, 1) for part in os.getloadavg()]
    heart.deleteLater()
    station.close()
    bench.rows["stall"] = row
    print("stall", row, flush=True)


def keys_row(bench: Bench) -> None:
    """Every command once on a case with findings, of those that open no file: the first press.

    From the press to the end of all that it asked for, paints included; what is imported late,
    or made on first use, is in it. A dialog is closed by the next beat.
    """
    from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

    station = bench.at(500, 12)
    station.three()
    window = station.window

    def close_dialog() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog):
            dialog.reject()

    asked = {name: getattr(QFileDialog, name) for name in vars(QFileDialog) if "get" in name}
    for name in asked:
        setattr(QFileDialog, name, staticmethod(lambda *_a, **_k: ("", "")))
    closer = QTimer()
    closer.timeout.connect(close_dialog)
    closer.start(20)
    took: dict[str, float] = {}
    try:
        for name, action in window.actions_by_id.items():
            if name in _NO_KEYS or not action.isEnabled():
                continue
            took[name] = round(station.timed(action.trigger), 1)
            station.pump(0.15)
            assert station.case is not None, name
    finally:
        closer.stop()
        for name, own in asked.items():
            setattr(QFileDialog, name, own)
        bench.leave()
    slow = sorted(took.items(), key=lambda pair: -pair[1])
    row = {"reach": "<= 100", "pressed": len(took), "over 50 ms": {n: t for n, t in slow if t > 50}}
    bench.rows["keys"] = row
    print("keys", row, flush=True)


def memory_row(bench: Bench) -> None:
    """Resident memory of the window's process with 512 x 512 x 500 and its results open."""
    import json
    import subprocess
    import sys
    import tempfile

    bench.leave()
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-c", _OPEN, str(bench.study(500))],
            cwd=Path(__file__).resolve().parents[2], check=True, capture_output=True, text=True,
            env={**os.environ, "OVERREAD_HOME": home},
        )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    found["reach"] = round(2.2 * found["voxels_mb"] + 250)
    bench.rows["memory"] = found
    print("memory", found, flush=True)


_OPEN = """
import json, sys
from pathlib import Path
from tests.bench.station import Station
def resident_mb():
    text = Path("/proc/self/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return round(int(line.split()[1]) * 1024 / 1e6)
station = Station(Path(sys.argv[1]), 12)
found = {"voxels_mb": round(station.case.volume.voxels.nbytes / 1e6)}
findings = station.scripted.findings
found["heatmap_mb"] = round(findings.heatmap.values.nbytes / 1e6)
found["masks_mb"] = round(sum(s.mask.voxels.nbytes for s in findings.segments) / 1e6)
found["opened_mb"] = resident_mb()
station.three()
station.overlays(heatmap=True, fill=True, anatomy=True)
for view in station.window.views.views:
    for step in range(60):
        view.scroll_slices(1 if step < 40 else -2)
        station.pump(0.004)
found["read_mb"] = resident_mb()
station.close()
print(json.dumps(found))
"""
