"""Rows show whether their outline is locked, and a click on the padlock toggles it."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from viewer.annotate import locks
from viewer.ui.panel.findings_list import padlock_rect
from viewer.ui.panel.padlock import PadlockButton

from .conftest import settle


def _locked(window, target):
    return locks.is_locked(window.reading.case.document, target)


def _click(window, row):
    rows = window.panel.list
    at = padlock_rect(rows.visualItemRect(rows.item(row))).center()
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=at)
    settle(window)


def _picture(window, row):
    rows = window.panel.list
    place = padlock_rect(rows.visualItemRect(rows.item(row)))
    return rows.viewport().grab(place).toImage()


def test_a_click_on_the_padlock_of_a_finding_locks_it_and_selects_nothing_else(full):
    window, rows = full, full.panel.list
    third = window.reading.lesions[2].id
    before = window.reading.selected
    plain = _picture(window, 2)
    _click(window, 2)
    assert _locked(window, third)
    assert window.reading.selected == before != third
    assert _picture(window, 2) != plain
    assert "Unlock it" in rows.padlock_text(rows.item(2))
    assert "locked" in rows.item(2).data(int(Qt.ItemDataRole.AccessibleTextRole))
    _click(window, 2)
    assert not _locked(window, third)
    assert "Lock the outline" in rows.padlock_text(rows.item(2))
    window.actions_by_id["undo"].trigger()
    assert _locked(window, third)


def test_beside_the_padlock_a_click_selects(full):
    rows = full.panel.list
    place = rows.visualItemRect(rows.item(2))
    at = QPoint(place.left() + 60, place.top() + 18)
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert full.reading.selected == full.reading.lesions[2].id
    assert not _locked(full, full.reading.selected)


@pytest.fixture
def padlock(reviewed):
    return reviewed.panel.segments.findChildren(PadlockButton)[0]


def test_the_padlock_of_a_structure_follows_the_lock(reviewed, padlock):
    segment = reviewed.reading.case.document.segments[0].id
    assert not padlock.isChecked()
    padlock.click()
    settle(reviewed)
    assert _locked(reviewed, segment)
    assert padlock.isChecked()
    assert "is locked" in padlock.toolTip()
    # As its key does, on what is selected.
    reviewed.reading.select(segment, centre=False)
    reviewed.actions_by_id["lock"].trigger()
    settle(reviewed)
    assert not padlock.isChecked()
    padlock.click()
    padlock.click()
    assert not _locked(reviewed, segment)


def test_a_committed_reading_keeps_its_locks(reviewed, padlock):
    reviewed.set_reader("Reader")
    for lesion in reviewed.reading.case.shown:
        reviewed.corrections.change(lambda c, i=lesion.id: c.set_verdict(i, "accepted"))
    reviewed.actions_by_id["commit_reading"].trigger()
    settle(reviewed)
    reviewed.panel.refresh()
    assert not padlock.isEnabled()
    assert "committed" in padlock.toolTip()
    rows = reviewed.panel.list
    assert "committed" in rows.padlock_text(rows.item(0))
