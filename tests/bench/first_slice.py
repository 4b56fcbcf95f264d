"""Start of the program, and the time from a drop to the first slice: first_slice.py DIR.

Each run is a fresh process with the real window, all of it idle before the folder is dropped.
Start: from the start of the interpreter to a painted window with an idle event loop, without
a study. First slice: from the drop of the folder to the end of the paint that shows a slice.
On a machine that is busy with other things look at the processor's time: ``start_cpu`` is that
of the whole process, ``path_cpu`` that of the threads between which the drop goes on to the
first slice (scan, first slice, window), one after the other.
Without a screen Qt draws into memory (``QT_QPA_PLATFORM=offscreen``).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_RUN = """
import json, sys, time
from pathlib import Path
from PySide6.QtCore import QEventLoop, QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from viewer.ui import app as start
from viewer.study.staged import StagedRead
from viewer.ui import opener, slice_item, staging
start.start_log()
app = start.make_app()
start.install_net()
from viewer.ui.main_window import MainWindow
window = MainWindow()
start.show_within_screen(window)
idle = QEventLoop()
QTimer.singleShot(0, idle.quit)
idle.exec()
app.processEvents()
marks = {"usable": time.time(), "torch": "torch" in sys.modules}
marks["start_cpu"] = time.process_time()
if len(sys.argv) > 1:
    settle = QEventLoop()
    QTimer.singleShot(1000, settle.quit)
    settle.exec()
    paint = slice_item.SliceItem.paint
    loop = QEventLoop()
    def noted(item, *args):
        paint(item, *args)
        if item.shows_image and "painted" not in marks:
            marks["painted"] = time.perf_counter() - begin
            marks["path_cpu"] = time.thread_time() - begin_cpu + sum(path.values())
    slice_item.SliceItem.paint = noted
    path = {}
    scan, shown = opener._scan_and_order, staging.ShownCase
    def timed_scan(*args):
        spent = time.thread_time()
        found = scan(*args)
        path["scan"] = time.thread_time() - spent
        return found
    def timed_read(plan):
        path["spent"] = -time.thread_time()
        return StagedRead(plan)
    def timed_shown(*args):
        path["spent"] += time.thread_time()
        return shown(*args)
    opener._scan_and_order = timed_scan
    staging.StagedRead, staging.ShownCase = timed_read, timed_shown
    window.opener.found.connect(lambda _s: marks.setdefault("found", time.perf_counter() - begin))
    window.opener.shown.connect(lambda _s: marks.setdefault("shown", time.perf_counter() - begin))
    def opened(_case):
        marks["opened"] = time.perf_counter() - begin
        QTimer.singleShot(50, loop.quit)
    window.opener.opened.connect(opened)
    worst = [0.0, time.perf_counter()]
    def beat():
        now = time.perf_counter()
        worst[0] = max(worst[0], now - worst[1])
        worst[1] = now
    pulse = QTimer()
    pulse.timeout.connect(beat)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(sys.argv[1])])
    drop = QDropEvent(QPointF(400, 400), Qt.DropAction.CopyAction, data,
                      Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    begin = worst[1] = time.perf_counter()
    begin_cpu = time.thread_time()
    pulse.start(1)
    window.dropEvent(drop)
    loop.exec()
    marks["worst_stall"] = worst[0]
    marks["torch"] = "torch" in sys.modules
window.close()
print(json.dumps(marks), flush=True)
"""


def run(folder: Path | None) -> dict[str, float]:
    """Start the program in a fresh process, drop ``folder`` when there is one; seconds."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "OVERREAD_HOME": home}
        begin = time.time()
        done = subprocess.run(
            [sys.executable, "-c", _RUN, *([str(folder)] if folder else [])],
            cwd=_ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    found: dict[str, float] = json.loads(done.stdout)
    found["start"] = found.pop("usable") - begin
    assert not found.pop("torch"), "the window must not load torch"
    return found


def main() -> None:
    """Print the medians and the extremes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    found = [run(options.folder) for _ in range(options.runs)]
    for key in found[0]:
        values = [each[key] for each in found]
        print(
            f"{key}: median {statistics.median(values):.3f} s, "
            f"{min(values):.3f} to {max(values):.3f}"
        )


if __name__ == "__main__":
    main()
