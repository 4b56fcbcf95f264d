"""What keys and drags do in the pane that is active, the series beside as well as the open one."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from tests.dicom_files import write_slice
from viewer.display.grey import Window
from viewer.ui import on_image

from .beside_cases import AXIAL, SHIFT, THIN, beside, open_in, write
from .conftest import settle
from .test_geometry import open_folder
from .test_layouts import key
from .test_views import drag


@pytest.fixture
def ct_and_mr(window, qtbot, tmp_path):
    """A CT with an MR beside it."""
    write(tmp_path, "thick", AXIAL, 34)
    write(tmp_path, "mr", THIN, 30, modality="MR")
    open_in(window, qtbot, tmp_path)
    beside(window, qtbot, "mr")
    return window


def point_at(window, view):
    """Let the pointer go into a view."""
    other = next(v for v in (*window.views.views, window.layouts.beside.view) if v is not view)
    QTest.mouseMove(other, QPoint(40, 40))
    QTest.mouseMove(view, QPoint(50, 50))
    settle(window)
    if window.views.active is not view:  # a pointer of the desk may stand there already
        view.setFocus(Qt.FocusReason.OtherFocusReason)
        settle(window)
    assert window.views.active is view


def test_digits_are_those_of_the_active_series_and_change_it_alone(ct_and_mr):
    window, other = ct_and_mr, ct_and_mr.layouts.beside
    names = window.actions_by_id
    point_at(window, window.views.views[0])
    assert names["preset_2"].text() == "Lung"
    mine, its = window.reading.window, other.reading.window
    point_at(window, other.view)
    assert names["preset_2"].text() != "Lung"
    key(window, "2")
    assert window.reading.window == mine
    assert other.reading.window != its
    its = other.reading.window
    point_at(window, window.views.views[0])
    assert names["preset_2"].text() == "Lung"
    key(window, "2")
    assert (window.reading.window.width, window.reading.window.centre) == (1500, -600)
    assert other.reading.window == its


def test_the_window_of_the_values_and_of_the_file_are_those_of_the_active_series(ct_and_mr):
    window, other = ct_and_mr, ct_and_mr.layouts.beside
    mine, first = window.reading.window, other.reading.first_window
    point_at(window, other.view)
    key(window, "9")
    assert other.reading.window != first
    low, high = np.percentile(other.case.volume.voxels[other.view.index], (1, 99))
    assert other.reading.window.width == pytest.approx(high - low, rel=0.05)
    key(window, "0")
    assert other.reading.window == first.clamped()
    assert window.reading.window == mine


def test_a_drag_windows_the_series_that_it_is_in(ct_and_mr):
    window, other = ct_and_mr, ct_and_mr.layouts.beside
    mine, its = window.reading.window, other.reading.window
    drag(other.view, QPoint(100, 100), QPoint(40, 10))
    assert other.reading.window.width > its.width
    assert window.reading.window == mine


def test_a_region_in_the_series_beside_makes_its_window_and_the_tool_goes_back(ct_and_mr):
    window, other = ct_and_mr, ct_and_mr.layouts.beside
    mine, its = window.reading.window, other.reading.window
    key(window, "W", SHIFT)
    drag(other.view, other.view.rect().center() - QPoint(30, 30), QPoint(60, 60))
    assert other.reading.window != its
    assert window.reading.window == mine
    assert (window.reading.tool, other.reading.tool) == ("window", "window")


def test_series_of_one_kind_begin_with_the_window_of_the_active_one(ct_and_mr):
    window, other = ct_and_mr, ct_and_mr.layouts.beside
    switch = window.actions_by_id["first_window"]
    point_at(window, other.view)
    other.reading.set_window(Window(333, 222))
    switch.trigger()
    settle(window)
    assert switch.isChecked()
    point_at(window, window.views.views[0])
    assert not switch.isChecked()  # of CT nothing was said


@pytest.mark.parametrize("tool", ["distance", "ellipse", "brush", "outline", "move"])
def test_work_in_the_series_beside_says_why_not(ct_and_mr, tool):
    window, other = ct_and_mr, ct_and_mr.layouts.beside
    window.reading.set_tool(tool)
    assert other.view.cursor().shape() == Qt.CursorShape.ForbiddenCursor
    assert window.views.views[0].cursor().shape() != Qt.CursorShape.ForbiddenCursor
    window.status.hint("")
    drag(other.view, QPoint(100, 100), QPoint(30, 30))
    assert (
        "looking only" in window.status._text.text()
        or "only looked at" in window.status._text.text()
    )
    assert window.reading.tool == tool  # and it goes on in the open series
    assert not window.reading.case.can_undo


def test_the_active_pane_is_marked_in_the_gap_around_it(ct_and_mr):
    window = ct_and_mr
    views, other = window.views, window.layouts.beside.view
    for view, left in ((other, False), (views.views[0], True)):
        point_at(window, view)
        picture = views.grab().toImage()
        gap = views.placed.seams[0].rect
        ratio = picture.devicePixelRatio()
        at = QPoint(round(gap.x * ratio), round((gap.y + gap.height // 4) * ratio))
        assert picture.pixelColor(at) == QColor(on_image.ACTIVE), left
    views.toggle_enlarged(views.views[0].plane.name)
    settle(window)
    assert views.active is views.views[0]


# ------------------------------------------------------------------------ panes by key


def test_keys_go_to_the_next_view_exchange_it_and_enlarge_it(opened):
    views = opened.views
    point_at_first(opened)
    places = {name: pane.geometry() for name, pane in views.panes.items()}
    key(opened, "F6", SHIFT)
    assert views.active is views.views[1]
    key(opened, "F5", SHIFT)
    assert views.arranged.shown == ("first", "third", "second")
    assert views.panes["second"].geometry() == places["third"]
    assert views.active is views.views[1]  # the same view, in its new place
    key(opened, "F5", SHIFT)  # from the last place on to the first
    assert views.arranged.shown == ("second", "third", "first")
    assert [view.main for view in views.views] == [False, True, False]
    key(opened, "F11")
    assert views.enlarged == views.views[1].plane.name
    assert [view.isVisible() for view in views.views] == [False, True, False]
    assert not opened.actions_by_id["exchange_panes"].isEnabled()
    assert "one view" in opened.actions_by_id["exchange_panes"].toolTip()
    key(opened, "F11")
    assert views.enlarged is None
    assert all(view.isVisible() for view in views.views)


def point_at_first(window):
    window.views.views[0].setFocus(Qt.FocusReason.OtherFocusReason)
    window.views._activate(window.views.views[0])
    settle(window)


def test_one_image_alone_says_that_there_is_no_other_view(window, tmp_path):
    write_slice(tmp_path / "one.dcm", np.zeros((20, 20), np.int16))
    open_folder(window, tmp_path)
    for name in ("next_pane", "exchange_panes", "enlarge"):
        assert not window.actions_by_id[name].isEnabled()
        assert "one view" in window.actions_by_id[name].toolTip()


def test_the_series_beside_is_exchanged_and_enlarged_by_key_too(ct_and_mr):
    window, other = ct_and_mr, ct_and_mr.layouts.beside.view
    point_at(window, other)
    key(window, "F5", SHIFT)
    assert window.views.arranged.shown == ("beside", "first")
    key(window, "F11")
    assert other.isVisible()
    assert not window.views.views[0].isVisible()
    key(window, "F11")
    assert window.views.views[0].isVisible()
