"""Reviewing and correcting in the real window: list, verdicts, brush, undo, reopen."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from inference.geometry import lps_mm_to_kji
from resources.problem import Problem
from viewer.ui.commands import commands

from .conftest import settle
from .test_views import drag


def key(window, name, keys=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window, getattr(Qt.Key, f"Key_{name}"), keys)
    settle(window)


def control(window, name):
    key(window, name, Qt.KeyboardModifier.ControlModifier)


def stroke_at(window, point_lps_mm, by=None):
    window.reading.move_cursor(point_lps_mm)
    settle(window)
    view = window.views.views[0]
    drag(view, view.cursor_px().toPoint(), by or QPoint(12, 0))
    settle(window)


def test_the_list_shows_what_the_model_found_best_first_selected(reviewed, truth_findings):
    case = reviewed.reading.case
    assert reviewed.panel.list.count() == sum(d.score >= 0.4 for d in truth_findings.detections)
    best = case.shown[0]
    assert reviewed.reading.selected == best.id
    np.testing.assert_allclose(reviewed.reading.cursor_lps_mm, best.centre_lps_mm, atol=1e-6)
    text = reviewed.panel.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert f"{best.diameter_mm:.1f}" in text
    assert "mL" in text
    assert "not reviewed" in text


def test_a_click_on_a_row_centres_all_views(reviewed):
    rows = reviewed.panel.list
    rect = rows.visualItemRect(rows.item(1))
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    settle(reviewed)
    lesion = reviewed.reading.lesion
    assert lesion is not None
    assert lesion.id == reviewed.reading.case.shown[1].id
    for view in reviewed.views.views:
        assert view.index == view.plane.index_of_lps(lesion.centre_lps_mm)
        assert any(mark.lesion.id == lesion.id for mark in view.overlay.marks)


@pytest.mark.parametrize(
    ("name", "verdict"), [("A", "accepted"), ("X", "rejected"), ("U", "unsure")]
)
def test_one_key_judges_and_the_same_key_takes_it_back(reviewed, name, verdict):
    reviewed.set_reader("Dr. A. Test")
    key(reviewed, name)
    lesion = reviewed.reading.lesion
    assert (lesion.verdict, lesion.reader) == (verdict, "Dr. A. Test")
    assert reviewed.reading.case.progress[0] == 1
    key(reviewed, name)
    assert reviewed.reading.lesion.verdict is None
    control(reviewed, "Z")
    assert reviewed.reading.lesion.verdict == verdict


def test_next_and_previous_go_around(reviewed):
    shown = [lesion.id for lesion in reviewed.reading.case.shown]
    seen = []
    for _ in shown:
        seen.append(reviewed.reading.selected)
        key(reviewed, "J")
    assert seen == shown
    assert reviewed.reading.selected == shown[0]
    key(reviewed, "K")
    assert reviewed.reading.selected == shown[-1]


def test_the_threshold_filters_at_once_but_never_what_was_reviewed(reviewed, process):
    case = reviewed.reading.case
    lowest = case.shown[-1]
    reviewed.reading.select(lowest.id)
    key(reviewed, "X")
    reviewed.reading.set_threshold(0.94)
    settle(reviewed)
    assert {lesion.id for lesion in case.shown} == {case.shown[0].id, lowest.id}
    assert reviewed.panel.list.count() == 2
    reviewed.reading.set_threshold(0.0)
    assert len(case.shown) == len(case.document.lesions)
    assert process.runs == 1


def test_the_heatmap_waits_for_its_key(reviewed):
    view = reviewed.views.views[0]
    assert not reviewed.reading.shown.heatmap
    without = view.grab().toImage()
    key(reviewed, "H")
    assert reviewed.reading.shown.heatmap
    assert view.grab().toImage() != without
    key(reviewed, "H")
    assert view.grab().toImage() == without


def test_hiding_the_findings_leaves_the_bare_image(reviewed):
    view = reviewed.views.views[0]
    assert view.overlay.marks
    key(reviewed, "S")
    assert not view.overlay.marks
    assert not view.overlay.shows_ai
    key(reviewed, "S")
    assert view.overlay.marks


def test_brush_adds_eraser_removes_and_undo_names_the_step(reviewed):
    case = reviewed.reading.case
    lesion = reviewed.reading.lesion
    before = lesion.mask.count
    ai = case.document.ai_mask(lesion.id)
    key(reviewed, "B")
    stroke_at(reviewed, lesion.centre_lps_mm, QPoint(40, 0))
    painted = reviewed.reading.lesion
    assert painted.mask.count > before
    assert painted.origin == "ai-edited"
    assert case.document.ai_mask(lesion.id) is ai
    assert ai.count == before
    assert "Brush" in case.undo_name
    key(reviewed, "E")
    stroke_at(reviewed, lesion.centre_lps_mm, QPoint(40, 0))
    assert reviewed.reading.lesion.mask.count < painted.mask.count
    control(reviewed, "Z")
    assert reviewed.reading.lesion.mask.count == painted.mask.count
    control(reviewed, "Z")
    assert reviewed.reading.lesion.mask.count == before
    control(reviewed, "Y")
    assert reviewed.reading.lesion.mask.count == painted.mask.count


def test_the_3d_brush_paints_neighbouring_slices_the_2d_brush_one(reviewed):
    lesion = reviewed.reading.lesion
    reviewed.reading.set_tool("brush")
    reviewed.reading.set_brush(size_mm=30)

    def touched(before, after):
        shape = reviewed.reading.case.volume.shape_kji
        return np.flatnonzero((before.to_array(shape) ^ after.to_array(shape)).any(axis=(1, 2)))

    x, y, z = lesion.centre_lps_mm
    away = (x + 25, y, z)
    stroke_at(reviewed, away)
    assert len(touched(lesion.mask, reviewed.reading.lesion.mask)) == 1
    control(reviewed, "Z")
    key(reviewed, "T")
    stroke_at(reviewed, away)
    assert len(touched(lesion.mask, reviewed.reading.lesion.mask)) >= 4  # 30 mm at 7 mm


def test_escape_gives_up_a_stroke(reviewed):
    lesion = reviewed.reading.lesion
    reviewed.reading.set_tool("brush")
    view = reviewed.views.views[0]
    port, at = view.viewport(), view.cursor_px().toPoint()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(port, at + QPoint(60, 0))
    assert reviewed.reading.stroke is not None
    key(reviewed, "Escape")
    assert reviewed.reading.stroke is None
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=at + QPoint(60, 0))
    settle(reviewed)
    assert reviewed.reading.lesion.mask is lesion.mask


def test_a_missed_lesion_is_added_under_the_pointer_and_painted(reviewed, process, qtbot):
    view = reviewed.views.views[0]
    at = QPoint(view.width() // 3, view.height() // 2)
    QTest.mouseMove(view.viewport(), at)
    wanted = np.asarray(view.lps_at(view.pointer_px))
    key(reviewed, "M")
    qtbot.waitUntil(lambda: "The model sees nothing here" in reviewed.status._text.text())
    assert reviewed.reading.case.undo_name == "AI run"
    key(reviewed, "M")
    np.testing.assert_allclose(process.outlined, [wanted], atol=1e-6)
    lesion = reviewed.reading.lesion
    assert lesion.missed_by_ai
    assert lesion.empty
    np.testing.assert_allclose(lesion.centre_lps_mm, wanted, atol=1e-6)
    assert reviewed.reading.tool == "brush"
    assert any(mark.lesion.id == lesion.id for mark in view.overlay.marks)
    drag(view, at, QPoint(8, 0))
    settle(reviewed)
    assert not reviewed.reading.lesion.empty
    assert reviewed.reading.lesion.volume_ml > 0


def test_delete_and_undo(reviewed):
    case = reviewed.reading.case
    lesion = reviewed.reading.lesion
    key(reviewed, "Delete")
    assert lesion.id not in {shown.id for shown in case.shown}
    control(reviewed, "Z")
    assert lesion.id in {shown.id for shown in case.shown}


def test_dragging_a_finding_moves_it_as_far_as_the_pointer(reviewed):
    lesion = reviewed.reading.lesion
    reviewed.reading.set_tool("move")
    view = reviewed.views.views[0]
    start = view.cursor_px().toPoint()
    drag(view, start, QPoint(50, 0))
    settle(reviewed)
    moved = np.array(reviewed.reading.lesion.centre_lps_mm) - lesion.centre_lps_mm
    assert moved[0] == pytest.approx(50 * view.mm_per_px, abs=1.5)
    np.testing.assert_allclose(moved[1:], 0, atol=1e-6)
    assert reviewed.reading.lesion.mask.count == lesion.mask.count


def test_closing_and_opening_again_brings_everything_back(reviewed, qtbot, phantom_folder):
    lesion = reviewed.reading.lesion
    key(reviewed, "A")
    key(reviewed, "B")
    stroke_at(reviewed, lesion.centre_lps_mm, QPoint(40, 0))
    painted = reviewed.reading.lesion.mask
    with qtbot.waitSignal(reviewed.opener.opened, timeout=20_000):
        reviewed.open_paths([phantom_folder])
    settle(reviewed)
    back = reviewed.reading.case.document.lesion(lesion.id)
    assert back.verdict == "accepted"
    np.testing.assert_array_equal(back.mask.voxels, painted.voxels)
    assert back.mask.origin_kji == painted.origin_kji
    assert reviewed.panel.list.count() > 0
    control(reviewed, "Z")
    assert reviewed.reading.case.document.lesion(lesion.id).mask.count == lesion.mask.count


def test_painting_needs_a_finding_and_says_so(opened):
    opened.reading.set_tool("brush")
    view = opened.views.views[0]
    drag(view, QPoint(200, 200), QPoint(20, 0))
    assert opened.reading.case.undo_name is None
    assert "Select a finding" in opened.status._text.text()


# ------------------------------------------------------------------- the run


def test_cancel_leaves_things_as_they_were(opened, process, qtbot):
    process.hold.clear()
    opened.ai.run()
    qtbot.waitUntil(lambda: opened.ai.engine.last is not None)
    assert not opened.actions_by_id["run"].isEnabled()
    opened.panel.cancel_asked.emit()
    assert not opened.ai.engine.running
    process.hold.set()
    settle(opened)
    assert opened.reading.case.document.findings is None
    assert opened.actions_by_id["run"].isEnabled()
    with qtbot.waitSignal(opened.ai.ended, timeout=5000):
        opened.ai.run()
    assert opened.reading.case.document.findings is not None


def test_a_failed_run_says_why_and_can_be_tried_again(opened, process, qtbot):
    process.problem = Problem("The model process ended.", "Run it again.")
    with qtbot.waitSignal(opened.ai.ended, timeout=5000):
        opened.ai.run()
    assert "The model process ended. Run it again." in opened.panel.run_state._text.text()
    process.problem = None
    with qtbot.waitSignal(opened.ai.ended, timeout=5000):
        opened.ai.run()
    assert opened.panel.list.count() > 0


def test_a_result_for_a_series_closed_since_is_dropped(opened, process, qtbot, phantom_folder):
    process.hold.clear()
    opened.ai.run()
    qtbot.waitUntil(lambda: opened.ai.engine.last is not None)
    with qtbot.waitSignal(opened.opener.opened, timeout=20_000):
        opened.open_paths([phantom_folder])
    process.hold.set()
    settle(opened)
    assert opened.reading.case.document.findings is None


def test_closing_during_a_run_does_not_block(opened, process, qtbot):
    process.hold.clear()
    opened.ai.run()
    qtbot.waitUntil(lambda: opened.ai.engine.last is not None)
    opened.close()
    assert not opened.isVisible()


# ---------------------------------------------------------------- the commands


def test_no_key_does_two_things():
    keys = [key for command in commands() for key in command.keys]
    assert len(keys) == len(set(keys))


def test_what_is_off_says_why(window):
    for name in ("run", "export", "accept", "heatmap", "undo"):
        action = window.actions_by_id[name]
        assert not action.isEnabled()
        assert "\n" in action.toolTip()


def test_the_tool_buttons_stay_on_at_a_second_click(opened):
    from viewer.ui.widgets import CommandButton

    button = next(
        b
        for b in opened.bar.findChildren(CommandButton)
        if b.action is opened.actions_by_id["brush"]
    )
    for _ in range(2):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        settle(opened)
        assert opened.reading.tool == "brush"
        assert button.isChecked()


def test_the_views_stay_unchanged_by_the_ai_data(reviewed, truth_findings):
    """Voxels and AI findings are frozen."""
    case = reviewed.reading.case
    assert not case.volume.voxels.flags.writeable
    first = case.document.findings.detections[0]
    k, j, i = (round(v) for v in lps_mm_to_kji(case.volume.affine, first.centre_lps_mm))
    assert first.mask.to_array(case.volume.shape_kji)[k, j, i]
