"""Draw the pictures of the user guide: the real window on the synthetic sample study.

Run from the root of a checkout, with a display or under ``xvfb-run -a``::

    python packaging/guide_pictures.py resources/docs/guide
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

_SIZE = (1440, 900)
_READ_S, _RUN_S = 120.0, 900.0
_EARLIER = "Synthetic chest phantom, earlier"


class Guide:
    """One window, and the scenes that are taken of it."""

    def __init__(self, folder: Path) -> None:
        from viewer.ui.app import make_app

        self._folder = folder
        self._app = make_app()
        from viewer.ui.main_window import MainWindow

        self.window = MainWindow()
        self.window.resize(*_SIZE)
        self.window.show()
        self.window.set_reader("Dr. A. Reader")

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let the window work for a while, or until something is so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            self._app.processEvents()
            time.sleep(0.005)

    def has_read(self, description: str) -> bool:
        """Tell whether all of a series is there."""
        case = self.window.reading.case
        if case is None or case.is_being_read:
            return False
        return case.series.description == description

    def do(self, *names: str) -> None:
        """Trigger commands, as their keys do."""
        for name in names:
            action = self.window.actions_by_id[name]
            if not action.isEnabled():
                raise SystemExit(f"{name} cannot be used: {action.toolTip()}")
            action.trigger()
            self.wait(0.1)

    def take(self, name: str) -> None:
        """Save a picture of the window."""
        self.wait(0.6)
        file = self._folder / f"{name}.jpg"
        if not self.window.grab().save(str(file), "JPG", 88):
            raise SystemExit(f"{file} cannot be written")
        print(file)

    def drag(self, start: tuple[float, float], to: tuple[float, float]) -> None:
        """Drag in the first view, from and to parts of its width and height."""
        from PySide6.QtCore import QPoint, Qt
        from PySide6.QtTest import QTest

        view = self.window.views.views[0]

        def at(share: tuple[float, float]) -> QPoint:
            return QPoint(round(share[0] * view.width()), round(share[1] * view.height()))

        left = Qt.MouseButton.LeftButton
        QTest.mousePress(view, left, pos=at(start))
        for step in range(1, 9):
            between = tuple(a + (b - a) * step / 8 for a, b in zip(start, to, strict=True))
            QTest.mouseMove(view, at((between[0], between[1])))
            self.wait(0.03)
        QTest.mouseRelease(view, left, pos=at(to))
        self.wait(0.2)


def earlier_study(folder: Path) -> None:
    """Write an earlier study of the sample's patient, who is nobody: its nodules are smaller."""
    import pydicom

    from viewer.phantom.anatomy import make_phantom
    from viewer.phantom.dicom import write_series
    from viewer.phantom.sample import sample_spec, sample_study

    spec = sample_spec()
    frame = pydicom.dcmread(min(sample_study().iterdir())).FrameOfReferenceUID
    before = [replace(one, diameter_mm=0.7 * one.diameter_mm) for one in spec.nodules]
    phantom = make_phantom(replace(spec, nodules=tuple(before), seed=spec.seed + 1))
    for path in write_series(phantom, folder, description=_EARLIER):
        dataset = pydicom.dcmread(path)
        dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = "19990601"
        dataset.FrameOfReferenceUID = frame  # so that both are linked by position
        dataset.save_as(path)


def draw(guide: Guide) -> None:
    """Take all scenes."""
    with tempfile.TemporaryDirectory() as folder:
        _draw(guide, Path(folder))


def _draw(guide: Guide, earlier: Path) -> None:
    window = guide.window
    reading = window.reading
    earlier_study(earlier)
    window.open_paths([earlier])  # it is in the worklist then
    guide.wait(_READ_S, lambda: guide.has_read(_EARLIER))
    guide.wait(1.0)
    guide.do("read_first")
    window.open_sample()
    guide.wait(_READ_S, lambda: guide.has_read("Synthetic chest phantom"))
    guide.wait(1.0)
    guide.take("read-first")
    guide.do("read_first")
    window.ai.run()
    guide.wait(_RUN_S, lambda: not window.ai.engine.running)
    assert reading.case is not None
    if reading.case.document.findings is None:
        raise SystemExit("the model did not run")
    guide.do("heatmap")
    guide.take("review")
    guide.do("heatmap", "reject")
    guide.take("reject")
    guide.do("abort", "undo", "measure_finding", "ellipse")
    guide.drag((0.45, 0.42), (0.54, 0.475))
    guide.do("abort")
    guide.take("measure")
    guide.do("measurements", "layout_four", "preview", "slab", "slab_thicker")
    guide.wait(4.0)
    guide.take("four-views")
    guide.do("slab", "slab", "slab", "layout_three", "light")
    guide.take("light")
    guide.do("light", "layout_list", "next")
    guide.take("one-view")
    guide.do("layout_beside")
    guide.wait(_READ_S, lambda: window.layouts.beside.state == "shown")
    guide.wait(1.0)
    guide.take("beside")
    guide.do("layout_three", "worklist")
    guide.wait(1.0)
    guide.take("worklist")
    window.close()
    guide.wait(1.0)


def main() -> int:
    """Draw the pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["OVERREAD_HOME"] = home
        draw(Guide(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
