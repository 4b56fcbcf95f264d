"""Speed of the views, of the real window, side by side with other viewers: views.py.

From the event of the mouse or the slider to the last pixel painted, with nothing left in the
queue; the paint of the panel and the status line is in it. Other viewers show the same voxels,
heatmap and masks in a view of the same size, in turn with ours in the same run: on a machine
that is busy with other things look at the ratios. The other viewers draw no text, no crosshair
and no outlines, and they do not smooth the pixels.

``QT_QPA_PLATFORM=offscreen`` draws into memory; ``xvfb-run -a`` gives a screen. Napari is found by
``--napari PYTHON``, an interpreter that has it (by default this one, with the extra ``bench``);
without, it is left out. All is written as JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt

from tests.bench import rows
from tests.bench.heartbeat import keys_row, memory_row, stall_row
from tests.bench.peers import Pyqtgraph
from tests.bench.rows import SIZE_PX, Bench, Times
from tests.bench.station import Act, mouse, wheel

_A_ROUND = 24
_HAND_S = 1 / 60
_AXIAL = "median <= 2.5, p95 <= 5; >= 2.5x pyqtgraph, >= 12x napari"
_MOVE = QEvent.Type.MouseMove


def axial(bench: Bench) -> None:
    """One view of 1000 x 1000, grey, mask and heatmap: the next slice, by the wheel.

    One right after the other, as no hand turns a wheel, and 60 a second, as a quick one does:
    then the time between two slices is there to make the next one ready.
    """
    station = bench.at(500, 12)
    assert station.scripted.findings is not None
    peer = Pyqtgraph(station.app, station.case.volume, station.scripted.findings, SIZE_PX)
    napari = bench.peer_napari(station)
    view = station.alone(0, SIZE_PX)
    for name, lungs, pause_s in (
        ("axial", True, 0.0),
        ("axial, 60 a second", True, _HAND_S),
        ("axial, lesions alone", False, 0.0),
        ("axial, lesions alone, 60 a second", False, _HAND_S),
    ):
        station.overlays(heatmap=True, fill=lungs, anatomy=lungs)
        times: Times = {"overread": [], "pyqtgraph": []}
        if napari is not None:
            times["napari"] = []
        at = 100
        station.window.reading.show_slice(view.plane, at)
        station.pump(0.2)
        for _ in range(bench.rounds):
            steps: list[Act] = [lambda: wheel(view, 1)] * _A_ROUND
            before = view.index
            times["overread"] += station.times(steps, pause_s)
            assert abs(view.index - before) == _A_ROUND
            indices = list(range(at, at + _A_ROUND))
            for index in indices:
                times["pyqtgraph"].append(peer.timed(lambda index=index: peer.show(0, index)))
            if napari is not None:
                times["napari"] += napari.ask(axis=0, slices=indices[: _A_ROUND // 3])
            at = 100 + (at - 100 + _A_ROUND) % 200
        bench.note(name, times, _AXIAL, peer)
    peer.close()


def crosshair(bench: Bench) -> None:
    """Three views with overlays: the crosshair follows the pointer."""
    station = bench.at(500, 12)
    station.three()
    for name, fill, anatomy in (
        ("crosshair drag", False, False),
        ("crosshair drag, lungs filled", True, True),
    ):
        station.overlays(heatmap=True, fill=fill, anatomy=anatomy)
        view = station.window.views.views[0]
        middle = QPointF(view.rect().center())

        def to(x: float, y: float, view: Any = view, middle: QPointF = middle) -> None:
            shift = Qt.KeyboardModifier.ShiftModifier
            mouse(view, QEvent.Type.MouseMove, middle + QPointF(x, y), keys=shift)

        times: Times = {"overread": []}
        for turn in range(bench.rounds):
            steps: list[Act] = []
            for n in range(_A_ROUND):
                angle = (turn * _A_ROUND + n) / 17
                x, y = 120 * np.cos(angle), 110 * np.sin(angle * 1.3)
                steps.append(lambda x=x, y=y: to(x, y))
            times["overread"] += station.times(steps)
        bench.note(name, times, "p95 <= 16")


def across(bench: Bench) -> None:
    """Coronal and sagittal slices of 512 x 512 x 500, by the wheel."""
    station = bench.at(500, 12)
    peer = Pyqtgraph(station.app, station.case.volume, None, SIZE_PX)
    for heatmap, pause_s in ((False, 0.0), (False, _HAND_S), (True, 0.0), (True, _HAND_S)):
        station.overlays(heatmap=heatmap)
        for number, axis, name in ((1, 1, "coronal"), (2, 2, "sagittal")):
            view = station.alone(number, SIZE_PX)
            times: Times = {"overread": [], "pyqtgraph": []}
            at = 150
            station.window.reading.show_slice(view.plane, at)
            station.pump(0.2)
            for _ in range(bench.rounds):
                steps: list[Act] = [lambda view=view: wheel(view, -1)] * 8
                before = view.index
                times["overread"] += station.times(steps, pause_s)
                assert abs(view.index - before) == 8
                for index in range(at, at + 8):
                    shown = lambda axis=axis, index=index: peer.show(axis, index)  # noqa: E731
                    times["pyqtgraph"].append(peer.timed(shown))
                at += 8
            name += ", heatmap" if heatmap else ""
            name += ", 60 a second" if pause_s else ""
            bench.note(name, times, "median <= 4", peer)
    peer.close()


def window_drag(bench: Bench) -> None:
    """Window and level by dragging, three views."""
    station = bench.at(500, 12)
    station.three()
    for heatmap in (False, True):
        station.overlays(heatmap=heatmap)
        view = station.window.views.views[0]
        station.window.reading.set_tool("window")
        left = Qt.MouseButton.LeftButton
        middle = QPointF(view.rect().center())
        mouse(view, QEvent.Type.MouseButtonPress, middle, left)
        times: Times = {"overread": []}
        for turn in range(bench.rounds):
            steps: list[Act] = []
            for n in range(_A_ROUND):
                angle = (turn * _A_ROUND + n) / 9
                to = middle + QPointF(90 * np.sin(angle), 70 * np.cos(angle) - 70)
                steps.append(lambda to=to, at=view, by=left: mouse(at, _MOVE, to, by))
            times["overread"] += station.times(steps)
        mouse(view, QEvent.Type.MouseButtonRelease, middle, left)
        station.pump(0.2)
        bench.note("window drag, heatmap" if heatmap else "window drag", times, "p95 <= 8")


def threshold(bench: Bench) -> None:
    """The score slider, 512 x 512 x 400, 50 candidates, to list and overlay."""
    station = bench.at(400, 50)
    station.three()
    station.overlays(heatmap=True)
    slider = station.window.panel.threshold.slider
    generator = np.random.default_rng(2)
    times: Times = {"overread": []}
    for _ in range(bench.rounds):
        for value in (0, 98, *(int(v) for v in generator.integers(0, 99, _A_ROUND // 3))):
            if value == slider.value():
                continue
            times["overread"].append(station.timed(lambda value=value: slider.setValue(value)))
            rows = station.window.panel.list.count()
            assert rows == sum(x.score >= value / 100 for x in station.case.document.lesions)
    bench.note("threshold", times, "<= 50")


def slab(bench: Bench) -> None:
    """A slab of 20 slices while scrolling, alone in 1000 x 1000."""
    from viewer.display.slab import Slab

    station = bench.at(500, 12)
    station.overlays(heatmap=False)
    spacing = station.case.volume.spacing_kji_mm
    for number, name in ((0, "axial"), (1, "coronal"), (2, "sagittal")):
        view = station.alone(number, SIZE_PX)
        for mode in ("mip", "minip", "mean"):
            view.set_slab(Slab(mode, 20 * spacing[view.plane.axis]))
            station.window.reading.show_slice(view.plane, 200)
            station.pump(0.2)
            times: Times = {"overread": []}
            for _ in range(bench.rounds):
                steps: list[Act] = [lambda view=view: wheel(view, -1)] * 8
                times["overread"] += station.times(steps)
                steps = [lambda view=view: wheel(view, 1)] * 4
                times["overread"] += station.times(steps)
            bench.note(f"slab {mode} {name}", times, "p95 <= 16")
        view.set_slab(None)


ROWS: dict[str, Callable[[Bench], None]] = {
    "axial": axial,
    "crosshair": crosshair,
    "across": across,
    "window": window_drag,
    "slab": slab,
    "threshold": threshold,
    "stall": stall_row,
    "keys": keys_row,
    "memory": memory_row,
}


if __name__ == "__main__":
    rows.main(__doc__, ROWS, rounds=8)
