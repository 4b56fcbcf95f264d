"""Read first: nothing of the AI reaches screen, list or accessibility tree before the commit."""

import json
import re

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible, QAction, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from resources.problem import Problem
from viewer import impressions
from viewer.display.grey import Window
from viewer.session import Case, Reader

from .conftest import settle
from .test_review import control, key


def switch_on(window):
    window.reading.preferences.put("read_first", "on")
    settle(window)


def run(window, qtbot):
    with qtbot.waitSignal(window.ai.ended, timeout=10_000):
        window.ai.run()
    settle(window)


def commit(window, judgement="suspicious"):
    window.read_first.form._buttons[judgement].click()
    QTest.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(window)


def reopen(window, qtbot, folder):
    with qtbot.waitSignal(window.opener.opened, timeout=20_000):
        window.open_paths([folder])
    settle(window)


@pytest.fixture
def locked(opened, qtbot):
    """The window with a case whose AI has run and is locked."""
    switch_on(opened)
    run(opened, qtbot)
    assert opened.reading.ai_locked
    assert opened.reading.case.document.findings is not None
    return opened


# ---------------------------------------------------------------- what can be read


def spoken(widget):
    """Return all that an assistive program is told of a window, also of its hidden parts."""
    said, queue, seen = [], [QAccessible.queryAccessibleInterface(widget)], 0
    while queue:
        one = queue.pop()
        if one is None or not one.isValid() or seen > 20_000:
            continue
        seen += 1
        for kind in (
            QAccessible.Text.Name,
            QAccessible.Text.Description,
            QAccessible.Text.Value,
            QAccessible.Text.Help,
        ):
            said.append(one.text(kind))
        queue += [one.child(n) for n in range(one.childCount())]
    return said


def written(window):
    """Return every text that any part of the window holds, shown or not."""
    said = []
    for part in window.findChildren(QObject):
        for name in ("text", "toolTip", "statusTip", "whatsThis", "accessibleName", "title"):
            value = part.property(name)
            if isinstance(value, str):
                said.append(value)
        if isinstance(part, QAction):
            said += [part.text(), part.toolTip()]
        if isinstance(part, QWidget):
            said += [part.accessibleName(), part.accessibleDescription()]
    return said


def secrets_of(case):
    """Return what only the AI knows, as a reader would see it written."""
    found = []
    for lesion in case.document.lesions:
        if lesion.origin == "human":
            continue
        found += [f"{lesion.score:.2f}", f"{lesion.diameter_mm:.1f}"]
        found += [f"odule {lesion.number}", f"{lesion.number} · Nodule"]
        if lesion.volume_ml:
            found.append(f"{lesion.volume_ml:.2f} mL")
    return found


def leaks(texts, case):
    secrets = secrets_of(case)
    found = []
    for text in texts:
        for secret in secrets:
            if re.search(rf"(?<![\d.]){re.escape(secret)}(?![\d])", text or ""):
                found.append((secret, text))
        for word in ("lung", "not reviewed", "of 3 reviewed", "more below", "outlined"):
            if re.search(rf"\b{word}\b", text or "", re.IGNORECASE):
                found.append((word, text))
    return found


@pytest.mark.parametrize("arranged", ["layout_three", "layout_list", "layout_four"])
@pytest.mark.parametrize("marked", [False, True])
def test_no_word_of_the_ai_is_anywhere_before_the_commit(opened, qtbot, marked, arranged):
    """In every layout, with and without a lesion that the reader has marked himself."""
    switch_on(opened)
    opened.actions_by_id[arranged].trigger()
    if marked:
        opened.corrections.add_missed(opened.reading.cursor_lps_mm)
    settle(opened)
    standing = {*spoken(opened), *written(opened)}  # presets, keys, help: there is no result yet
    run(opened, qtbot)
    case = opened.reading.case
    texts = [t for t in (*spoken(opened), *written(opened)) if t not in standing]
    assert leaks(texts, case) == []
    # The same look finds all of it once the AI shows: it is no blind one.
    commit(opened)
    texts = [t for t in (*spoken(opened), *written(opened)) if t not in standing]
    found = {secret for secret, _text in leaks(texts, case)}
    best = [lesion for lesion in case.shown if lesion.origin == "ai"][1]
    assert {f"{best.score:.2f}", f"{best.number} · Nodule", "not reviewed"} <= found


def picture(window):
    image = window.views.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return bytes(image.constBits())


