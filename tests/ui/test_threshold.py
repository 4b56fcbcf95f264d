"""The score threshold and the comments of the findings queue, in the real window."""

import os

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from viewer.ui import theme

from .conftest import settle
from .queue_case import BELOW, SHOWN, listed, spoken
from .test_review import control, key

SHIFT = Qt.KeyboardModifier.ShiftModifier


# -------------------------------------------------------------------- the threshold


def move_slider(window, score):
    slider = window.panel.threshold.slider
    slider.setValue(round(score * 100))
    settle(window)


def recount(twelve, threshold, touched=()):
    return {d.id for d in twelve.detections if d.score >= threshold or d.id in touched}


def test_counts_at_every_threshold_equal_those_counted_anew(full, twelve):
    full.reading.select("d12")
    key(full, "X")
    key(full, "1")
    note = full.panel.threshold._note
    own = {d.id for d in twelve.detections if d.score >= 0.4}
    for score in (0.0, 0.1, 0.25, 0.35, 0.36, 0.4, 0.42, 0.57, 0.62, 0.9, 0.97, 0.98, 1.0):
        move_slider(full, score)
        shown = recount(twelve, score, {"d12"})
        assert set(listed(full)) == shown
        assert {x.id for x in full.reading.lesions} == shown
        text = note.text()
        assert text.startswith(f"{len(shown)} shown · {SHOWN + BELOW - len(shown)} more below · ")
        change = len(shown) - len(own)
        if change > 0:
            assert text.endswith(f"{change} appeared")
        elif change < 0:
            assert text.endswith(f"{-change} vanished")
    assert "d12" in listed(full)  # rejected: never hidden


def test_the_overlay_follows_the_threshold_at_once(full, process):
    lesion = full.reading.case.document.lesion("d13")
    view = full.views.views[0]
    full.reading.move_cursor(lesion.centre_lps_mm)
    settle(full)
    assert "d13" not in {mark.lesion.id for mark in view.overlay.marks}
    move_slider(full, 0.2)
    view.grab()
    assert "d13" in {mark.lesion.id for mark in view.overlay.marks}
    move_slider(full, 0.4)
    view.grab()
    assert "d13" not in {mark.lesion.id for mark in view.overlay.marks}
    assert process.runs == 1


def test_a_double_click_returns_to_the_models_own_threshold(full, process):
    move_slider(full, 0.8)
    slider = full.panel.threshold.slider
    QTest.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=slider.rect().center())
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=slider.rect().center())
    settle(full)
    assert full.reading.case.threshold == process.findings.threshold
    assert len(listed(full)) == SHOWN


def test_the_pointer_over_the_slider_says_what_would_change(full, twelve):
    slider, note = full.panel.threshold.slider, full.panel.threshold._note
    for score in (0.2, 0.7, 0.4):
        x = round(slider._x(score))
        at = slider.rect().center()
        at.setX(x)
        QTest.mouseMove(slider, at)
        settle(full)
        exact = slider.score_at(x)
        change = len(recount(twelve, exact)) - SHOWN
        word = "would appear" if change > 0 else "would vanish" if change < 0 else "the same"
        assert word in note.text()
        assert (str(abs(change)) if change else "the same") in note.text().split(" · ")[-1]
        assert full.reading.case.threshold == 0.4


def test_keys_step_the_slider_when_it_has_the_keyboard(full):
    slider = full.panel.threshold.slider
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Left)
    assert full.reading.case.threshold == pytest.approx(0.39)
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert full.reading.case.threshold == pytest.approx(0.40)


def test_nothing_moves_under_the_hand_while_the_slider_is_held(full):
    slider = full.panel.threshold.slider
    at = slider.rect().center()
    at.setX(round(slider._x(0.4)))
    before = slider.mapTo(full, at).y()
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=at)
    at.setX(round(slider._x(0.99)))
    QTest.mouseMove(slider, at)
    settle(full)
    assert not full.reading.lesions
    assert slider.mapTo(full, at).y() == before
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=at)
    settle(full)
    assert full.panel.run_state.isVisible()
    assert not full.panel.list.isVisible()


def test_pictures_for_the_eye(full, qapp):
    folder = os.environ.get("OVERREAD_GRABS")
    if not folder:
        pytest.skip("pictures are taken when OVERREAD_GRABS names a folder")
    full.resize(1680, 1050)
    for name in ("A", "J", "X"):
        key(full, name)
    settle(full)
    QTest.qWait(200)
    full.grab().save(f"{folder}/queue.png")
    key(full, "1")
    key(full, "J")
    full.queue.set_kind("open")
    move_slider(full, 0.3)
    QTest.qWait(200)
    full.grab().save(f"{folder}/queue_open.png")
    theme.apply_theme(qapp, "light")
    full.resize(1280, 800)
    full.queue.set_kind("all")
    key(full, "X")
    QTest.qWait(200)
    full.grab().save(f"{folder}/queue_light.png")
    theme.apply_theme(qapp, "dark")


# ---------------------------------------------------------------------- the comments


def type_comment(window, text, end=Qt.Key.Key_Return):
    key(window, "T", SHIFT)
    line = window.panel.comment.line
    assert line.hasFocus()
    QTest.keyClick(line, Qt.Key.Key_Backspace)  # all of it is selected
    QTest.keyClicks(line, text)
    QTest.keyClick(line, end)
    settle(window)


def test_a_comment_is_typed_kept_undone_and_comes_back(full, qtbot, phantom_folder):
    case = full.reading.case
    type_comment(full, "calcified, 12 34 x")  # letters and digits are text here
    assert not full.panel.comment.line.hasFocus()
    assert full.reading.lesion.verdict is None
    assert "“calcified, 12 34 x”" in spoken(full, 0)
    assert case.undo_name == "Comment"
    key(full, "J")
    assert not full.panel.comment.isVisible()
    key(full, "K")
    assert full.panel.comment.line.text() == "calcified, 12 34 x"
    control(full, "Z")
    assert not full.panel.comment.isVisible()
    assert "calcified" not in spoken(full, 0)
    control(full, "Y")
    with qtbot.waitSignal(full.opener.opened, timeout=20_000):
        full.open_paths([phantom_folder])
    settle(full)
    full.reading.select("d1")
    assert full.panel.comment.line.text() == "calcified, 12 34 x"


def test_esc_keeps_nothing_and_leaves_the_tool_alone(full):
    full.reading.set_tool("brush")
    type_comment(full, "never mind", Qt.Key.Key_Escape)
    assert full.reading.tool == "brush"
    assert full.reading.case.document.notes("comment") == {}
    assert not full.panel.comment.isVisible()


def test_a_comment_belongs_to_the_finding_that_it_was_begun_on(full):
    key(full, "T", SHIFT)
    QTest.keyClicks(full.panel.comment.line, "first")
    full.reading.select("d2")
    settle(full)
    notes = full.reading.case.document.notes("comment")
    assert {name: note["text"] for name, note in notes.items()} == {"d1": "first"}
    assert full.panel.comment.line.text() == ""


def test_an_emptied_comment_is_gone(full):
    type_comment(full, "once")
    type_comment(full, "")
    assert full.reading.case.document.notes("comment") == {}
    assert full.reading.case.undo_name == "Delete the comment"
