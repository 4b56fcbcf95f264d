"""A second series beside the open one: what it is, how the two follow each other, how it goes."""

import numpy as np
import pytest
import SimpleITK
from PySide6.QtCore import QPoint, QPointF, Qt

from inference.geometry import kji_to_lps_mm
from tests.dicom_files import write_stack
from viewer.display.grey import Window

from .beside_cases import (
    AXIAL,
    OBLIQUE,
    OTHER_FRAME,
    SAGITTAL,
    SHIFT,
    THIN,
    affine,
    beside,
    chips,
    number_of,
    open_in,
    values,
    write,
)
from .conftest import settle
from .test_layouts import key, shown
from .test_views import drag, wheel

# -------------------------------------------------------------------- by position


@pytest.mark.parametrize(
    ("name", "grid"), [("thin", THIN), ("sagittal", SAGITTAL), ("oblique", OBLIQUE)]
)
def test_linked_by_position_within_half_a_slice(two, qtbot, tmp_path, name, grid):
    """SimpleITK says where the place of the open series lies in the files of the other one."""
    window = two((name, grid))
    other = beside(window, qtbot, name)
    assert window.layouts.links.mode == "position"
    assert "linked by position" in chips(other.view)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / name)))
    image = reader.Execute()
    rng = np.random.default_rng(5)
    volume = window.reading.case.volume
    checked = 0
    for _ in range(60):
        kji = [rng.integers(0, n) for n in volume.shape_kji]
        point = kji_to_lps_mm(volume.affine, kji)
        window.reading.move_cursor(point)
        index = np.array(image.TransformPhysicalPointToContinuousIndex([float(x) for x in point]))
        outside = not -0.5 <= index[2] <= image.GetSize()[2] - 0.5
        assert window.layouts.links.outside == outside
        if outside:
            continue
        plane = other.view.plane
        k = other.view.index
        # GDCM may stack the files the other way round.
        first = image.TransformIndexToPhysicalPoint([0, 0, 0])
        same = np.allclose(first, kji_to_lps_mm(plane.affine, (0, 0, 0)), atol=1e-3)
        wanted = index[2] if same else image.GetSize()[2] - 1 - index[2]
        assert abs(k - wanted) <= 0.5 + 1e-6
        checked += 1
    assert checked > 20


def test_scrolling_the_other_moves_the_open_one(two, qtbot):
    window = two(("thin", THIN))
    other = beside(window, qtbot, "thin")
    wheel(other.view, -1)  # onto a slice of its own
    start = window.reading.cursor_lps_mm.copy()
    wheel(other.view, -3)
    np.testing.assert_allclose(window.reading.cursor_lps_mm - start, (0, 0, -3.6), atol=1e-6)
    main = window.views.views[0]
    z = main.plane.lps_at(0, 0, main.index)[2]
    assert abs(z - other.reading.cursor_lps_mm[2]) <= 1.25 + 1e-6


def test_the_end_of_a_series_is_told_not_shown_as_if_it_were_the_place(two, qtbot):
    window = two(("thin", THIN))
    other = beside(window, qtbot, "thin")
    assert not window.layouts.links.outside
    key(window, "Home")
    assert window.layouts.links.outside
    assert "the place lies outside this series" in chips(other.view)
    key(window, "Down", SHIFT)
    key(window, "Down", SHIFT)
    assert not window.layouts.links.outside


def test_pan_and_zoom_follow_and_so_does_the_window(two, qtbot):
    window = two(("thin", THIN))
    other = beside(window, qtbot, "thin")
    main = window.views.views[0]
    for leader, follower in ((main, other.view), (other.view, main)):
        leader.zoom(1.7, QPointF(30, 40))
        drag(leader, QPoint(120, 150), QPoint(33, -21), Qt.MouseButton.MiddleButton)
        assert follower.mm_per_px == pytest.approx(leader.mm_per_px)
        here = leader.plane.lps_at(*leader.centre_mm, leader.index)
        there = follower.plane.lps_at(*follower.centre_mm, follower.index)
        np.testing.assert_allclose(here[:2], there[:2], atol=1e-6)
    window.reading.set_window(Window(33, 444))
    assert (other.reading.window.centre, other.reading.window.width) == (33, 444)
    other.reading.set_window(Window(-50, 700))
    assert (window.reading.window.centre, window.reading.window.width) == (-50, 700)


def test_planes_of_another_direction_keep_their_own_zoom(two, qtbot):
    window = two(("sagittal", SAGITTAL))
    other = beside(window, qtbot, "sagittal")
    look = other.view.look
    window.views.views[0].zoom(2, QPointF(50, 50))
    assert other.view.look == look


def test_shift_l_unlinks_and_links_again(two, qtbot):
    window = two(("thin", THIN))
    other = beside(window, qtbot, "thin")
    key(window, "L", SHIFT)
    assert window.layouts.links.mode == ""
    assert not any("linked" in chip for chip in chips(other.view))
    at, own = other.reading.cursor_lps_mm.copy(), other.reading.window
    for _ in range(4):
        key(window, "Down")
    window.reading.set_window(Window(1, 2))
    assert np.array_equal(other.reading.cursor_lps_mm, at)
    assert other.reading.window == own
    key(window, "L", SHIFT)
    np.testing.assert_allclose(other.reading.cursor_lps_mm, window.reading.cursor_lps_mm, atol=1e-6)


# ----------------------------------------------------------------------- by slice


