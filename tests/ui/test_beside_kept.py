"""The series beside is kept with its case: it comes back when the case is opened again."""

import json

import numpy as np
import pytest

from viewer.display.grey import Window
from viewer.ui import view_state
from viewer.ui.layouts import BESIDE

from .beside_cases import AXIAL, OTHER_FRAME, SAGITTAL, THIN, beside, number_of, open_in, write
from .conftest import settle


@pytest.fixture
def folder(tmp_path):
    """A thick series, two others in its frame of reference, and a prior."""
    write(tmp_path, "thick", AXIAL, 34)
    write(tmp_path, "thin", THIN, 30)
    write(tmp_path, "sagittal", SAGITTAL, 30)
    write(
        tmp_path, "prior", THIN, 30,
        StudyInstanceUID="1.2.3.4", StudyDate="20000101", FrameOfReferenceUID=OTHER_FRAME,
    )  # fmt: skip
    return tmp_path


def open_thick(window, qtbot):
    number = number_of(window, "thick")
    if window.study.current != number:
        with qtbot.waitSignal(window.opener.opened, timeout=20_000):
            window.study.open_series(number)
    settle(window)


def reopened(window, qtbot, folder, tmp_path_factory):
    """Open something else, then the same again."""
    other = tmp_path_factory.mktemp("other")
    write(other, "alone", AXIAL, 6, PatientID="SOMEBODY", StudyInstanceUID="1.2.3.77")
    open_in(window, qtbot, other)
    assert window.layouts.beside.state == "empty"
    open_in(window, qtbot, folder)
    open_thick(window, qtbot)
    qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=20_000)
    settle(window)
    return window.layouts.beside


@pytest.mark.parametrize("name", ["thin", "sagittal", "prior"])
def test_the_same_series_comes_back_as_it_was(window, qtbot, folder, tmp_path_factory, name):
    open_in(window, qtbot, folder)
    open_thick(window, qtbot)
    other = beside(window, qtbot, name)
    plane = other.reading.plane_order()[-1]
    other.set_plane(plane)
    other.reading.set_window(Window(123, 456))
    other.view.look_at((20.0, 18.0), 0.2)
    if window.layouts.links.mode:
        window.layouts.links.unlink()
    other.reading.move_cursor(other.reading.cursor_lps_mm + np.array([3.0, -4.0, 5.0]))
    settle(window)
    at, look = other.reading.cursor_lps_mm.copy(), other.view.look
    other = reopened(window, qtbot, folder, tmp_path_factory)
    assert window.views.arranged.layout == BESIDE
    assert other.case.series.description == name
    assert other.view.plane.name == plane
    assert (other.reading.window.centre, other.reading.window.width) == (123, 456)
    np.testing.assert_allclose(other.reading.cursor_lps_mm, at, atol=1e-3)
    assert other.view.look == pytest.approx(look)
    assert not window.layouts.links.mode


def test_the_link_comes_back_with_its_distance(window, qtbot, folder, tmp_path_factory):
    open_in(window, qtbot, folder)
    open_thick(window, qtbot)
    other = beside(window, qtbot, "prior")
    other.reading.move_cursor(other.reading.cursor_lps_mm + np.array([0.0, 0.0, 7.2]))
    window.layouts.links.link()
    settle(window)
    away = other.reading.cursor_lps_mm[2] - window.reading.cursor_lps_mm[2]
    other = reopened(window, qtbot, folder, tmp_path_factory)
    assert other.case.series.description == "prior"
    assert window.layouts.links.mode == "slice"
    now = other.reading.cursor_lps_mm[2] - window.reading.cursor_lps_mm[2]
    assert now == pytest.approx(away, abs=0.7)


def test_what_is_kept_names_nobody(window, qtbot, folder):
    open_in(window, qtbot, folder)
    beside(window, qtbot, "thin")
    state = json.loads(view_state.capture(window.reading, window.views))
    assert set(state["beside"]) == {"series", "plane", "cursor_lps_mm", "window", "look", "link"}
    text = json.dumps(state)
    for word in ("thin", "Canary", "CANARY", "1.2.826"):
        assert word not in text


def test_somebody_else_is_not_brought_back(window, qtbot, folder):
    write(folder, "stranger", THIN, 30, PatientID="B", StudyInstanceUID="1.2.3.9")
    open_in(window, qtbot, folder)
    beside(window, qtbot, "stranger")
    assert json.loads(view_state.capture(window.reading, window.views))["beside"] is None


@pytest.mark.parametrize(
    "damage",
    [None, 3, [], {"series": 4}, {"series": "0" * 32}, {"series": "x", "plane": None}],
)
def test_a_damaged_wish_is_no_wish(window, qtbot, folder, damage):
    open_in(window, qtbot, folder)
    state = json.loads(view_state.capture(window.reading, window.views))
    state["beside"] = damage
    view_state.restore_images(json.dumps(state), window.reading, window.views)
    settle(window)
    memory = window.views.beside_memory
    assert memory.among(window.layouts.offered.candidates(), window.opener.study.plans) is None
    memory.look_as_before()
