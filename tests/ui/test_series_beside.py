"""A second series beside the open one: what it is, how the two follow each other, how it goes."""

import gc
import threading
import weakref

import numpy as np
import pytest
import SimpleITK
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from inference.geometry import kji_to_lps_mm
from tests.dicom_files import write_stack
from viewer.display.grey import Window
from viewer.study import staged
from viewer.ui.layouts import BESIDE, THREE, Arranged

from .conftest import settle
from .test_layouts import key, shown
from .test_views import drag, wheel

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
OTHER_FRAME = "1.2.826.0.1.3680043.8.498.77"


def affine(directions_kji, spacing_kji, first_lps_mm):
    """Return (k, j, i, 1) → LPS mm; the columns of ``directions`` are unit vectors."""
    out = np.eye(4)
    out[:3, :3] = np.array(directions_kji, float).T * spacing_kji
    out[:3, 3] = first_lps_mm
    return out


def turned(affine_kji, degrees):
    """Turn a grid about x: an oblique acquisition."""
    angle = np.deg2rad(degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ affine_kji


AXIAL = affine([(0, 0, 1), (0, 1, 0), (1, 0, 0)], (2.5, 0.9, 0.9), (-30, -25, -40))
THIN = affine([(0, 0, 1), (0, 1, 0), (1, 0, 0)], (1.2, 1.1, 1.1), (-28, -31, -17))
SAGITTAL = affine([(1, 0, 0), (0, 0, -1), (0, 1, 0)], (3.1, 0.8, 0.8), (-27, -24, 33))
OBLIQUE = turned(THIN, 22)


def values(k, j=56, i=64):
    return np.random.default_rng(k).integers(0, 2000, (k, j, i)).astype(np.int16)


def write(folder, name, grid, k, **tags):
    """Write one series; its description is its name."""
    uid = f"1.2.826.0.1.3680043.8.498.{sum(map(ord, name))}"
    write_stack(
        folder / name, values(k), affine=grid, series_uid=uid, SeriesDescription=name, **tags
    )
    return folder / name


def open_in(window, qtbot, *folders):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths(list(folders))
    settle(window)


def number_of(window, name):
    plans = window.opener.study.plans
    return next(n for n, plan in enumerate(plans) if plan.series.description == name)


def beside(window, qtbot, name):
    """Show a series beside the open one and wait until all of it is there."""
    window.layouts.show_beside(number_of(window, name))
    qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=10_000)
    settle(window)
    return window.layouts.beside


def chips(view):
    return [" · ".join(words) for notices in view.notices.values() for words, _ in notices]


@pytest.fixture
def two(window, qtbot, tmp_path):
    """Open a thick axial series that has three others of its frame of reference beside it."""

    def make(*others):
        write(tmp_path, "thick", AXIAL, 34)
        for name, grid in others:
            write(tmp_path, name, grid, 30)
        open_in(window, qtbot, tmp_path)
        assert window.reading.case.series.description == "thick"
        return window

    return make


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


# --------------------------------------------------------------------- whose it is


def test_another_patient_is_told_loudly_and_never_offered(window, qtbot, tmp_path):
    write(tmp_path, "thick", AXIAL, 34)
    write(
        tmp_path,
        "stranger",
        THIN,
        30,
        PatientID="B",
        StudyInstanceUID="1.2.3.9",
        StudyDate="19990101",
    )
    open_in(window, qtbot, tmp_path)
    assert not window.actions_by_id["layout_beside"].isEnabled()
    other = beside(window, qtbot, "stranger")
    assert other.view.notices["beside"][0] == (("ANOTHER PATIENT", "1999-01-01"), True)
    open_series(window, qtbot, "stranger")
    assert window.layouts.beside.state == "empty"


def open_series(window, qtbot, name):
    with qtbot.waitSignal(window.opener.opened, timeout=10_000):
        window.study.open_series(number_of(window, name))
    settle(window)


def test_no_result_of_the_ai_comes_over_to_the_other_series(reviewed, qtbot, tmp_path):
    folder = write(tmp_path, "other", THIN, 30)
    plan = plan_of(folder)
    reviewed.layouts._show_plan(plan)
    qtbot.waitUntil(lambda: reviewed.layouts.beside.state == "shown", timeout=10_000)
    other = reviewed.layouts.beside
    reviewed.reading.show(heatmap=True, fill=True)
    settle(reviewed)
    assert reviewed.views.views[0].overlay.shows_ai
    assert not other.view.overlay.shows_ai
    assert other.view.overlay.marks == []
    assert other.reading.lesions == ()
    reviewed.reading.set_tool("brush")
    assert other.reading.tool == "window"
    before = len(reviewed.reading.case.document.record)
    drag(other.view, QPoint(100, 100), QPoint(30, 30))
    assert len(reviewed.reading.case.document.record) == before


def plan_of(folder):
    from viewer.study import order, scan

    return order.order(scan.scan([folder]).series[0])


# ------------------------------------------------------------------- come and gone


