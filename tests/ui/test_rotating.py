"""Turning planes about the crosshair in the real window: by handles, back again, and kept."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from inference.geometry import kji_to_lps_mm, lps_mm_to_kji
from viewer.display.oblique import cut_plane, frame_of, turned
from viewer.ui import crosshair, orientation, rotating
from viewer.ui.reading import TEXT_NONE

from ..dicom_files import stored, write_stack
from .conftest import settle

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


def _view(window, name):
    return next(v for v in window.views.views if v.plane is not None and v.plane.name == name)


def _handle(view, name):
    return next(point for plane, point in crosshair.handles(view) if plane == name)


def _at(view, name, degrees):
    """Where a handle is once it was turned by an angle on the screen."""
    middle, point = view.cursor_px(), _handle(view, name)
    away = point - middle
    radius, angle = math.hypot(away.x(), away.y()), math.atan2(away.y(), away.x())
    angle += math.radians(degrees)
    return QPoint(
        round(middle.x() + radius * math.cos(angle)), round(middle.y() + radius * math.sin(angle))
    )


def _drag(view, name, degrees, *, release=True):
    press = _handle(view, name).toPoint()
    stops = [_at(view, name, degrees * share) for share in (0.3, 0.7, 1.0)]
    QTest.mousePress(view.viewport(), LEFT, pos=press)
    for stop in stops:
        QTest.mouseMove(view.viewport(), stop)
    if release:
        QTest.mouseRelease(view.viewport(), LEFT, pos=stops[-1])


@pytest.fixture
def turning(opened):
    """The window with the phantom, and the tool that turns planes."""
    QTest.keyClick(opened, Qt.Key.Key_O, SHIFT)
    assert opened.reading.tool == "rotate"
    settle(opened)
    return opened


def test_a_handle_turns_the_two_other_planes_about_the_crosshair(turning):
    reading = turning.reading
    view, axial = _view(turning, "axial"), reading.planes["axial"]
    cursor = np.array(reading.cursor_lps_mm)
    places = {v.plane.name: v.cursor_px() for v in turning.views.views}
    _drag(view, "coronal", 30, release=False)
    assert view.turned_deg == pytest.approx(30, abs=1)
    assert reading.planes["coronal"].quick, "while it is dragged, speed counts"
    QTest.mouseRelease(view.viewport(), LEFT, pos=_at(view, "coronal", 0))
    settle(turning)
    assert view.turned_deg is None
    assert reading.planes["axial"] is axial
    for name in ("coronal", "sagittal"):
        plane = reading.planes[name]
        assert not plane.quick
        assert plane.tilt_deg == pytest.approx(30, abs=1)
        # They turned as the line did: clockwise on the screen is from left to posterior.
        turned_by = turned(frame_of(reading.straight[name]), axial.normal_lps, math.radians(30))
        np.testing.assert_allclose(frame_of(plane), turned_by, atol=0.02)
        shown = _view(turning, name)
        assert shown.plane is plane
        assert plane.off_mm(reading.cursor_lps_mm, shown.index) < 1e-6
        away = shown.cursor_px() - places[name]
        assert math.hypot(away.x(), away.y()) < 0.01, "the crosshair stays where it is seen"
    np.testing.assert_array_equal(reading.cursor_lps_mm, cursor)


def test_lines_are_where_the_other_planes_cut_this_one(turning):
    reading = turning.reading
    _drag(_view(turning, "axial"), "coronal", 25)
    _drag(_view(turning, "coronal"), "axial", -40)
    for view in turning.views.views:
        lines = {cut.name: np.array(cut.direction) for cut in crosshair.cuts(view)}
        assert set(lines) == set(reading.planes) - {view.plane.name}
        for name, direction in lines.items():
            other = reading.planes[name]
            x, y = view.plane.view_of_lps(reading.cursor_lps_mm)
            for step in (-30.0, 20.0):
                there = view.plane.lps_at(*(np.array([x, y]) + step * direction), view.index)
                off = abs((there - reading.cursor_lps_mm) @ other.normal_lps)
                assert off < 0.05 + view.plane.step_mm / 2
        assert abs(lines.popitem()[1] @ lines.popitem()[1]) < 1e-6, "planes at right angles"


def test_escape_gives_a_turn_up_and_then_the_tool(turning):
    before = dict(turning.reading.planes)
    view = _view(turning, "coronal")
    _drag(view, "sagittal", 50, release=False)
    assert turning.reading.planes != before
    QTest.keyClick(turning, Qt.Key.Key_Escape)
    assert turning.reading.planes == before
    assert view.turned_deg is None
    assert turning.reading.tool == "rotate"
    QTest.mouseRelease(view.viewport(), LEFT, pos=QPoint(5, 5))
    assert turning.reading.planes == before
    QTest.keyClick(turning, Qt.Key.Key_Escape)
    assert turning.reading.tool == "window"


@pytest.mark.parametrize("key", ["F", "R"])
def test_keys_make_all_planes_straight(turning, key):
    reading = turning.reading
    straight = turning.actions_by_id["straight"]
    assert not straight.isEnabled()
    assert "straight" in straight.toolTip()
    for _ in range(2):
        _drag(_view(turning, "axial"), "sagittal", -20)
        assert rotating.is_turned(reading)
        assert straight.isEnabled()
        if key == "R":
            _view(turning, "axial").zoom(2, _view(turning, "axial").cursor_px())
        QTest.keyClick(turning, getattr(Qt.Key, f"Key_{key}"), SHIFT if key == "F" else NONE)
        assert reading.planes == reading.straight
        for view in turning.views.views:
            assert view.plane is reading.planes[view.plane.name]
            assert view.look is None, "what was fitted is fitted again"


def test_shift_turns_in_steps(turning, qapp):
    view = _view(turning, "axial")
    press, to = _handle(view, "coronal").toPoint(), _at(view, "coronal", 13)
    QTest.keyPress(turning, Qt.Key.Key_Shift)
    QTest.mousePress(view.viewport(), LEFT, SHIFT, press)
    QTest.mouseMove(view.viewport(), to)
    settle(turning)
    QTest.mouseRelease(view.viewport(), LEFT, SHIFT, to)
    QTest.keyRelease(turning, Qt.Key.Key_Shift)
    tilt = turning.reading.planes["coronal"].tilt_deg
    assert tilt == pytest.approx(15, abs=1e-6)


def test_the_middle_is_carried_and_the_rest_windows(turning):
    view = _view(turning, "axial")
    before, window = np.array(turning.reading.cursor_lps_mm), turning.reading.window
    middle = view.cursor_px().toPoint()
    QTest.mousePress(view.viewport(), LEFT, pos=middle)
    QTest.mouseMove(view.viewport(), middle + QPoint(40, 0))
    QTest.mouseRelease(view.viewport(), LEFT, pos=middle + QPoint(40, 0))
    moved = turning.reading.cursor_lps_mm - before
    assert moved[0] == pytest.approx(40 * view.mm_per_px, abs=0.01)
    assert turning.reading.window == window
    away = middle + QPoint(90, 35)
    QTest.mousePress(view.viewport(), LEFT, pos=away)
    QTest.mouseMove(view.viewport(), away + QPoint(30, 0))
    QTest.mouseRelease(view.viewport(), LEFT, pos=away + QPoint(30, 0))
    assert turning.reading.window != window
    assert not rotating.is_turned(turning.reading)


def _turn(window, seed=0):
    """Turn all planes, as some drags would."""
    reading = window.reading
    axis = np.random.default_rng(seed).normal(size=3)
    reading.turn(
        {
            name: cut_plane(plane, turned(frame_of(plane), axis, 0.6), reading.cursor_lps_mm)
            for name, plane in reading.straight.items()
        }
    )
    settle(window)


def test_the_value_under_the_pointer_is_that_of_the_nearest_voxel(opened):
    _turn(opened)
    volume = opened.reading.case.volume
    rng = np.random.default_rng(2)
    read = 0
    for view in opened.views.views:
        for _ in range(20):
            point = QPoint(int(rng.integers(view.width())), int(rng.integers(view.height())))
            QTest.mouseMove(view.viewport(), point)
            view.pointer_px = point.toPointF()
            kji = lps_mm_to_kji(volume.affine, view.lps_at(point.toPointF()))
            k, j, i = np.rint(kji).astype(int)
            if all(0 <= v < n for v, n in zip((k, j, i), volume.shape_kji, strict=True)):
                shown = view.value_text().replace("\N{MINUS SIGN}", "-").split()
                assert int(shown[1]) == volume.voxels[k, j, i]
                read += 1
            else:
                assert view.value_text() == ""
    assert read > 20


def test_scrolling_an_oblique_plane_goes_through_the_volume_and_ends_there(opened):
    _turn(opened, 4)
    reading = opened.reading
    last = np.array(reading.case.volume.shape_kji) - 1
    view = opened.views.views[0]
    numbers = []
    for _ in range(view.plane.count + 5):
        view.scroll_slices(1)
        kji = lps_mm_to_kji(reading.case.volume.affine, reading.cursor_lps_mm)
        assert (kji > -0.05).all()
        assert (kji < last + 0.05).all()
        numbers.append(view.plane.number(view.index))
    assert numbers == sorted(numbers)
    assert numbers[-1] == view.plane.count


def test_findings_lie_on_their_voxels_and_are_hit_there(reviewed):
    reading = reviewed.reading
    lesion = reading.lesion
    _turn(reviewed, 1)
    reading.show(fill=True, heatmap=True)
    settle(reviewed)
    for view in reviewed.views.views:
        mark = next(m for m in view.overlay.marks if m.lesion.id == lesion.id)
        x, y = mark.centre_mm
        at = lps_mm_to_kji(view.plane.affine, view.plane.lps_at(x, y, view.index))
        assert np.linalg.norm(at - lps_mm_to_kji(view.plane.affine, lesion.centre_lps_mm)) < 4
        assert view.overlay.lesion_at(x, y, 1.0) == lesion.id
        reading.select(None)
        settle(reviewed)
        QTest.mouseClick(view.viewport(), LEFT, pos=view.px_of_mm(x, y).toPoint())
        assert reading.selected == lesion.id
    dashed = {line.dashed for view in reviewed.views.views for line in view.overlay._lines}
    assert dashed == {True}, "what the AI drew is dashed here too"


def test_painting_says_why_not_on_an_oblique_plane(reviewed, qtbot):
    case = reviewed.reading.case
    _turn(reviewed, 1)
    reviewed.reading.set_tool("brush")
    before = case.document.lesions
    view = reviewed.views.views[0]
    at = view.cursor_px().toPoint()
    with qtbot.waitSignal(view.told) as told:
        QTest.mousePress(view.viewport(), LEFT, pos=at)
    QTest.mouseMove(view.viewport(), at + QPoint(15, 0))
    QTest.mouseRelease(view.viewport(), LEFT, pos=at + QPoint(15, 0))
    assert "Shift+F" in told.args[0]
    assert case.document.lesions == before
    QTest.keyClick(reviewed, Qt.Key.Key_F, SHIFT)
    QTest.mousePress(view.viewport(), LEFT, pos=at)
    QTest.mouseMove(view.viewport(), at + QPoint(15, 0))
    QTest.mouseRelease(view.viewport(), LEFT, pos=at + QPoint(15, 0))
    assert case.document.lesions != before


@pytest.mark.parametrize("tool", ["brush", "erase"])
def test_the_ball_paints_in_millimetres_on_an_oblique_plane(reviewed, tool):
    reading = reviewed.reading
    case, target = reading.case, reading.selected
    _turn(reviewed, 1)
    reading.set_tool(tool)
    reading.set_brush(10.0, True)
    view = reviewed.views.views[0]
    at = view.cursor_px().toPoint()
    before = reading.lesion.mask.to_array(case.volume.shape_kji)
    QTest.mousePress(view.viewport(), LEFT, pos=at)
    QTest.mouseMove(view.viewport(), at + QPoint(15, 9))
    settle(reviewed)
    shown = view.overlay._apart_layer._line
    assert shown.target_id == target
    QTest.mouseRelease(view.viewport(), LEFT, pos=at + QPoint(15, 9))
    settle(reviewed)
    after = reading.lesion.mask.to_array(case.volume.shape_kji)
    ends = np.array([view.lps_at(QPointF(at)), view.lps_at(QPointF(at + QPoint(15, 9)))])
    voxels = kji_to_lps_mm(case.volume.affine, np.argwhere(np.ones_like(before)))
    way = ends[1] - ends[0]
    share = np.clip((voxels - ends[0]) @ way / (way @ way), 0, 1)
    away = np.linalg.norm(voxels - ends[0] - share[:, None] * way, axis=1).reshape(before.shape)
    painted = away <= 5.0
    wanted = before | painted if tool == "brush" else before & ~painted
    # But for voxels whose middles lie on the very edge.
    assert not ((after != wanted) & (abs(away - 5.0) > 1e-3)).any()
    kept = view.overlay._apart_layer._line
    for a, b in zip(shown.outline.lines, kept.outline.lines, strict=True):
        np.testing.assert_allclose(a, b)  # what is drawn under the brush is what is kept


def test_a_lesion_is_moved_where_it_is_dropped_on_an_oblique_plane(reviewed):
    reading = reviewed.reading
    _turn(reviewed, 1)
    lesion = reading.lesion
    reading.set_tool("move")
    settle(reviewed)
    view = reviewed.views.views[0]
    mark = next(m for m in view.overlay.marks if m.lesion.id == lesion.id)
    start = view.px_of_mm(*mark.centre_mm).toPoint()
    QTest.mousePress(view.viewport(), LEFT, pos=start)
    QTest.mouseMove(view.viewport(), start + QPoint(20, 10))
    QTest.mouseMove(view.viewport(), start + QPoint(30, 20))
    QTest.mouseRelease(view.viewport(), LEFT, pos=start + QPoint(30, 20))
    wanted = (30 * view.plane.across_lps + 20 * view.plane.down_lps) * view.mm_per_px
    moved = np.array(reading.lesion.centre_lps_mm) - lesion.centre_lps_mm
    spacing = np.array(reading.case.volume.spacing_kji_mm)
    assert np.linalg.norm(wanted) > 5
    assert np.linalg.norm(moved - wanted) <= np.linalg.norm(spacing) / 2 + 1e-6


def test_another_case_begins_straight_and_this_one_as_it_was(
    opened, qtbot, phantom_folder, tmp_path
):
    _turn(opened, 3)
    reading = opened.reading
    reading.move_cursor(reading.cursor_lps_mm + np.array([11, -7, 5]))
    cursor = np.array(reading.cursor_lps_mm)
    frames = {name: frame_of(plane) for name, plane in reading.planes.items()}
    write_stack(tmp_path, stored(12, 24, 24), series_uid="1.2.826.0.1.3680043.8.498.77")
    for folder in (tmp_path, phantom_folder):
        with qtbot.waitSignal(opened.opener.opened, timeout=20_000):
            opened.open_paths([folder])
        settle(opened)
        assert rotating.is_turned(reading) == (folder is phantom_folder)
    np.testing.assert_allclose(reading.cursor_lps_mm, cursor, atol=1e-3)
    for name, plane in reading.planes.items():
        np.testing.assert_allclose(frame_of(plane), frames[name], atol=1e-5)
        view = _view(opened, name)
        assert view.plane is plane
        assert plane.off_mm(reading.cursor_lps_mm, view.index) < plane.step_mm * 0.51


@pytest.mark.parametrize(
    "turned_state",
    [
        [1, 2],
        {"axial": [[1, 0, 0], [0, 1, 0]]},
        {"axial": [[1, 0, 0], [0, 2, 0], [0, 0, 0]]},
        {"axial": [[1, 0, 0], [1, 0, 0], [0, 0, 0]]},
        {"axial": [[1, 0, 0], [0, 0, 1], [1e6, 0, 0]]},
        {"axial": [[math.nan, 0, 0], [0, 0, 1], [0, 0, 0]]},
        {"elsewhere": [[1, 0, 0], [0, 0, 1], [0, 0, 0]]},
        {"axial": "text"},
    ],
)
def test_a_damaged_state_leaves_the_planes_straight(opened, turned_state):
    with pytest.raises((KeyError, TypeError, ValueError)):
        rotating.restore(opened.reading, turned_state)
    assert not rotating.is_turned(opened.reading)


def test_what_is_said_to_those_who_hear_it(opened):
    view = _view(opened, "axial")
    assert view.accessibleName() == "Axial"
    words = "At the left edge: right; right: left; top: anterior; bottom: posterior."
    assert view.accessibleDescription() == words
    reading = opened.reading
    frame = turned(frame_of(view.plane), (-1, 0, 0), math.radians(20))
    plane = cut_plane(view.plane, frame, reading.cursor_lps_mm)
    reading.turn({**reading.planes, "axial": plane})
    assert view.accessibleName() == "Axial · oblique 20°"
    assert "top: anterior head; bottom: posterior feet" in view.accessibleDescription()
    assert orientation.edges(view).top == ("A", "H")


def test_the_smaller_letter_is_painted_smaller(opened):
    reading = opened.reading
    view = _view(opened, "axial")
    reading.show(text=TEXT_NONE, crosshair=False)
    frame = turned(frame_of(view.plane), (-1, 0, 0), math.radians(20))
    reading.turn({**reading.planes, "axial": cut_plane(view.plane, frame, reading.cursor_lps_mm)})
    settle(opened)
    picture = view.grab().toImage()
    ratio = picture.devicePixelRatio()
    band = [
        [
            picture.pixelColor(int(x * ratio), int(y * ratio))
            for x in range(view.width() // 2 - 24, view.width() // 2 + 24)
        ]
        for y in range(4, 34)
    ]
    ink = np.array([[c.red() > 150 and c.red() > c.blue() + 60 for c in row] for row in band])
    columns = np.flatnonzero(ink.any(axis=0))
    gap = columns[:-1][np.diff(columns) > 1]
    assert len(gap) >= 1, "two letters"
    first, second = ink[:, : gap[0] + 1], ink[:, gap[0] + 1 :]
    heights = [np.ptp(np.flatnonzero(part.any(axis=1))) + 1 for part in (first, second)]
    assert heights[1] < heights[0]
    assert np.flatnonzero(second.any(axis=1)).max() > np.flatnonzero(first.any(axis=1)).max()


def test_one_image_alone_cannot_be_turned(window, qtbot, tmp_path):
    write_stack(tmp_path, stored(1, 32, 32))
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([tmp_path])
    settle(window)
    action = window.actions_by_id["rotate"]
    assert not action.isEnabled()
    assert "regular stacks" in action.toolTip()
    assert not window.actions_by_id["straight"].isEnabled()


def test_turning_ends_with_the_case(turning, qtbot):
    view = _view(turning, "axial")
    _drag(view, "coronal", 20, release=False)
    case = turning.reading.case
    turning.reading.set_case(None)
    case.close(timeout_s=5.0)
    settle(turning)
    QTest.mouseRelease(view.viewport(), LEFT, pos=QPoint(10, 10))
    assert turning.reading.planes == {}
    assert turning.reading.tool == "window"


def test_a_point_outside_of_the_volume_is_brought_back_by_scrolling(opened):
    """The crosshair never leaves the volume, whichever plane carries it."""
    _turn(opened, 8)
    reading = opened.reading
    reading.move_cursor(kji_to_lps_mm(reading.case.volume.affine, (-50, 9, 400)))
    kji = lps_mm_to_kji(reading.case.volume.affine, reading.cursor_lps_mm)
    assert (kji >= -1e-6).all()
    for view in opened.views.views:
        assert view.plane.off_mm(reading.cursor_lps_mm, view.index) <= view.plane.step_mm * 0.51
