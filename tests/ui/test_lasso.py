"""Lassos in the real window: free-hand and by corners, in every plane, one step each."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from inference.geometry import lps_mm_to_kji
from viewer.annotate.edits import Reshape

from .conftest import settle
from .test_review import control, key
from .test_views import wheel

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
SQUARE = [QPoint(-30, -30), QPoint(30, -30), QPoint(30, 30), QPoint(-30, 30)]


def middle(window, number=0):
    """Bring the crosshair to the selected lesion; return the view and its pixel."""
    window.reading.move_cursor(window.reading.lesion.centre_lps_mm)
    settle(window)
    view = window.views.views[number]
    return view, view.cursor_px().toPoint()


def freehand(window, corners=SQUARE, number=0, keys=NONE):
    view, at = middle(window, number)
    path = [at + corner for corner in corners]
    QTest.mousePress(view.viewport(), LEFT, keys, path[0])
    for a, b in zip(path, [*path[1:], path[0]], strict=True):
        for n in range(1, 6):
            move(view, a + (b - a) * n / 5, keys)
    QTest.mouseRelease(view.viewport(), LEFT, keys, path[0])
    settle(window)
    return view


def move(view, at, keys=NONE, held=LEFT):
    """Move the pointer with keys held, which QTest cannot."""
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    where = QPointF(at)
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, view.viewport().mapToGlobal(where),
        Qt.MouseButton.NoButton, held, keys,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), event)


def click(view, at):
    QTest.mouseClick(view.viewport(), LEFT, pos=at)


def in_square(window, view, corners=SQUARE):
    """The voxels of the view's slice whose centres lie in the square, (k, j, i) bool."""
    case = window.reading.case
    at = view.cursor_px().toPoint()
    ends = [view.lps_at(at.toPointF() + corner.toPointF()) for corner in corners]
    kji = np.array([lps_mm_to_kji(case.volume.affine, end) for end in ends])
    out = np.zeros(case.volume.shape_kji, dtype=bool)
    box = [slice(int(np.ceil(a)), int(np.floor(b)) + 1)
           for a, b in zip(kji.min(axis=0), kji.max(axis=0), strict=True)]  # fmt: skip
    box[view.plane.axis] = slice(view.index, view.index + 1)
    out[tuple(box)] = True
    return out


def mask_of(window):
    return window.reading.lesion.mask.to_array(window.reading.case.volume.shape_kji)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_line_drawn_round_a_part_of_any_plane_adds_it(reviewed, number):
    before = mask_of(reviewed)
    key(reviewed, "N")
    assert reviewed.reading.tool == "lasso"
    view = freehand(reviewed, number=number)
    wanted = before | in_square(reviewed, view)
    assert (wanted & ~before).sum() > 5
    assert np.array_equal(mask_of(reviewed), wanted)
    case = reviewed.reading.case
    assert case.undo_name == "Lasso: add to nodule 1"
    assert isinstance(case.undo_edit, Reshape)
    control(reviewed, "Z")
    assert np.array_equal(mask_of(reviewed), before)
    control(reviewed, "Y")
    assert np.array_equal(mask_of(reviewed), wanted)


def test_it_cuts_off_and_keeps(reviewed):
    before = mask_of(reviewed)
    reviewed.actions_by_id["lasso_subtract"].trigger()
    assert reviewed.reading.tool == "lasso"
    half = [QPoint(0, -60), QPoint(60, -60), QPoint(60, 60), QPoint(0, 60)]
    view = freehand(reviewed, half)
    part = in_square(reviewed, view, half)
    assert (before & part).any()
    assert np.array_equal(mask_of(reviewed), before & ~part)
    control(reviewed, "Z")
    reviewed.actions_by_id["lasso_intersect"].trigger()
    freehand(reviewed, half)
    layer = np.zeros_like(before)
    layer[view.index] = True
    assert np.array_equal(mask_of(reviewed), before & (part | ~layer))
    assert reviewed.reading.case.undo_name == "Lasso: keep of nodule 1"


def test_ctrl_does_the_opposite(reviewed):
    before = mask_of(reviewed)
    key(reviewed, "N")
    view = freehand(reviewed, keys=CTRL)
    assert np.array_equal(mask_of(reviewed), before & ~in_square(reviewed, view))
    assert reviewed.reading.case.undo_name == "Lasso: cut from nodule 1"


