"""The next slice is made ready while the reader looks at this one, and never shows what was."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from viewer.display.grey import Window
from viewer.display.slab import Slab

from .conftest import settle


def turn(view, notches):
    at = QPointF(view.rect().center())
    QApplication.sendEvent(
        view,
        QWheelEvent(
            at,
            QPointF(view.mapToGlobal(at.toPoint())),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def picture(view):
    image = view.grab().toImage()
    pixels = np.frombuffer(image.constBits(), dtype=np.uint8)
    return pixels.reshape(image.height(), image.bytesPerLine())[:, : image.width() * 4].copy()


def scrolled(qtbot, view, notches=-1):
    """Scroll by one slice and wait until the next one is ready."""
    turn(view, notches)
    qtbot.waitUntil(lambda: not view.is_stale and view.ahead.ready, timeout=20_000)


@pytest.fixture
def view(reviewed):
    reviewed.reading.visible_segments = {s.id for s in reviewed.reading.case.document.segments}
    reviewed.reading.show(heatmap=True, fill=True)
    shown = reviewed.views.views[0]
    reviewed.reading.show_slice(shown.plane, shown.plane.count // 2)
    settle(reviewed)
    return shown


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_was_made_ready_is_what_would_have_been_drawn(reviewed, view, qtbot, number):
    view = reviewed.views.views[number]
    reviewed.reading.show_slice(view.plane, view.plane.count // 2)
    settle(reviewed)
    for notches in (-1, -1, 1, 1):
        scrolled(qtbot, view, notches)
        index = view.ahead.index
        assert abs(index - view.index) == 1
        turn(view, notches)
        assert view.index == index
        copied = picture(view)
        view.restale()
        view.overlay.changed()
        assert not view.ahead.ready
        np.testing.assert_array_equal(copied, picture(view))


CHANGES = {
    "window": lambda window: window.reading.set_window(Window(-100, 300)),
    "heatmap": lambda window: window.reading.show(heatmap=False),
    "fill": lambda window: window.reading.show(fill=False),
    "masks": lambda window: window.reading.show(masks=False),
    "threshold": lambda window: window.reading.set_threshold(0.9),
    "segment": lambda window: window.reading.toggle_segment("s-right"),
    "hidden": lambda window: window.reading.show(ai_held_back=True),
    "selection": lambda window: window.reading.select(
        window.reading.case.document.lesions[0].id, centre=False
    ),
    "verdict": lambda window: window.corrections.change(
        lambda case: case.set_verdict(case.document.lesions[0].id, "rejected")
    ),
    "slab": lambda window: window.views.views[0].set_slab(Slab("mip", 20.0)),
    "zoom": lambda window: window.views.views[0].zoom(2, QPointF(200, 200)),
    "pan": lambda window: window.views.views[0].pan(QPointF(31, 17)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_meanwhile_is_seen_on_the_next_slice(reviewed, view, qtbot, change):
    scrolled(qtbot, view)
    CHANGES[change](reviewed)
    turn(view, -1)
    seen = picture(view)
    view.restale()
    view.overlay.changed()
    np.testing.assert_array_equal(seen, picture(view))


def test_the_other_way_shows_the_other_slice(reviewed, view, qtbot):
    scrolled(qtbot, view)
    turn(view, 1)
    seen = picture(view)
    view.restale()
    np.testing.assert_array_equal(seen, picture(view))
    single = view.plane.slice_of(reviewed.reading.case.volume.voxels, view.index)
    assert single.shape == view._slice._buffer.shape


def test_a_jump_makes_nothing_ready(reviewed, view, qtbot):
    reviewed.reading.show_slice(view.plane, view.index + 5)
    settle(reviewed)
    assert view.ahead.index is None


def test_nothing_is_ready_beyond_the_last_slice(reviewed, view, qtbot):
    last = view.plane.count - 1
    reviewed.reading.show_slice(view.plane, last - 1)
    settle(reviewed)
    step = 1 if view.plane.step_index(last - 1, 1) == last else -1
    turn(view, -step)
    settle(reviewed)
    assert view.index == last
    assert view.ahead.index is None


def test_a_view_without_a_plane_has_nothing_ready(reviewed, view, qtbot):
    scrolled(qtbot, view)
    view.set_plane(None)
    settle(reviewed)
    assert view.ahead.index is None
    assert not view.ahead.ready
