"""Ellipses and rectangles are turned in their plane, in straight and in turned planes."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.tools.measures import shapes
from viewer.ui.measuring import TURN

from .checklist import modified_drag
from .conftest import settle
from .test_measure import askew, on_askew, ones, press_drag  # noqa: F401 (fixtures)
from .test_review import key

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
KEYS = {"ellipse": "E", "rectangle": "R"}


def drawn(window, view, kind):
    """Draw a wide shape in the middle of a view; return its handle and its middle, pixels."""
    middle = view.rect().center()
    key(window, KEYS[kind], SHIFT)
    press_drag(view, middle + QPoint(-60, -30), middle + QPoint(60, 30))
    key(window, "W")
    settle(window)
    return handle_of(window, view), middle


def handle_of(window, view):
    measuring = window.measuring
    one = measuring.kept.by_id[measuring.selected]
    stem = measuring.turn_stem(measuring.selected, one, measuring.pixels(view, one.points_lps_mm))
    return QPoint(*(round(float(x)) for x in stem[1]))


def long_axis_deg(window, view, one):
    """The direction of the long side on the screen, 0 to 180 degrees."""
    points = window.measuring.pixels(view, one.points_lps_mm)
    way = points[1] - points[0]
    return float(np.degrees(np.arctan2(way[1], way[0]))) % 180


@pytest.mark.parametrize("kind", KEYS)
def test_the_handle_turns_it_and_keeps_its_size(on_askew, kind):  # noqa: F811
    window, view, _ = on_askew
    handle, middle = drawn(window, view, kind)
    (before,) = ones(window)
    assert window.measuring.hit(view, handle.toPointF()).handle == TURN
    assert handle.y() < middle.y() - 30  # outside, above it
    press_drag(view, handle, middle + QPoint(middle.y() - handle.y(), 0))  # a quarter turn
    (after,) = ones(window)
    turned_by = (long_axis_deg(window, view, after) - long_axis_deg(window, view, before)) % 180
    assert turned_by == pytest.approx(90, abs=2)
    assert after.value("area") == pytest.approx(before.value("area"))
    np.testing.assert_allclose(
        np.mean(after.points_lps_mm, axis=0), np.mean(before.points_lps_mm, axis=0), atol=1e-6
    )
    assert after.value("mean") != before.value("mean")  # of other voxels
    key(window, "Z", Qt.KeyboardModifier.ControlModifier)
    assert ones(window)[0].points_lps_mm == before.points_lps_mm


def test_shift_turns_in_steps(on_askew):  # noqa: F811
    window, view, _ = on_askew
    handle, _middle = drawn(window, view, "rectangle")
    modified_drag(view, handle, QPoint(23, 3), SHIFT)
    (after,) = ones(window)
    degrees = long_axis_deg(window, view, after)
    assert degrees > 4
    assert degrees % 5 == pytest.approx(0, abs=0.2) or degrees % 5 == pytest.approx(5, abs=0.2)
    assert "Shift" in window.status._text.text()


def test_it_is_turned_in_a_turned_plane_too(on_askew):  # noqa: F811
    window, view, _ = on_askew
    reading = window.reading
    name, axis = view.plane.name, window.views.views[1].plane.normal_lps
    straight = reading.straight[name]
    plane = cut_plane(straight, turned(frame_of(straight), axis, 0.4), reading.cursor_lps_mm)
    reading.turn({**reading.planes, name: plane})
    settle(window)
    handle, middle = drawn(window, view, "ellipse")
    press_drag(view, handle, middle + QPoint(40, -40))
    (after,) = ones(window)
    assert 20 < long_axis_deg(window, view, after) < 70
    away = (np.array(after.points_lps_mm) - after.points_lps_mm[0]) @ plane.normal_lps
    np.testing.assert_allclose(away, 0, atol=1e-6)  # it stays in its plane


def test_escape_gives_the_turn_up_and_only_the_chosen_one_has_a_handle(on_askew):  # noqa: F811
    window, view, _ = on_askew
    handle, middle = drawn(window, view, "rectangle")
    (before,) = ones(window)
    press_drag(view, handle, middle + QPoint(60, 0), release=False)
    assert window.measuring.edited is not None
    key(window, "Escape")
    QTest.mouseRelease(view, LEFT, pos=middle + QPoint(60, 0))
    assert ones(window)[0].points_lps_mm == before.points_lps_mm
    window.measuring.select(None)
    found = window.measuring.hit(view, handle.toPointF())
    assert found is None or found.handle != TURN


def test_other_shapes_have_no_direction_to_turn():
    assert set(shapes.TURNED) == {"ellipse", "rectangle"}
    normal = np.array([0.0, 0.0, 1.0])
    points = np.array([[0.0, 0, 0], [4, 0, 0], [4, 2, 0], [0, 2, 0]])
    quarter = shapes.turned(points, np.pi / 2, normal)
    np.testing.assert_allclose(quarter[0], [3.0, -1.0, 0.0], atol=1e-12)
    one, other = np.array([1.0, 0, 0]), np.array([0.0, 1, 0])
    assert shapes.angle_between(one, other, normal) == pytest.approx(np.pi / 2)
    assert shapes.angle_between(one, other, -normal) == pytest.approx(-np.pi / 2)
