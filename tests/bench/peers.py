"""Other viewers for the benches, on the same voxels: pyqtgraph's ImageItem, and napari.

pyqtgraph draws in this process; napari in one of its own (``napari_peer.py``, any Python that
has it), with a virtual X server where there is no other screen, for it draws by OpenGL.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

from inference.findings import Findings
from inference.volume import Volume
from tests.bench.station import finish
from viewer.display.overlays import heat_colours


class Pyqtgraph:
    """Grey, mask and heatmap as three ``ImageItem`` in one view of a given size."""

    def __init__(
        self, app: QApplication, volume: Volume, findings: Findings | None, size_px: int
    ) -> None:
        self._app = app
        self.cpu_ms: list[float] = []  # of all threads, of each act
        self._voxels = volume.voxels
        self._heat = self._mask = None
        self.view = pg.GraphicsView()
        self.view.resize(size_px, size_px)
        box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False)
        self.view.setCentralItem(box)
        self._grey = pg.ImageItem(axisOrder="row-major", levels=(-1350, 150))
        box.addItem(self._grey)
        if findings is not None and findings.heatmap is not None:
            self._heat = _whole(findings, volume)
            self._mask = _masks(findings, volume)
            colours = np.zeros((256, 4), dtype=np.uint8)
            colours[:, :3], colours[26:, 3] = heat_colours(), 115
            self._heat_item = pg.ImageItem(axisOrder="row-major", levels=(0, 255), lut=colours)
            fill = np.array([[0, 0, 0, 0], [230, 159, 0, 64]], dtype=np.uint8)
            self._mask_item = pg.ImageItem(axisOrder="row-major", levels=(0, 1), lut=fill)
            box.addItem(self._heat_item)
            box.addItem(self._mask_item)
        self.view.show()
        self.show(0, 0)
        box.autoRange(padding=0)
        finish(app)

    def show(self, axis: int, index: int) -> None:
        """Show another slice along an index axis."""
        at = (slice(None),) * axis + (index,)
        self._grey.setImage(self._voxels[at], autoLevels=False)
        if self._heat is not None:
            self._heat_item.setImage(self._heat[at], autoLevels=False)
            self._mask_item.setImage(self._mask[at], autoLevels=False)

    def level(self, low: float, high: float) -> None:
        """Show other grey levels."""
        self._grey.setLevels((low, high))

    def timed(self, act: Any) -> float:
        """Return the milliseconds from an act to the end of its paint."""
        begin, spent = time.perf_counter(), time.process_time()
        act()
        finish(self._app)
        self.cpu_ms.append((time.process_time() - spent) * 1000)
        return (time.perf_counter() - begin) * 1000

    def close(self) -> None:
        self.view.close()
        self.view.deleteLater()
        finish(self._app)


def _whole(findings: Findings, volume: Volume) -> Any:
    assert findings.heatmap is not None
    whole = np.zeros(volume.shape_kji, dtype=np.uint8)
    whole[findings.heatmap.box] = findings.heatmap.values
    return whole


def _masks(findings: Findings, volume: Volume) -> Any:
    whole = np.zeros(volume.shape_kji, dtype=np.uint8)
    for found in (*findings.detections, *findings.segments):
        whole[found.mask.box] |= found.mask.voxels
    return whole


class Napari:
    """The same in napari, in a process of its own.

    Parameters
    ----------
    python
        Interpreter that has napari.
    """

    def __init__(self, python: str, volume: Volume, findings: Findings, size_px: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        np.save(folder / "grey.npy", volume.voxels)
        np.save(folder / "heat.npy", _whole(findings, volume))
        np.save(folder / "mask.npy", _masks(findings, volume))
        script = Path(__file__).with_name("napari_peer.py")
        command = [python, str(script), str(folder), str(size_px)]
        environment = dict(os.environ)
        if sys.platform == "linux":
            environment["QT_QPA_PLATFORM"] = "xcb"
            xvfb = shutil.which("xvfb-run")
            assert xvfb is not None, "napari draws by OpenGL: install xvfb"
            command = [xvfb, "-a", "-s", "-screen 0 1920x1200x24", *command]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
        self.about = self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError("napari ended")

    def ask(self, **request: object) -> list[float]:
        """Let napari show slices; return the milliseconds of each."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        times: list[float] = self._answer()["ms"]
        return times

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._folder.cleanup()
