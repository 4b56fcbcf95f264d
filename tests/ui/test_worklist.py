"""The worklist in the window: listed, left, opened again by key as it was; gone files; privacy."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QWidget

from resources.problem import Problem
from tests.dicom_files import stored, write_slice, write_stack
from viewer import folders, logbook, worklist_file
from viewer.display.grey import Window
from viewer.ui import view_state
from viewer.ui.worklist_rows import WorklistModel
from viewer.worklist import Study, Worklist

from .conftest import settle
from .test_review import control, key

CANARIES = ("Canary", "CANARY", "19010203", "20010203", "secret-folder", "secret-other")


@pytest.fixture
def two(tmp_path):
    """Two small series of two patients, in folders that name them."""
    folder = tmp_path / "secret-folder"
    write_stack(folder, stored(6), SeriesDescription="Canary one", StudyDate="20010203")
    other = tmp_path / "secret-other"
    write_stack(
        other,
        stored(9),
        SeriesDescription="Canary two",
        PatientName="Canary^Second",
        SeriesInstanceUID="1.2.826.0.1.3680043.8.498.77",
        StudyInstanceUID="1.2.826.0.1.3680043.8.498.78",
    )
    return folder, other


def open_and_wait(window, qtbot, act):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        act()
    settle(window)
    written(window)


def written(window):
    """Wait until all is in the file, and its answers are in the window."""
    window.worklist.keeper._pool.waitForDone()
    settle(window)


def listed(window, qtbot, count):
    qtbot.waitUntil(lambda: window.worklist.page.model.rowCount() == count, timeout=5000)


def on_list(window, name):
    QTest.keyClick(window.worklist.page.list, getattr(Qt.Key, f"Key_{name}"))
    settle(window)


def show_list(window, qtbot, count):
    control(window, "L")
    listed(window, qtbot, count)
    assert window.worklist.listing


def again(window, qtbot):
    """Close the window and open another, as the next start does."""
    from viewer.ui.main_window import MainWindow

    window.close()
    made = MainWindow()
    made.resize(1500, 900)
    made.show()
    qtbot.waitExposed(made)
    return made


# ------------------------------------------------------------------- coming back


def test_left_and_opened_again_by_key_a_study_is_as_it_was(window, qtbot, two):
    one, other = two
    open_and_wait(window, qtbot, lambda: window.open_paths([one]))
    reading = window.reading
    reading.show_slice(window.views.views[0].plane, 1)
    reading.set_window(Window(123.0, 456.0))
    reading.show(fill=True, invert=True)
    window.views.toggle_enlarged(window.views.views[0].plane.name)
    window.views.views[0].look_at((10.0, 11.0), 0.125)
    cursor, first = reading.cursor_lps_mm.copy(), reading.case.key
    open_and_wait(window, qtbot, lambda: window.open_paths([other]))
    assert reading.case.key != first
    assert reading.window != Window(123.0, 456.0)
    assert window.views.enlarged is None
    reading.show(fill=False)

    show_list(window, qtbot, 2)
    assert window.worklist.page.current.case_key == reading.case.key
    on_list(window, "Down")
    assert window.worklist.page.current.case_key == first
    open_and_wait(window, qtbot, lambda: on_list(window, "Return"))
    assert reading.case.key == first
    np.testing.assert_allclose(reading.cursor_lps_mm, cursor, atol=1e-3)
    assert window.views.views[0].index == 1
    assert (reading.window.centre, reading.window.width) == (123.0, 456.0)
    assert reading.shown.fill
    assert reading.shown.invert
    assert window.views.enlarged == window.views.views[0].plane.name
    assert window.views.views[0].look == pytest.approx((10.0, 11.0, 0.125))
    assert window.stage.currentWidget() is window.views
    assert window.views.views[0].hasFocus()


def test_another_start_brings_it_back_too(window, qtbot, two):
    open_and_wait(window, qtbot, lambda: window.open_paths([two[0]]))
    window.reading.set_window(Window(50.0, 60.0))
    window.reading.show_slice(window.views.views[0].plane, 4)
    key_before = window.reading.case.key
    made = again(window, qtbot)
    try:
        listed(made, qtbot, 1)
        assert made.worklist.listing
        assert made.rail.isHidden()
        assert made.panel.isHidden()
        open_and_wait(made, qtbot, lambda: on_list(made, "Return"))
        assert made.reading.case.key == key_before
        assert (made.reading.window.centre, made.reading.window.width) == (50.0, 60.0)
        assert made.views.views[0].index == 4
        assert not made.panel.isHidden()
        assert not made.rail.isHidden()
    finally:
        made.close()
        made.deleteLater()


def test_findings_threshold_and_overlays_come_back_but_nothing_stays_hidden(
    reviewed, qtbot, phantom_folder
):
    reading = reviewed.reading
    reading.set_threshold(0.7)
    reading.show(heatmap=True, masks=False)
    segment = reading.case.document.segments[0].id
    reading.toggle_segment(segment)
    reading.select(reading.case.shown[-1].id)
    chosen = reading.selected
    open_and_wait(reviewed, qtbot, lambda: reviewed.open_paths([phantom_folder]))
    assert reading.case.threshold == 0.7
    assert reading.shown.heatmap
    assert reading.shown.masks
    assert reading.visible_segments == {segment}
    assert reading.selected == chosen


def test_a_damaged_view_is_no_error(opened):
    reading, views = opened.reading, opened.views
    for text in (
        "",
        "{",
        "[]",
        '"x"',
        '{"cursor_lps_mm": [1, 2], "window": "wide", "shown": 3, "segments": 7, "zoom": []}',
        '{"cursor_lps_mm": [NaN, 0, 0], "window": [0, Infinity], "selected": [], "enlarged": {}}',
        '{"cursor_lps_mm": [1e400, 0, 0], "zoom": {"axial": [0, 0, -1], "sagittal": [0, 0, 0]}}',
        '{"runs": 0, "threshold": "high", "shown": {"heatmap": true, "fill": "yes"}}',
    ):
        view_state.restore_images(text, reading, views)
        view_state.restore_findings(text, reading)
        assert reading.window == reading.first_window, text
        assert np.isfinite(reading.cursor_lps_mm).all(), text
        assert not reading.shown.heatmap, text
        assert not reading.shown.fill, text
        assert reading.selected is None, text
        assert views.enlarged is None, text


def test_a_cursor_outside_the_images_is_brought_inside(opened):
    text = '{"cursor_lps_mm": [1e6, -1e6, 1e6]}'
    view_state.restore_images(text, opened.reading, opened.views)
    shape = opened.reading.case.volume.shape_kji
    assert all(0 <= x <= n - 1 for x, n in zip(opened.reading.cursor_kji(), shape, strict=True))


# ------------------------------------------------------------------------- state


def stored_state(window):
    window.worklist.keeper._keep_progress()
    written(window)
    return Worklist().studies()[0].state


def test_the_state_follows_the_reading(opened, qtbot, tmp_path):
    assert stored_state(opened) == "new"
    with qtbot.waitSignal(opened.ai.ended, timeout=10_000):
        opened.ai.run()
    assert stored_state(opened) == "ai"
    case = opened.reading.case
    key(opened, "A")
    assert stored_state(opened) == "review"
    for lesion in case.shown:
        case.set_verdict(lesion.id, "accepted")
    assert stored_state(opened) == "done"
    with qtbot.waitSignal(opened.exporter.ended, timeout=60_000):
        opened.exporter.start(tmp_path / "export", leave=None)
    assert stored_state(opened) == "exported"
    opened.reading.select(case.shown[0].id)
    key(opened, "X")
    assert stored_state(opened) == "done"
    control(opened, "Z")
    assert stored_state(opened) == "exported"


def test_a_picture_is_kept(opened, qtbot):
    case_key = opened.reading.case.key
    qtbot.waitUntil(
        lambda: opened.worklist.keeper.pictures.get(case_key) is not None, timeout=10_000
    )
    written(opened)
    png = Worklist().thumbnails([case_key])[case_key]
    assert png.startswith(b"\x89PNG")
    assert b"Canary" not in png


# ----------------------------------------------------------------------- the page


def test_without_a_study_the_window_says_how_to_open_one(window, qtbot):
    qtbot.waitUntil(lambda: window.worklist.keeper.known)
    assert not window.worklist.listing
    assert window.empty._title.text() == "Open a study"
    assert not window.panel.isHidden()


def test_escape_goes_back_and_no_key_reaches_the_covered_study(reviewed, qtbot):
    record = reviewed.reading.case.document.record
    assert not reviewed.panel.isHidden()
    show_list(reviewed, qtbot, 1)
    for name in ("accept", "delete", "slice_down", "missed", "run", "export", "undo"):
        action = reviewed.actions_by_id[name]
        assert not action.isEnabled()
        assert "Esc" in action.toolTip()
    for name in ("A", "X", "M", "J"):
        on_list(reviewed, name)
    assert reviewed.worklist.page.search.text() == "axmj"
    assert reviewed.reading.case.document.record == record
    key(reviewed, "Escape")
    assert reviewed.worklist.page.search.text() == ""
    assert reviewed.worklist.listing
    key(reviewed, "Escape")
    assert reviewed.stage.currentWidget() is reviewed.views
    assert reviewed.views.views[0].hasFocus()
    assert not reviewed.panel.isHidden()
    assert reviewed.actions_by_id["accept"].isEnabled()
    show_list(reviewed, qtbot, 1)
    control(reviewed, "L")
    assert reviewed.stage.currentWidget() is reviewed.views


def test_enter_on_the_open_study_goes_back_to_it(opened, qtbot):
    case = opened.reading.case
    show_list(opened, qtbot, 1)
    on_list(opened, "Return")
    assert opened.stage.currentWidget() is opened.views
    assert opened.reading.case is case


def test_the_search_filters_and_enter_opens_what_it_found(window, qtbot, two):
    for folder in two:
        open_and_wait(window, qtbot, lambda folder=folder: window.open_paths([folder]))
    show_list(window, qtbot, 2)
    page = window.worklist.page
    QTest.keyClicks(page.list, "patient")
    settle(window)
    assert page.search.hasFocus()
    assert page.model.rowCount() == 1
    assert page.current.patient_name == "Canary^Patient"
    open_and_wait(window, qtbot, lambda: QTest.keyClick(page.search, Qt.Key.Key_Return))
    assert window.reading.case.series.patient.name == "Canary^Patient"


def test_delete_takes_a_study_off_and_its_corrections_stay(opened, qtbot, phantom_folder):
    opened.corrections.add_missed(opened.reading.cursor_lps_mm)
    show_list(opened, qtbot, 1)
    on_list(opened, "Delete")
    assert "corrections are kept" in opened.worklist.page.notice.text
    assert opened.worklist.page.model.rowCount() == 0
    written(opened)
    assert Worklist().studies() == ()
    key(opened, "Escape")
    key(opened, "Escape")
    open_and_wait(opened, qtbot, lambda: opened.open_paths([phantom_folder]))
    assert len(opened.reading.case.document.lesions) == 1
    assert len(Worklist().studies()) == 1


def test_the_menu_and_the_clear_button_take_off_too(opened, qtbot):
    show_list(opened, qtbot, 1)
    page = opened.worklist.page
    menu = page.menu_of(page.current)
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == [
        "Open",
        "Locate the folder…",
        "Remove from the list (keeps corrections)",
        "Analyse in the background",
    ]
    menu.deleteLater()
    QTest.mouseClick(page.clear_button, Qt.MouseButton.LeftButton)
    assert page.model.rowCount() == 1
    assert "All corrections are kept" in page.notice.text
    (remove,) = [b for b in page.notice._buttons if b.text() == "Remove all"]
    QTest.mouseClick(remove, Qt.MouseButton.LeftButton)
    written(opened)
    assert page.model.rowCount() == 0
    assert Worklist().studies() == ()


def test_a_double_click_opens(window, qtbot, two):
    for folder in two:
        open_and_wait(window, qtbot, lambda folder=folder: window.open_paths([folder]))
    show_list(window, qtbot, 2)
    view = window.worklist.page.list
    at = view.visualRect(view.model().index(1)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    open_and_wait(
        window,
        qtbot,
        lambda: QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at),
    )
    assert window.reading.case.series.description == "Canary one"


@pytest.mark.parametrize("width", [560, 800, 1280, 1900])
def test_the_page_fits_every_width(window, qtbot, two, width):
    open_and_wait(window, qtbot, lambda: window.open_paths([two[0]]))
    show_list(window, qtbot, 1)
    page = window.worklist.page
    holder = QWidget()
    page.setParent(holder)
    page.resize(width, 600)
    holder.resize(width, 600)
    holder.show()
    page.show()
    settle(window)
    assert page.minimumSizeHint().width() <= width
    for part in (page.list, page.search, page.clear_button):
        assert part.mapTo(page, QPoint(part.width(), 0)).x() <= width
    assert page.list.horizontalScrollBar().maximum() == 0
    window.empty.addWidget(page)
    holder.deleteLater()


# --------------------------------------------------------------------- gone files


def test_a_study_whose_files_are_gone_stays_and_can_be_located(window, qtbot, two, monkeypatch):
    one, other = two
    for folder in two:
        open_and_wait(window, qtbot, lambda folder=folder: window.open_paths([folder]))
    moved = one.with_name("moved")
    shutil.move(one, moved)
    show_list(window, qtbot, 2)
    page, keeper = window.worklist.page, window.worklist.keeper
    gone = next(s for s in keeper.studies if s.description == "Canary one")
    qtbot.waitUntil(lambda: keeper.missing == {gone.case_key})
    on_list(window, "Down")
    on_list(window, "Return")
    qtbot.waitUntil(lambda: bool(page.notice.text))
    assert str(one) in page.notice.text
    assert "Canary, Patient" in page.notice.text
    assert window.reading.case.series.description == "Canary two"
    assert page.model.rowCount() == 2
    (locate,) = [b for b in page.notice._buttons if b.text().startswith("Locate")]
    # A folder with another patient's images: that one is never opened for it.
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: str(other))
    with qtbot.waitSignal(window.opener.found, timeout=20_000):
        QTest.mouseClick(locate, Qt.MouseButton.LeftButton)
    settle(window)
    assert window.reading.case is None
    assert "not among the images" in window.message.text
    assert window.worklist.listing
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: str(moved))
    open_and_wait(window, qtbot, lambda: page.locate_asked.emit(gone))
    assert window.reading.case.key == gone.case_key
    (found,) = [s for s in Worklist().studies() if s.case_key == gone.case_key]
    assert found.paths == (str(moved),)


def test_a_study_in_a_folder_of_many_is_opened_from_its_own(window, qtbot, two):
    above = two[0].parent
    open_and_wait(window, qtbot, lambda: window.open_paths([above]))
    (entry,) = Worklist().studies()
    assert entry.description == "Canary two"  # the larger one
    assert entry.paths == (str(two[1]),)


def come_back_to(window, qtbot, wanted_key, away):
    """Open another study, then the one of a key from the list; wait until it is there."""
    open_and_wait(window, qtbot, lambda: window.open_paths([away]))
    show_list(window, qtbot, len(Worklist().studies()))
    keeper = window.worklist.keeper
    window.worklist.page.open_asked.emit(keeper.study(wanted_key))

    def there():
        case = window.reading.case
        return case is not None and case.key == wanted_key and not case.is_being_read

    qtbot.waitUntil(there, timeout=30_000)
    qtbot.waitUntil(lambda: not window.opener.busy, timeout=10_000)
    written(window)


def test_a_regular_copy_is_made_again_when_it_is_opened_from_the_list(window, qtbot, two, tmp_path):
    tilted = tmp_path / "tilted"
    for k in range(6):
        y = k * 4 * np.tan(np.radians(14))
        pixels = np.full((20, 24), 100 + k, dtype=np.int16)
        write_slice(tilted / f"{k}", pixels, position=(0, y, 4 * k), number=k + 1)
    open_and_wait(window, qtbot, lambda: window.open_paths([tilted]))
    open_and_wait(window, qtbot, window.study.open_copy)
    copy = window.reading.case
    assert copy.plan.resampled
    come_back_to(window, qtbot, copy.key, two[1])
    assert window.reading.case.plan.resampled


def test_a_series_shown_in_one_is_so_again_when_it_is_opened_from_the_list(
    window, qtbot, two, tmp_path
):
    echoes = tmp_path / "echoes"
    for n in range(2):
        for k in range(3):
            write_slice(
                echoes / f"{n}{k}",
                np.full((20, 20), 100 * (n + 1) + k, dtype=np.int16),
                position=(0, 0, 5 * k),
                modality="MR",
                number=3 * n + k + 1,
                EchoTime=str(5.0 * (n + 1)),
                EchoNumbers=str(n + 1),
            )
    open_and_wait(window, qtbot, lambda: window.open_paths([echoes]))
    open_and_wait(window, qtbot, lambda: window.study.open_series(1 - window.study.current))
    part = window.reading.case.plan.part
    open_and_wait(window, qtbot, lambda: window.study._regroup(0, split=False))
    qtbot.waitUntil(lambda: not window.opener.busy)
    written(window)
    whole = window.reading.case.key
    assert part in {study.part for study in Worklist().studies()}
    come_back_to(window, qtbot, whole, two[1])
    assert window.reading.case.plan.shape_kji[0] == 6


# ----------------------------------------------------------------- damage, privacy


def test_a_damaged_list_is_said_and_hinders_nothing(window, qtbot, two):
    open_and_wait(window, qtbot, lambda: window.open_paths([two[0]]))
    window.close()
    file = folders.data_dir() / worklist_file.FILE
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    file.write_bytes(b"")
    made = again(window, qtbot)
    try:
        qtbot.waitUntil(lambda: "worklist was damaged" in made.message.text)
        open_and_wait(made, qtbot, lambda: made.open_paths([two[0]]))
        assert len(Worklist().studies()) == 1
    finally:
        made.close()
        made.deleteLater()


def test_a_list_of_a_newer_overread_is_left_alone_and_said_once(window, qtbot, two, monkeypatch):
    def newer(folder, **_how):
        raise Problem("The worklist was saved by a newer Overread.", "Update.")

    monkeypatch.setattr(worklist_file, "make_ready", newer)
    made = again(window, qtbot)
    try:
        qtbot.waitUntil(lambda: "newer Overread" in made.message.text)
        made.message.hide()
        with qtbot.waitSignal(made.opener.opened, timeout=20_000):
            made.open_paths([two[0]])
        written(made)
        assert made.reading.case is not None
        assert made.message.isHidden()
    finally:
        made.close()
        made.deleteLater()


def test_a_study_of_another_overread_appears(opened, qtbot):
    Worklist().opened(Study("0" * 32, patient_name="Other^One"))
    show_list(opened, qtbot, 2)
    first = opened.worklist.page.model.index(0).data(WorklistModel.STUDY)
    assert first.patient_name == "Other^One"


def test_patient_data_is_in_the_list_and_the_journals_only(
    window, qtbot, two, private_home, tmp_path, monkeypatch, caplog
):
    import tempfile

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    logbook.open_log()
    for folder in two:
        open_and_wait(window, qtbot, lambda folder=folder: window.open_paths([folder]))
    window.set_reader("Dr. Reader")
    shutil.rmtree(two[0])
    show_list(window, qtbot, 2)
    on_list(window, "Down")
    on_list(window, "Return")
    qtbot.waitUntil(lambda: bool(window.worklist.page.notice.text))
    window.worklist.keeper.failed.emit(Problem("Canary", "CANARY", "detail"))
    window.close()
    written(window)
    held = set()
    for top in (private_home, scratch):
        for path in top.rglob("*"):
            for canary in CANARIES:
                assert canary not in str(path.relative_to(top))
                if path.is_file() and canary.encode() in path.read_bytes():
                    held.add(path.relative_to(top).as_posix())
    assert held <= {f"data/worklist.{kind}" for kind in ("sqlite", "sqlite-wal", "backup.sqlite")}
    assert "data/worklist.sqlite" in held
    assert not any(canary in caplog.text for canary in CANARIES)
    assert os.name != "posix" or (folders.data_dir() / "worklist.sqlite").stat().st_mode & 63 == 0


def test_a_list_that_was_read_before_it_was_cleared_brings_nothing_back(opened, qtbot):
    show_list(opened, qtbot, 1)
    keeper = opened.worklist.keeper
    keeper.refresh()  # its answer is still to come
    keeper.clear()
    written(opened)
    qtbot.waitUntil(lambda: keeper._pool.waitForDone(10) and not keeper.studies)
    settle(opened)
    assert keeper.studies == () and opened.worklist.page.model.rowCount() == 0
