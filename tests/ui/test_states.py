"""States that a reader comes into by accident: hidden, read-only, held down, given up, dropped."""

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QMouseEvent,
    QPainter,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from resources.problem import Problem
from viewer.session import Case, Reader
from viewer.ui import view_notices, view_text
from viewer.ui.reading import TEXT_FULL, TEXT_NONE, TEXT_SHORT
from viewer.ui.standing import Standing
from viewer.ui.view_ink import MARGIN

from .conftest import run_ends_in_a_stroke, settle
from .test_review import control, key
from .test_views import drag, wheel


def written(view, monkeypatch):
    """Return the words of the notices that a view draws now."""
    said = []
    chip = view_notices.chip
    view.standing = Standing()  # what stands still is not written anew else

    def listen(painter, view, y, parts, **how):
        said.append(" · ".join(parts))
        return chip(painter, view, y, parts, **how)

    with monkeypatch.context() as patch:
        patch.setattr(view_notices, "chip", listen)
        picture = QImage(view.size(), QImage.Format.Format_RGB32)
        with QPainter(picture) as painter:
            view_text.paint(painter, view, view.rect())
    return said


@pytest.mark.parametrize("text", [TEXT_FULL, TEXT_SHORT, TEXT_NONE])
@pytest.mark.parametrize("enlarged", [None, "axial", "coronal", "sagittal"])
@pytest.mark.parametrize("width", [1500, 1024])
def test_an_ai_result_never_shows_without_its_name_and_state(
    reviewed, monkeypatch, text, enlarged, width
):
    reviewed.resize(width, 700)
    if enlarged:
        reviewed.views.toggle_enlarged(enlarged)
    reviewed.reading.show(text=text)
    settle(reviewed)
    visible = [view for view in reviewed.views.views if view.isVisible()]
    said = [notice for view in visible for notice in written(view, monkeypatch)]
    beside = ["AI · not reviewed"] * (len(visible) - 1)  # each view says it for itself
    assert said == ["AI scripted 0 · not reviewed", *beside]
    for lesion in reviewed.reading.case.shown:
        reviewed.reading.case.set_verdict(lesion.id, "accepted")
    said = [notice for view in visible for notice in written(view, monkeypatch)]
    assert said == ["AI scripted 0 · reviewed", *(["AI · reviewed"] * (len(visible) - 1))]


def test_a_notice_is_never_wider_than_its_view(reviewed, monkeypatch):
    view = reviewed.views.views[0]
    boxes = []
    draw = QPainter.drawImage

    class Watched(QPainter):
        def drawImage(self, at, picture, *rest):
            if not rest and at.x() == round(MARGIN) - 1:  # a notice; words stand elsewhere
                wide = picture.width() / picture.devicePixelRatioF()
                boxes.append(QRectF(at.x(), at.y(), wide, 1))
            draw(self, at, picture, *rest)

    for width in (200, 320, 600):
        view.setFixedWidth(width)
        picture = QImage(view.size(), QImage.Format.Format_RGB32)
        painter = Watched(picture)
        view_text.paint(painter, view, view.rect())
        painter.end()
    assert len(boxes) == 3
    assert all(box.right() < width for box, width in zip(boxes, (200, 320, 600), strict=True))


def test_hidden_findings_are_said_to_be_hidden_and_do_not_stay_so(
    reviewed, monkeypatch, qtbot, phantom_folder
):
    view = reviewed.views.views[0]
    count = len(reviewed.reading.case.shown)
    key(reviewed, "S")
    assert written(view, monkeypatch) == [f"{count} findings hidden · S shows them"]
    reviewed.reading.set_tool("erase")
    with qtbot.waitSignal(reviewed.opener.opened, timeout=20_000):
        reviewed.open_paths([phantom_folder])
    settle(reviewed)
    assert reviewed.reading.shown.masks
    assert reviewed.reading.tool == "window"
    assert reviewed.actions_by_id["window"].isChecked()


