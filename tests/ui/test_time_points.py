"""Series in 4-D: other times of the slice shown, stepped through and played, to be looked at."""

from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from tests.dicom_files import write_slice
from viewer.display.grey import grey_of
from viewer.study.time_points import time_points

from .conftest import settle
from .test_geometry import open_folder
from .test_layouts import key
from .test_views import drag

TIMES, SLICES = 5, 6
ALT = Qt.KeyboardModifier.AltModifier


def pattern(moment, k):
    """The stored values of one slice at one time; no two slices are alike."""
    j, i = np.indices((40, 48))
    return (1000 + 90 * moment + 7 * k + 3 * j + i * (moment + 1)).astype(np.int16)


@pytest.fixture
def moving(window, tmp_path):
    """The window with the second of five times open."""
    for moment, k in product(range(TIMES), range(SLICES)):
        write_slice(
            tmp_path / f"{moment}-{k}.dcm",
            pattern(moment, k),
            position=(0, 0, 3.0 * k),
            number=moment * SLICES + k + 1,
            TemporalPositionIdentifier=moment + 1,
        )
    open_folder(window, tmp_path)
    number = next(n for n, p in enumerate(window.opener.study.plans) if p.name == "time 2")
    if window.study.current != number:
        window.study.open_series(number)
        open_waits(window)
    assert window.reading.case.plan.name == "time 2"
    return window


def open_waits(window):
    for _ in range(2000):
        if window.reading.case is not None and not window.opener.busy:
            break
        QTest.qWait(10)
    settle(window)


def shows(window, moment):
    """Whether the main view shows its slice of a time."""
    view = window.views.views[0]
    k = view.index
    wanted = grey_of(
        view.plane.orient(pattern(moment, k).astype(float) - 1024), window.reading.window
    )
    buffer = view._slice._buffer
    return buffer is not None and not view._stale and bool(((buffer & 255) == wanted).all())


def chip(window):
    return " · ".join(window.views.views[0].notices.get("time", (((), True),))[0][0])


def test_right_and_left_go_through_time_and_end_there(moving, qtbot):
    window = moving
    window.reading.show(masks=False)
    told = []
    window.time_points.told.connect(told.append)
    qtbot.waitUntil(lambda: shows(window, 1), timeout=20_000)
    for moment in (2, 3, 4):
        key(window, "Right")
        qtbot.waitUntil(lambda m=moment: shows(window, m), timeout=20_000)
        assert f"{moment + 1} of 5" in chip(window)
        assert "the case is time 2" in chip(window)
    key(window, "Right")
    assert told[-1] == "This is the last time."
    for moment in (3, 2, 1, 0):
        key(window, "Left")
        qtbot.waitUntil(lambda m=moment: shows(window, m), timeout=20_000)
        assert ("the case is" in chip(window)) == (moment != 1)  # at home nothing is said
    key(window, "Left")
    assert told[-1] == "This is the first time."
    assert window.reading.case.plan.name == "time 2"  # it stayed the case all the while


def test_the_wheel_stays_in_the_time_that_is_shown(moving, qtbot):
    window = moving
    key(window, "Right")
    qtbot.waitUntil(lambda: shows(window, 2), timeout=20_000)
    key(window, "Down")
    qtbot.waitUntil(lambda: shows(window, 2), timeout=20_000)
    view = window.views.views[0]
    view.pointer_px = QPointF(view.rect().center())
    _k, j, i = view.voxel_at(view.pointer_px)
    assert view.value_text() == f"Value {int(pattern(2, view.index)[j, i]) - 1024} HU"


def test_the_other_planes_stay_those_of_the_case_and_nothing_counts_as_seen(moving, qtbot):
    window = moving
    other = window.views.views[1]
    before, seen = other._slice._buffer.copy(), window.reading.seen_share
    key(window, "Right")
    qtbot.waitUntil(lambda: shows(window, 2), timeout=20_000)
    np.testing.assert_array_equal(other._slice._buffer, before)
    assert "time" not in other.notices
    key(window, "Down")
    qtbot.waitUntil(lambda: shows(window, 2), timeout=20_000)
    key(window, "Down")
    qtbot.waitUntil(lambda: shows(window, 2), timeout=20_000)
    assert window.reading.seen_share <= seen + 2 / SLICES  # own slices while one was read


@pytest.mark.parametrize("tool", ["distance", "ellipse", "brush", "outline"])
def test_nothing_is_drawn_on_another_time(moving, qtbot, tool):
    window = moving
    key(window, "Right")
    qtbot.waitUntil(lambda: shows(window, 2), timeout=20_000)
    window.reading.set_tool(tool)
    view = window.views.views[0]
    assert view.cursor().shape() == Qt.CursorShape.ForbiddenCursor
    before = window.reading.window
    drag(view, view.rect().center() - QPoint(40, 40), QPoint(60, 50))
    assert window.reading.window == before
    assert "Another time" in window.status._text.text()
    assert not window.reading.case.can_undo
    assert not window.measuring.kept.by_id
    key(window, "Left")
    window.reading.set_tool("distance")
    drag(view, view.rect().center() - QPoint(40, 40), QPoint(60, 50))
    assert window.measuring.kept.by_id


def test_it_is_played_round_and_a_key_stops_it(moving, qtbot):
    window = moving
    window.conventions.cine._rate = 60.0
    points, view, seen = window.time_points, window.views.views[0], set()

    def note():
        if points.instead(view) is not None or not points.away:
            seen.add(points._at)

    points.changed.connect(note)
    key(window, "Right", ALT)
    assert points.playing
    assert window.actions_by_id["cine_time"].isChecked()
    qtbot.waitUntil(lambda: len(seen) == TIMES, timeout=30_000)
    key(window, "Right", ALT)
    assert not window.time_points.playing


def test_another_case_begins_with_its_own_time(moving, qtbot):
    window = moving
    key(window, "Right")
    qtbot.waitUntil(lambda: shows(window, 2), timeout=20_000)
    number = next(n for n, p in enumerate(window.opener.study.plans) if p.name == "time 4")
    window.study.open_series(number)
    open_waits(window)
    assert window.reading.case.plan.name == "time 4"
    assert not window.time_points.away
    qtbot.waitUntil(lambda: shows(window, 3), timeout=20_000)
    assert chip(window) == ""


def test_a_time_that_cannot_be_read_says_so(moving, qtbot):
    window = moving
    for path in {ref.instance.path for ref in window.opener.study.plans[2].planes}:
        path.write_bytes(b"gone")
    key(window, "Right")
    qtbot.waitUntil(lambda: "cannot be read" in chip(window), timeout=20_000)
    qtbot.waitUntil(lambda: shows(window, 1), timeout=20_000)


def test_a_series_of_one_time_says_why(opened):
    for name in ("time_after", "time_before", "cine_time"):
        assert not opened.actions_by_id[name].isEnabled()
        assert "one time only" in opened.actions_by_id[name].toolTip()
    assert time_points(opened.reading.case.plan, opened.opener.study.plans) == ()