@pytest.fixture
def prior(window, qtbot, tmp_path):
    """Open a study with a prior of another frame of reference, 366 days earlier."""
    write(tmp_path, "thick", AXIAL, 34)
    shifted = THIN.copy()
    shifted[:3, 3] += (200, 100, -300)
    tags = {"StudyDate": "20000203", "StudyInstanceUID": "1.2.3.44"}
    write(tmp_path, "before", shifted, 30, FrameOfReferenceUID=OTHER_FRAME, **tags)
    open_in(window, qtbot, tmp_path)
    return window


def test_a_prior_is_named_as_one_and_the_current_too(prior, qtbot):
    assert prior.reading.case.series.description == "thick"
    key(prior, "F7")
    qtbot.waitUntil(lambda: prior.layouts.beside.state == "shown", timeout=10_000)
    other = prior.layouts.beside
    assert shown(prior) == ["first", "beside"]
    assert chips(other.view) == ["PRIOR · 2000-02-03 · 366 days earlier"]
    assert chips(prior.views.views[0]) == ["CURRENT · 2001-02-03"]
    assert other.view.main  # its corners say whose it is
    assert prior.rail._cards[number_of(prior, "before")].beside
    key(prior, "F5")
    assert chips(prior.views.views[0]) == []
    assert not prior.rail._cards[number_of(prior, "before")].beside


def test_nothing_says_who_it_is_while_the_patient_is_hidden(prior, qtbot):
    other = beside(prior, qtbot, "before")
    prior.reading.show(patient_hidden=True)
    settle(prior)
    assert other.reading.shown.patient_hidden
    assert chips(other.view) == ["PRIOR · 366 days earlier"]
    assert chips(prior.views.views[0]) == ["CURRENT"]


def test_linked_by_slice_keeps_the_distance(prior, qtbot):
    other = beside(prior, qtbot, "before")
    assert prior.layouts.links.mode == ""
    wheel(other.view, -4)
    key(prior, "L", SHIFT)
    assert "linked by slice" in chips(other.view)
    apart = other.reading.cursor_lps_mm - prior.reading.cursor_lps_mm
    for name in ("Down", "Down", "Up"):
        key(prior, name)
    np.testing.assert_allclose(other.reading.cursor_lps_mm - prior.reading.cursor_lps_mm, apart)
    wheel(other.view, 2)
    np.testing.assert_allclose(other.reading.cursor_lps_mm - prior.reading.cursor_lps_mm, apart)


def test_no_line_is_drawn_between_frames_of_reference(prior, qtbot):
    other = beside(prior, qtbot, "before")
    assert prior.layouts.links.cut_on(other.view, prior.views.views[0]) is None


# ---------------------------------------------------------------------- cut lines


def test_the_cut_line_is_where_both_slices_are(two, qtbot):
    window = two(("sagittal", SAGITTAL))
    other = beside(window, qtbot, "sagittal")
    main, links = window.views.views[0], window.layouts.links
    for _ in range(3):
        z = main.plane.lps_at(0, 0, main.index)[2]
        line = links.cut_on(other.view, main)
        for end in line:
            _, _, height = other.view.plane.lps_at(*end, other.view.index)
            assert height == pytest.approx(z)
        x = other.view.plane.lps_at(0, 0, other.view.index)[0]
        for end in links.cut_on(main, other.view):
            assert main.plane.lps_at(*end, main.index)[0] == pytest.approx(x)
        key(window, "Down")
        wheel(other.view, -1)


def test_parallel_slices_have_no_cut_line(two, qtbot):
    window = two(("thin", THIN))
    other = beside(window, qtbot, "thin")
    assert window.layouts.links.cut_on(other.view, window.views.views[0]) is None


def test_an_irregular_localizer_shows_where_the_slice_is(two, qtbot, tmp_path, window):
    """Three images in three directions make no volume, and yet each knows its own place."""
    uid = "1.2.826.0.1.3680043.8.498.999"
    coronal = affine([(0, 1, 0), (0, 0, -1), (1, 0, 0)], (1, 2, 2), (-60, 2, 60))
    sagittal = affine([(1, 0, 0), (0, 0, -1), (0, 1, 0)], (1, 2, 2), (1, -60, 60))
    for name, grid in (("a", coronal), ("b", sagittal), ("c", THIN)):
        tags = {
            "series_uid": uid,
            "SeriesDescription": "scout",
            "ImageType": ["ORIGINAL", "LOCALIZER"],
        }
        write_stack(tmp_path / "scout" / name, values(1, 60, 60), affine=grid, **tags)
    window = two()
    plans = window.opener.study.plans
    scouts = [n for n, plan in enumerate(plans) if plan.series.description == "scout"]
    assert scouts
    main = window.views.views[0]
    drawn = 0
    for number in scouts:
        window.layouts.show_beside(number)
        qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=10_000)
        other = window.layouts.beside
        for k in range(other.view.plane.count):
            other.reading.show_slice(other.view.plane, k)
            line = window.layouts.links.cut_on(other.view, main)
            if line is None:
                continue
            volume, plane = other.case.volume, other.view.plane
            for end in line:
                _, j, i = plane.kji_at(*end, k)
                own = volume.affine if volume.places is None else volume.places[k]
                z = kji_to_lps_mm(own, (k if volume.places is None else 0, j, i))[2]
                assert z == pytest.approx(main.plane.lps_at(0, 0, main.index)[2], abs=1e-6)
            drawn += 1
    assert drawn == 2