@pytest.mark.parametrize("arranged", ["layout_three", "layout_four"])
def test_locked_images_are_those_without_any_result(opened, qtbot, arranged):
    """Pixel by pixel, on the very slice that shows a finding, with everything switched on."""
    opened.actions_by_id[arranged].trigger()
    switch_on(opened)
    run(opened, qtbot)
    case = opened.reading.case
    lesion_at = case.shown[0].centre_lps_mm
    opened.reading.visible_segments = {s.id for s in case.document.segments}
    opened.reading.show(heatmap=True, fill=True)
    opened.reading.move_cursor(lesion_at)
    settle(opened)
    locked = picture(opened)
    # Take the result away altogether: nothing may change.
    opened.corrections.undo()
    assert case.document.findings is None
    opened.reading.show(heatmap=True)
    opened.reading.move_cursor(lesion_at)
    settle(opened)
    assert picture(opened) == locked
    opened.corrections.redo()
    settle(opened)
    assert picture(opened) == locked
    commit(opened)
    opened.reading.visible_segments = {s.id for s in case.document.segments}
    opened.reading.show(heatmap=True, fill=True)
    opened.reading.move_cursor(lesion_at)
    settle(opened)
    assert picture(opened) != locked


def test_the_value_under_the_cursor_says_nothing_of_the_heatmap(locked):
    reading = locked.reading
    reading.show(heatmap=True)
    reading.move_cursor(reading.case.shown[0].centre_lps_mm)
    view = locked.views.views[0]
    assert reading.chosen_map is None
    assert view.overlay.heatmap_value(tuple(round(v) for v in reading.cursor_kji())) is None
    assert not view.overlay.shows_ai


def test_the_cursor_does_not_go_to_what_the_ai_found(opened, qtbot):
    switch_on(opened)
    before = opened.reading.cursor_lps_mm.copy()
    run(opened, qtbot)
    assert (opened.reading.cursor_lps_mm == before).all()
    assert opened.reading.selected is None


def test_nothing_of_the_ai_can_be_chosen_judged_or_exported(locked):
    case = locked.reading.case
    locked.reading.select(case.shown[0].id, centre=False)
    settle(locked)
    assert locked.reading.lesion is None
    for name in ("accept", "reject", "heatmap", "export", "outline", "hold_ai", "next_peak"):
        assert not locked.actions_by_id[name].isEnabled(), name
    assert "Read first" in locked.actions_by_id["export"].toolTip()
    # An undo of the run, and its name, would tell that there is one.
    assert not locked.actions_by_id["undo"].isEnabled()
    assert "AI run" not in locked.actions_by_id["undo"].toolTip()
    assert locked.bar._undo_text.text() == ""


def test_neither_run_nor_commit_changes_window_slice_or_layout(opened, qtbot):
    """Also where the series is shown with a window in which no nodule can be seen."""
    opened.reading.set_window(Window(40.0, 400.0))
    switch_on(opened)
    run(opened, qtbot)
    commit(opened)
    assert opened.reading.window == Window(40.0, 400.0)
    assert not opened.reading.shown.heatmap


def test_the_card_of_the_series_says_only_that_it_is_locked(locked):
    assert locked.rail.card(locked.study.current).state == "AI locked: read first"


# ---------------------------------------------------------------------- the commit


def test_a_commit_is_kept_with_what_was_marked_and_the_ai_shows(locked):
    locked.set_reader("Dr. One")
    assert locked.reading.ai_locked
    key(locked, "M")
    settle(locked)
    case = locked.reading.case
    (marked,) = impressions.marked_by_readers(case.document)
    form = locked.read_first.form
    assert form.isVisible()
    assert form.lesions_seen == 1  # as many as were marked, until it is set
    form._count.setValue(2)
    form._comment.setPlainText("left hilum?")
    commit(locked, "unsure")
    assert not locked.reading.ai_locked
    told = impressions.of_reader(case.document, "Dr. One")
    assert (told.judgement, told.lesions_seen, told.comment) == ("unsure", 2, "left hilum?")
    assert told.lesion_ids == (marked,)
    assert told.ai_had_run
    assert told.utc.endswith("Z")
    assert locked.panel.list.count() == len(case.shown)
    assert "unsure" in form._told.text()
    assert not form._asking.isVisible()


