"""The real window for the benches: opens a study, acts as a hand does, waits for the paint.

An act is timed from the event to the moment when everything that it asked for is painted and
the event loop has nothing left to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from inference.client import Device, ModelProcess
from inference.findings import Detection, Findings, Heatmap, Mask, ModelStamp, Segment
from inference.geometry import kji_to_lps_mm, voxel_volume_mm3
from inference.measure import measure
from inference.volume import Volume

Act = Callable[[], object]


class Scripted:
    """A model process that answers at once with the findings it was given."""

    def __init__(self) -> None:
        self.findings: Findings | None = None

    def devices(self) -> tuple[Device, ...]:
        return (Device("cpu", "CPU"),)

    def analyze(self, *_args: object, **_more: object) -> Findings:
        assert self.findings is not None
        return self.findings

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        pass


class Paints(QObject):
    """Counts the paints of a widget."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.count += 1
        return False


class Station:
    """The window with one study open and findings over it.

    Parameters
    ----------
    folder
        DICOM files.
    candidates
        How many findings the scripted model answers with; None: the real model stays.
    """

    def __init__(self, folder: Path, candidates: int | None = 12) -> None:
        from viewer.ui import app as start
        from viewer.ui import engine

        self.app = start.make_app()
        self.scripted = Scripted()
        self.cpu_ms: list[float] = []  # of all threads, of each act
        self.yard_ms: list[float] = []  # after each act
        # Also back: a station before this one may have had a scripted model.
        engine.ModelProcess = (  # type: ignore[assignment, misc]
            ModelProcess if candidates is None else lambda: self.scripted
        )
        from viewer.ui.main_window import MainWindow

        self.window = MainWindow()
        self.window.resize(1680, 1050)
        self.window.show()
        self.pump(0.3)
        self.window.open_paths([folder])
        self.pump(120, lambda: self.case is not None and not self.window.opener.busy)
        self.pump(0.5)
        if candidates is not None:
            self.scripted.findings = scripted_findings(self.case.volume, candidates)
            self.window.ai.reasons = ()
            self.window.ai.run()
            self.pump(60, lambda: self.case.document.findings is not None)
        # Whatever is made in the background is there before anything is timed.
        self.pump(30, lambda: not self._busy())
        self.pump(1.0)

    @property
    def case(self) -> Any:
        return self.window.reading.case

    def _busy(self) -> bool:
        return bool(self.window.reordering.busy)

    def pump(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let the window work for a while, or until something holds; tell whether it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if until():
                return True
            self.app.processEvents()
            time.sleep(0.002)
        return until()

    def timed(self, act: Act) -> float:
        """Return the milliseconds from an act to the end of all that it asked for."""
        begin, spent = time.perf_counter(), time.process_time()
        act()
        finish(self.app)
        taken = (time.perf_counter() - begin) * 1000
        self.cpu_ms.append((time.process_time() - spent) * 1000)
        self.yard_ms.append(yardstick())
        return taken

    def times(self, acts: list[Act], pause_s: float = 0.0) -> list[float]:
        """Return the milliseconds of acts, with so much time for other work after each."""
        taken = []
        for act in acts:
            taken.append(self.timed(act))
            if pause_s:
                self.pump(pause_s)
        return taken

    def alone(self, number: int, size_px: int) -> Any:
        """Show one view alone, exactly ``size_px`` square; return it."""
        views = self.window.views
        view = views.views[number]
        if views.enlarged != view.plane.name:
            if views.enlarged is not None:
                views.toggle_enlarged(views.enlarged)
            views.toggle_enlarged(view.plane.name)
        self.pump(0.2)
        width = self.window.width() + size_px - view.width()
        height = self.window.height() + size_px - view.height()
        self.window.resize(width, height)
        self.pump(0.3)
        view.fit()
        self.pump(0.2)
        assert (view.width(), view.height()) == (size_px, size_px), view.size()
        return view

    def three(self) -> None:
        """Show all three views in a window of 1680 x 1050."""
        views = self.window.views
        if views.enlarged is not None:
            views.toggle_enlarged(views.enlarged)
        self.window.resize(1680, 1050)
        self.pump(0.3)
        views.fit_all()
        self.pump(0.2)

    def overlays(self, *, heatmap: bool, fill: bool = False, anatomy: bool = False) -> None:
        """Choose what lies over the images."""
        reading = self.window.reading
        segments = {s.id for s in self.case.document.segments} if anatomy else set()
        reading.visible_segments = segments
        reading.show(heatmap=heatmap, fill=fill, masks=True)
        self.pump(0.2)

    def close(self) -> None:
        self.window.close()
        self.pump(0.3)


_TABLE = np.arange(1 << 16, dtype=np.uint32)
_INDEX = np.random.default_rng(0).integers(0, 1 << 16, (512, 512)).astype(np.uint16)
_OUT = np.empty((512, 512), dtype=np.uint32)


def yardstick() -> float:
    """Return the milliseconds of a fixed piece of work: how busy the machine is just now."""
    begin = time.perf_counter()
    for _ in range(5):
        np.take(_TABLE, _INDEX, out=_OUT, mode="clip")
    return (time.perf_counter() - begin) * 1000


def finish(app: QApplication) -> None:
    """Work all events off, paints included, until there is nothing to do."""
    app.processEvents()
    app.processEvents()
    QGuiApplication.sync()


def wheel(view: Any, notches: int) -> None:
    """Turn the wheel over the middle of a view."""
    at = QPointF(view.rect().center())
    event = QWheelEvent(
        at,
        QPointF(view.viewport().mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def mouse(
    view: Any,
    kind: QEvent.Type,
    at: QPointF,
    button: Qt.MouseButton = Qt.MouseButton.NoButton,
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Send one event of the mouse to a view."""
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
    event = QMouseEvent(kind, at, view.viewport().mapToGlobal(at), pressed, held, keys)
    QApplication.sendEvent(view.viewport(), event)


def scripted_findings(volume: Volume, count: int) -> Findings:
    """Return balls of 4 to 24 mm in two ellipsoid lungs, warm all over and hot at the balls."""
    shape = np.array(volume.shape_kji)
    spacing = np.array(volume.spacing_kji_mm)
    generator = np.random.default_rng(5)
    heat = np.zeros(volume.shape_kji, dtype=np.uint8)
    looked = np.zeros(3, dtype=int), np.zeros(3, dtype=int)
    segments = []
    for side, middle in (("right", 0.3), ("left", 0.7)):
        lung = _ellipsoid(shape * (0.5, 0.5, middle), shape * (0.42, 0.27, 0.16), shape)
        segments.append(
            Segment(
                f"s-{side}",
                f"lung_{side}",
                lung.count * voxel_volume_mm3(volume.affine) / 1000,
                lung,
            )
        )
        low = np.array(lung.origin_kji)
        looked[0][:] = low if not looked[1].any() else np.minimum(looked[0], low)
        looked[1][:] = np.maximum(looked[1], low + lung.voxels.shape)
        waves = (40 + 30 * np.sin(np.arange(shape[2]) / 9)).astype(np.uint8)
        heat[lung.box] = np.where(lung.voxels, waves[lung.box[2]], 0)
    detections = []
    for number in range(count):
        side = number % 2
        centre = shape * (
            generator.uniform(0.2, 0.8),
            generator.uniform(0.35, 0.65),
            (0.3, 0.7)[side] + generator.uniform(-0.08, 0.08),
        )
        ball = _ellipsoid(centre, generator.uniform(2, 12) / spacing, shape)
        heat[ball.box] = np.where(ball.voxels, 220, heat[ball.box])
        size = measure(ball, volume.affine, volume.voxels)
        x, y, z = (float(v) for v in kji_to_lps_mm(volume.affine, centre))
        detections.append(
            Detection(
                f"d{number + 1}",
                "nodule",
                0.98 - 0.96 * number / max(1, count - 1),
                (x, y, z),
                size.diameter_mm,
                size.short_axis_mm,
                size.volume_ml,
                size.mean_value,
                ball,
            )
        )
    return Findings(
        ModelStamp("scripted", "0", "0" * 64),
        "CPU",
        tuple(detections),
        tuple(segments),
        # Cropped to where the model looked, as its own are.
        Heatmap(
            (int(looked[0][0]), int(looked[0][1]), int(looked[0][2])),
            heat[tuple(slice(a, b) for a, b in zip(*looked, strict=True))].copy(),
            "share of readers who would outline it",
        ),
        0.4,
        {"detect": 1.5},
    )


def _ellipsoid(centre: Any, radii: Any, shape: Any) -> Mask:
    low = np.maximum(np.floor(centre - radii), 0).astype(int)
    high = np.minimum(np.ceil(centre + radii) + 1, shape).astype(int)
    axes = [
        ((np.arange(a, b) - c) / r) ** 2
        for a, b, c, r in zip(low, high, centre, radii, strict=True)
    ]
    inside = axes[0][:, None, None] + axes[1][None, :, None] + axes[2][None, None, :] <= 1
    return Mask((int(low[0]), int(low[1]), int(low[2])), inside)