def test_f7_again_takes_the_next_one(two, qtbot):
    window = two(("thin", THIN), ("sagittal", SAGITTAL))
    seen = []
    for _ in range(3):
        key(window, "F7")
        qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=10_000)
        seen.append(window.layouts.beside.plan.series.description)
    assert sorted(seen[:2]) == ["sagittal", "thin"]
    assert seen[2] == seen[0]


def test_a_card_is_dragged_onto_a_view(two, qtbot):
    window = two(("thin", THIN))
    card = window.rail._cards[number_of(window, "thin")]
    target = window.views.views[2]
    end = card.mapFromGlobal(target.mapToGlobal(target.rect().center()))
    QTest.mousePress(card, LEFT, pos=QPoint(30, 30))
    QTest.mouseMove(card, QPoint(60, 40))
    QTest.mouseMove(card, end)
    mark = window.views.carry.mark
    assert mark.isVisible()
    assert mark.text == "Show thin beside"
    key(window, "Escape")
    QTest.mouseRelease(card, LEFT, pos=end)
    settle(window)
    assert window.views.layout_id == THREE
    assert window.reading.case.series.description == "thick"
    QTest.mousePress(card, LEFT, pos=QPoint(30, 30))
    QTest.mouseMove(card, QPoint(60, 40))
    QTest.mouseMove(card, end)
    QTest.mouseRelease(card, LEFT, pos=end)
    qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=10_000)
    assert window.views.layout_id == BESIDE
    assert window.layouts.beside.plan.series.description == "thin"


def test_a_click_on_a_card_still_opens_it(two, qtbot):
    window = two(("thin", THIN))
    card = window.rail._cards[number_of(window, "thin")]
    with qtbot.waitSignal(window.opener.opened, timeout=10_000):
        QTest.mouseClick(card, LEFT, pos=QPoint(30, 30))
    assert window.reading.case.series.description == "thin"


def test_the_menu_of_a_card_shows_it_beside(two, qtbot):
    window = two(("thin", THIN))

    def action(name):
        menu = window.study.menu_of(number_of(window, name))
        return next(a for a in menu.actions() if a.text() == "Show beside"), menu

    own, _menu = action("thick")
    assert not own.isEnabled()
    other, _menu = action("thin")
    other.trigger()
    qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=10_000)


def test_the_memory_of_a_closed_series_is_free_at_once(two, qtbot):
    window = two(("thin", THIN))
    voxels = beside(window, qtbot, "thin").case.volume.voxels
    while voxels.base is not None:
        voxels = voxels.base
    voxels = weakref.ref(voxels)
    gc.collect()
    gc.disable()
    try:
        key(window, "F5")
        qtbot.waitUntil(lambda: voxels() is None, timeout=3000)
    finally:
        gc.enable()
    assert window.layouts.beside.state == "empty"


def test_opening_the_series_beside_takes_it_from_there(two, qtbot):
    window = two(("thin", THIN))
    beside(window, qtbot, "thin")
    open_series(window, qtbot, "thin")
    assert window.reading.case.series.description == "thin"
    # Side by side goes on, with what is the best now.
    qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=10_000)
    assert window.layouts.beside.plan.series.description == "thick"
    assert window.layouts.links.mode == "position"


def test_the_series_beside_stays_while_the_open_one_changes(two, qtbot):
    window = two(("thin", THIN), ("sagittal", SAGITTAL))
    open_series(window, qtbot, "sagittal")  # left in three views
    open_series(window, qtbot, "thick")
    other = beside(window, qtbot, "thin")
    case = other.case
    open_series(window, qtbot, "sagittal")
    assert other.case is case
    assert window.views.layout_id == BESIDE
    assert window.layouts.links.mode == "position"


def test_another_study_takes_the_series_beside_away(two, qtbot, tmp_path_factory):
    window = two(("thin", THIN))
    beside(window, qtbot, "thin")
    folder = tmp_path_factory.mktemp("other")
    write(folder, "stranger", AXIAL, 34, PatientID="B", StudyInstanceUID="1.2.3.9")
    open_in(window, qtbot, folder)
    qtbot.waitUntil(lambda: window.layouts.beside.state == "empty", timeout=3000)
    assert window.views.layout_id == THREE


# ----------------------------------------------------------------- states in words


def test_states_are_told_in_words(two, qtbot, monkeypatch):
    window = two(("thin", THIN))
    room = window.layouts.beside
    assert "F7" in room.pane.text
    hold = threading.Event()
    read = staged.StagedRead._one

    def slow(self, *given):
        hold.wait(5)
        return read(self, *given)

    monkeypatch.setattr(staged.StagedRead, "_one", slow)
    window.layouts.show_beside(number_of(window, "thin"))
    settle(window)
    assert room.state == "loading"
    assert room.pane.text == "Reading the images…"
    hold.set()
    qtbot.waitUntil(lambda: room.state == "shown", timeout=10_000)
    assert room.pane.text == ""