def test_what_is_painted_is_seen(reviewed):
    case = reviewed.reading.case
    segment = case.document.segments[0]
    reviewed.reading.select(segment.id)
    reviewed.reading.show(masks=False)
    reviewed.reading.set_tool("brush")
    view = reviewed.views.views[0]
    drag(view, QPoint(200, 250), QPoint(30, 0))
    settle(reviewed)
    assert reviewed.reading.shown.masks
    assert segment.id in reviewed.reading.visible_segments
    assert case.document.segment(segment.id).mask is not segment.mask
    reviewed.reading.show(masks=False)
    reviewed.corrections.add_missed(reviewed.reading.cursor_lps_mm)
    assert reviewed.reading.shown.masks


def test_scrolling_with_the_brush_down_paints_on_the_slice_shown(reviewed):
    lesion = reviewed.reading.lesion
    shape = reviewed.reading.case.volume.shape_kji
    before = lesion.mask.to_array(shape)
    reviewed.reading.set_tool("brush")
    reviewed.reading.set_brush(size_mm=20, ball=False)
    view = reviewed.views.views[0]
    port, at = view.viewport(), view.cursor_px().toPoint() + QPoint(70, 0)
    first = view.index
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=at)
    wheel(view, -3)
    third = view.index
    QTest.mouseMove(port, at + QPoint(20, 0))
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at + QPoint(20, 0))
    settle(reviewed)
    after = reviewed.reading.case.document.lesion(lesion.id).mask.to_array(shape)
    assert set(np.flatnonzero((before ^ after).any(axis=(1, 2)))) == {first, third}
    assert first != third


def test_a_release_that_never_came_ends_the_stroke(reviewed):
    lesion = reviewed.reading.lesion
    reviewed.reading.set_tool("brush")
    view = reviewed.views.views[0]
    port, at = view.viewport(), view.cursor_px().toPoint()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(port, at + QPoint(40, 0))
    there = QPointF(at + QPoint(60, 0))
    QApplication.sendEvent(
        port,
        QMouseEvent(
            QMouseEvent.Type.MouseMove,
            there,
            QPointF(port.mapToGlobal(there.toPoint())),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        ),
    )
    settle(reviewed)
    assert reviewed.reading.stroke is None
    assert reviewed.reading.lesion.mask.count > lesion.mask.count
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at)


def test_escape_brings_the_window_of_before_the_drag_back(opened):
    view = opened.views.views[0]
    before = opened.reading.window
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    QTest.mouseMove(view.viewport(), QPoint(260, 240))
    assert opened.reading.window != before
    key(opened, "Escape")
    assert opened.reading.window == before
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(260, 240))


def test_a_key_held_down_judges_once():
    from PySide6.QtWidgets import QWidget

    from viewer.ui.commands import commands, make_actions

    owner = QWidget()
    actions = make_actions(owner, {command.id: int for command in commands()})
    repeating = {name for name, action in actions.items() if action.autoRepeat()}
    assert {"slice_up", "slice_down_10", "next", "larger", "undo"} <= repeating
    assert not repeating & {"accept", "reject", "unsure", "delete", "missed", "heatmap", "run"}


