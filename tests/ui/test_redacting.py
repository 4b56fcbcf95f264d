"""A look at the pixels: boxes by mouse and keys, a word for each series, and what is written."""

from __future__ import annotations

import json

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.deid_cases import burned_in, hits, write
from viewer.deid import mapping
from viewer.deid.drawing import scope_of
from viewer.deid.options import Box
from viewer.deid.survey import look_through
from viewer.ui.identity.files import FilesDialog
from viewer.ui.identity.looking import PixelDialog
from viewer.ui.identity.passphrase import once
from viewer.ui.identity.report_view import ReportDialog

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def folder(tmp_path):
    """Write a cine with a name in its pixels, a capture, and a slice that nobody need look at."""
    burned_in(tmp_path / "in")
    write(tmp_path / "in" / "ct.dcm", 1)
    write(tmp_path / "in" / "sc.dcm", 2, sc=True, SeriesInstanceUID="1.2.752.99.7731.40.6")
    return tmp_path / "in"


@pytest.fixture
def looking(window, qtbot, folder):
    found = sorted(look_through([folder]).to_look_at, key=len, reverse=True)
    dialog = PixelDialog(found, (), "Look.", window)
    dialog.show()
    qtbot.waitExposed(dialog)
    qtbot.waitUntil(lambda: dialog._pixels is not None)
    yield dialog
    dialog.done(0)
    dialog.deleteLater()


def drag(canvas, start, *to):
    QTest.mousePress(canvas, LEFT, pos=canvas.point_of(*start))
    for point in to:
        QTest.mouseMove(canvas, canvas.point_of(*point))
    QTest.mouseRelease(canvas, LEFT, pos=canvas.point_of(*to[-1]))


