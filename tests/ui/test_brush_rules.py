"""Brushes that judge values, in the real window: by key, menu and typed range."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from viewer.tools.rules import Edge, Range
from viewer.ui.tool_boxes import RuleBox

from .conftest import settle
from .test_review import control, key, stroke_at

SHIFT = Qt.KeyboardModifier.ShiftModifier


def mask_of(window):
    return window.reading.lesion.mask.to_array(window.reading.case.volume.shape_kji)


def box_of(window):
    return window.bar.findChild(RuleBox)


def test_one_key_goes_through_the_ways_and_comes_round(reviewed):
    assert reviewed.reading.brush_rule is None
    key(reviewed, "B", SHIFT)
    assert reviewed.reading.tool == "brush", "the brush comes with its way"
    assert isinstance(reviewed.reading.brush_rule, Range)
    assert reviewed.actions_by_id["brush_range"].isChecked()
    key(reviewed, "B", SHIFT)
    assert reviewed.reading.brush_rule == Edge()
    assert reviewed.actions_by_id["brush_edge"].isChecked()
    key(reviewed, "B", SHIFT)
    assert reviewed.reading.brush_rule is None


def test_the_first_range_is_that_of_the_finding_and_is_kept_to(reviewed):
    case, before = reviewed.reading.case, mask_of(reviewed)
    inside = case.volume.voxels[before]
    reviewed.actions_by_id["brush_range"].trigger()
    rule = reviewed.reading.brush_rule
    assert np.mean((inside >= rule.low) & (inside <= rule.high)) > 0.9
    reviewed.reading.set_brush(size_mm=30)
    stroke_at(reviewed, reviewed.reading.lesion.centre_lps_mm, QPoint(50, 20))
    new = case.volume.voxels[mask_of(reviewed) & ~before]
    assert ((new >= rule.low) & (new <= rule.high)).all()
    assert case.undo_name == "Brush by values on nodule 1"
    assert case.undo_edit.rule == rule.text
    control(reviewed, "Z")
    assert np.array_equal(mask_of(reviewed), before)


def test_the_edge_brush_stays_in_the_nodule(reviewed):
    lesion, case = reviewed.reading.lesion, reviewed.reading.case
    before = mask_of(reviewed)
    key(reviewed, "E")
    reviewed.reading.set_brush(size_mm=40)
    stroke_at(reviewed, lesion.centre_lps_mm)  # rub the slice out, then draw it by its edge
    assert not mask_of(reviewed)[reviewed.views.views[0].index].all()
    key(reviewed, "B")
    reviewed.actions_by_id["brush_edge"].trigger()
    reviewed.reading.set_brush(size_mm=20)
    stroke_at(reviewed, lesion.centre_lps_mm, QPoint(1, 0))
    after, k = mask_of(reviewed), reviewed.views.views[0].index
    overlap = 2 * (after[k] & before[k]).sum() / (after[k].sum() + before[k].sum())
    assert overlap > 0.8
    assert case.undo_name == "Edge brush on nodule 1"


def test_values_are_taken_from_under_the_pointer(reviewed):
    key(reviewed, "B")
    view = reviewed.views.views[0]
    reviewed.reading.set_brush(size_mm=12)
    at = view.cursor_px().toPoint()
    QTest.mouseMove(view.viewport(), at)
    key(reviewed, "V", SHIFT)
    here = reviewed.reading.brush_rule
    QTest.mouseMove(view.viewport(), at + QPoint(90, 0))
    key(reviewed, "V", SHIFT)
    there = reviewed.reading.brush_rule
    assert isinstance(here, Range)
    assert isinstance(there, Range)
    assert here != there
    assert "values" in reviewed.status._text.text()


def test_a_range_is_typed(reviewed):
    key(reviewed, "B")
    box = box_of(reviewed)
    assert box.isVisible()
    assert not box._low.isVisible()
    reviewed.actions_by_id["brush_range"].trigger()
    settle(reviewed)
    assert box._low.isVisible()
    box._low.setFocus()
    box._low.selectAll()
    QTest.keyClicks(box._low, "-450")
    QTest.keyClick(box._low, Qt.Key.Key_Return)
    box._high.selectAll()
    QTest.keyClicks(box._high, "120")
    QTest.keyClick(box._high, Qt.Key.Key_Return)
    assert reviewed.reading.brush_rule == Range(-450, 120)
    box._low.selectAll()
    QTest.keyClicks(box._low, "x")
    QTest.keyClick(box._low, Qt.Key.Key_Return)
    assert box._low.text() == "\N{MINUS SIGN}450"
    assert reviewed.reading.brush_rule == Range(-450, 120)
    key(reviewed, "B", SHIFT)
    key(reviewed, "B", SHIFT)
    assert reviewed.reading.brush_rule is None
    key(reviewed, "B", SHIFT)
    assert reviewed.reading.brush_rule == Range(-450, 120), "the range comes back with its way"


def test_a_range_is_not_taken_into_another_case(reviewed):
    reviewed.actions_by_id["brush_range"].trigger()
    case = reviewed.reading.case
    reviewed.reading.set_case(None)
    assert reviewed.reading.brush_rule is None
    case.close()


@pytest.mark.parametrize("name", ["brush_range", "brush_edge", "brush_values", "brush_rule"])
def test_nothing_open_says_why(window, name):
    action = window.actions_by_id[name]
    assert not action.isEnabled()
    assert "Open a series first." in action.toolTip()
