"""What the views show and what the mouse does in them, in the real window."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from inference.geometry import lps_mm_to_kji
from viewer.display.grey import Window, grey_of
from viewer.ui.reading import TEXT_FULL, TEXT_NONE

from .conftest import settle


def drag(view, start, by, button=Qt.MouseButton.LeftButton, keys=Qt.KeyboardModifier.NoModifier):
    port = view.viewport()
    QTest.mousePress(port, button, keys, start)
    for step in range(1, 6):
        QTest.mouseMove(port, start + QPoint(by.x() * step // 5, by.y() * step // 5))
    QTest.mouseRelease(port, button, keys, start + by)


def wheel(view, notches, keys=Qt.KeyboardModifier.NoModifier, at=None, units=120):
    at = QPointF(at or view.rect().center())
    event = QWheelEvent(
        at,
        QPointF(view.viewport().mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, units * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def test_every_view_paints_each_voxel_where_its_letters_say(opened):
    """The grey under a voxel's pixel is the voxel's, in all three views."""
    window = opened
    window.reading.show(crosshair=False, text=TEXT_NONE)
    window.reading.set_window(Window(-300, 1400))
    settle(window)
    volume = window.reading.case.volume
    rng = np.random.default_rng(0)
    for view in window.views.views:
        picture = view.grab().toImage()
        ratio = picture.devicePixelRatio()
        seen = 0
        for _ in range(400):
            kji = np.array([rng.integers(2, n - 2) for n in volume.shape_kji])
            kji[view.plane.axis] = view.index
            near = volume.voxels[tuple(slice(v - 1, v + 2) for v in kji)]
            near = np.take(near, 1, axis=view.plane.axis)
            if np.ptp(near.astype(int)) > 60:
                continue  # smoothing mixes neighbours at edges
            point = view.px_of_mm(*view.plane.view_mm(kji))
            grey = picture.pixelColor(int(point.x() * ratio), int(point.y() * ratio)).red()
            wanted = int(grey_of(volume.voxels[tuple(kji)], window.reading.window))
            assert abs(grey - wanted) <= 14, (view.plane.name, kji)
            seen += 1
        assert seen > 50


def test_the_right_lung_is_on_the_left_of_the_screen(opened, phantom):
    centre = phantom.lung("right")
    kji = np.argwhere(centre.voxels).mean(axis=0) + centre.origin_kji
    for view in opened.views.views[:2]:
        x = view.px_of_mm(*view.plane.view_mm(kji)).x()
        assert x < view.width() / 2
        assert view.plane.letters().left == "R"


def test_left_drag_widens_to_the_right_and_brightens_upwards(opened):
    view = opened.views.views[0]
    before = opened.reading.window
    drag(view, QPoint(200, 300), QPoint(80, 0))
    assert opened.reading.window.width > before.width
    assert opened.reading.window.centre == pytest.approx(before.centre)
    before = opened.reading.window
    drag(view, QPoint(200, 300), QPoint(0, -80))
    assert opened.reading.window.centre < before.centre


def test_the_wheel_scrolls_towards_the_feet_in_any_tool(opened):
    view = opened.views.views[0]
    for tool in ("window", "brush"):
        opened.reading.set_tool(tool)
        before = opened.reading.cursor_lps_mm.copy()
        wheel(view, -1)
        after = opened.reading.cursor_lps_mm
        assert after[2] == pytest.approx(before[2] - 7.0)
        np.testing.assert_allclose(after[:2], before[:2])


def test_control_and_wheel_zoom_around_the_pointer(opened):
    view = opened.views.views[0]
    at = QPointF(150, 220)
    before = view.mm_of_px(at)
    scale = view.mm_per_px
    wheel(view, 2, Qt.KeyboardModifier.ControlModifier, at)
    assert view.mm_per_px < scale
    np.testing.assert_allclose(view.mm_of_px(at), before, atol=1e-6)


def test_middle_drag_pans_and_right_drag_zooms(opened):
    view = opened.views.views[0]
    before = view.mm_of_px(QPointF(200, 200))
    drag(view, QPoint(200, 200), QPoint(40, 20), Qt.MouseButton.MiddleButton)
    np.testing.assert_allclose(view.mm_of_px(QPointF(240, 220)), before, atol=1e-6)
    scale = view.mm_per_px
    drag(view, QPoint(200, 300), QPoint(0, -60), Qt.MouseButton.RightButton)
    assert view.mm_per_px < scale
    QTest.keyClick(opened, Qt.Key.Key_R)
    assert view.mm_per_px == pytest.approx(
        max(view.plane.size_mm[0] / view.width(), view.plane.size_mm[1] / view.height())
    )


def test_a_click_moves_the_linked_crosshair_of_all_views(opened):
    view = opened.views.views[0]
    at = QPoint(view.width() // 3, view.height() // 2)
    wanted = np.asarray(view.lps_at(QPointF(at)))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    np.testing.assert_allclose(opened.reading.cursor_lps_mm, wanted, atol=1e-6)
    for other in opened.views.views[1:]:
        assert other.index == other.plane.index_of_lps(wanted)


def test_a_double_click_enlarges_a_view_and_brings_all_back(opened):
    views = opened.views.views
    middle = views[1].rect().center()
    QTest.mouseDClick(views[1].viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert [view.isVisible() for view in views] == [False, True, False]
    assert views[1].main
    middle = views[1].rect().center()
    QTest.mouseDClick(views[1].viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert all(view.isVisible() for view in views)


def test_the_value_under_the_pointer_is_the_voxels_in_hounsfield(opened, phantom):
    view = opened.views.views[0]
    nodule = max(phantom.nodules, key=lambda n: n.diameter_mm)
    opened.reading.move_cursor(nodule.centre_lps_mm)
    k, j, i = (round(v) for v in lps_mm_to_kji(phantom.volume.affine, nodule.centre_lps_mm))
    middle = view.px_of_mm(*view.plane.view_mm((k, j, i))).toPoint()
    QTest.mouseMove(view.viewport(), middle)
    value = int(phantom.volume.voxels[k, j, i])
    assert view.value_text() == f"Value {value} HU".replace("-", "\N{MINUS SIGN}")
    view.pointer_px = QPointF(-500, -500)
    assert view.value_text() == ""


def test_presets_invert_and_corner_text_by_key(opened):
    QTest.keyClick(opened, Qt.Key.Key_2)
    assert opened.reading.window == Window(-600, 1500)
    QTest.keyClick(opened, Qt.Key.Key_0)
    assert opened.reading.window == opened.reading.first_window
    for wanted in (True, False):
        QTest.keyClick(opened, Qt.Key.Key_I)
        assert opened.reading.shown.invert is wanted
    for _ in range(3):
        QTest.keyClick(opened, Qt.Key.Key_Space)
    assert opened.reading.shown.text == TEXT_FULL


def test_arrow_keys_home_and_end(opened):
    view = opened.views.views[0]
    QTest.keyClick(opened, Qt.Key.Key_Home)
    assert view.plane.number(view.index) == 1
    QTest.keyClick(opened, Qt.Key.Key_Down)
    assert view.plane.number(view.index) == 2
    QTest.keyClick(opened, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert view.plane.number(view.index) == 12
    QTest.keyClick(opened, Qt.Key.Key_End)
    assert view.plane.number(view.index) == view.plane.count
    QTest.keyClick(opened, Qt.Key.Key_Up)
    assert view.plane.number(view.index) == view.plane.count - 1


def test_slices_seen_counts_acquired_slices_once(opened):
    assert opened.reading.seen_share == pytest.approx(1 / 48)
    for _ in range(3):
        QTest.keyClick(opened, Qt.Key.Key_Down)
        settle(opened)
    assert opened.reading.seen_share == pytest.approx(4 / 48)


def test_a_small_window_gives_up_the_rail_then_the_third_view(opened):
    opened.resize(1280, 800)
    settle(opened)
    assert not opened.rail.isVisible()
    assert all(view.isVisible() for view in opened.views.views)
    opened.resize(1040, 800)
    settle(opened)
    assert [view.isVisible() for view in opened.views.views] == [True, True, False]


def test_parts_of_a_notch_add_up_to_slices(opened):
    view = opened.views.views[0]
    start = view.plane.number(view.index)
    for _ in range(7):
        wheel(view, -1, units=30)
    assert view.plane.number(view.index) == start + 1
    wheel(view, -1, units=30)
    assert view.plane.number(view.index) == start + 2
    for _ in range(4):
        wheel(view, 1, units=30)
    assert view.plane.number(view.index) == start + 1