def test_a_prior_whose_files_are_gone_says_so(two, qtbot, tmp_path):
    from viewer.worklist import Study

    window = two(("thin", THIN))
    gone = Study("k", paths=(str(tmp_path / "gone"),), patient_id="CANARY-ID")
    room = window.layouts.beside
    room.show_study(gone)
    assert room.pane.text == "Looking for the files…"
    window.views.choose(Arranged.of(BESIDE))
    qtbot.waitUntil(lambda: room.state == "failed", timeout=10_000)
    settle(window)
    assert len(room.pane.text) > 20
    assert room.problem is not None
    for label in room.pane.findChildren(QLabel):
        if label.isVisible():
            assert label.height() >= label.heightForWidth(label.width())  # nothing is cut off


def test_a_prior_of_the_worklist_is_found_and_read(window, qtbot, tmp_path):
    old = write(tmp_path, "old", THIN, 30, StudyDate="20000203", StudyInstanceUID="1.2.3.44")
    new = write(tmp_path, "new", AXIAL, 34)
    open_in(window, qtbot, old)
    qtbot.waitUntil(lambda: len(window.worklist.keeper.studies) == 1, timeout=5000)
    open_in(window, qtbot, new)
    (candidate,) = window.layouts.offered.candidates()
    assert candidate.study is not None
    (card,) = window.rail._priors
    assert (card.card.detail, card.card.state) == (
        "30 images · 2000-02-03",
        "PRIOR · 366 days earlier",
    )
    QTest.mouseClick(card, LEFT, pos=QPoint(30, 30))
    qtbot.waitUntil(lambda: window.layouts.beside.state == "shown", timeout=10_000)
    assert window.rail._priors[0].beside
    key(window, "F5")
    assert not window.rail._priors[0].beside
    key(window, "F7")
    room = window.layouts.beside
    qtbot.waitUntil(lambda: room.state == "shown", timeout=10_000)
    assert room.plan.series.description == "old"
    assert chips(room.view)[0] == "PRIOR · 2000-02-03 · 366 days earlier"


def test_the_window_closes_while_the_series_beside_is_read(two, qtbot, monkeypatch):
    window = two(("thin", THIN))
    read = staged.StagedRead._one

    def slow(self, *given):
        threading.Event().wait(0.05)
        return read(self, *given)

    monkeypatch.setattr(staged.StagedRead, "_one", slow)
    window.layouts.show_beside(number_of(window, "thin"))
    settle(window)
    assert window.layouts.beside.state == "loading"
    assert window.close()
    assert window.layouts.beside.state == "empty"
    # The leak hunt of every test looks for its thread.


def test_another_layout_while_it_is_read_stops_the_reading(two, qtbot, monkeypatch):
    window = two(("thin", THIN))
    started = []
    read = staged.StagedRead._one

    def slow(self, *given):
        started.append(1)
        threading.Event().wait(0.03)
        return read(self, *given)

    monkeypatch.setattr(staged.StagedRead, "_one", slow)
    window.layouts.show_beside(number_of(window, "thin"))
    qtbot.waitUntil(lambda: bool(started))
    key(window, "F5")
    settle(window)
    assert window.layouts.beside.case is None
    assert window.layouts.beside.state == "empty"
    assert len(started) < 30


# ------------------------------------------------------------------------ odd ones


def test_series_of_another_modality_keep_their_own_window(window, qtbot, tmp_path):
    write(tmp_path, "thick", AXIAL, 34)
    write(tmp_path, "mr", THIN, 30, modality="MR")
    open_in(window, qtbot, tmp_path)
    other = beside(window, qtbot, "mr")
    assert window.layouts.links.mode == "position"
    own = other.reading.window
    window.reading.set_window(Window(3, 77))
    assert other.reading.window == own


def test_windows_without_a_unit_follow_in_proportion(window, qtbot, tmp_path):
    for name, grid, factor in (("one", AXIAL, 1), ("two", THIN, 4)):
        uid = f"1.2.826.0.1.3680043.8.498.{factor}"
        write_stack(
            tmp_path / name,
            values(34 if factor == 1 else 30) * factor,
            affine=grid,
            series_uid=uid,
            modality="MR",
            SeriesDescription=name,
            WindowCenter=500 * factor,
            WindowWidth=800 * factor,
        )
    open_in(window, qtbot, tmp_path)
    assert window.reading.case.series.description == "one"
    other = beside(window, qtbot, "two")
    window.reading.set_window(window.reading.window.moved(600, 400))
    assert (other.reading.window.centre, other.reading.window.width) == (2400, 1600)


@pytest.mark.parametrize("how", ["one image", "no place"])
def test_odd_images_stand_beside_too(window, qtbot, tmp_path, how):
    write(tmp_path, "thick", AXIAL, 34)
    if how == "one image":
        write(tmp_path, "odd", THIN, 1)
    else:
        write(tmp_path, "odd", THIN, 12, ImagePositionPatient=None, ImageOrientationPatient=None)
    open_in(window, qtbot, tmp_path)
    other = beside(window, qtbot, "odd")
    settle(window)
    assert other.view.isVisible()
    if how == "no place":
        assert window.layouts.links.mode == ""
        key(window, "L", SHIFT)
        first = other.view.plane.number(other.view.index)
        key(window, "Down")
        key(window, "Down")
        assert other.view.plane.number(other.view.index) == first + 2
    key(window, "F5")
    assert other.state == "empty"
