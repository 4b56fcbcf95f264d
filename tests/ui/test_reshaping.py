"""Tools that change a whole outline, in the real window: proposed, applied, given up, undone."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from inference.findings import Mask
from viewer.annotate.edits import Reshape, Together
from viewer.tools import reshape
from viewer.ui.reshape_box import ReshapeBox, ReshapeButton

from .conftest import settle
from .test_review import control, key, stroke_at
from .test_touched import assert_as_painted_whole

SHIFT = Qt.KeyboardModifier.ShiftModifier


def mask_of(window):
    return window.reading.lesion.mask.to_array(window.reading.case.volume.shape_kji)


def worked_out(window, qtbot):
    """Wait until what is proposed is there, for the value that is set."""
    room = window.tools.reshaping
    qtbot.waitUntil(
        lambda: room._job is None and (room.proposal is None or room.proposal.made_for is not None),
        timeout=20_000,
    )
    settle(window)


def draw(window, array):
    """Give the selected lesion this mask, as an edit."""
    case = window.reading.case
    lesion = window.reading.lesion
    change = case.reshape(lesion.id, lesion.mask, Mask.from_array(array), "smooth", {})
    window.reading.document_changed.emit(change)


def boxes(window, *corners):
    out = np.zeros(window.reading.case.volume.shape_kji, dtype=bool)
    for low, high in corners:
        out[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return out


def test_a_margin_is_shown_set_applied_and_taken_back(reviewed, qtbot):
    before, lesion = mask_of(reviewed), reviewed.reading.lesion
    case = reviewed.reading.case
    key(reviewed, "X", SHIFT)
    worked_out(reviewed, qtbot)
    box = reviewed.bar.findChild(ReshapeBox)
    assert box.isVisible()
    assert np.array_equal(mask_of(reviewed), before), "nothing is applied yet"
    proposal = reviewed.tools.reshaping.proposal
    assert reviewed.reading.stroke is proposal, "what it would do is shown"
    reviewed.tools.reshaping.set_value(-6.0)
    worked_out(reviewed, qtbot)
    qtbot.waitUntil(lambda: proposal.made_for == -6.0, timeout=20_000)
    view = reviewed.views.views[0]
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: reviewed.tools.reshaping.proposal is None, timeout=20_000)
    volume = case.volume
    wanted = reshape.margin(lesion.mask, -6.0, volume.affine, volume.shape_kji)
    assert np.array_equal(mask_of(reviewed), wanted.to_array(volume.shape_kji))
    assert case.undo_name == "Margin of nodule 1"
    assert case.undo_edit.settings == {"margin_mm": -6.0}
    assert reviewed.reading.stroke is None
    assert not box.isVisible()
    control(reviewed, "Z")
    assert np.array_equal(mask_of(reviewed), before)


def test_the_slider_and_the_button_do_the_same(reviewed, qtbot):
    before = mask_of(reviewed)
    reviewed.actions_by_id["margin"].trigger()
    worked_out(reviewed, qtbot)
    box = reviewed.bar.findChild(ReshapeBox)
    box._slider.setValue(box._slider.maximum() - 10)
    assert reviewed.tools.reshaping.proposal.value == 10.0
    box._apply.click()
    qtbot.waitUntil(lambda: reviewed.tools.reshaping.proposal is None, timeout=20_000)
    assert mask_of(reviewed).sum() > 2 * before.sum()
    assert reviewed.reading.case.undo_edit.settings == {"margin_mm": 10.0}


@pytest.mark.parametrize("how", ["escape", "tool", "selection", "case", "button"])
def test_it_is_given_up_in_many_ways(reviewed, qtbot, how):
    before, case = mask_of(reviewed), reviewed.reading.case
    name, lesion_id = case.undo_name, reviewed.reading.selected
    reviewed.actions_by_id["smooth"].trigger()
    worked_out(reviewed, qtbot)
    assert reviewed.tools.reshaping.proposal is not None
    if how == "escape":
        key(reviewed, "Escape")
    elif how == "tool":
        key(reviewed, "B")
    elif how == "selection":
        key(reviewed, "J")
    elif how == "button":
        reviewed.bar.findChild(ReshapeBox)._cancel.click()
    else:
        reviewed.reading.set_case(None)
    assert reviewed.tools.reshaping.proposal is None
    assert reviewed.reading.stroke is None
    if how == "case":
        case.close()
        return
    lesion = case.document.lesion(lesion_id)
    assert np.array_equal(lesion.mask.to_array(case.volume.shape_kji), before)
    assert case.undo_name == name


def test_an_outline_that_was_changed_meanwhile_is_left_as_it_is(reviewed, qtbot):
    reviewed.actions_by_id["margin"].trigger()
    worked_out(reviewed, qtbot)
    draw(reviewed, boxes(reviewed, ((3, 10, 10), (6, 20, 20))))
    now = mask_of(reviewed)
    reviewed.tools.reshaping.apply()
    settle(reviewed)
    assert np.array_equal(mask_of(reviewed), now)
    assert "changed meanwhile" in reviewed.message.text


def test_tools_without_a_setting_act_at_once(reviewed, qtbot):
    case = reviewed.reading.case
    body = boxes(reviewed, ((3, 10, 10), (8, 24, 24)))
    crumb = boxes(reviewed, ((9, 30, 30), (10, 31, 31)))
    hole = boxes(reviewed, ((5, 14, 14), (6, 18, 18)))
    draw(reviewed, (body | crumb) & ~hole)
    for name, wanted, undo in (
        ("largest_piece", body & ~hole, "Largest piece of nodule 1"),
        ("fill_holes", body, "Fill holes in nodule 1"),
    ):
        reviewed.actions_by_id[name].trigger()
        qtbot.waitUntil(lambda undo=undo: case.undo_name == undo, timeout=20_000)
        assert np.array_equal(mask_of(reviewed), wanted)
    reviewed.actions_by_id["fill_holes"].trigger()
    qtbot.waitUntil(lambda: "Nothing to change" in reviewed.status._text.text(), timeout=20_000)
    assert case.undo_name == "Fill holes in nodule 1"


def test_slices_between_drawn_ones_are_filled(reviewed, qtbot):
    case = reviewed.reading.case
    draw(reviewed, boxes(reviewed, ((2, 10, 10), (3, 24, 24)), ((6, 10, 10), (7, 24, 24))))
    key(reviewed, "I", SHIFT)
    qtbot.waitUntil(lambda: case.undo_name == "Fill nodule 1 between slices", timeout=20_000)
    assert np.array_equal(mask_of(reviewed), boxes(reviewed, ((2, 10, 10), (7, 24, 24))))
    assert case.undo_edit.settings == {"axis": 0}
    key(reviewed, "I", SHIFT)
    assert "no empty slice" in reviewed.status._text.text()
    control(reviewed, "Z")
    assert mask_of(reviewed).sum() == 2 * 14 * 14


def test_what_is_drawn_grows_to_the_edges_around_it(reviewed, qtbot):
    case, whole = reviewed.reading.case, mask_of(reviewed)
    lesion = reviewed.reading.lesion
    seed = reshape.margin(lesion.mask, -4.0, case.volume.affine, case.volume.shape_kji)
    draw(reviewed, seed.to_array(case.volume.shape_kji))
    assert 0 < mask_of(reviewed).sum() < 0.7 * whole.sum()
    key(reviewed, "G", SHIFT)
    reviewed.tools.reshaping.set_value(8.0)
    worked_out(reviewed, qtbot)
    reviewed.tools.reshaping.apply()
    qtbot.waitUntil(lambda: case.undo_name == "Grow nodule 1 to the edges", timeout=20_000)
    after = mask_of(reviewed)
    assert 2 * (after & whole).sum() / (after.sum() + whole.sum()) > 0.8


def test_a_finding_is_split_and_merged_again(reviewed, qtbot):
    case, lesion_id = reviewed.reading.case, reviewed.reading.selected
    count = len(case.document.lesions)
    parts = ((3, 10, 10), (8, 24, 24)), ((3, 40, 40), (6, 50, 50))
    draw(reviewed, boxes(reviewed, *parts))
    key(reviewed, "Y", SHIFT)
    qtbot.waitUntil(lambda: case.undo_name == "Split nodule 1", timeout=20_000)
    assert isinstance(case.undo_edit, Together)
    assert len(case.document.lesions) == count + 1
    assert np.array_equal(mask_of(reviewed), boxes(reviewed, parts[0]))
    new = next(x for x in case.document.lesions if x.origin == "human")
    assert np.array_equal(new.mask.to_array(case.volume.shape_kji), boxes(reviewed, parts[1]))
    reviewed.reading.select(lesion_id)
    reviewed.tools.reshaping.combine("merge", new.id)
    settle(reviewed)
    assert len(case.document.lesions) == count
    assert np.array_equal(mask_of(reviewed), boxes(reviewed, *parts))
    for _ in range(2):
        control(reviewed, "Z")
        assert_as_painted_whole(reviewed)
    assert len(case.document.lesions) == count
    assert case.undo_name == "Smooth nodule 1"


# Said by the offscreen plugin when a menu opens.
@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_two_outlines_are_chosen_from_a_menu(reviewed, qtbot):
    case = reviewed.reading.case
    first, second = case.shown[0], case.shown[1]
    reviewed.actions_by_id["union"].trigger()
    menu = next(m for m in reviewed.findChildren(QMenu) if m.isVisible())
    names = [action.text() for action in menu.actions()]
    assert len(names) == len(case.shown) - 1 + len(case.document.segments)
    menu.actions()[0].trigger()
    menu.close()
    qtbot.waitUntil(lambda: case.undo_name == "Add another outline to nodule 1", timeout=20_000)
    both = mask_of(reviewed)
    shape = case.volume.shape_kji
    assert np.array_equal(both, first.mask.to_array(shape) | second.mask.to_array(shape))
    assert case.document.lesion(second.id) is second, "the other one stays as it is"
    reviewed.tools.reshaping.combine("subtract", second.id)
    qtbot.waitUntil(lambda: case.undo_name.startswith("Cut another"), timeout=20_000)
    assert np.array_equal(
        mask_of(reviewed), first.mask.to_array(shape) & ~second.mask.to_array(shape)
    )
    assert isinstance(case.undo_edit, Reshape)
    QApplication.processEvents()


def test_why_nothing_can_be_done(opened, qtbot):
    button = opened.bar.findChild(ReshapeButton)
    assert "Select a finding" in button.toolTip()
    assert not opened.actions_by_id["margin"].isEnabled()
    assert button.isEnabled(), "a box can be drawn without any"
    opened.corrections.add_missed(opened.reading.cursor_lps_mm)
    settle(opened)
    assert "no outline yet" in opened.actions_by_id["margin"].toolTip()
    stroke_at(opened, opened.reading.cursor_lps_mm, QPoint(14, 3))
    assert opened.actions_by_id["margin"].isEnabled()
    assert button.isEnabled()
    assert "no other finding" in opened.actions_by_id["merge"].toolTip()
    assert "no other outline" in opened.actions_by_id["union"].toolTip()


def test_anatomy_is_reshaped_but_not_split(reviewed, qtbot):
    case = reviewed.reading.case
    segment = case.document.segments[0]
    reviewed.reading.select(segment.id, centre=False)
    settle(reviewed)
    assert not reviewed.actions_by_id["split"].isEnabled()
    assert "choose a finding" in reviewed.actions_by_id["split"].toolTip()
    reviewed.actions_by_id["margin"].trigger()
    reviewed.tools.reshaping.set_value(-3.0)
    worked_out(reviewed, qtbot)
    reviewed.tools.reshaping.apply()
    qtbot.waitUntil(lambda: case.undo_name == "Margin of right lung", timeout=20_000)
    assert case.document.segment(segment.id).count < segment.count
    control(reviewed, "Z")
    assert case.document.segment(segment.id).count == segment.count


def test_reopened_the_case_has_it_all_and_undo_leads_back(reviewed, qtbot, phantom_folder):
    before = mask_of(reviewed)
    reviewed.actions_by_id["margin"].trigger()
    reviewed.tools.reshaping.set_value(9.0)
    reviewed.tools.reshaping.apply()
    case = reviewed.reading.case
    qtbot.waitUntil(lambda: case.undo_name == "Margin of nodule 1", timeout=20_000)
    lesion_id, after = reviewed.reading.selected, mask_of(reviewed)
    draw(reviewed, after | boxes(reviewed, ((3, 50, 50), (5, 60, 60))))
    reviewed.actions_by_id["split"].trigger()
    qtbot.waitUntil(lambda: case.undo_name == "Split nodule 1", timeout=20_000)
    with qtbot.waitSignal(reviewed.opener.opened, timeout=20_000):
        reviewed.open_paths([phantom_folder])
    again = reviewed.reading.case
    qtbot.waitUntil(lambda: not reviewed.reading.case.is_being_read, timeout=20_000)
    again = reviewed.reading.case
    assert again is not case
    assert again.undo_name == "Split nodule 1"
    for _ in range(3):
        again.undo()
    shape = again.volume.shape_kji
    assert np.array_equal(again.document.lesion(lesion_id).mask.to_array(shape), before)


def test_a_locked_outline_is_left_alone_by_every_tool(reviewed, qtbot):
    case, before = reviewed.reading.case, mask_of(reviewed)
    control(reviewed, "K")
    assert reviewed.actions_by_id["lock"].isChecked()
    assert "is locked" in reviewed.status._text.text()
    row = reviewed.panel.list.item(0)
    assert "locked" in row.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "It is locked" in reviewed.actions_by_id["margin"].toolTip()
    assert reviewed.bar.findChild(ReshapeButton).isEnabled(), "its menu unlocks"
    for tool in ("brush", "erase", "lasso"):
        reviewed.reading.set_tool(tool)
        stroke_at(reviewed, reviewed.reading.lesion.centre_lps_mm, QPoint(30, 9))
        assert "locked" in reviewed.status._text.text()
    key(reviewed, "Delete")
    assert "locked" in reviewed.message.text
    assert np.array_equal(mask_of(reviewed), before)
    control(reviewed, "K")
    reviewed.reading.set_tool("erase")
    stroke_at(reviewed, reviewed.reading.lesion.centre_lps_mm, QPoint(30, 9))
    assert mask_of(reviewed).sum() < before.sum()
    control(reviewed, "Z")
    control(reviewed, "Z")
    assert case.undo_name == "Lock an outline"
