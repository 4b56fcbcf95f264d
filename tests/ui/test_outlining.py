"""A missed lesion in one gesture: a click, and the model outlines what lies there."""

import os

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from resources.problem import Problem
from viewer.ui import view_notices
from viewer.ui.picture import ai_state
from viewer.ui.widgets import CommandButton

from .conftest import ball_there, nothing_there, settle
from .test_review import control, key, stroke_at
from .test_views import drag


@pytest.fixture
def pointing(reviewed, process):
    """The window with findings in, the outline tool, and a model that finds a ball anywhere."""
    process.outline_at = ball_there
    reviewed.set_reader("Dr. A. Test")
    key(reviewed, "O")
    assert reviewed.reading.tool == "outline"
    return reviewed


def free_place(window):
    """Return a point of the acquired view on which no finding lies."""
    view = window.views.views[0]
    boxes = [x.mask for x in window.reading.case.document.record if not x.empty]
    for x in range(view.width() // 4, 3 * view.width() // 4, 7):
        at = QPoint(x, view.height() // 2)
        voxel = np.array(view.voxel_at(at.toPointF()) or (0, 0, 0))
        if all(np.abs(voxel - m.origin_kji).max() > 15 for m in boxes):
            return view, at
    raise AssertionError("no free place")


def click(view, at):
    QTest.mouseMove(view.viewport(), at)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def hint(window):
    return window.status._text.text()


def outline_here(window, qtbot, view=None, at=None):
    """Click and wait for the outline; return its lesion."""
    if view is None:
        view, at = free_place(window)
    before = len(window.reading.case.document.record)
    click(view, at)
    qtbot.waitUntil(lambda: len(window.reading.case.document.record) > before)
    settle(window)
    return window.reading.lesion


def test_a_click_is_a_lesion_outlined_measured_listed_and_not_reviewed(pointing, process, qtbot):
    view, at = free_place(pointing)
    wanted = view.lps_at(at.toPointF())
    lesion = outline_here(pointing, qtbot, view, at)
    case = pointing.reading.case
    np.testing.assert_allclose(process.outlined, [wanted], atol=1e-6)
    assert lesion.origin == "ai-pointed"
    assert lesion.missed_by_ai
    assert lesion.verdict is None and not lesion.reviewed
    assert lesion.score == pytest.approx(0.31)
    assert lesion.diameter_mm > 10 and lesion.volume_ml > 1
    truth = ball_there(case.volume, wanted).mask
    shape = case.volume.shape_kji
    np.testing.assert_array_equal(lesion.mask.to_array(shape), truth.to_array(shape))
    assert any(mark.lesion.id == lesion.id for mark in view.overlay.marks)
    lines = [line for line in view.overlay._lines if line.target_id == lesion.id]
    assert lines and lines[0].dashed  # as all that is the AI's
    rows = pointing.panel.list
    text = rows.item(rows.count() - 1).data(Qt.ItemDataRole.AccessibleTextRole)
    for part in ("AI missed", "impression 3.4 of 5", "not reviewed", "score 0.31"):
        assert part in text
    assert "Outline nodule" in case.undo_name
    assert pointing.reading.tool == "outline"  # ready for the next one
    assert pointing.reading.outlining == ()
    assert "not reviewed" in hint(pointing)


def test_it_stays_whatever_the_threshold_and_comes_back_after_reopening(
    pointing, qtbot, phantom_folder
):
    lesion = outline_here(pointing, qtbot)
    pointing.reading.set_threshold(1.0)
    assert lesion.id in {x.id for x in pointing.reading.lesions}
    key(pointing, "A")
    said = pointing.reading.case.document.detection(lesion.id)
    with qtbot.waitSignal(pointing.opener.opened, timeout=20_000):
        pointing.open_paths([phantom_folder])
    settle(pointing)
    back = pointing.reading.case.document.lesion(lesion.id)
    assert (back.origin, back.verdict, back.number) == ("ai-pointed", "accepted", lesion.number)
    assert (back.diameter_mm, back.volume_ml) == (lesion.diameter_mm, lesion.volume_ml)
    np.testing.assert_array_equal(back.mask.voxels, lesion.mask.voxels)
    again = pointing.reading.case.document.detection(lesion.id)
    assert (again.uncertainty, again.impression) == (said.uncertainty, said.impression)


def test_undo_takes_it_away_as_one_step_and_redo_brings_it_back(pointing, qtbot):
    case = pointing.reading.case
    before = [x.id for x in case.document.record]
    lesion = outline_here(pointing, qtbot)
    control(pointing, "Z")
    assert [x.id for x in case.document.record] == before
    assert pointing.reading.selected is None
    control(pointing, "Y")
    back = case.document.lesion(lesion.id)
    np.testing.assert_array_equal(back.mask.voxels, lesion.mask.voxels)
    assert back.missed_by_ai


def test_an_edit_makes_it_solid_and_the_model_keeps_its_own_outline(pointing, qtbot):
    lesion = outline_here(pointing, qtbot)
    case, ai = pointing.reading.case, pointing.reading.case.document.ai_mask("p1")
    count = ai.count
    key(pointing, "B")
    stroke_at(pointing, lesion.centre_lps_mm, QPoint(60, 0))
    edited = case.document.lesion(lesion.id)
    assert edited.origin == "ai-edited"
    assert edited.mask.count > count == case.document.ai_mask("p1").count
    assert case.document.ai_mask("p1") is ai
    control(pointing, "Z")
    back = case.document.lesion(lesion.id)
    assert back.origin == "ai-pointed"
    assert back.missed_by_ai
    assert back.mask is ai


def test_where_nothing_is_it_says_so_and_the_missed_key_puts_a_point(pointing, process, qtbot):
    process.outline_at = nothing_there
    view, at = free_place(pointing)
    case = pointing.reading.case
    before = len(case.document.record)
    click(view, at)
    qtbot.waitUntil(lambda: "The model sees nothing here" in hint(pointing))
    assert "M here puts a point" in hint(pointing)
    assert len(case.document.record) == before
    key(pointing, "M")
    lesion = pointing.reading.lesion
    assert lesion.origin == "human" and lesion.empty
    np.testing.assert_allclose(lesion.centre_lps_mm, view.lps_at(at.toPointF()), atol=1e-6)
    assert pointing.reading.tool == "brush"
    assert len(process.outlined) == 1


def test_outside_the_images_nothing_is_asked(pointing, process):
    view = pointing.views.views[0]
    at = next(
        at
        for at in (QPoint(3, view.height() // 2), QPoint(view.width() // 2, 3))
        if view.voxel_at(at.toPointF()) is None
    )
    click(view, at)
    assert "outside the images" in hint(pointing)
    assert process.outlined == []


def test_the_missed_key_does_the_same_at_the_pointer(reviewed, process, qtbot):
    process.outline_at = ball_there
    view, at = free_place(reviewed)
    QTest.mouseMove(view.viewport(), at + QPoint(9, 9))
    QTest.mouseMove(view.viewport(), at)
    qtbot.waitUntil(lambda: view.pointer_px.toPoint() == at)
    key(reviewed, "M")
    qtbot.waitUntil(lambda: "p1" in {x.id for x in reviewed.reading.case.document.record})
    settle(reviewed)
    assert reviewed.reading.lesion.origin == "ai-pointed"


def test_the_missed_key_adds_a_point_where_the_model_may_not_run(opened, process, monkeypatch):
    opened.ai.reasons = ("This series is MR.",)
    opened.follow()
    assert not opened.actions_by_id["outline"].isEnabled()
    assert "This series is MR." in opened.actions_by_id["outline"].toolTip()
    key(opened, "M")
    assert opened.reading.lesion.origin == "human"
    assert not opened.reading.lesion.missed_by_ai
    assert process.outlined == []


def test_without_a_run_it_is_no_miss_of_the_ai(opened, process, qtbot, monkeypatch):
    process.outline_at = ball_there
    key(opened, "O")
    lesion = outline_here(opened, qtbot)
    assert not lesion.missed_by_ai
    text = opened.panel.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "outlined by the AI at a click" in text
    assert "missed" not in text
    # Its name and "not reviewed" stand on the image as on every result of a model.
    stamp = opened.reading.case.document.model
    pack = opened.ai.pack
    assert (stamp.id, stamp.version) == (pack.id, pack.version)
    words, heed = ai_state(opened.reading.case, hidden=False)
    assert pack.id in words and "not reviewed" in words and heed
    said = []
    chip = view_notices.chip
    monkeypatch.setattr(
        view_notices, "chip", lambda *args, **kw: (said.append(args[3]), chip(*args, **kw))[1]
    )
    view = opened.views.views[0]
    view.standing = type(view.standing)()  # what stands there is put together anew
    view.grab()
    assert [f"AI {pack.id} {pack.version}", "not reviewed"] in said


def test_the_window_goes_on_while_the_model_works_and_esc_stops_it(pointing, process, qtbot):
    process.hold.clear()
    view, at = free_place(pointing)
    record = pointing.reading.case.document.record
    click(view, at)
    qtbot.waitUntil(lambda: len(process.outlined) == 1)
    assert len(pointing.reading.outlining) == 1
    marked = view.grab().toImage()
    view.scroll_slices(3)
    settle(pointing)
    view.scroll_slices(-3)
    key(pointing, "Escape")
    assert pointing.reading.outlining == ()
    assert view.grab().toImage() != marked
    assert pointing.reading.tool == "outline"  # one Esc, one thing
    process.hold.set()
    settle(pointing)
    QTest.qWait(50)
    assert pointing.reading.case.document.record == record
    key(pointing, "Escape")
    assert pointing.reading.tool == "window"
    # And the next click works.
    key(pointing, "O")
    assert outline_here(pointing, qtbot, view, at).origin == "ai-pointed"


def test_several_points_may_wait_for_their_turn(pointing, process, qtbot):
    process.hold.clear()
    view, at = free_place(pointing)
    click(view, at)
    click(view, at)  # the same place twice is once
    view.scroll_slices(8)
    settle(pointing)
    click(view, at)
    assert len(pointing.reading.outlining) == 2
    process.hold.set()
    qtbot.waitUntil(lambda: {"p1", "p2"} <= {x.id for x in pointing.reading.case.document.record})
    assert pointing.reading.outlining == ()


def test_a_point_in_a_listed_finding_selects_it(pointing, process):
    case = pointing.reading.case
    lesion = case.shown[1]
    pointing.reading.move_cursor(lesion.centre_lps_mm)
    settle(pointing)
    view = pointing.views.views[0]
    count = len(case.document.record)
    click(view, view.cursor_px().toPoint())
    settle(pointing)
    assert pointing.reading.selected == lesion.id
    assert len(case.document.record) == count
    assert process.outlined == []
    assert f"{lesion.number} · Nodule lies here" in hint(pointing)


def test_a_finding_that_the_threshold_hides_appears_instead_of_a_double(pointing, process):
    case = pointing.reading.case
    lesion = case.shown[-1]
    pointing.reading.set_threshold(0.94)
    assert lesion.id not in {x.id for x in case.shown}
    pointing.reading.move_cursor(lesion.centre_lps_mm)
    settle(pointing)
    view = pointing.views.views[0]
    click(view, view.cursor_px().toPoint())
    settle(pointing)
    assert pointing.reading.selected == lesion.id
    assert lesion.id in {x.id for x in case.shown}
    assert process.outlined == []
    assert "was below the threshold" in hint(pointing)
    back = case.document.lesion(lesion.id)
    assert back.origin == "ai" and not back.reviewed and back.called_up
    control(pointing, "Z")
    assert lesion.id not in {x.id for x in case.shown}


def test_an_outline_of_a_hidden_finding_shows_that_finding(pointing, process, qtbot):
    case = pointing.reading.case
    lesion = case.shown[-1]
    pointing.reading.set_threshold(0.94)
    process.outline_at = lambda volume, point: type(ball_there(volume, point))(
        lesion.mask, *_maps(volume, point), 0.5, 0.1, None, "", "CPU"
    )
    click(*free_place(pointing))
    qtbot.waitUntil(lambda: lesion.id in {x.id for x in case.shown})
    assert "p1" not in {x.id for x in case.document.record}


def _maps(volume, point):
    made = ball_there(volume, point)
    return made.share, made.spread


def test_a_deleted_finding_comes_back_when_it_is_pointed_at(pointing, process):
    case = pointing.reading.case
    lesion = case.shown[0]
    pointing.reading.select(lesion.id)
    settle(pointing)
    key(pointing, "Delete")
    view = pointing.views.views[0]
    click(view, view.cursor_px().toPoint())
    settle(pointing)
    assert pointing.reading.selected == lesion.id
    assert not case.document.lesion(lesion.id).deleted
    assert "was deleted" in hint(pointing)


def test_a_run_under_way_is_said(pointing, process, qtbot):
    process.hold.clear()
    pointing.ai.run()
    qtbot.waitUntil(lambda: pointing.ai.engine.running)
    settle(pointing)
    assert not pointing.actions_by_id["outline"].isEnabled()
    view, at = free_place(pointing)
    click(view, at)
    assert "The model is running" in hint(pointing)
    assert process.outlined == []
    process.hold.set()
    qtbot.waitUntil(lambda: not pointing.ai.engine.running)


def test_a_failure_is_told_and_the_next_click_works(pointing, process, qtbot):
    process.problem = Problem("The model process ended.", "Point again.")
    view, at = free_place(pointing)
    click(view, at)
    qtbot.waitUntil(lambda: pointing.message.isVisible())
    assert "The model process ended. Point again." in pointing.message.text
    assert pointing.reading.outlining == ()
    process.problem = None
    assert outline_here(pointing, qtbot, view, at).origin == "ai-pointed"


def test_an_answer_for_a_case_closed_since_is_dropped(pointing, process, qtbot, phantom_folder):
    process.hold.clear()
    click(*free_place(pointing))
    qtbot.waitUntil(lambda: len(process.outlined) == 1)
    with qtbot.waitSignal(pointing.opener.opened, timeout=20_000):
        pointing.open_paths([phantom_folder])
    process.hold.set()
    settle(pointing)
    assert pointing.reading.outlining == ()
    assert "p1" not in {x.id for x in pointing.reading.case.document.record}


def test_a_drag_with_the_tool_sets_the_window(pointing, process):
    width = pointing.reading.window.width
    drag(pointing.views.views[0], QPoint(200, 200), QPoint(40, 0))
    assert pointing.reading.window.width > width
    assert process.outlined == []


def test_while_the_ai_is_hidden_nothing_is_outlined(reviewed, process):
    reviewed.reading.shown.ai_held_back = True
    reviewed.reading.show()
    settle(reviewed)
    assert not reviewed.actions_by_id["outline"].isEnabled()
    reviewed.outliner.missed(reviewed.reading.cursor_lps_mm)
    assert process.outlined == []
    assert reviewed.reading.case.document.record[-1].origin == "human"


def test_the_button_in_the_bar_chooses_the_tool(opened):
    button = next(
        b
        for b in opened.bar.findChildren(CommandButton)
        if b.action is opened.actions_by_id["outline"]
    )
    for _ in range(2):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        settle(opened)
        assert opened.reading.tool == "outline"


def test_a_second_run_knows_what_was_outlined(pointing, process, qtbot, truth_findings):
    from dataclasses import replace

    lesion = outline_here(pointing, qtbot)
    case = pointing.reading.case
    best = truth_findings.detections[0]
    found = replace(best, id="d9", mask=lesion.mask)
    process.findings = replace(truth_findings, detections=(*truth_findings.detections, found))
    with qtbot.waitSignal(pointing.ai.ended, timeout=10_000):
        pointing.ai.run()
    assert case.document.lesion("p1").live
    assert case.document.detection_id("p1") == "d9"
    assert "r2d9" not in {x.id for x in case.document.record}


def test_picture_for_the_eye(pointing, process, qtbot):
    folder = os.environ.get("OVERREAD_GRABS")
    if not folder:
        pytest.skip("pictures are taken when OVERREAD_GRABS names a folder")
    pointing.resize(1680, 1050)
    settle(pointing)
    process.hold.clear()
    click(*free_place(pointing))
    QTest.qWait(150)
    pointing.grab().save(f"{folder}/outlining.png")
    process.hold.set()
    qtbot.waitUntil(lambda: "p1" in {x.id for x in pointing.reading.case.document.record})
    QTest.qWait(150)
    pointing.grab().save(f"{folder}/outlined.png")


def test_what_was_asked_before_the_reader_locked_the_ai_away_is_dropped(pointing, process, qtbot):
    process.hold.clear()
    click(*free_place(pointing))
    qtbot.waitUntil(lambda: len(process.outlined) == 1)
    pointing.reading.ai_locked = True
    process.hold.set()
    qtbot.waitUntil(lambda: pointing.reading.outlining == ())
    assert "p1" not in {x.id for x in pointing.reading.case.document.record}
    pointing.reading.ai_locked = False
