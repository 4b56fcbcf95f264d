"""Cine in the real window."""

import itertools

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from viewer.study.display_facts import DisplayFacts

from .conftest import settle
from .test_review import key
from .test_views import drag, wheel

SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def playing(opened):
    opened.reading.set_facts(DisplayFacts(rate=50.0))
    key(opened, "C")
    assert opened.conventions.cine.running
    yield opened
    opened.conventions.cine.stop()


def numbers(window, qtbot, count, view=None):
    """Return the numbers of the slices that come one after the other."""
    view = view or window.views.active
    seen = []

    def note():
        number = view.plane.number(view.index)
        if not seen or number != seen[-1]:
            seen.append(number)

    window.reading.cursor_moved.connect(note)
    qtbot.waitUntil(lambda: len(seen) >= count, timeout=10_000)
    window.reading.cursor_moved.disconnect(note)
    return seen[:count]


def test_cine_shows_every_slice_in_turn_and_round(playing, qtbot):
    count = playing.views.active.plane.count
    seen = numbers(playing, qtbot, count + 3)
    for before, after in itertools.pairwise(seen):
        assert after == before % count + 1


def test_cine_sweeps_to_and_fro(playing, qtbot):
    count = playing.views.active.plane.count
    key(playing, "C", ALT)
    seen = numbers(playing, qtbot, 2 * count)
    assert {abs(b - a) for a, b in itertools.pairwise(seen)} == {1}
    assert count in seen
    assert 1 in seen


def test_the_same_key_stops_it(playing):
    key(playing, "C")
    assert not playing.conventions.cine.running
    index = playing.views.active.index
    QTest.qWait(100)
    assert playing.views.active.index == index


@pytest.mark.parametrize(
    "act",
    [
        lambda window: wheel(window.views.active, -1),
        lambda window: key(window, "Down"),
        lambda window: key(window, "End"),
        lambda window: window.reading.move_cursor(window.reading.cursor_lps_mm + 10),
        lambda window: window.study._leave_case(),
        lambda window: window.views.active.hide(),
    ],
    ids=["wheel", "key", "end", "cursor", "no case", "hidden"],
)
def test_whatever_else_moves_stops_it(playing, qtbot, act):
    act(playing)
    qtbot.waitUntil(lambda: not playing.conventions.cine.running, timeout=2_000)
    assert playing.views.views[0].tag == ""


def test_windowing_and_zooming_go_on_while_it_plays(playing, qtbot):
    view = playing.views.active
    before = playing.reading.window
    drag(view, QPoint(200, 300), QPoint(60, 0))
    wheel(view, 1, Qt.KeyboardModifier.ControlModifier)
    assert playing.reading.window.width > before.width
    assert playing.conventions.cine.running
    assert len(numbers(playing, qtbot, 3)) == 3


def test_it_plays_at_the_rate_of_the_file_else_at_15(opened):
    cine = opened.conventions.cine
    assert cine.rate == 15.0
    opened.reading.set_facts(DisplayFacts(rate=25.0))
    assert cine.rate == 25.0
    key(opened, "C", SHIFT)
    assert cine.rate == 30.0
    for _ in range(2):
        opened.actions_by_id["cine_slower"].trigger()
    assert cine.rate == 20.0


def test_the_rate_stands_beside_the_number_of_the_slice(playing):
    assert playing.views.active.tag == "cine 50/s"
    assert playing.actions_by_id["cine"].isChecked()
    key(playing, "C")
    assert playing.views.active.tag == ""
    assert not playing.actions_by_id["cine"].isChecked()


def test_the_background_stops_it(playing):
    playing.conventions.cine._on_state(Qt.ApplicationState.ApplicationInactive)
    assert not playing.conventions.cine.running


def test_it_plays_the_view_under_the_pointer(opened, qtbot):
    view = opened.views.views[1]
    opened.views.active = view
    opened.reading.set_facts(DisplayFacts(rate=50.0))
    first = opened.views.views[0].index
    key(opened, "C")
    assert len(numbers(opened, qtbot, 3, view)) == 3
    assert opened.views.views[0].index == first
    opened.conventions.cine.stop()


def test_nothing_plays_without_images(window):
    assert not window.actions_by_id["cine"].isEnabled()
    assert "Open a series first." in window.actions_by_id["cine"].toolTip()
    settle(window)
