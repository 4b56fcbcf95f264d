"""Only what changed is painted again: on the screen it is as if all of it were."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from .conftest import settle
from .test_lasso import move

LEFT = Qt.MouseButton.LeftButton


class Painted(QObject):
    """How much a widget was asked to paint: pixels, and how high, each time."""

    def __init__(self, widget):
        super().__init__(widget)
        self.areas, self.heights = [], []
        widget.installEventFilter(self)

    def eventFilter(self, _watched, event):
        if event.type() == QEvent.Type.Paint:
            self.areas.append(sum(rect.width() * rect.height() for rect in event.region()))
            self.heights.append(event.rect().height())
        return False


def parts_of(window):
    """What is painted in parts: the views and the list. Beside them a clock goes on."""
    return [*window.views.views, window.panel.list.viewport()]


def on_screen(window):
    """The pixels of each of them as they stand on the screen."""
    picture = window.screen().grabWindow(window.winId()).toImage()
    picture = picture.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(picture.constBits(), np.uint32)
    rows = rows.reshape(picture.height(), picture.bytesPerLine() // 4)
    ratio, found = window.devicePixelRatioF(), []
    for part in parts_of(window):
        corner = part.mapTo(window, QPoint(0, 0))
        left, right = (round(x * ratio) for x in (corner.x(), corner.x() + part.width()))
        top, bottom = (round(y * ratio) for y in (corner.y(), corner.y() + part.height()))
        found.append(rows[top:bottom, left:right].copy())
    return found


def assert_as_painted_whole(window):
    settle(window)
    in_parts = on_screen(window)
    for part in parts_of(window):
        part.update()
    settle(window)
    for now, whole in zip(in_parts, on_screen(window), strict=True):
        different = np.argwhere(now != whole)
        assert not len(different), (different.min(axis=0), different.max(axis=0))


@pytest.fixture
def brushing(reviewed):
    reading = reviewed.reading
    reading.select(reading.case.shown[0].id)
    reading.set_tool("brush")
    reading.set_brush(12.0, True)
    settle(reviewed)
    return reviewed


@pytest.mark.parametrize(("ball", "number"), [(True, 0), (False, 1), (True, 2)])
def test_a_stroke_and_its_undo_leave_the_screen_as_if_all_were_painted(brushing, ball, number):
    brushing.reading.set_brush(12.0, ball)
    view = brushing.views.views[number]
    at = view.cursor_px().toPoint()
    QTest.mousePress(view, LEFT, pos=at)
    for step in range(1, 5):
        move(view, at + QPoint(9 * step, 6 * step))
        assert_as_painted_whole(brushing)
    QTest.mouseRelease(view, LEFT, pos=at + QPoint(36, 24))
    assert_as_painted_whole(brushing)
    for step in ("undo", "redo", "undo"):
        brushing.actions_by_id[step].trigger()
        assert_as_painted_whole(brushing)


def test_the_number_of_a_long_thin_finding_stands_far_from_it(brushing):
    brushing.reading.set_brush(3.0, False)
    view = brushing.views.views[0]
    at = view.cursor_px().toPoint()
    QTest.mousePress(view, LEFT, pos=at)
    for step in range(1, 5):
        move(view, at + QPoint(0, 80 * step))
        assert_as_painted_whole(brushing)
    QTest.mouseRelease(view, LEFT, pos=at + QPoint(0, 320))
    assert_as_painted_whole(brushing)
    for step in ("undo", "redo"):
        brushing.actions_by_id[step].trigger()
        assert_as_painted_whole(brushing)


def test_a_dab_and_a_step_back_paint_a_small_part_of_each_view(brushing):
    views = brushing.views.views
    # Beside its middle: a stroke that holds all of a finding may have made it of a point.
    at = views[0].cursor_px().toPoint() + QPoint(15, 0)
    QTest.mousePress(views[0], LEFT, pos=at)
    settle(brushing)
    painted = [Painted(view) for view in views]
    move(views[0], at + QPoint(12, 0))
    settle(brushing)
    QTest.mouseRelease(views[0], LEFT, pos=at + QPoint(12, 0))
    settle(brushing)
    brushing.actions_by_id["undo"].trigger()
    settle(brushing)
    for view, seen in zip(views, painted, strict=True):
        assert len(seen.areas) >= 2
        assert max(seen.areas) < 0.6 * view.width() * view.height()


def test_one_row_of_the_list_is_painted_for_a_stroke(brushing):
    view = brushing.views.views[0]
    at = view.cursor_px().toPoint()
    for away in (QPoint(20, 10), QPoint(30, 10)):  # the first makes another of the AI's finding
        QTest.mousePress(view, LEFT, pos=at)
        move(view, at + away)
        QTest.mouseRelease(view, LEFT, pos=at + away)
        settle(brushing)
    rows = brushing.panel.list
    assert rows.count() > 2
    painted = Painted(rows.viewport())
    brushing.actions_by_id["undo"].trigger()
    settle(brushing)
    row = rows.visualItemRect(rows.currentItem())
    assert painted.heights
    assert max(painted.heights) <= row.height()


def test_a_point_without_voxels_is_painted_wherever_it_lies(brushing):
    brushing.corrections.add_missed(brushing.reading.cursor_lps_mm)
    view = brushing.views.views[0]
    at = view.cursor_px().toPoint() + QPoint(90, 60)
    QTest.mousePress(view, LEFT, pos=at)
    move(view, at + QPoint(5, 5))
    QTest.mouseRelease(view, LEFT, pos=at + QPoint(5, 5))
    assert_as_painted_whole(brushing)
    brushing.actions_by_id["undo"].trigger()
    assert_as_painted_whole(brushing)
    brushing.actions_by_id["redo"].trigger()
    assert_as_painted_whole(brushing)


def test_the_ring_of_the_brush_leaves_no_trace(brushing):
    view = brushing.views.views[0]
    at = view.cursor_px().toPoint()
    for step in range(4):
        move(view, at + QPoint(40 * step, 25 * step), held=Qt.MouseButton.NoButton)
        assert_as_painted_whole(brushing)
    brushing.reading.set_brush(50.0)
    assert_as_painted_whole(brushing)
    move(view, at, held=Qt.MouseButton.NoButton)
    assert_as_painted_whole(brushing)


def test_fills_and_the_difference_to_the_ai_follow_a_stroke(brushing):
    brushing.reading.show(fill=True)
    settle(brushing)
    view = brushing.views.views[0]
    at = view.cursor_px().toPoint()
    QTest.mousePress(view, LEFT, pos=at)
    move(view, at + QPoint(20, 10))
    assert_as_painted_whole(brushing)
    QTest.mouseRelease(view, LEFT, pos=at + QPoint(20, 10))
    assert_as_painted_whole(brushing)
    brushing.actions_by_id["undo"].trigger()
    assert_as_painted_whole(brushing)
