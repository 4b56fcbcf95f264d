"""A series on the screen while it is read, with a reader of files that is slow when told."""

import shutil
import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from viewer.study import pixels
from viewer.study.staged import THREAD_NAME

from .conftest import settle
from .test_review import key


class SlowFiles:
    """Lets the reading threads have one file each time it is told."""

    def __init__(self, monkeypatch):
        self.read = []
        self._free = threading.Semaphore(0)
        honest = pixels.read_into

        def slow(instance, frame, target):
            self._free.acquire()
            self.read.append(instance.path.name)
            return honest(instance, frame, target)

        monkeypatch.setattr(pixels, "read_into", slow)
        monkeypatch.setattr("viewer.study.staged._THREADS", 1)

    def let(self, count=1_000):
        self._free.release(count)


@pytest.fixture
def slow(monkeypatch):
    gate = SlowFiles(monkeypatch)
    yield gate
    gate.let()


def started(window, qtbot, folder, slow):
    """Drop a folder; return when its first slice is on the screen."""
    with qtbot.waitSignal(window.opener.shown, timeout=20_000):
        window.open_paths([folder])
        # The small picture of the series reads a file too, after the first slice.
        slow.let(1)
    settle(window)
    return window.reading.case


def threads():
    return [t for t in threading.enumerate() if t.name.startswith(THREAD_NAME)]


def shown_pixels(view):
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    data = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return data[:, : image.width()].copy()


def test_the_first_slice_shows_while_the_rest_is_read(window, qtbot, phantom_folder, slow):
    case = started(window, qtbot, phantom_folder, slow)
    assert case.is_being_read and window.opener.busy
    assert window.stage.currentWidget() is window.views
    view = window.views.views[0]
    assert case.slices.has(view.index) and np.ptp(shown_pixels(view)) > 100
    assert window.rail.card(0).state == "Loading…"
    for name in ("run", "export", "missed", "brush", "erase", "undo"):
        action = window.actions_by_id[name]
        assert not action.isEnabled()
        assert "still being read" in action.toolTip()
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        slow.let()
    settle(window)
    whole = window.reading.case
    assert whole is not case and not whole.is_being_read and not whole.read_only
    for name in ("run", "export", "missed", "brush"):
        assert window.actions_by_id[name].isEnabled(), name
    assert window.rail.card(0).state == ""
    assert window.reading.seen_share > 0


def test_slice_zoom_window_and_tool_stay_when_the_rest_has_come(
    window, qtbot, phantom_folder, slow
):
    started(window, qtbot, phantom_folder, slow)
    view = window.views.views[0]
    view.scroll_slices(3)
    view.look_at((40.0, 50.0), 0.3)
    window.reading.set_window(type(window.reading.window)(-200, 900))
    window.reading.set_tool("pan")
    at = view.index
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=view.rect().center())
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        slow.let()
    settle(window)
    assert view._gesture is not None  # a drag goes on
    view.abort_gesture()
    assert (view.index, view.mm_per_px) == (at, 0.3)
    assert (window.reading.window.centre, window.reading.tool) == (-200, "pan")


def test_scrolling_ahead_of_the_load_reads_that_slice_next(window, qtbot, phantom_folder, slow):
    case = started(window, qtbot, phantom_folder, slow)
    view = window.views.views[0]
    window.reading.show_slice(view.plane, 1)
    settle(window)
    assert case.slices.why_not(1) == "Loading…"
    empty = shown_pixels(view)
    before = len(slow.read)
    # One slice was being read when this one was asked for; then comes this one.
    with qtbot.waitSignal(window.opener.slices_ready, timeout=20_000):
        slow.let(3)
    qtbot.waitUntil(lambda: case.slices.has(1), timeout=20_000)
    settle(window)
    assert len(slow.read) - before <= 3
    qtbot.waitUntil(lambda: not np.array_equal(shown_pixels(view), empty), timeout=5000)
    assert np.ptp(shown_pixels(view)) > 100
    assert 1 in np.flatnonzero(window.reading._seen)
    # What was never there to be seen does not count as seen.
    assert window.reading._seen.sum() <= 2
    slow.let()
    qtbot.waitUntil(lambda: not window.opener.busy, timeout=20_000)


def test_escape_gives_up_at_once_and_another_open_works(window, qtbot, phantom_folder, slow):
    started(window, qtbot, phantom_folder, slow)
    key(window, "Escape")
    assert window.reading.case is None and not window.opener.busy
    assert window.stage.currentWidget() is window.empty
    slow.let()
    qtbot.waitUntil(lambda: not threads(), timeout=5000)
    settle(window)
    assert window.reading.case is None  # nothing comes late
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([phantom_folder])
    settle(window)
    assert not window.reading.case.read_only


def test_closing_the_window_meanwhile_leaves_no_thread(window, qtbot, phantom_folder, slow):
    started(window, qtbot, phantom_folder, slow)
    slow.let(5)  # a file or two may be in the middle of being read
    threading.Timer(0.1, slow.let).start()
    window.close()
    assert not window.isVisible()
    assert not threads()


def test_another_folder_dropped_meanwhile_takes_its_place(
    window, qtbot, phantom_folder, slow, tmp_path
):
    case = started(window, qtbot, phantom_folder, slow)
    with qtbot.waitSignal(window.opener.failed, timeout=20_000):
        window.open_paths([tmp_path])  # no images there
    settle(window)
    # What was half read is not left hanging.
    assert window.reading.case is None
    slow.let()
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([phantom_folder])
    settle(window)
    assert window.reading.case is not case


def test_a_bad_file_is_told_and_the_others_are_shown(window, qtbot, phantom_folder, tmp_path, slow):
    folder = tmp_path / "bad"
    shutil.copytree(phantom_folder, folder)
    with qtbot.waitSignal(window.opener.found, timeout=20_000):
        window.open_paths([folder])
    plan = window.opener.study.plans[0]
    plan.planes[2].instance.path.unlink()
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        slow.let()
    settle(window)
    case = window.reading.case
    assert case.viewing_only is not None and case.read_only
    assert "1 of" in window.message.text
    assert plan.planes[2].instance.path.name in window.message.text
    assert plan.planes[2].instance.path.name in case.slices.why_not(2)
    assert case.slices.has(3)
    for name in ("run", "export", "brush"):
        assert not window.actions_by_id[name].isEnabled()
    view = window.views.views[0]
    window.reading.show_slice(view.plane, 2)
    settle(window)
    assert window.views.isVisible()


def test_an_irregular_series_is_for_looking_and_leaves_no_journal(
    window, qtbot, phantom_folder, tmp_path, private_home
):
    folder = tmp_path / "gap"
    shutil.copytree(phantom_folder, folder)
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([folder])
    missing = window.opener.study.plans[0].planes[5].instance.path
    cases = private_home / "data" / "cases"
    before = sorted(cases.rglob("*")) if cases.exists() else []
    missing.unlink()
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([folder])
    settle(window)
    case = window.reading.case
    assert not case.volume.regular
    assert case.viewing_only is case.plan.irregularity
    assert "missing" in window.message.text
    after = sorted(cases.rglob("*")) if cases.exists() else []
    assert {p.name for p in after} <= {p.name for p in before}
    assert not window.actions_by_id["run"].isEnabled()
    assert not window.actions_by_id["export"].isEnabled()
