"""The 3-D preview in the fourth cell: made off the GUI thread, turned, and gone again."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from viewer.ui.layouts import FOUR

from .conftest import settle

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def previewed(reviewed, qtbot):
    """The window with findings and the preview drawn."""
    QTest.keyClick(reviewed, Qt.Key.Key_M, SHIFT)
    preview = reviewed.previewing.preview
    qtbot.waitUntil(lambda: preview.shows_image, timeout=20_000)
    settle(reviewed)
    return reviewed


def test_it_stands_in_the_fourth_cell_and_goes_again(previewed):
    preview = previewed.previewing.preview
    assert previewed.views.layout_id == FOUR
    assert preview.isVisible()
    assert preview.accessibleName() == "Preview in 3-D"
    assert previewed.actions_by_id["preview"].isChecked()
    QTest.keyClick(previewed, Qt.Key.Key_M, SHIFT)
    settle(previewed)
    assert previewed.previewing.preview is None
    assert not previewed.actions_by_id["preview"].isChecked()
    QTest.keyClick(previewed, Qt.Key.Key_M, SHIFT)
    assert previewed.previewing.preview.isVisible(), "and again"


def test_a_drag_turns_it_and_a_click_selects(previewed, qtbot):
    preview, reading = previewed.previewing.preview, previewed.reading
    middle = preview.rect().center()
    before = np.array(preview._pixels)
    QTest.mousePress(preview, LEFT, pos=middle)
    QTest.mouseMove(preview, middle + QPoint(60, 20))
    QTest.mouseRelease(preview, LEFT, pos=middle + QPoint(60, 20))
    qtbot.waitUntil(lambda: preview.shows_image, timeout=20_000)
    assert (before != preview._pixels).any()
    lesion = reading.lesion
    reading.select(None)
    QTest.mouseClick(preview, LEFT, pos=preview._spot(lesion).toPoint())
    assert reading.selected is not None
    QTest.mouseDClick(preview, LEFT, pos=middle)
    qtbot.waitUntil(lambda: preview.shows_image, timeout=20_000)
    np.testing.assert_array_equal(preview._pixels, before)


def test_nothing_of_the_ai_is_seen_while_it_is_held_back(previewed):
    preview, reading = previewed.previewing.preview, previewed.reading
    assert preview._lesions()
    shown = preview.grab().toImage()
    reading.show(ai_held_back=True)
    settle(previewed)
    assert preview._lesions() == []
    assert preview.grab().toImage() != shown


def test_another_case_is_seen_from_the_front_and_none_is_told(previewed):
    preview, reading = previewed.previewing.preview, previewed.reading
    case = reading.case
    reading.set_case(None)
    case.close(timeout_s=5.0)
    settle(previewed)
    assert not preview.shows_image
    assert not preview.grab().isNull()


def test_findings_of_the_ai_never_stand_there_without_its_name(previewed, monkeypatch):
    from viewer.ui import preview as module

    said = []
    monkeypatch.setattr(module, "chip", lambda _painter, _w, _y, words, **more: said.append(words))
    previewed.previewing.preview.grab()
    assert said[-1] == ["AI scripted 0", "not reviewed"]
    said.clear()
    previewed.reading.show(ai_held_back=True)
    previewed.previewing.preview.grab()
    assert said == []