def test_without_a_judgement_nothing_is_committed(locked):
    QTest.keyClick(locked, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(locked)
    assert locked.reading.ai_locked
    assert impressions.all_of(locked.reading.case.document) == ()
    assert QApplication.focusWidget() is locked.read_first.form._buttons["suspicious"]


def test_the_commit_works_from_within_the_comment(locked):
    form = locked.read_first.form
    form._buttons["suspicious"].click()
    form._comment.setFocus()
    QTest.keyClicks(form._comment, "mass, right")  # a, m, s, r are keys of the window too
    QTest.keyClick(form._comment, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(locked)
    assert not locked.reading.ai_locked
    told = impressions.of_reader(locked.reading.case.document, locked.reading.case.reader.name)
    assert told.comment == "mass, right"


def test_a_commit_cannot_be_undone_nor_what_came_before_it(locked):
    key(locked, "M")
    commit(locked)
    case = locked.reading.case
    lesions = case.document.lesions
    for _ in range(3):
        control(locked, "Z")
    assert impressions.all_of(case.document)
    assert case.document.lesions == lesions
    assert not locked.reading.ai_locked
    assert "first impression stands" in locked.actions_by_id["undo"].toolTip()
    # What comes after it is undone as ever, down to it.
    locked.reading.select(case.shown[0].id)
    key(locked, "A")
    assert case.shown[0].verdict == "accepted"
    control(locked, "Z")
    assert case.shown[0].verdict is None
    control(locked, "Z")
    assert impressions.all_of(case.document)


def test_it_stays_open_for_its_reader_and_locked_for_another(locked, qtbot, phantom_folder):
    locked.set_reader("Dr. One")
    commit(locked)
    reopen(locked, qtbot, phantom_folder)
    assert not locked.reading.ai_locked
    locked.set_reader("Dr. Two")
    settle(locked)
    assert locked.reading.ai_locked
    assert locked.panel.list.count() == 0
    commit(locked, "not-suspicious")
    told = impressions.all_of(locked.reading.case.document)
    assert [(one.reader, one.judgement) for one in told] == [
        ("Dr. One", "suspicious"),
        ("Dr. Two", "not-suspicious"),
    ]


def test_an_earlier_result_is_locked_too_and_the_place_of_its_finding(
    opened, qtbot, phantom_folder
):
    run(opened, qtbot)
    opened.set_reader("Dr. One")
    opened.reading.select(opened.reading.case.shown[0].id)
    found_at = opened.reading.cursor_lps_mm.copy()
    settle(opened)
    switch_on(opened)
    assert not opened.reading.ai_locked  # he has seen it
    opened.set_reader("Dr. Two")
    opened.worklist.keeper._keep_view()
    reopen(opened, qtbot, phantom_folder)
    assert opened.reading.ai_locked
    assert opened.reading.selected is None
    assert (opened.reading.cursor_lps_mm != found_at).any()
    assert opened.panel.list.count() == 0


def test_numbers_of_lesions_marked_before_do_not_tell_how_many_the_ai_has(locked):
    key(locked, "M")
    settle(locked)
    case = locked.reading.case
    (mine,) = (lesion for lesion in case.document.lesions if lesion.origin == "human")
    assert mine.number == 101
    assert not mine.missed_by_ai  # its reader cannot know
    commit(locked)
    key(locked, "J")
    after = case.add_missed((0.0, 0.0, 0.0))
    assert case.document.lesion(after.lesion_ids[0]).missed_by_ai


def test_switched_off_while_locked_the_ai_shows_and_that_is_kept(locked, qtbot, phantom_folder):
    locked.read_first.toggle()
    settle(locked)
    assert not locked.reading.ai_locked
    told = impressions.of_reader(locked.reading.case.document, locked.reading.case.reader.name)
    assert told.judgement == "skipped"
    switch_on(locked)
    assert not locked.reading.ai_locked
    reopen(locked, qtbot, phantom_folder)
    assert not locked.reading.ai_locked


def test_a_case_that_cannot_be_written_stays_locked_and_says_why(locked):
    case = locked.reading.case
    case.read_only_problem = Problem("Open elsewhere.", "Close it there.")
    locked.read_first.follow()
    locked.follow()
    assert not locked.actions_by_id["commit"].isEnabled()
    assert "Open elsewhere." in locked.read_first.form._told.text()
    assert locked.reading.ai_locked


def test_it_is_off_by_default_and_ctrl_shift_r_switches_it(opened):
    assert not opened.read_first.on
    QTest.keyClick(
        opened,
        Qt.Key.Key_R,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    settle(opened)
    assert opened.read_first.on
    assert opened.read_first.button.isVisible()
    assert opened.reading.ai_locked  # the model may run on it, and its reader said nothing
    assert json.loads(opened.settings._file.read_text())["read_first"] == "on"


def test_a_series_that_no_model_reads_is_not_locked(opened, monkeypatch):
    monkeypatch.setattr("inference.registry.eligibility", lambda pack, volume: ("not for this",))
    switch_on(opened)
    assert not opened.reading.ai_locked
    assert not opened.read_first.form.isVisible()


# ------------------------------------------------------------------ without a window


def test_an_impression_is_read_back_as_it_was_written():
    told = impressions.Impression("R", "2026-01-01T00:00:00Z", "unsure", 3, "x", ("h1",), True)
    assert impressions._read(told.note()) == told
    assert impressions._read({"judgement": "of a newer version"}) is None


def test_the_journal_keeps_it(locked, tmp_path):
    commit(locked)
    case = locked.reading.case
    case.flush()
    again = Case.open(
        case.series, case.plan, case.volume, reader=Reader("another"), folder=None
    )  # locked by the window: read only, replayed all the same
    assert impressions.all_of(again.document) == impressions.all_of(case.document)
    again.close()
