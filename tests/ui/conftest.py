"""A real window on a small phantom, with a scripted model process."""

from __future__ import annotations

import gc
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QThreadPool
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inference.client import Cancelled, Device
from inference.findings import (
    Detection,
    Findings,
    Heatmap,
    Impression,
    Mask,
    ModelStamp,
    Outline,
    Segment,
)
from inference.geometry import kji_to_lps_mm, voxel_volume_mm3
from inference.measure import measure
from inference.protocol import Progress
from viewer.phantom.anatomy import PhantomSpec, make_phantom
from viewer.phantom.dicom import write_series
from viewer.ui.collecting import Collector

from .queue_case import SHOWN, findings_of_twelve

LEAST_MS = 60_000  # of a wait for what is certain to come: a slow machine is no failure


class PatientBot(QtBot):
    """Waits longer than any machine is slow, whatever a test says."""

    def waitUntil(self, callback, *, timeout=LEAST_MS):
        super().waitUntil(callback, timeout=max(timeout, LEAST_MS))

    def waitSignal(self, signal, *, timeout=LEAST_MS, **more):
        return super().waitSignal(signal, timeout=max(timeout, LEAST_MS), **more)

    def waitSignals(self, signals, *, timeout=LEAST_MS, **more):
        return super().waitSignals(signals, timeout=max(timeout, LEAST_MS), **more)

    def waitExposed(self, widget, *, timeout=LEAST_MS):
        return super().waitExposed(widget, timeout=max(timeout, LEAST_MS))


@pytest.fixture
def qtbot(qapp, request):
    return PatientBot(request)


@pytest.fixture(autouse=True)
def nothing_left(qapp):
    """Fail a test that leaves a window, a menu or a dialog standing, or work in the shared pool."""
    yield
    pool, end = QThreadPool.globalInstance(), time.monotonic() + LEAST_MS / 1000
    while pool.activeThreadCount() and time.monotonic() < end:
        QTest.qWait(10)
    left = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    names = [f"{type(w).__name__} {w.windowTitle()!r}" for w in left]
    modal = QApplication.activeModalWidget()
    for widget in left:
        widget.close()  # the next test is not to suffer from it
    assert not names, f"left standing: {names}"
    assert modal is None
    assert QApplication.overrideCursor() is None
    assert not pool.activeThreadCount()


@pytest.fixture(autouse=True, scope="module")
def collector(qapp):
    """Collect garbage as the program does, and leave none of windows to tests of other rooms."""
    made = Collector()
    yield made
    made.close()
    gc.unfreeze()
    gc.collect()


@contextmanager
def no_collecting():
    """Have nothing found by the collector meanwhile."""
    before = gc.get_threshold()
    gc.set_threshold(10**9, 10**9, 10**9)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@pytest.fixture(scope="session")
def phantom():
    return make_phantom(PhantomSpec.small())


