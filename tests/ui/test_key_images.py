"""Key images in the real window: one key, undo, the list, and back after closing."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from viewer.annotate import key_images as notes
from viewer.display.grey import Window
from viewer.ui.panel.key_images import KeyImagesSection

from .conftest import settle
from .test_review import control, key


@pytest.fixture
def section(opened):
    return opened.panel.findChild(KeyImagesSection)


def listed(window):
    return window.conventions.key_images.listed


def rows(section):
    return [
        button
        for button in section.findChildren(QToolButton)
        if button.text() != "✕" and not button.isHidden()
    ]


def test_one_key_marks_the_shown_slice_and_the_same_key_takes_it_back(opened, section):
    assert section.isHidden()
    opened.set_reader("Dr. Key")
    key(opened, "Down")
    key(opened, "Period")
    (one,) = listed(opened)
    view = opened.views.views[0]
    assert (one.plane, one.index, one.k) == ("axial", view.index, view.index)
    window = opened.reading.window
    assert one.window == (window.centre, window.width)
    assert one.reader == "Dr. Key"
    assert opened.actions_by_id["key_image"].isChecked()
    assert not section.isHidden()
    key(opened, "Period")
    assert listed(opened) == ()
    assert not opened.actions_by_id["key_image"].isChecked()
    assert section.isHidden()


def test_a_mark_is_undone_and_redone(opened):
    key(opened, "Period")
    assert opened.reading.case.undo_name == "Key image"
    control(opened, "Z")
    assert listed(opened) == ()
    control(opened, "Y")
    assert len(listed(opened)) == 1


def test_a_click_on_a_row_goes_there_in_its_window(opened, section):
    opened.reading.set_window(Window(-600, 1500))
    key(opened, "Period")
    marked = opened.views.views[0].index
    opened.reading.set_window(Window(40, 400))
    opened.views.views[0].scroll_slices(4)
    key(opened, "Period")
    settle(opened)
    assert [row.text() for row in rows(section)] == [
        f"Axial, image {opened.views.views[0].plane.number(one.index)}" for one in listed(opened)
    ]
    first = next(n for n, one in enumerate(listed(opened)) if one.index == marked)
    QTest.mouseClick(rows(section)[first], Qt.MouseButton.LeftButton)
    assert opened.views.views[0].index == marked
    assert (opened.reading.window.centre, opened.reading.window.width) == (-600, 1500)


def test_the_next_key_image_comes_round(opened):
    for _ in range(3):
        key(opened, "Period")
        opened.views.views[0].scroll_slices(2)
    wanted = {one.index for one in listed(opened)}
    seen = []
    for _ in range(4):
        key(opened, "Period", Qt.KeyboardModifier.ShiftModifier)
        seen.append(opened.views.views[0].index)
    assert set(seen) == wanted
    assert seen[3] == seen[0]


def test_the_cross_of_a_row_takes_the_mark_away(opened, section):
    key(opened, "Period")
    settle(opened)
    cross = next(b for b in section.findChildren(QToolButton) if b.text() == "✕")
    QTest.mouseClick(cross, Qt.MouseButton.LeftButton)
    settle(opened)
    assert listed(opened) == ()
    control(opened, "Z")
    assert len(listed(opened)) == 1


def test_another_plane_is_marked_with_the_acquired_slice_that_it_cuts(opened):
    opened.views.active = opened.views.views[1]
    key(opened, "Period")
    (one,) = listed(opened)
    assert one.plane == "coronal"
    assert one.index == opened.views.views[1].index
    assert one.k == opened.views.views[0].index


def test_marks_are_there_after_closing_and_opening_again(opened, qtbot, phantom_folder):
    key(opened, "Period")
    before = listed(opened)
    opened.study._leave_case()
    settle(opened)
    assert opened.panel.findChild(KeyImagesSection).isHidden()
    with qtbot.waitSignal(opened.opener.opened, timeout=20_000):
        opened.open_paths([phantom_folder])
    settle(opened)
    assert listed(opened) == before


def test_no_identifier_of_the_images_is_kept_and_the_export_can_name_the_instance(opened):
    key(opened, "Period")
    case = opened.reading.case
    (one,) = listed(opened)
    ref = case.plan.planes[one.k].instance
    assert ref.sop_instance_uid not in repr(one.note())
    assert notes.instance(case.plan, one.k) == (ref.sop_instance_uid, 1)


@pytest.mark.parametrize(
    "damage",
    [
        {"window": [0, 0]},
        {"window": "x"},
        {"index": -1},
        {"plane": "tilted"},
        {"k": None},
        {"window": [float("nan"), 1]},
    ],
)
def test_damaged_notes_are_left_out(damage):
    good = notes.KeyImage("axial", 3, 3, (0.0, 1.0), "", "2026-01-01T00:00:00Z")
    assert notes.read(good.note()) == good
    with pytest.raises(ValueError, match="key image"):
        notes.read(good.note() | damage)
    found = notes.key_images({"a": good.note(), "b": good.note() | damage})
    assert found == (good,)
