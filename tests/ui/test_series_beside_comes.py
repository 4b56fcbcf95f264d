"""A series beside the open one: whose it is, how it comes and goes, states, odd ones."""

import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from tests.dicom_files import write_stack
from viewer.display.grey import Window
from viewer.study import staged
from viewer.ui.layouts import BESIDE, THREE, Arranged

from .beside_cases import (
    AXIAL,
    LEFT,
    SAGITTAL,
    SHIFT,
    THIN,
    beside,
    chips,
    number_of,
    open_in,
    values,
    write,
)
from .conftest import no_collecting, settle
from .test_layouts import key
from .test_views import drag

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
    assert other.view.cursor().shape() == Qt.CursorShape.ForbiddenCursor
    before = len(reviewed.reading.case.document.record)
    drag(other.view, QPoint(100, 100), QPoint(30, 30))
    assert len(reviewed.reading.case.document.record) == before
    assert "for looking only" in reviewed.status._text.text()


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
    with no_collecting():
        key(window, "F5")
        qtbot.waitUntil(lambda: voxels() is None, timeout=20_000)
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
        hold.wait(60)
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