@pytest.fixture(scope="session")
def phantom_folder(phantom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom")
    write_series(phantom, folder, order="shuffled")
    return folder


@pytest.fixture(scope="session")
def truth_findings(phantom):
    """Findings that say what the phantom knows, best score first."""
    return findings_of(phantom)


def findings_of(phantom):
    """Return findings that say what a phantom knows, best score first."""
    volume = phantom.volume
    detections = []
    heat = np.zeros(volume.shape_kji, dtype=np.uint8)
    for number, nodule in enumerate(phantom.nodules):
        size = measure(nodule.mask, volume.affine, volume.voxels)
        heat[nodule.mask.box][nodule.mask.voxels] = 230
        detections.append(
            Detection(
                f"d{number + 1}",
                "nodule",
                0.95 - 0.15 * number,
                size.centre_lps_mm,
                size.diameter_mm,
                size.short_axis_mm,
                size.volume_ml,
                size.mean_value,
                nodule.mask,
            )
        )
    segments = tuple(
        Segment(
            f"s-{side}",
            f"lung_{side}",
            phantom.lung(side).count * voxel_volume_mm3(volume.affine) / 1000,
            phantom.lung(side),
        )
        for side in ("right", "left")
    )
    return Findings(
        ModelStamp("scripted", "0", "0" * 64),
        "CPU",
        tuple(detections),
        segments,
        Heatmap((0, 0, 0), heat, "share of readers who would outline it"),
        0.4,
        {"detect": 1.5},
    )


def nothing_there(volume, point_lps_mm, reason="nothing"):
    """Return what the model answers where there is no lesion."""
    nothing = Heatmap((0, 0, 0), np.zeros((1, 1, 1), np.uint8), "share")
    empty = Mask((0, 0, 0), np.zeros((0, 0, 0), bool))
    return Outline(empty, nothing, nothing, 0.02, 0.0, None, reason, "CPU")


def ball_there(volume, point_lps_mm, radius_mm=9.0):
    """Return a ball round the point, as the model would outline a nodule."""
    ones = np.indices(volume.shape_kji).reshape(3, -1).T
    away = kji_to_lps_mm(volume.affine, ones) - np.asarray(point_lps_mm)
    inside = (np.linalg.norm(away, axis=1) <= radius_mm).reshape(volume.shape_kji)
    share = Heatmap((0, 0, 0), np.where(inside, 200, 0).astype(np.uint8), "share")
    said = Impression(3.4, 4.2)
    return Outline(Mask((0, 0, 0), inside), share, share, 0.31, 0.12, said, "", "CPU")


def around_the_click(volume, mask, clicks, radius_mm=4.0):
    """Return the outline with a ball round the latest point taken in or cut off."""
    point = kji_to_lps_mm(volume.affine, clicks[-1].at_kji)
    ball = ball_there(volume, point, radius_mm)
    whole, near = mask.to_array(volume.shape_kji), ball.mask.to_array(volume.shape_kji)
    after = whole | near if clicks[-1].belongs else whole & ~near
    return replace(ball, mask=Mask.from_array(after))


class ScriptedProcess:
    """Has the methods of ``ModelProcess``; answers what a test puts into it."""

    def __init__(self) -> None:
        self.findings = None
        self.problem = None
        self.hold = threading.Event()
        self.hold.set()
        self.killed = threading.Event()
        self.runs = 0
        self.outlined = []  # points, LPS mm
        self.boxes = []  # of what was outlined
        self.outline_at = nothing_there
        self.refined = []  # clicks, those of each time together
        self.refine_with = around_the_click

    def devices(self):
        return (Device("cpu", "CPU"),)

    def analyze(self, volume, pack, device, progress=None):
        self.runs += 1
        self.killed.clear()
        progress(Progress("detect", 1, 4))
        while not self.hold.is_set():
            if self.killed.is_set():
                raise Cancelled
            time.sleep(0.005)
        if self.problem is not None:
            raise self.problem
        return self.findings

    def outline(self, volume, pack, device, point_lps_mm, progress=None, box=None):
        self.outlined.append(tuple(point_lps_mm))
        self.boxes.append(box)
        self._hold()
        return self.outline_at(volume, point_lps_mm)

    def refine(self, volume, pack, device, mask, clicks, progress=None):
        self.refined.append(tuple(clicks))
        self._hold()
        return self.refine_with(volume, mask, clicks)

    def _hold(self):
        self.killed.clear()
        while not self.hold.is_set():
            if self.killed.is_set():
                raise Cancelled
            time.sleep(0.005)
        if self.problem is not None:
            raise self.problem

    def cancel(self):
        self.killed.set()

    def close(self):
        self.killed.set()


@pytest.fixture
def process(monkeypatch, truth_findings):
    scripted = ScriptedProcess()
    scripted.findings = truth_findings
    monkeypatch.setattr("viewer.ui.engine.ModelProcess", lambda: scripted)
    # The small phantom is coarser than the pack allows; eligibility has its own tests.
    monkeypatch.setattr("inference.registry.eligibility", lambda pack, volume: ())
    return scripted


@pytest.fixture
def window(qapp, qtbot, process):
    from viewer.ui import app
    from viewer.ui.main_window import MainWindow

    app.theme.apply_theme(qapp)
    # Where the test before left it, it may lie over a view, which would take it for a hand.
    QCursor.setPos(QPoint(0, 0))
    made = MainWindow()
    made.move(40, 40)
    made.resize(1500, 900)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
    made.deleteLater()
    QTest.qWait(20)


@pytest.fixture
def opened(window, qtbot, phantom_folder):
    """The window with the phantom open."""
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([phantom_folder])
    qtbot.waitUntil(lambda: window.views.views[0].isVisible())
    settle(window)
    return window


@pytest.fixture
def reviewed(opened, qtbot):
    """The window with the phantom open and the model's findings in."""
    with qtbot.waitSignal(opened.ai.ended, timeout=10_000):
        opened.ai.run()
    qtbot.waitUntil(lambda: opened.reading.selected is not None)
    settle(opened)
    return opened


@pytest.fixture
def two(window, qtbot, tmp_path):
    """Open a thick axial series with others of its frame of reference beside it."""
    from .beside_cases import AXIAL, open_in, write

    def make(*others):
        write(tmp_path, "thick", AXIAL, 34)
        for name, grid in others:
            write(tmp_path, name, grid, 30)
        open_in(window, qtbot, tmp_path)
        assert window.reading.case.series.description == "thick"
        return window

    return make


@pytest.fixture
def twelve(process, phantom, truth_findings):
    process.findings = findings_of_twelve(phantom, truth_findings)
    return process.findings


@pytest.fixture
def full(twelve, reviewed):
    """The window with twelve findings listed, and three under the threshold."""
    reviewed.set_reader("Dr. A. Test")
    assert reviewed.panel.list.count() == SHOWN
    reviewed.reading.select(reviewed.reading.lesions[0].id)
    settle(reviewed)
    return reviewed


def settle(window):
    """Let queued signals and paints run."""
    for _ in range(3):
        QTest.qWait(10)


def run_ends_in_a_stroke(window, qtbot):
    """Begin a stroke on a new lesion and let a run end in it; return the view and the pointer."""
    window.corrections.add_missed(window.reading.cursor_lps_mm)
    view = window.views.views[0]
    at = view.cursor_px().toPoint()
    end = at + QPoint(10, 0)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(view.viewport(), end)
    window.ai.run()
    qtbot.waitUntil(lambda: not window.ai.engine.running)
    return view, end