@pytest.mark.parametrize("how", ["enter", "double", "first"])
def test_corner_by_corner_it_is_closed_in_three_ways(reviewed, how):
    before = mask_of(reviewed)
    key(reviewed, "N")
    view, at = middle(reviewed)
    for corner in SQUARE:
        click(view, at + corner)
        move(view, at + corner + QPoint(4, 9), held=Qt.MouseButton.NoButton)
    assert np.array_equal(mask_of(reviewed), before), "nothing is kept before it is closed"
    assert reviewed.reading.stroke is not None, "what it would do is shown"
    if how == "enter":
        QTest.keyClick(view, Qt.Key.Key_Return)
    elif how == "double":
        QTest.mouseDClick(view.viewport(), LEFT, pos=at + SQUARE[-1])
        QTest.mouseRelease(view.viewport(), LEFT, pos=at + SQUARE[-1])
    else:
        click(view, at + SQUARE[0])
    settle(reviewed)
    assert np.array_equal(mask_of(reviewed), before | in_square(reviewed, view))
    assert reviewed.reading.stroke is None
    assert reviewed.tools.lassoing.draft is None


def test_escape_gives_it_up_and_leaves_the_tool(reviewed):
    before = mask_of(reviewed)
    key(reviewed, "N")
    view, at = middle(reviewed)
    for corner in SQUARE[:3]:
        click(view, at + corner)
    key(reviewed, "Escape")
    assert reviewed.tools.lassoing.draft is None
    assert reviewed.reading.stroke is None
    assert reviewed.reading.tool == "lasso"
    assert np.array_equal(mask_of(reviewed), before)
    QTest.mousePress(view.viewport(), LEFT, pos=at)
    move(view, at + QPoint(40, 0))
    move(view, at + QPoint(40, 40))
    key(reviewed, "Escape")
    QTest.mouseRelease(view.viewport(), LEFT, pos=at + QPoint(0, 40))
    assert np.array_equal(mask_of(reviewed), before)
    key(reviewed, "Escape")
    assert reviewed.reading.tool == "window"


def test_the_wheel_scrolls_and_a_lasso_stays_on_its_slice(reviewed):
    before = mask_of(reviewed)
    key(reviewed, "N")
    view, at = middle(reviewed)
    index = view.index
    QTest.mousePress(view.viewport(), LEFT, pos=at)
    move(view, at + QPoint(40, 0))
    move(view, at + QPoint(40, 40))
    wheel(view, 1)
    assert view.index != index
    QTest.mouseRelease(view.viewport(), LEFT, pos=at + QPoint(0, 40))
    settle(reviewed)
    assert np.array_equal(mask_of(reviewed), before)
    assert "another one" in reviewed.status._text.text()
    freehand(reviewed)
    assert not np.array_equal(mask_of(reviewed), before), "the next one works"


def test_a_turned_plane_is_drawn_on_too(reviewed):
    reviewed.reading.set_tool("lasso")
    _turn(reviewed)
    assert not reviewed.views.views[0].plane.straight
    before = mask_of(reviewed)
    freehand(reviewed)
    after = mask_of(reviewed)
    assert (after & ~before).any()
    assert not (before & ~after).any()
    control(reviewed, "Z")
    assert np.array_equal(mask_of(reviewed), before)


def _turn(window):
    """Turn the first plane by 15 degrees about the axis across its screen."""
    from viewer.display.oblique import cut_plane, frame_of, turned

    plane = window.views.views[0].plane
    frame = turned(frame_of(plane), plane.across_lps, np.radians(15))
    tilted = cut_plane(plane, frame, window.reading.cursor_lps_mm)
    window.reading.turn({**window.reading.planes, plane.name: tilted})


def test_without_a_finding_it_says_what_to_do(opened):
    opened.reading.set_tool("lasso")
    view = opened.views.views[0]
    click(view, view.rect().center())
    assert "Select a finding" in opened.status._text.text()
    assert opened.tools.lassoing.draft is None


def test_a_click_alone_or_a_sliver_changes_nothing_and_says_so(reviewed):
    before = mask_of(reviewed)
    key(reviewed, "N")
    view, at = middle(reviewed)
    click(view, at + QPoint(60, 60))
    assert "double click or Enter" in reviewed.status._text.text()
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert "no voxel" in reviewed.status._text.text()
    assert np.array_equal(mask_of(reviewed), before)


def test_a_case_that_is_left_takes_its_line_along(reviewed):
    key(reviewed, "N")
    view, at = middle(reviewed)
    click(view, at)
    assert reviewed.tools.lassoing.draft is not None
    case = reviewed.reading.case
    reviewed.reading.set_case(None)
    assert reviewed.tools.lassoing.draft is None
    case.close()