@pytest.fixture
def owned_elsewhere(opened, qtbot, phantom_folder):
    """The window on a case that another program owns and has worked on."""
    case = opened.reading.case
    series, plan, volume = case.series, case.plan, case.volume
    opened.corrections.add_missed(opened.reading.cursor_lps_mm)
    other = []

    def take(leaving):
        leaving.close()
        other.append(Case.open(series, plan, volume, reader=Reader("Dr. B. Other")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opened.opener, "close_case", take)
        with qtbot.waitSignal(opened.opener.opened, timeout=20_000):
            opened.open_paths([phantom_folder])
    settle(opened)
    yield opened
    other[0].close()


def test_a_second_window_is_read_only_and_says_why_on_everything_that_changes(owned_elsewhere):
    window = owned_elsewhere
    case = window.reading.case
    assert case.read_only
    problem = str(case.read_only_problem)
    assert window.message.text == problem
    assert case.document.lesions
    window.reading.select(case.document.lesions[0].id)
    changing = ("run", "missed", "brush", "erase", "move", "accept", "reject", "unsure", "delete")
    for name in (*changing, "undo", "redo"):
        action = window.actions_by_id[name]
        assert not action.isEnabled(), name
        assert problem in action.toolTip(), name
    assert window.actions_by_id["export"].isEnabled()
    before = case.document.record
    for name in ("A", "X", "U", "M", "Delete"):
        key(window, name)
    control(window, "Z")
    drag(window.views.views[0], QPoint(200, 200), QPoint(20, 0))
    settle(window)
    assert case.document.record == before


# -------------------------------------------------------------------- opening


def drop(widget, *urls):
    """Drop on a widget as Qt would: the first widget upwards that takes drops."""
    mime = QMimeData()
    mime.setUrls(list(urls))
    while widget is not None and not widget.acceptDrops():
        widget = widget.parentWidget()
    assert widget is not None
    how = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton)
    enter = QDragEnterEvent(QPoint(5, 5), *how, Qt.KeyboardModifier.NoModifier)
    enter.ignore()
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        event = QDropEvent(QPointF(5, 5), *how, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(widget, event)
    return enter.isAccepted()


def test_a_study_dropped_on_the_open_image_is_opened(opened, qtbot, phantom_folder):
    case = opened.reading.case
    port = opened.views.views[0].viewport()
    with qtbot.waitSignal(opened.opener.opened, timeout=20_000):
        assert drop(port, QUrl.fromLocalFile(str(phantom_folder)))
    assert opened.reading.case is not case


def test_what_is_no_file_is_not_taken(opened):
    assert not drop(opened.views.views[0].viewport(), QUrl("https://example.org/study"))


def test_escape_gives_up_opening_and_the_open_case_stays(opened, qtbot, phantom_folder):
    case = opened.reading.case
    opened.open_paths([phantom_folder])
    assert opened.stage.currentWidget() is opened.empty
    assert opened.actions_by_id["abort"].isEnabled()
    key(opened, "Escape")
    assert opened.stage.currentWidget() is opened.views
    QTest.qWait(400)
    assert opened.reading.case is case
    with qtbot.waitSignal(opened.opener.opened, timeout=20_000):
        opened.open_paths([phantom_folder])
    assert opened.reading.case is not case


def test_escape_gives_up_reading_and_the_series_can_be_opened_again(window, qtbot, phantom_folder):
    with qtbot.waitSignal(window.opener.reading, timeout=20_000):
        window.open_paths([phantom_folder])
    key(window, "Escape")
    QTest.qWait(300)
    assert window.reading.case is None
    assert window.stage.currentWidget() is window.empty
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.rail.chosen.emit(0)


def test_opening_twice_at_once_opens_once_and_can_be_closed(window, qtbot, phantom_folder):
    window.open_paths([phantom_folder])
    window.open_paths([phantom_folder])
    assert window.opener.busy
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        pass
    QTest.qWait(100)
    assert not window.opener.busy
    window.open_paths([phantom_folder])
    window.close()
    assert not window.isVisible()


def test_page_down_passes_a_series_that_cannot_be_shown(opened, monkeypatch):
    from dataclasses import replace

    plan = opened.opener.study.plans[0]
    broken = replace(plan, refusal=Problem("It is cut short.", "Copy it again."))
    opened.opener.study = replace(opened.opener.study, plans=(plan, broken, plan))
    asked = []
    monkeypatch.setattr(opened.study, "open_series", asked.append)
    opened.study.step_series(1)
    assert asked == [2]
    opened.study.current = 2
    opened.study.step_series(-1)
    assert asked == [2, 0]


def test_a_series_that_cannot_be_read_is_marked_in_the_rail(
    window, qtbot, phantom_folder, monkeypatch
):
    def fail(*args, **kwargs):
        raise Problem("The pixels cannot be read.", "Copy the study again.")

    monkeypatch.setattr("viewer.ui.staging.StagedRead", fail)
    with qtbot.waitSignal(window.opener.failed, timeout=20_000):
        window.open_paths([phantom_folder])
    settle(window)
    assert window.rail.card(0).failed
    assert window.rail.card(0).state == "Cannot be read"
    assert "The pixels cannot be read." in window.message.text


# ------------------------------------------------------------------------ run


def test_a_cancelled_second_run_leaves_the_reader_where_he_is(reviewed, process, qtbot):
    reviewed.reading.select(reviewed.reading.case.shown[-1].id)
    selected, place = reviewed.reading.selected, reviewed.reading.cursor_lps_mm.copy()
    said = reviewed.status._text.text()
    process.hold.clear()
    reviewed.ai.run()
    qtbot.waitUntil(lambda: reviewed.ai.engine.last is not None)
    reviewed.panel.cancel_asked.emit()
    process.hold.set()
    settle(reviewed)
    assert reviewed.reading.selected == selected
    np.testing.assert_array_equal(reviewed.reading.cursor_lps_mm, place)
    assert reviewed.status._text.text() == said


def test_findings_that_wait_for_a_stroke_are_still_a_run(opened, process, qtbot):
    view, end = run_ends_in_a_stroke(opened, qtbot)
    opened.ai.run()
    assert process.runs == 1
    assert opened.ai.why_not()
    opened.ai.cancel()
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=end)
    QTest.qWait(120)
    assert opened.reading.case.document.findings is None
    assert not opened.ai.why_not()
    assert not opened.panel._running