def test_a_box_is_drawn_moved_resized_and_taken_back(looking):
    canvas = looking.canvas
    drag(canvas, (3.2, 2.2), (6, 4), (8.8, 5.8))
    (box,) = looking.drawing.boxes
    assert (box.column, box.row, box.width, box.height) == (3, 2, 6, 4)
    assert scope_of(box) == "series" and looking.remove.isEnabled()
    drag(canvas, (5.5, 4), (7, 6), (7.5, 7))
    assert looking.drawing.boxes[0].column, looking.drawing.boxes[0].row == (5, 5)
    box = looking.drawing.boxes[0]
    drag(canvas, (box.column + box.width, box.row + box.height), (14, 12), (15.4, 13.4))
    grown = looking.drawing.boxes[0]
    assert (grown.column, grown.row) == (box.column, box.row)
    assert (grown.column + grown.width, grown.row + grown.height) == (16, 14)
    for _ in range(3):
        QTest.keyClick(looking, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert looking.drawing.boxes == ()
    QTest.keyClick(looking, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert looking.drawing.boxes == (Box(3, 2, 6, 4, box.series_uid),)


def test_keys_nudge_choose_and_delete(looking):
    canvas = looking.canvas
    drag(canvas, (1, 1), (2, 2), (3, 3))
    before = looking.drawing.boxes[0]
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    QTest.keyClick(canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    after = looking.drawing.boxes[0]
    assert (after.column, after.row) == (before.column + 1, before.row + 10)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.chosen is None and looking.isVisible()
    QTest.keyClick(looking, Qt.Key.Key_N)
    assert canvas.chosen == 0
    QTest.keyClick(looking, Qt.Key.Key_Delete)
    assert looking.drawing.boxes == ()


def test_a_box_is_put_where_it_belongs(looking):
    canvas = looking.canvas
    drag(canvas, (1, 1), (2, 2), (3, 3))
    for key, scope in ((Qt.Key.Key_1, "image"), (Qt.Key.Key_3, "all"), (Qt.Key.Key_2, "series")):
        QTest.keyClick(looking, key)
        assert scope_of(looking.drawing.boxes[0]) == scope
        assert looking.scope.currentData() == scope


def test_the_wheel_scrolls_and_the_whole_series_must_be_seen(looking, qtbot):
    assert not looking.go.isEnabled() and "2 series" in looking._state.text()
    wheel = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    for number in (1, 2):
        QApplication.sendEvent(looking.canvas, wheel)
        qtbot.waitUntil(lambda n=number: n in looking._shown[0])
    assert looking.open_ones() == [1]
    looking.show_series(1)
    qtbot.waitUntil(looking.go.isEnabled)
    assert len(looking.word.seen) == 2


def test_the_brightest_of_all_counts_as_a_look_and_playing_does(looking, qtbot):
    QTest.keyClick(looking, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: 0 not in looking.open_ones())
    assert looking._where.text() == "all 3"
    QTest.keyClick(looking, Qt.Key.Key_A)
    looking._shown[0].clear()
    QTest.keyClick(looking, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: 0 not in looking.open_ones())
    qtbot.waitUntil(lambda: not looking.playing.isChecked())


def test_a_series_may_be_left_out_but_not_all(looking, qtbot):
    looking.leave_out.click()
    assert looking.open_ones() == [1] and not looking.go.isEnabled()
    looking.show_series(1)
    qtbot.waitUntil(looking.go.isEnabled)
    assert looking.word.seen == {looking.found[1].series_uid}
    looking.leave_out.click()
    assert not looking.go.isEnabled()


def test_the_preview_is_black_and_zoom_stays_on_the_point(looking):
    canvas = looking.canvas
    drag(canvas, (3.2, 2.2), (6, 4), (8.8, 5.8))
    inside = canvas.point_of(6, 4)
    ratio = canvas.devicePixelRatioF()
    assert canvas.grab().toImage().pixelColor(inside * ratio).value() == 0
    QTest.keyClick(looking, Qt.Key.Key_P)
    assert canvas.grab().toImage().pixelColor(inside * ratio).value() == 250
    before = canvas.to_pixel(QPointF(inside))
    canvas._zoom_at(QPointF(inside), 2.0)
    assert canvas.to_pixel(QPointF(inside)) == pytest.approx(before)
    QTest.keyClick(looking, Qt.Key.Key_R)
    assert canvas._zoom == 1.0


def test_what_cannot_be_read_is_said_and_cannot_be_vouched_for(looking, qtbot):
    looking.found[0].files[0].path.write_bytes(b"gone")
    looking.go_to(1)
    qtbot.waitUntil(looking.problem.isVisible)
    assert "cannot be shown" in looking.problem.text()
    assert 0 in looking.open_ones()


# ------------------------------------------------------------------------------ folder


@pytest.fixture
def files(window, qtbot, folder, tmp_path, monkeypatch):
    made = FilesDialog((folder,), window.settings, lambda parent: once(), window)
    made.into = tmp_path / "out"
    made.show()
    yield made
    made.close()
    made.deleteLater()


def answer(monkeypatch, kind, act):
    really = kind.exec

    def acted(dialog):
        try:
            act(dialog)
        except BaseException:
            dialog.reject()  # else nobody ends it
            raise

    def run(dialog):
        QTimer.singleShot(0, dialog, lambda: acted(dialog))
        return really(dialog)

    monkeypatch.setattr(kind, "exec", run)


def test_a_folder_is_copied_after_a_look_and_the_report_is_shown(
    files, qtbot, monkeypatch, tmp_path
):
    def look(dialog):
        us = next(at for at, one in enumerate(dialog.found) if one.modality == "US")
        for at in range(len(dialog.found)):
            dialog.show_series(at)
            dialog.all.setChecked(True)
            qtbot.waitUntil(lambda at=at: at not in dialog.open_ones())
            dialog.all.setChecked(False)
        dialog.show_series(us)
        qtbot.waitUntil(lambda: not dialog.frames.busy)
        drag(dialog.canvas, (3.2, 2.2), (6, 4), (8.8, 5.8))
        dialog.go.click()

    reports = []

    def read(dialog):
        reports.append(dialog)
        shown = dialog.table.rowCount()
        dialog.filter.setText("uid replaced")
        hidden = sum(dialog.table.isRowHidden(row) for row in range(shown))
        assert 0 < hidden < shown
        dialog.accept()

    answer(monkeypatch, PixelDialog, look)
    answer(monkeypatch, ReportDialog, read)
    with qtbot.waitSignal(files.ended):
        files.start()
    qtbot.waitUntil(lambda: bool(reports))
    (made,) = (tmp_path / "out").iterdir()
    assert not hits(made)
    copies = [pydicom.dcmread(path) for path in made.rglob("*.dcm")]
    assert len(copies) == 3
    cine = next(one for one in copies if one.Modality == "US")
    assert cine.pixel_array.max() == 90
    told = json.loads((made / "deidentification.json").read_text())
    assert told["pixels"]["files_with_boxes"] == 1 and told["pixels"]["seen_by_a_person"]
    assert "3 files of 1 patients" in files.state.text() and not mapping.exists()
    ct = next(one for one in copies if one.Modality == "CT")
    assert np.array_equal(np.unique(ct.pixel_array), [100, 900]), "nothing is black there"


def test_a_run_that_is_stopped_leaves_nothing(files, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "viewer.ui.identity.files.look_through",
        lambda paths, progress, cancelled: _until(cancelled),
    )
    files.start()
    qtbot.waitUntil(lambda: files.cancel.text() == "Cancel")
    with qtbot.waitSignal(files.ended):
        files.cancel.click()
    assert "nothing was written" in files.state.text()
    assert not (tmp_path / "out").exists()


def _until(cancelled):
    from viewer.study.cancel import stop_if

    while True:
        stop_if(cancelled)
        QTest.qSleep(5)


def test_a_look_that_is_given_up_writes_nothing(files, qtbot, monkeypatch, tmp_path):
    answer(monkeypatch, PixelDialog, lambda dialog: dialog.reject())
    with qtbot.waitSignal(files.ended):
        files.start()
    assert "Nothing was written" in files.state.text() and not (tmp_path / "out").exists()


def test_a_folder_without_images_says_so(files, qtbot, tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "notes.txt").write_text("nothing")
    files.paths = (tmp_path / "none",)
    with qtbot.waitSignal(files.ended):
        files.start()
    assert "no DICOM file" in files.state.text()


def test_the_window_is_reached_from_the_menu_and_by_a_key(window, qtbot):
    action = window.actions_by_id["deidentify"]
    assert action.isEnabled() and action.shortcut().toString() == "Ctrl+Shift+E"
    action.trigger()
    dialog = window.leaving._files
    assert dialog is not None and dialog.isVisible() and not dialog.go.isEnabled()
    action.trigger()
    assert window.leaving._files is dialog
    dialog.close()
    assert window.leaving._files is None
