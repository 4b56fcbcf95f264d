"""The worklist by worth for training, by key and button, and what it must not tell."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.dicom_files import stored, write_stack
from viewer.ui.worklist_rows import WorklistModel

from .conftest import settle

READ_FIRST = "Read first: told after your first impression"


def keys(window):
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    QTest.keyClick(window, Qt.Key.Key_L, modifiers)
    settle(window)


@pytest.fixture
def listed(full, qtbot, tmp_path):
    """A case with twelve findings that a reader worked on, and above it one not analysed."""
    full.reading.case.set_verdict(full.reading.lesions[0].id, "rejected")
    assert full.reading.case.flush() == 0
    write_stack(tmp_path / "plain", stored(6), SeriesDescription="Plain")
    with qtbot.waitSignal(full.opener.opened, timeout=20_000):
        full.open_paths([tmp_path / "plain"])
    settle(full)
    full.actions_by_id["worklist"].trigger()
    full.worklist.keeper._pool.waitForDone()
    qtbot.waitUntil(lambda: full.worklist.page.model.rowCount() == 2)
    return full


def rows(window):
    model = window.worklist.page.model
    return [
        (study.description, model.why(study))
        for study in (model.index(n).data(WorklistModel.STUDY) for n in range(model.rowCount()))
    ]


def sorted_by_worth(window, qtbot):
    qtbot.waitUntil(lambda: bool(window.worklist.page.model.worths))
    settle(window)
    return rows(window)


def test_a_key_and_a_button_sort_it_and_each_row_says_why(listed, qtbot):
    page = listed.worklist.page
    before = rows(listed)
    assert before[0][0] == "Plain" and before[0][1] == before[1][1] == ""
    keys(listed)
    assert page.order_button.isChecked()
    (first, why), (last, nothing) = sorted_by_worth(listed, qtbot)
    assert last == "Plain" and first != "Plain"
    assert nothing == "The AI has not run"
    assert "unsure of" in why and "1 of the AI rejected" in why
    spoken = page.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert why in spoken
    QTest.mouseClick(page.order_button, Qt.MouseButton.LeftButton)
    assert rows(listed) == before
    assert not listed.worth_order.on


def test_it_is_off_while_the_list_is_not_shown(reviewed):
    action = reviewed.actions_by_id["worth_order"]
    assert not action.isEnabled()
    assert "Open the worklist first." in action.toolTip()


def test_who_reads_first_is_told_nothing_and_nothing_by_the_order(listed, qtbot):
    before = [name for name, _ in rows(listed)]
    keys(listed)
    sorted_by_worth(listed, qtbot)
    listed.set_reader("Dr. B. Other")
    # At once: nothing of before stays for the one who reads now.
    assert {why for _, why in rows(listed)} == {"Not known yet"}
    listed.reading.preferences.put("read_first", "on")
    found = sorted_by_worth(listed, qtbot)
    qtbot.waitUntil(lambda: READ_FIRST in dict(rows(listed)).values())
    found = rows(listed)
    assert [name for name, _ in found] == before
    assert {why for _, why in found} == {READ_FIRST, "The AI has not run"}
    listed.set_reader("Dr. A. Test")  # whose verdict tells that he knows it
    qtbot.waitUntil(lambda: any("rejected" in why for _, why in rows(listed)))