def test_findings_that_cannot_be_kept_say_so(opened, process, qtbot, monkeypatch):
    def full(self, findings):
        raise Problem("The disk is full.", "Free some space.")

    monkeypatch.setattr(Case, "add_findings", full)
    with qtbot.waitSignal(opened.ai.ended, timeout=5000):
        opened.ai.run()
    assert "The disk is full." in opened.panel.run_state._text.text()
    assert opened.actions_by_id["run"].isEnabled()


# -------------------------------------------------------------------- the rest


def test_undo_of_a_stroke_in_sight_stays_on_its_slice(reviewed):
    lesion = reviewed.reading.lesion
    reviewed.reading.set_tool("brush")
    reviewed.reading.set_brush(size_mm=10)
    view = reviewed.views.views[0]
    view.scroll_slices(4)
    here = reviewed.reading.cursor_lps_mm.copy()
    drag(view, view.cursor_px().toPoint(), QPoint(20, 0))
    settle(reviewed)
    assert reviewed.reading.case.document.lesion(lesion.id).mask.count > lesion.mask.count
    control(reviewed, "Z")
    np.testing.assert_array_equal(reviewed.reading.cursor_lps_mm, here)
    view.scroll_slices(9)
    control(reviewed, "Y")
    np.testing.assert_allclose(
        reviewed.reading.cursor_lps_mm, reviewed.reading.lesion.centre_lps_mm, atol=1e-6
    )


def test_undo_to_the_very_start_and_redo_to_the_end(reviewed):
    case = reviewed.reading.case
    key(reviewed, "A")
    key(reviewed, "J")
    key(reviewed, "Delete")
    key(reviewed, "M")
    state = [(x.id, x.verdict, x.mask.count) for x in case.document.lesions]
    steps = 0
    while case.undo_name:
        control(reviewed, "Z")
        steps += 1
    assert steps == 4  # the run is a step too
    assert case.document.findings is None
    assert not reviewed.panel.list.count()
    assert reviewed.reading.selected is None
    control(reviewed, "Z")
    while case.redo_name:
        control(reviewed, "Y")
    control(reviewed, "Y")
    assert [(x.id, x.verdict, x.mask.count) for x in case.document.lesions] == state


def test_deleting_everything_leaves_a_list_that_says_so(reviewed):
    count = reviewed.panel.list.count()
    for _ in range(count):
        key(reviewed, "J")
        key(reviewed, "Delete")
    assert reviewed.panel.list.count() == 0
    assert reviewed.panel.run_state.isVisible()
    for name in ("J", "K", "A", "Delete", "H", "S"):
        key(reviewed, name)
    assert reviewed.reading.selected is None
